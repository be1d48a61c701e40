"""The parts that know no connection."""

from __future__ import annotations

import asyncio
import threading
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product
from typing import Any

from fake import EPOCH, entry
from frontdesk import Ack, Answer, Backoff, FrontdeskError, Platform, Request, Stream, Timeline, after_close


def sending(sent: list[str]) -> Callable[[str], asyncio.Future[Ack]]:
    """Acks each text, and keeps it."""

    def send(text: str) -> asyncio.Future[Ack]:
        sent.append(text)
        ack: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        ack.set_result(Ack("", "", "", 1, 1))
        return ack

    return send


class Parts(unittest.IsolatedAsyncioTestCase):
    def test_close_codes_tell_by_their_range(self) -> None:
        table = {
            "reconnect": (1000, 1001, 1006, 1011, 1012, 3000, 3001, 3399, 4000),
            "stop": (1002, 1003, 1007, 1009, 1010, 3500, 3999),
            "new-ticket": (3400, 3499),
        }
        for what, codes in table.items():
            for code in codes:
                self.assertEqual(after_close(code), what, code)

    def test_the_backoff_doubles_to_30_s_random_over_the_whole_range(self) -> None:
        highest = Backoff(lambda: 1.0)
        self.assertEqual([highest.next() for _ in range(9)], [0.5, 1, 2, 4, 8, 16, 30, 30, 30])
        highest.reset()
        self.assertEqual(highest.next(), 0.5)
        self.assertEqual(Backoff(lambda: 0.0).next(), 0)

    def test_a_timeline_gives_each_entry_once_and_in_order_however_they_come(self) -> None:
        items: list[Any] = [entry(1, "a"), {"skip": {"fromSeq": "2", "toSeq": "3"}}, entry(4, "b"), entry(5, "c")]
        for order in product(items, repeat=4):
            timeline, given = Timeline(), []
            timeline.reset(EPOCH, 0)

            def accept(one: Any, given: list[str] = given) -> bool:
                given.append(one["seq"])
                return True

            for item in order:
                timeline.take([item], accept)
            self.assertEqual(timeline.take(items, accept), "ok")
            self.assertEqual((given, timeline.held), (["1", "4", "5"], 5))

    def test_an_entry_that_a_skip_covers_after_it_came_early_is_not_given(self) -> None:
        timeline, given = Timeline(), list[str]()
        timeline.reset(EPOCH, 1)

        def accept(one: Any) -> bool:
            given.append(one["seq"])
            return True

        early: Any = entry(5, "early")
        timeline.take([early], accept)
        rest: Any = [{"skip": {"fromSeq": "2", "toSeq": "6"}}, entry(7, "x")]
        self.assertEqual(timeline.take(rest, accept), "ok")
        self.assertEqual((given, timeline.held), (["7"], 7))

    def test_an_entry_without_room_is_not_held_nor_is_what_follows(self) -> None:
        timeline = Timeline()
        timeline.reset(EPOCH, 0)
        items: Any = [entry(1, "a"), entry(2, "b"), entry(3, "c")]
        self.assertEqual(timeline.take(items, lambda one: one["seq"] != "2"), "full")
        self.assertEqual((timeline.held, timeline.hole_end), (1, None))

    def test_a_hole_is_closed_however_much_waits_behind_it(self) -> None:
        timeline, given = Timeline(), list[int]()
        timeline.reset(EPOCH, 0)

        def accept(one: Any) -> bool:
            given.append(int(one["seq"]))
            return True

        behind: Any = [entry(seq, "x") for seq in range(201, 3_201)]
        missing: Any = [entry(seq, "x") for seq in range(1, 201)]
        self.assertEqual(timeline.take(behind, accept), "hole")
        self.assertEqual(timeline.take(missing, accept), "ok")
        # What found no room is asked for by the next position check.
        self.assertEqual((given, timeline.held), (list(range(1, 2_201)), 2_200))

    def test_a_hole_is_told_and_closed_by_a_skip_that_overlaps(self) -> None:
        timeline = Timeline()
        timeline.reset(EPOCH, 3)
        late: Any = [entry(7, "x")]
        self.assertEqual(timeline.take(late, lambda _: True), "hole")
        self.assertEqual(timeline.hole_end, 7)
        self.assertEqual(timeline.take([{"skip": {"fromSeq": "2", "toSeq": "6"}}], lambda _: True), "ok")
        self.assertEqual(timeline.held, 7)

    async def test_a_stream_shows_the_text_so_far_at_most_four_times_a_second(self) -> None:
        now = 0
        drafts: list[str] = []
        sent: list[str] = []
        send = sending(sent)
        stream = Stream(lambda: now / 100, lambda text, _: drafts.append(text), send)
        for _ in range(100):
            stream.write("梅")
            now += 1
        self.assertEqual([len(text) for text in drafts], [1, 26, 51, 76])
        stream.write("🙂" * 1_100)
        last = drafts[-1].encode()
        self.assertTrue(4_090 < len(last) <= 4_096, "whole characters of 4 KiB")
        await asyncio.gather(stream.end(), stream.end())
        self.assertEqual(sent, [stream.text], "the message is sent once")
        stream.write("more")
        stream.abort()
        self.assertEqual(len(drafts), 5, "nothing is shown after the end")

    async def test_a_stream_takes_halves_of_a_character_and_sends_nothing_once_it_was_taken_away(self) -> None:
        drafts: list[str] = []
        sent: list[str] = []
        stream = Stream(lambda: 0.0, lambda text, _: drafts.append(text), sending(sent))
        stream.write("a\ud83d")
        self.assertEqual(drafts, ["a\ufffd"])
        stream.abort()
        with self.assertRaises(FrontdeskError):
            await stream.end()
        self.assertEqual(sent, [])

    async def test_requests_do_not_wait_for_the_threads_of_handlers(self) -> None:
        class Desk(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(503)
                self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(b'{"code": "overloaded"}')

            def log_message(self, format: str, *args: object) -> None:
                pass

        loop, over = asyncio.get_running_loop(), threading.Event()
        loop.set_default_executor(ThreadPoolExecutor(1))
        handler = loop.run_in_executor(None, over.wait)
        server = HTTPServer(("127.0.0.1", 0), Desk)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            async with asyncio.timeout(10):
                answer = await Platform().http(Request("GET", f"http://127.0.0.1:{server.server_port}/", {}, None, 5.0))
            self.assertEqual(answer, Answer(503, {"code": "overloaded"}, 7.0))
        finally:
            over.set()
            await handler
            server.shutdown()
            serving.join()
            server.server_close()
