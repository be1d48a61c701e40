"""An answer that grows: each draft holds the whole text so far, at most a few a second; at the end comes the message that
takes the draft's place. Drafts may be lost, the message is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .codec import well_formed
from .errors import FrontdeskError
from .outbox import Ack, failed

# A draft follows the one before after so long at the earliest.
_EVERY_S = 0.25
# What the server takes.
_DRAFT_BYTES_MAX = 4_096


class Stream:
    """An answer that grows, made by Conversation.stream()."""

    def __init__(
        self, now: Callable[[], float], draft: Callable[[str, bool], None], send: Callable[[str], asyncio.Future[Ack]]
    ) -> None:
        self._now, self._draft, self._send = now, draft, send
        # What was written so far.
        self.text = ""
        self._shown_at: float | None = None
        self._ended = False
        self._ack: asyncio.Future[Ack] | None = None

    def write(self, piece: str) -> None:
        """Adds a piece. After the end it does nothing."""
        if self._ended or not piece:
            return
        self.text += piece
        now = self._now()
        if self._shown_at is not None and now - self._shown_at < _EVERY_S:
            return
        self._shown_at = now
        self._draft(cut(self.text), True)

    def end(self) -> asyncio.Future[Ack]:
        """Sends the whole text as a message, once; awaiting it gives the ack. Fails after abort()."""
        if self._ended and self._ack is None:
            return failed(FrontdeskError("request.invalid", "the stream was aborted"))
        self._ended = True
        if self._ack is None:
            self._ack = self._send(self.text)
        return self._ack

    def abort(self) -> None:
        """Takes the draft away; no message comes. After end() it does nothing."""
        if not self._ended and self._shown_at is not None:
            self._draft("", False)
        self._ended = True


def cut(text: str) -> str:
    """As much of the text as a draft may hold, in whole characters."""
    return well_formed(text).encode()[:_DRAFT_BYTES_MAX].decode(errors="ignore")
