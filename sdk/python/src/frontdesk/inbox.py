"""Messages between the connection and a program that reads them at its own pace. A loop that is left leaves the rest to
the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from .message import Message


class Inbox:
    """An asynchronous iterator over messages."""

    def __init__(self, max_: int, drained: Callable[[], None]) -> None:
        """`drained`: half of it is free again."""
        self._max, self._drained = max_, drained
        self._waiting: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        self._error: Exception | None = None

    @property
    def first(self) -> Message | None:
        """The oldest that was not read yet."""
        return self._waiting[0] if self._waiting else None

    def push(self, message: Message) -> bool:
        """False where there is no room."""
        if self._ended:
            return True
        if len(self._waiting) >= self._max:
            return False
        self._waiting.append(message)
        self._wake.set()
        return True

    def end(self, error: Exception | None) -> None:
        """What waits is still given; after it comes the end, or the error."""
        self._ended, self._error = True, self._error or error
        self._wake.set()

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> Message:
        while not self._waiting:
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        message = self._waiting.popleft()
        if len(self._waiting) == self._max // 2:
            asyncio.get_running_loop().call_soon(self._drained)
        return message
