"""A server in memory and a clock that a test moves: what a client sends is seen frame by frame."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from unittest import IsolatedAsyncioTestCase

from frontdesk import Answer, Frontdesk, Platform, Request, decode_client, encode_server

EPOCH = "10312465081116569670"


async def settle() -> None:
    """Lets everything that waits for no timer run."""
    for _ in range(20):
        await asyncio.sleep(0)


class FakeTimer:
    def __init__(self, clock: FakeClock, at: float, run: Callable[[], object]) -> None:
        self.clock, self.at, self.run = clock, at, run

    def cancel(self) -> None:
        if self in self.clock.timers:
            self.clock.timers.remove(self)


class FakeClock:
    def __init__(self) -> None:
        # A whole number, so that times add up exactly.
        self.time = 1_790_000_000.0
        self.timers: list[FakeTimer] = []

    def now(self) -> float:
        return self.time

    def call_later(self, delay: float, run: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(self, self.time + delay, run)
        self.timers.append(timer)
        return timer

    async def advance(self, seconds: float) -> None:
        end = self.time + seconds
        while True:
            await settle()
            due = [timer for timer in self.timers if timer.at <= end]
            if not due:
                break
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.time = max(self.time, first.at)
            first.run()
        self.time = end
        await settle()


class FakeSocket:
    """One socket as the server sees it."""

    def __init__(self, url: str, subprotocol: str, on_message: Callable[[object], None], on_close: Callable[[int], None]) -> None:
        self.url, self.subprotocol = url, subprotocol
        self._on_message, self._on_close = on_message, on_close
        self.sent: list[dict[str, Any]] = []
        self.closed_with: int | None = None

    def send(self, text: str) -> None:
        self.sent.append(dict(decode_client(text)))

    def close(self, code: int) -> None:
        self.closed_with = code

    async def wait_closed(self) -> None:
        pass

    def take(self, kind: str) -> list[dict[str, Any]]:
        """The frames of one kind that came, and forgets them."""
        found = [frame for frame in self.sent if kind in frame]
        self.sent = [frame for frame in self.sent if kind not in frame]
        return found

    async def push(self, *frames: Any) -> None:
        for frame in frames:
            self._on_message(encode_server(frame))
        await settle()

    async def end(self, code: int) -> None:
        self._on_close(code)
        await settle()


class FakeServer:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sockets: list[FakeSocket] = []
        self.requests: list[Request] = []
        self.refuse_dial: Exception | None = None
        # Answers of HTTP, by a function of the request.
        self.answer: Callable[[Request], Any] = self._answer

    def _answer(self, request: Request) -> Any:
        if request.url.endswith("/tickets"):
            ticket = f"t{sum(one.url.endswith('/tickets') for one in self.requests)}"
            return {"ticket": ticket, "visitor_token": "v1.token", "conversation_id": "c1", "inbox": {"name": "Shop"}}
        return {"items": [], "epoch": EPOCH, "rows": []}

    async def _http(self, request: Request) -> Answer:
        self.requests.append(request)
        body = self.answer(request)
        if asyncio.isfuture(body):
            body = await body
        return body if isinstance(body, Answer) else Answer(200, body)

    async def _dial(self, url: str, subprotocol: str, on_message: Any, on_close: Any) -> FakeSocket:
        if self.refuse_dial is not None:
            error, self.refuse_dial = self.refuse_dial, None
            raise error
        socket = FakeSocket(url, subprotocol, on_message, on_close)
        self.sockets.append(socket)
        return socket

    def frontdesk(self, **options: Any) -> Frontdesk:
        platform = Platform(self.clock, lambda: 0.5, lambda length: b"\7" * length, self._http, self._dial)
        return Frontdesk("http://desk.example/base/", platform=platform, **options)

    @property
    def socket(self) -> FakeSocket:
        return self.sockets[-1]

    async def welcome(self, welcome: dict[str, Any]) -> dict[str, Any]:
        """Answers the hello of the newest socket."""
        await settle()
        (hello,) = self.socket.take("hello")
        limits = {"inFlightMax": 8, "pingIntervalMs": 25_000}
        told = {"resumeToken": f"r{len(self.sockets)}", "limits": limits, **welcome}
        await self.socket.push({"ref": hello["ref"], "welcome": told})
        return hello["hello"]


def position(seq: int) -> dict[str, str]:
    return {"epoch": EPOCH, "seq": str(seq)}


def entry(seq: int, text: str, **more: Any) -> dict[str, Any]:
    plain = {
        "seq": str(seq),
        "id": f"e{seq}",
        "actor": {"kind": "ACTOR_KIND_AGENT", "name": "Mei"},
        "audience": "AUDIENCE_EVERYONE",
        "atMs": "1",
        "session": "s1",
        "content": {"text": {"body": text}},
    }
    return {"entry": {**plain, **more}}


def said(seq: int, text: str, session: str = "s1") -> dict[str, Any]:
    return entry(seq, text, session=session, actor={"kind": "ACTOR_KIND_VISITOR", "id": "v1"})


class TestCase(IsolatedAsyncioTestCase):
    maxDiff = None

    async def fails(self, awaitable: Any, kind: type[Exception], code: str) -> None:
        with self.assertRaises(kind) as raised:
            await awaitable
        self.assertEqual(getattr(raised.exception, "code", None), code)


def body(request: Request) -> Any:
    return json.loads(request.body or "null")
