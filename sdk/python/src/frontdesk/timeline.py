"""How far a conversation is held without a hole, and what came early. Pure: no clock, no connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from .wire import Entry, Position, TimelineItem

# Items that may wait for a hole to be filled. More are let go: asking again brings them.
_EARLY_MAX = 2_000

# "hole": items are missing before some that came. "full": there was no room for an entry; it is not held, nor is
# anything after it.
Taken = Literal["ok", "hole", "full"]


class Timeline:
    """What is held of one conversation."""

    def __init__(self) -> None:
        self.epoch = ""
        # Everything up to here has been taken.
        self.held = 0
        self._early: dict[int, TimelineItem] = {}

    def position(self) -> Position | None:
        """Where this stands; None before anything is known."""
        return {"epoch": self.epoch, "seq": str(self.held)} if self.epoch else None

    def reset(self, epoch: str, held: int) -> None:
        """Begins anew, with everything up to `held` behind it."""
        self.epoch, self.held = epoch, held
        self._early.clear()

    def take(self, items: Iterable[TimelineItem], accept: Callable[[Entry], bool]) -> Taken:
        """Takes items in, in any order, repeated or not, and gives each entry that extends what is held to `accept`, once
        and in order. `accept` says whether there is room for it.
        """
        roomy = self._extend(accept)
        for item in items:
            if not roomy:
                break
            low, high = span(item)
            follows = low <= self.held + 1
            # What closes a hole is taken however much waits behind it.
            if high <= self.held or (not follows and len(self._early) >= _EARLY_MAX):
                continue
            self._early[max(low, self.held + 1)] = item
            if follows:
                roomy = self._extend(accept)
        if not roomy:
            self._early.clear()
            return "full"
        return "hole" if self._early else "ok"

    def _extend(self, accept: Callable[[Entry], bool]) -> bool:
        """Gives what follows on what is held; False where there is no room."""
        while (item := self._next()) is not None:
            _, high = span(item)
            if high <= self.held:
                continue
            if "entry" in item and not accept(item["entry"]):
                return False
            self.held = high
        return True

    @property
    def hole_end(self) -> int | None:
        """The seq before which items are missing; None without a hole."""
        return min(self._early, default=None)

    def _next(self) -> TimelineItem | None:
        at = self.held + 1
        if at not in self._early and self._early:
            at = min(self._early)
        return self._early.pop(at, None) if at <= self.held + 1 else None


def span(item: TimelineItem) -> tuple[int, int]:
    """First and last seq of an item."""
    if "skip" in item:
        return int(item["skip"].get("fromSeq", 0)), int(item["skip"].get("toSeq", 0))
    seq = int(item.get("entry", {}).get("seq", 0))
    return seq, seq
