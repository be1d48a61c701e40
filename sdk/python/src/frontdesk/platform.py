"""What the SDK needs from where it runs. All of it can be replaced: tests run on a clock of their own and a socket in
memory.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import websockets
from websockets.asyncio.client import ClientConnection, connect

from . import codes

_CONNECT_S = 10.0
_CLOSE_S = 2.0
_MESSAGE_BYTES_MAX = 4 << 20
# Frames that may wait for the socket; who sends more than it takes has lost the connection.
_OUT_MAX = 4_096
# Not the event loop's own: handlers may keep those busy for as long as a language model writes.
_threads = ThreadPoolExecutor(8, "frontdesk-http")


class Timer(Protocol):
    """A run that is still to come."""

    def cancel(self) -> None:
        """It will not come."""
        ...


class Clock(Protocol):
    """What time it is, and what runs later."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def call_later(self, delay: float, run: Callable[[], object]) -> Timer:
        """Runs something after so many seconds."""
        ...


class Socket(Protocol):
    """An open WebSocket. What it receives goes to the callbacks it was dialled with."""

    def send(self, text: str) -> None:
        """Sends a message, at once or after those before it."""
        ...

    def close(self, code: int) -> None:
        """Begins to close."""
        ...

    async def wait_closed(self) -> None:
        """Returns when nothing more goes over it."""
        ...


@dataclass(frozen=True)
class Answer:
    """Of an HTTP request."""

    status: int
    # The parsed body; None where it is no JSON.
    body: object
    # Seconds, from Retry-After.
    retry_after: float | None = None


@dataclass(frozen=True)
class Request:
    """An HTTP request; `timeout` in seconds."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    timeout: float


class HandshakeRefused(Exception):
    """The server answered the handshake with something else."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("the handshake was refused")
        self.retry_after = retry_after


OnMessage = Callable[[object], None]
OnClose = Callable[[int], None]


class SystemClock:
    """The system's."""

    def now(self) -> float:
        return time.time()

    def call_later(self, delay: float, run: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(delay, run)


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None


def _blocking(request: Request) -> Answer:
    data = None if request.body is None else request.body.encode()
    asked = urllib.request.Request(request.url, data, request.headers, method=request.method)
    try:
        with urllib.request.urlopen(asked, timeout=request.timeout) as answer:
            return Answer(answer.status, _parse(answer.read()), None)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _parse(error.read()), _seconds(error.headers.get("Retry-After")))
    except http.client.HTTPException as error:
        # The connection went amid the answer.
        raise ConnectionError(repr(error)) from error


def _parse(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        return None
    return parsed


async def ask(request: Request) -> Answer:
    """Raises OSError or TimeoutError where no answer came in time."""
    answer = asyncio.get_running_loop().run_in_executor(_threads, _blocking, request)
    return await asyncio.wait_for(answer, request.timeout + 1)


class _Socket:
    """A connection of `websockets` with one task that reads and one that writes."""

    def __init__(self, connection: ClientConnection, on_message: OnMessage, on_close: OnClose) -> None:
        self._connection = connection
        self._out: asyncio.Queue[str] = asyncio.Queue(_OUT_MAX)
        self._closing: asyncio.Task[None] | None = None
        self._writer = asyncio.create_task(self._write())
        self._reader = asyncio.create_task(self._read(on_message, on_close))

    def send(self, text: str) -> None:
        try:
            self._out.put_nowait(text)
        except asyncio.QueueFull:
            self.close(codes.NORMAL)

    def close(self, code: int) -> None:
        self._closing = self._closing or asyncio.create_task(self._connection.close(code))

    async def wait_closed(self) -> None:
        # close() itself gives a peer that is gone two seconds.
        await asyncio.wait([self._reader])

    async def _write(self) -> None:
        try:
            while True:
                await self._connection.send(await self._out.get())
        except websockets.ConnectionClosed:
            # The reader tells.
            return

    async def _read(self, on_message: OnMessage, on_close: OnClose) -> None:
        try:
            async for message in self._connection:
                on_message(message)
        except websockets.ConnectionClosed:
            pass
        finally:
            self._writer.cancel()
        received = self._connection.close_code
        on_close(codes.NONE if received is None else received)


async def dial(url: str, subprotocol: str, on_message: OnMessage, on_close: OnClose) -> Socket:
    """Raises HandshakeRefused, or OSError or TimeoutError where nobody answered."""
    try:
        connection = await connect(
            url,
            subprotocols=[websockets.Subprotocol(subprotocol)],
            compression=None,
            max_size=_MESSAGE_BYTES_MAX,
            open_timeout=_CONNECT_S,
            close_timeout=_CLOSE_S,
            # The protocol has its own.
            ping_interval=None,
        )
    except websockets.InvalidStatus as error:
        raise HandshakeRefused(_seconds(error.response.headers.get("Retry-After"))) from error
    except websockets.InvalidHandshake as error:
        raise HandshakeRefused(None) from error
    return _Socket(connection, on_message, on_close)


@dataclass(frozen=True)
class Platform:
    """Clock, random numbers, HTTP and sockets."""

    clock: Clock = field(default_factory=SystemClock)
    # At least 0, less than 1.
    random: Callable[[], float] = random.random
    random_bytes: Callable[[int], bytes] = os.urandom
    http: Callable[[Request], Awaitable[Answer]] = ask
    dial: Callable[[str, str, OnMessage, OnClose], Awaitable[Socket]] = dial
