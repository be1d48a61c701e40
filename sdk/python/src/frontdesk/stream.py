"""An answer that grows: each draft holds the whole text so far, at most a few a second; at the end comes the message that
takes the draft's place. Drafts may be lost, the message is not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .outbox import Ack

# A draft follows the one before after so long at the earliest.
_EVERY_S = 0.25
# What the server takes.
_DRAFT_BYTES_MAX = 4_096


class Stream:
    def __init__(
        self, now: Callable[[], float], draft: Callable[[str, bool], None], send: Callable[[str], Awaitable[Ack]]
    ) -> None:
        self._now, self._draft, self._send = now, draft, send
        # What was written so far.
        self.text = ""
        self._shown_at: float | None = None
        self._ended = False

    def write(self, piece: str) -> None:
        """Adds a piece."""
        if self._ended or not piece:
            return
        self.text += piece
        now = self._now()
        if self._shown_at is not None and now - self._shown_at < _EVERY_S:
            return
        self._shown_at = now
        self._draft(cut(self.text), True)

    async def end(self) -> Ack:
        """Sends the whole text as a message."""
        self._ended = True
        return await self._send(self.text)

    def abort(self) -> None:
        """Takes the draft away; no message comes."""
        if not self._ended and self._shown_at is not None:
            self._draft("", False)
        self._ended = True


def cut(text: str) -> str:
    """As much of the text as a draft may hold, in whole characters."""
    return text.encode()[:_DRAFT_BYTES_MAX].decode(errors="ignore")
