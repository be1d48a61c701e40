"""Events by name. A listener, a function or a coroutine function, that fails ends no connection: its error is told as the
event "error", and where nobody listens to that it is logged.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

_log = logging.getLogger("frontdesk")

Listener = TypeVar("Listener", bound=Callable[..., object])


class Emitter:
    """What tells of events."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[..., object]]] = {}
        # Those of coroutine functions that run.
        self._telling: set[asyncio.Future[None]] = set()

    def on(self, name: str, listener: Listener) -> Listener:
        """Listens to an event; `off` ends it. Nobody waits for a listener that is a coroutine function."""
        self._listeners.setdefault(name, []).append(listener)
        return listener

    def off(self, name: str, listener: Callable[..., object]) -> None:
        """Ends listening to an event."""
        listeners = self._listeners.get(name, [])
        if listener in listeners:
            listeners.remove(listener)

    def _emit(self, name: str, *args: Any) -> None:
        for listener in list(self._listeners.get(name, ())):
            try:
                answer = listener(*args)
            except Exception as error:
                self._listener_failed(name, error)
                continue
            if inspect.isawaitable(answer):
                task = asyncio.ensure_future(self._wait_for(name, answer))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)

    async def _wait_for(self, name: str, answer: Awaitable[object]) -> None:
        try:
            await answer
        except Exception as error:
            self._listener_failed(name, error)

    def _listener_failed(self, name: str, error: Exception) -> None:
        if name == "error":
            _log.error("a listener to errors failed", exc_info=error)
        else:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        """Tells of an error that nothing else answers for."""
        if self._listeners.get("error"):
            self._emit("error", error)
        else:
            _log.error("nobody listens to this error", exc_info=error)
