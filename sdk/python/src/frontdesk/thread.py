"""One conversation as far as this client follows it: every entry once and in order, over drops, resumes and pages that the
server gives in place of what is missing.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from . import wire
from .platform import Clock, Timer
from .timeline import Timeline, span

# A hole this old is not just frames out of order.
_HOLE_S = 0.5
_HOLE_AGAIN_S = 5.0
_FILL_AGAIN_S = 3.0
# Items read back at most when a conversation is opened for the first time.
_BACK_MAX = 1_000

Items = list[wire.TimelineItem]


class ThreadHost(Protocol):
    # Whether what a conversation held before it was opened for the first time is given to `accept`.
    gives_past: bool

    def clock(self) -> Clock: ...

    def accept(self, entry: wire.Entry) -> bool:
        """Takes an entry; False where there is no room for it now."""
        ...

    def reaches(self, items: Items) -> bool:
        """Whether these items reach back as far as the host wants a conversation it did not know."""
        ...

    def loaded(self, opened: wire.OpenedFrame) -> None:
        """What an `opened` brought is taken in."""
        ...

    def reloaded(self, items: Items, missed: bool) -> None:
        """The newest page came in place of what was held. `missed`: some entries before it will never be given."""
        ...

    async def page(self, which: str, seq: int) -> tuple[Items, str]: ...

    def sync(self) -> None:
        """Asks whether `held()` is where it stands."""
        ...

    def other_epoch(self) -> None:
        """What is held belongs to another life of the installation."""
        ...

    def failed(self, error: BaseException) -> None: ...


class Thread:
    def __init__(self, id: str, host: ThreadHost) -> None:
        # Empty for a visitor.
        self.id = id
        self._host = host
        self.timeline = Timeline()
        # An entry found no room: nothing more is taken until `drained`.
        self._behind = False
        # What comes while older pages are read; None otherwise.
        self._meanwhile: Items | None = None
        self._task: asyncio.Task[None] | None = None
        # What was held belonged to another life of the installation.
        self._forgotten = False
        self._closed = False
        self._hole_timer: Timer | None = None

    @property
    def loading(self) -> bool:
        """Older pages are being read."""
        return self._meanwhile is not None

    def held(self) -> wire.Held:
        """How the thread is named in a hello and a position check."""
        held: wire.Held = {"conversation": self.id}
        position = self.timeline.position()
        if position is not None:
            held["position"] = position
        return held

    def opened(self, frame: wire.OpenedFrame) -> None:
        items = frame.get("items", [])
        known = self.timeline.epoch != ""
        self._behind = False
        self._stop_reading()
        if frame.get("recovered") and known:
            self._take(items)
        elif known and frame.get("position", {}).get("epoch", "") == self.timeline.epoch:
            # Too much is missing to be sent at once. The page is the end of it; the rest is read over HTTP.
            self._host.reloaded(items, False)
            self._take(items)
            self._start_fill()
        elif self._host.reaches(items) or not frame.get("moreBefore"):
            self._begin(frame, items)
        else:
            self._meanwhile = []
            self._task = asyncio.get_running_loop().create_task(self._read_back(frame, items))
            return
        self._host.loaded(frame)

    def entries(self, frame: wire.Entries) -> None:
        items = frame.get("items", [])
        epoch = frame.get("epoch", "")
        if self.timeline.epoch and epoch and epoch != self.timeline.epoch:
            self.timeline.reset("", 0)
            self._forgotten = True
            self._host.other_epoch()
        elif self._meanwhile is not None:
            self._meanwhile.extend(items)
        elif self.timeline.epoch:
            self._take(items)

    def place(self, entry: wire.Entry) -> None:
        """Puts an own message in its place as soon as its ack tells it."""
        if self._meanwhile is not None:
            self._meanwhile.append({"entry": entry})
        elif self.timeline.epoch:
            self._take([{"entry": entry}])

    def drained(self) -> None:
        """There is room again."""
        if self._behind:
            self._behind = False
            self._host.sync()

    def lost(self) -> None:
        """The connection is gone."""
        self._stop_reading()
        self._clear_hole()

    def close(self) -> None:
        self._closed = True
        self._clear_hole()
        if self._task is not None:
            self._task.cancel()

    def _stop_reading(self) -> None:
        """What was being read belongs to a beginning that the next `opened` takes the place of."""
        if self._meanwhile is not None and self._task is not None:
            self._task.cancel()
        self._meanwhile = None

    def _begin(self, frame: wire.OpenedFrame, items: Items) -> None:
        again = self.timeline.epoch != "" or self._forgotten
        self._forgotten = False
        position = frame.get("position", {})
        start = span(items[0])[0] - 1 if items and self._host.gives_past else int(position.get("seq", 0))
        self.timeline.reset(position.get("epoch", ""), start)
        self._host.reloaded(items, again)
        self._take(items)

    async def _read_back(self, frame: wire.OpenedFrame, newest: Items) -> None:
        items = newest
        try:
            while items and len(items) < _BACK_MAX and not self._host.reaches(items):
                older, _ = await self._host.page("before", span(items[0])[0])
                if not older:
                    break
                items = older + items
        except Exception as error:
            # What is there is taken: better the end of it than nothing.
            self._host.failed(error)
        meanwhile, self._meanwhile = self._meanwhile or [], None
        self._begin(frame, items)
        self._take(meanwhile)
        self._host.loaded(frame)

    def _take(self, items: Items) -> None:
        if self._behind:
            return
        taken = self.timeline.take(items, self._host.accept)
        self._behind = taken == "full"
        if taken == "hole":
            self._watch_hole(_HOLE_S)
        else:
            self._clear_hole()

    def _start_fill(self) -> None:
        if self._filling or self.timeline.hole_end is None:
            return
        self._clear_hole()
        self._task = asyncio.get_running_loop().create_task(self._fill())

    @property
    def _filling(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _fill(self) -> None:
        """Reads what lies between what is held and the page that came."""
        try:
            while self.timeline.hole_end is not None:
                held, epoch = self.timeline.held, self.timeline.epoch
                items, of = await self._host.page("after", held)
                if of != epoch or self.timeline.epoch != epoch:
                    return
                self._take(items)
                end = self.timeline.hole_end
                if self.timeline.held == held and end is not None and not self._behind:
                    # The server does not have it any more.
                    self.timeline.held = end - 1
                    self._host.reloaded([], True)
                    self._take([])
        except Exception as error:
            self._host.failed(error)
            if self._hole_timer is None:
                self._hole_timer = self._host.clock().call_later(_FILL_AGAIN_S, self._fill_again)

    def _fill_again(self) -> None:
        self._hole_timer = None
        self._start_fill()

    def _watch_hole(self, delay: float) -> None:
        if not self._filling and self._hole_timer is None:
            self._hole_timer = self._host.clock().call_later(delay, self._ask)

    def _ask(self) -> None:
        self._hole_timer = None
        if self.timeline.hole_end is not None and not self._closed:
            self._host.sync()
            self._watch_hole(_HOLE_AGAIN_S)

    def _clear_hole(self) -> None:
        if self._hole_timer is not None:
            self._hole_timer.cancel()
        self._hole_timer = None
