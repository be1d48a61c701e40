"""Messages on their way.

One is kept from send() until its ack, and sent again with the same id after every reconnect, so that it is stored once
whatever happens between. In each conversation one message waits for its ack at a time: one that is refused for its
rate is never passed by the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from . import wire
from .errors import FrontdeskError, Refused
from .platform import Clock, Timer

# No ack for so long on a live connection: it is sent again.
_ACK_S = 15.0
_IN_FLIGHT_MAX = 32


@dataclass(frozen=True)
class Pending:
    """A message that has no ack yet, as a store keeps it."""

    client_msg_id: str
    # Empty for a visitor, who has one conversation.
    conversation: str
    content: wire.Content
    audience: wire.Audience = "AUDIENCE_EVERYONE"


class OutboxStore(Protocol):
    """Where pending messages survive the process. Without one they live in memory."""

    def load(self) -> Iterable[Pending]:
        """Oldest first. What it raises, making the client raises."""
        ...

    def put(self, message: Pending) -> None:
        """What it raises, the message fails with: it was not taken in."""
        ...

    def remove(self, client_msg_id: str) -> None:
        """What it raises is told as the event "error"."""
        ...


@dataclass(frozen=True)
class Ack:
    """The message is on disk and has its place."""

    conversation: str
    client_msg_id: str
    id: str
    seq: int
    at_ms: int


class _Waiting:
    def __init__(self, message: Pending, ack: asyncio.Future[Ack], deadline: Timer) -> None:
        self.message, self.ack, self.deadline = message, ack, deadline
        self.sent_at: float | None = None


class Outbox:
    def __init__(
        self,
        clock: Clock,
        max_: int,
        send_timeout: float,
        store: OutboxStore | None,
        transmit: Callable[[wire.Send], bool],
        check: Callable[[wire.Send], object],
        tell: Callable[[BaseException], None],
    ) -> None:
        """`transmit`: False when the connection is not live. `check`: raises for a message that the server would stop this
        client for. `tell`: of an error that nothing else answers for.
        """
        self._clock, self._max, self._send_timeout = clock, max_, send_timeout
        self._store, self._transmit, self._check, self._tell = store, transmit, check, tell
        # By client_msg_id, oldest first.
        self._waiting: dict[str, _Waiting] = {}
        self._in_flight_max = _IN_FLIGHT_MAX
        self._live = False
        self._held_until = 0.0
        self._timer: Timer | None = None
        for message in store.load() if store else ():
            self._enter(message)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, message: Pending) -> asyncio.Future[Ack]:
        """Takes a message in at once; the answer is its ack, or why there will be none."""
        if len(self._waiting) >= self._max:
            return failed(FrontdeskError("outbox.full"))
        try:
            # One that cannot be sent would be in the way of all that follow, after every reconnect.
            self._check(_to_send(message))
            if self._store:
                self._store.put(message)
        except Exception as error:
            return failed(error)
        ack = self._enter(message)
        self._pump()
        return ack

    def _enter(self, message: Pending) -> asyncio.Future[Ack]:
        ack = quiet(asyncio.get_running_loop().create_future())
        deadline = self._clock.call_later(self._send_timeout, lambda: self._late(message.client_msg_id))
        self._waiting[message.client_msg_id] = _Waiting(message, ack, deadline)
        return ack

    def resume(self, in_flight_max: int | None) -> None:
        """The connection is live: everything without an ack goes out, in order."""
        self._in_flight_max = in_flight_max or _IN_FLIGHT_MAX
        self._live = True
        self._held_until = 0.0
        for waiting in self._waiting.values():
            waiting.sent_at = None
        self._pump()

    def pause(self) -> None:
        self._live = False
        self._clear_timer()

    def acked(self, ack: Ack) -> Pending | None:
        """The ack, or the entry that says the same. Gives the message back, for its place in the conversation."""
        waiting = self._remove(ack.client_msg_id)
        if waiting is not None and not waiting.ack.done():
            waiting.ack.set_result(ack)
        self._pump()
        return waiting.message if waiting else None

    def refused(self, refusal: wire.Refusal) -> bool:
        """Whether the refusal was about a message of this outbox."""
        waiting = self._waiting.get(refusal.get("clientMsgId", ""))
        if waiting is None:
            return False
        waiting.sent_at = None
        if "retryAfterMs" in refusal:
            self._held_until = max(self._held_until, self._clock.now() + refusal["retryAfterMs"] / 1000)
        else:
            self._give_up(waiting.message.client_msg_id, Refused(refusal.get("code", ""), refusal.get("detail", "")))
        self._pump()
        return True

    def close(self, error: FrontdeskError) -> None:
        """Nothing more will be sent. What a store keeps stays there for the next process."""
        self.pause()
        for waiting in self._waiting.values():
            waiting.deadline.cancel()
            if not waiting.ack.done():
                waiting.ack.set_exception(error)
        self._waiting.clear()

    def _late(self, client_msg_id: str) -> None:
        self._give_up(client_msg_id, FrontdeskError("timeout", "no ack in time; the message may have been stored"))
        self._pump()

    def _give_up(self, client_msg_id: str, error: FrontdeskError) -> None:
        waiting = self._remove(client_msg_id)
        if waiting is not None and not waiting.ack.done():
            waiting.ack.set_exception(error)

    def _remove(self, client_msg_id: str) -> _Waiting | None:
        waiting = self._waiting.pop(client_msg_id, None)
        if waiting is not None:
            waiting.deadline.cancel()
            try:
                if self._store:
                    self._store.remove(client_msg_id)
            except Exception as error:
                self._tell(error)
        return waiting

    def _pump(self) -> None:
        self._clear_timer()
        if not self._live or not self._waiting:
            return
        now = self._clock.now()
        if self._held_until > now:
            self._timer = self._clock.call_later(self._held_until - now, self._pump)
            return

        def flies(waiting: _Waiting) -> bool:
            return waiting.sent_at is not None and now - waiting.sent_at < _ACK_S

        in_flight = sum(flies(waiting) for waiting in self._waiting.values())
        busy: set[str] = set()
        for waiting in list(self._waiting.values()):
            message = waiting.message
            if message.conversation in busy:
                continue
            busy.add(message.conversation)
            if flies(waiting):
                continue
            if in_flight >= self._in_flight_max:
                break
            waiting.sent_at = now
            in_flight += 1
            if not self._transmit(_to_send(message)):
                return
        self._timer = self._clock.call_later(_ACK_S, self._pump)

    def _clear_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None


def _to_send(message: Pending) -> wire.Send:
    return {
        "conversation": message.conversation,
        "clientMsgId": message.client_msg_id,
        "content": message.content,
        "audience": message.audience,
    }


def quiet(future: asyncio.Future[Ack]) -> asyncio.Future[Ack]:
    """Whoever does not look at the answer is not told of a failure by the end of the process."""
    future.add_done_callback(lambda done: None if done.cancelled() else done.exception() and None)
    return future


def failed(error: Exception) -> asyncio.Future[Ack]:
    future = quiet(asyncio.get_running_loop().create_future())
    future.set_exception(error)
    return future
