"""client_msg_id: 16 bytes that rise with time, so that the server tells a new message from a repeat by one comparison:
6 bytes of milliseconds, 2 of a counter, 8 random.
"""

from __future__ import annotations

import base64

from .platform import Platform


class MessageIds:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._last_ms = 0
        self._counter = 0

    def next(self) -> str:
        """The next id in base64, as frames carry it."""
        now = int(self._platform.clock.now() * 1000)
        # A clock set back must not make ids fall.
        if now > self._last_ms:
            self._last_ms, self._counter = now, 0
        else:
            self._counter += 1
            if self._counter > 0xFFFF:
                self._last_ms, self._counter = self._last_ms + 1, 0
        raw = self._last_ms.to_bytes(6, "big") + self._counter.to_bytes(2, "big") + self._platform.random_bytes(8)
        return base64.b64encode(raw).decode()
