"""Frames as text of the subprotocol "frontdesk.v1.json".

Reading is generous, as protobuf's JSON mapping asks: names as in the proto file, 64-bit integers as numbers, base64 for
URLs, enum values as numbers, null for absent. Writing is canonical. Both go by the table of fields in wire.py, so that
what a frame holds has one form in memory.
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any, cast

from .errors import MalformedFrame
from .wire import ENUMS, MESSAGES, ClientFrame, ServerFrame

SUBPROTOCOL = "frontdesk.v1.json"

_INTEGER = re.compile(r"-?[0-9]{1,20}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")
_RANGES = {
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "fixed64": (0, 2**64 - 1),
    "int64": (-(2**63), 2**63 - 1),
}


def decode_server(text: object) -> ServerFrame:
    """Reads a frame of the server. A kind this SDK does not know gives a frame without any."""
    return cast(ServerFrame, _decode(text, "ServerFrame", newer=True))


def decode_client(text: object) -> ClientFrame:
    """Reads a frame of a client as the server does: for tests and for those who play the server."""
    frame = _decode(text, "ClientFrame", newer=False)
    if not any(name != "ref" for name in frame):
        raise MalformedFrame("frame.unknown", "no kind that is known")
    return cast(ClientFrame, frame)


def encode_client(frame: ClientFrame) -> str:
    """Writes a frame of a client."""
    return _encode(frame, "ClientFrame")


def encode_server(frame: ServerFrame) -> str:
    """Writes a frame of the server: for tests and for those who play the server."""
    return _encode(frame, "ServerFrame")


def _encode(frame: object, kind: str) -> str:
    return json.dumps(_message(frame, kind, newer=False), ensure_ascii=False, separators=(",", ":"))


def _decode(text: object, kind: str, *, newer: bool) -> dict[str, Any]:
    if not isinstance(text, str):
        raise MalformedFrame("frame.malformed", "not text")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedFrame("frame.malformed", "not JSON") from None
    return _message(value, kind, newer=newer)


def _message(value: object, kind: str, *, newer: bool) -> dict[str, Any]:
    """`newer`: a value this reader has never heard of is passed over instead of refused: a newer server may say it."""
    if not isinstance(value, dict):
        raise _wrong(kind, value)
    out: dict[str, Any] = {}
    chosen: set[str] = set()
    for name, proto, field_kind, stands in MESSAGES[kind]:
        one = value.get(name)
        if one is None:
            one = value.get(proto)
        if one is None:
            continue
        if stands == "repeated":
            if not isinstance(one, list):
                raise _wrong(name, one)
            items = [_scalar(each, name, field_kind, newer=newer) for each in one]
            items = [each for each in items if each is not None]
            if items:
                out[name] = items
            continue
        read = _scalar(one, name, field_kind, newer=newer)
        if read is None:
            continue
        oneof = stands not in ("plain", "optional")
        if oneof:
            if stands in chosen:
                raise MalformedFrame("frame.malformed", f"{kind} has two of {stands}")
            chosen.add(stands)
        if oneof or stands == "optional" or field_kind in MESSAGES or not _is_zero(read, field_kind):
            out[name] = read
    return out


def _is_zero(value: object, kind: str) -> bool:
    return value == ENUMS[kind][0] if kind in ENUMS else value in ("", 0, False, "0", {})


def _scalar(value: object, name: str, kind: str, *, newer: bool) -> Any:
    if kind in MESSAGES:
        return _message(value, kind, newer=newer)
    if kind in ENUMS:
        return _enum(value, name, kind, newer=newer)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match kind:
        case "string" if isinstance(value, str):
            return well_formed(value)
        case "bool" if isinstance(value, bool):
            return value
        case "float" if number and math.isfinite(cast(float, value)):
            return value
        case "bytes" if isinstance(value, str):
            return _base64(value, name)
        case "map" if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
            return dict(value)
    if kind in _RANGES:
        integer = _integer(value)
        low, high = _RANGES[kind]
        if integer is not None and low <= integer <= high:
            return integer if kind == "uint32" else str(integer)
    raise _wrong(name, value)


def _enum(value: object, name: str, kind: str, *, newer: bool) -> str | None:
    values = ENUMS[kind]
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(values):
        return values[value]
    if isinstance(value, str) and value in values:
        return value
    if newer:
        return None
    raise _wrong(name, value)


def _integer(value: object) -> int | None:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def well_formed(text: str) -> str:
    """Half of a surrogate pair, as JSON cut in the middle of a character gives it, is no character: no server takes it. Two
    halves that belong together become one.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _base64(value: str, name: str) -> str:
    plain = value.replace("-", "+").replace("_", "/").rstrip("=")
    if not _BASE64.fullmatch(plain) or len(plain) % 4 == 1:
        raise _wrong(name, value)
    return base64.b64encode(base64.b64decode(plain + "=" * (-len(plain) % 4))).decode()


def _wrong(name: str, value: object) -> MalformedFrame:
    return MalformedFrame("frame.malformed", f"{name} cannot be {type(value).__name__}")
