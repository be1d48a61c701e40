"""The golden vectors that every implementation of the protocol reads."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from frontdesk import MalformedFrame, decode_client, decode_server, encode_client, encode_server

VECTORS = Path(__file__).parents[3] / "crates/protocol/vectors"


def read(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{file}.json").read_text(encoding="utf-8"))
    return found


def text_of(value: object) -> str:
    """One text for one value, whatever the order of its fields."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Vectors(unittest.TestCase):
    def test_client_frames_are_read_and_written_byte_for_byte(self) -> None:
        for vector in read("client"):
            written = encode_client(decode_client(json.dumps(vector["json"])))
            self.assertEqual(text_of(json.loads(written)), text_of(vector["json"]), vector["name"])

    def test_server_frames_are_read_and_written_byte_for_byte(self) -> None:
        for vector in read("server"):
            frame = decode_server(json.dumps(vector["json"]))
            self.assertEqual(text_of(frame), text_of(vector["json"]), vector["name"])
            self.assertEqual(text_of(json.loads(encode_server(frame))), text_of(vector["json"]), vector["name"])

    def test_a_reader_accepts_more_than_a_writer_writes(self) -> None:
        texts = [vector for vector in read("lenient") if "text" in vector]  # the rest is of the other encoding
        self.assertGreaterEqual(len(texts), 6)
        for vector in texts:
            frame = decode_client(vector["text"])
            self.assertEqual(text_of(frame), text_of(vector["means"]), vector["name"])
            self.assertEqual(encode_client(frame), encode_client(vector["means"]), vector["name"])

    def test_base64_for_urls_is_read_in_both_its_characters(self) -> None:
        frame = decode_client('{"send":{"clientMsgId":"-_-_"}}')
        self.assertEqual(frame["send"]["clientMsgId"], "+/+/")

    def test_what_is_malformed_is_refused_with_the_code_of_the_protocol(self) -> None:
        texts = [vector for vector in read("refused") if "text" in vector]
        self.assertGreaterEqual(len(texts), 10)
        for vector in texts:
            with self.assertRaises(MalformedFrame, msg=vector["name"]) as raised:
                decode_client(vector["text"])
            self.assertEqual(raised.exception.code, vector["code"], vector["name"])

    def test_a_frame_of_a_newer_server_is_read_as_far_as_it_is_known(self) -> None:
        self.assertEqual(decode_server('{"juggle":{"balls":3}}'), {})
        later = '{"presence":{"presence":"PRESENCE_ASLEEP","conversation":"c"}}'
        self.assertEqual(decode_server(later), {"presence": {"conversation": "c"}})
