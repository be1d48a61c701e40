"""How long to wait before the next attempt: random over a range that doubles, so that thousands cut off at once do not
come back at once.
"""

from __future__ import annotations

from collections.abc import Callable

_BASE_S = 0.5
_CAP_S = 30.0


class Backoff:
    """The waits between attempts."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        # Failed attempts since the last reset.
        self.attempt = 0

    def next(self) -> float:
        """Seconds to wait."""
        ceiling = min(_CAP_S, _BASE_S * float(2 ** min(self.attempt, 16)))
        self.attempt += 1
        return self._random() * ceiling

    def reset(self) -> None:
        """A connection held: the next wait is short again."""
        self.attempt = 0
