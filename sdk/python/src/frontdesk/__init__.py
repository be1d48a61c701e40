"""The SDK of Frontdesk: visitors and bots over the protocol `frontdesk.v1.json`. See README.md."""

from __future__ import annotations

from urllib.parse import urlsplit

from . import wire
from .backoff import Backoff
from .bot import Bot, Handler
from .client import Options
from .codec import SUBPROTOCOL, decode_client, decode_server, encode_client, encode_server
from .codes import after_close
from .conversation import Conversation
from .errors import FrontdeskError, HttpError, MalformedFrame, Refused, Stopped
from .inbox import Inbox
from .link import State
from .message import Actor, ActorKind, Choice, Field, FieldKind, Message, MessageKind
from .outbox import Ack, OutboxStore, Pending
from .platform import Answer, Clock, HandshakeRefused, Platform, Request, Socket, Timer
from .stream import Stream
from .timeline import Timeline
from .visitor import Draft, IdentityToken, Visitor

__all__ = [
    "SUBPROTOCOL",
    "Ack",
    "Actor",
    "ActorKind",
    "Answer",
    "Backoff",
    "Bot",
    "Choice",
    "Clock",
    "Conversation",
    "Draft",
    "Field",
    "FieldKind",
    "Frontdesk",
    "FrontdeskError",
    "Handler",
    "HandshakeRefused",
    "HttpError",
    "Inbox",
    "MalformedFrame",
    "Message",
    "MessageKind",
    "OutboxStore",
    "Pending",
    "Platform",
    "Refused",
    "Request",
    "Socket",
    "State",
    "Stopped",
    "Stream",
    "Timeline",
    "Timer",
    "Visitor",
    "after_close",
    "decode_client",
    "decode_server",
    "encode_client",
    "encode_server",
    "wire",
]


class Frontdesk:
    """A Frontdesk server."""

    def __init__(
        self,
        base_url: str,
        *,
        language: str = "en",
        client: str = "frontdesk-sdk-py/0.1.0",
        headers: dict[str, str] | None = None,
        send_timeout: float = 300.0,
        outbox_max: int = 1_000,
        inbox_max: int = 1_000,
        store: OutboxStore | None = None,
        platform: Platform | None = None,
    ) -> None:
        """`base_url`: where the server is reached, with its path prefix if it has one. `language`: BCP 47. `client`: names the
        program in the server's records, at most 64 bytes. `headers`: sent with every HTTP request. `send_timeout`: seconds a
        message waits for its ack, reconnects included. `outbox_max`, `inbox_max`: messages that may wait for their ack,
        and for a reader or handler. `store`: where pending messages survive the process, one for each client.
        """
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"not an address of a server: {base_url}")
        self._options = Options(
            base_url.rstrip("/"),
            language,
            client,
            headers or {},
            send_timeout,
            outbox_max,
            inbox_max,
            store,
            platform or Platform(),
        )

    def visitor(
        self,
        inbox_key: str,
        *,
        token: str = "",
        position: wire.Position | None = None,
        identity_token: IdentityToken | None = None,
        page: str = "",
        referrer: str = "",
    ) -> Visitor:
        """A visitor of an inbox. `token` and `position`: of an earlier run, to go on from there. `identity_token`: who the
        site says the visitor is, or what asks for a fresh one. start(), or `async with`, connects it.
        """
        return Visitor(self._options, inbox_key, token, position, identity_token, page, referrer)

    def bot(self, api_key: str, *, handlers_max: int = 64) -> Bot:
        """A bot, by its API key. `handlers_max`: handlers that run at a time in all. run(), or start(), connects it."""
        return Bot(self._options, api_key, handlers_max)
