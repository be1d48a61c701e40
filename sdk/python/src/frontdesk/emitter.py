"""Events by name. A listener that fails ends no connection: its error is told as the event "error", and where nobody
listens to that it is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

_log = logging.getLogger("frontdesk")

Listener = TypeVar("Listener", bound=Callable[..., None])


class Emitter:
    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[..., None]]] = {}

    def on(self, name: str, listener: Listener) -> Listener:
        """Listens to an event; `off` ends it."""
        self._listeners.setdefault(name, []).append(listener)
        return listener

    def off(self, name: str, listener: Callable[..., None]) -> None:
        listeners = self._listeners.get(name, [])
        if listener in listeners:
            listeners.remove(listener)

    def _emit(self, name: str, *args: Any) -> None:
        for listener in list(self._listeners.get(name, ())):
            try:
                listener(*args)
            except Exception as error:
                if name == "error":
                    _log.exception("a listener to errors failed")
                else:
                    self._failed(error)

    def _failed(self, error: BaseException) -> None:
        """Tells of an error that nothing else answers for."""
        if self._listeners.get("error"):
            self._emit("error", error)
        else:
            _log.error("nobody listens to this error", exc_info=error)
