"""One long connection to /ws/v1 and everything that keeps it alive: ticket or resume token, hello, back-off, silence,
position checks, rejoin. Knows no conversation; its user does.

    idle -> connecting -> live -> (lost) waiting -> connecting ...
                               -> (told to) stopped
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, Protocol

from . import codes, wire
from .api import Ticket
from .backoff import Backoff
from .codec import SUBPROTOCOL, decode_server, encode_client
from .errors import FrontdeskError, HttpError, MalformedFrame, Refused, Stopped
from .platform import HandshakeRefused, Platform, Socket, Timer

# What the program needs for an identity, the ticket, and dialling.
_REACH_S = 40.0
# From hello to Welcome.
_CONNECT_S = 10.0
# The longest that a server, or a proxy before it, may ask to be left alone.
_POSTPONE_MAX_S = 3_600.0
_CHECK_EVERY_S = 2.5
# How long after the ping interval a server that says nothing counts as gone.
_GRACE_S = 10.0
_PING_INTERVAL_MS = 25_000
_SYNC_EVERY_S = 40.0
_ANSWER_S = 15.0
# A connection that lived shorter than this does not reset the back-off.
_STABLE_AFTER_S = 10.0
_OVERLOADED_S = 5.0
# Frames that may wait for their answer.
_ASKED_MAX = 1_024
# The server stops whoever sends a larger frame.
_FRAME_BYTES_MAX = 1_048_576

State = Literal["idle", "connecting", "live", "waiting", "stopped", "closed"]


class LinkUser(Protocol):
    async def _ticket(self) -> Ticket:
        """Raises HttpError, or what the program raised when it was asked who the visitor is."""
        ...

    def _to_present(self) -> list[wire.Held]:
        """What the hello presents."""
        ...

    def _feed(self) -> wire.FeedPosition | None: ...

    def _to_sync(self) -> list[wire.Held]:
        """What the next position check asks about."""
        ...

    def _live(self, welcome: wire.Welcome) -> None: ...

    def _frame(self, frame: wire.ServerFrame) -> None: ...

    def _gone(self) -> None: ...

    def _state_changed(self, state: State, error: FrontdeskError | None) -> None: ...

    def _failed(self, error: BaseException) -> None:
        """Tells of an error that nothing else answers for."""
        ...


class Link:
    def __init__(self, base: str, platform: Platform, client: str, language: str, user: LinkUser) -> None:
        self._base, self._platform, self._client, self._language, self._user = base, platform, client, language, user
        self.state: State = "idle"
        # Why it stopped, or why the last attempt to connect failed.
        self.error: FrontdeskError | None = None
        self.limits: wire.Limits = {}
        self._backoff = Backoff(platform.random)
        self._asked: dict[int, tuple[asyncio.Future[None], Timer]] = {}
        self._socket: Socket | None = None
        self._closing: Socket | None = None
        self._resume_token = ""
        self._node: int | None = None
        self._ref = 1
        # Grows with every attempt, so that a late answer to an old one is told apart.
        self._generation = 0
        self._received_at = self._live_since = self._not_before = 0.0
        self._pinged = False
        # By what they are for.
        self._timers: dict[str, Timer] = {}
        self._connecting: asyncio.Task[None] | None = None

    @property
    def live(self) -> bool:
        return self.state == "live"

    def start(self) -> None:
        if self.state == "idle":
            self._dial_again()

    def close(self) -> None:
        """Closes for good."""
        if self.state == "closed":
            return
        self._closing = self._socket
        self._drop(codes.NORMAL)
        if self._connecting is not None:
            self._connecting.cancel()
        self._become("closed")

    async def wait_closed(self) -> None:
        """Returns when the socket that close() closed is gone."""
        if self._closing is not None:
            await self._closing.wait_closed()

    def push(self, frame: wire.ClientFrame) -> bool:
        """Sends a frame that nothing answers. False when not live."""
        if not self.live:
            return False
        self._write(frame)
        return True

    def request(self, frame: wire.ClientFrame) -> asyncio.Future[None]:
        """Sends a frame; the answer is that it was carried out. Fails with Refused or FrontdeskError."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Whoever does not wait for the answer need not look at it.
        answer.add_done_callback(lambda done: None if done.cancelled() else done.exception() and None)
        if self.state == "closed":
            answer.set_exception(FrontdeskError("client.closed"))
        elif self.state == "stopped":
            answer.set_exception(self.error or Stopped("client.stopped"))
        elif not self.live:
            answer.set_exception(FrontdeskError("connection.lost", "not connected now"))
        elif len(self._asked) >= _ASKED_MAX:
            answer.set_exception(FrontdeskError("outbox.full", "too many frames wait for their answer"))
        else:
            self._ref = 2 if self._ref >= 0x7FFFFFFF else self._ref + 1
            ref = self._ref
            self._write({"ref": ref, **frame})
            self._asked[ref] = answer, self._platform.clock.call_later(_ANSWER_S, lambda: self._late(ref))
        return answer

    def fail(self, why: str = "the server says nothing") -> None:
        """Closes from this side because the connection is of no use, and tries again."""
        self._drop(codes.SILENT)
        self.error = FrontdeskError("connection.lost", why)
        self._retry()

    def _late(self, ref: int) -> None:
        self._answer(ref, FrontdeskError("timeout"))

    def _answer(self, ref: int, error: FrontdeskError | None) -> None:
        asked = self._asked.pop(ref, None)
        if asked is None:
            return
        answer, timer = asked
        timer.cancel()
        if answer.done():
            return
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)

    def _write(self, frame: wire.ClientFrame) -> None:
        if self._socket is not None:
            self._socket.send(written(frame))

    def _later(self, name: str, delay: float, run: Callable[[], None]) -> None:
        before = self._timers.get(name)
        if before is not None:
            before.cancel()
        self._timers[name] = self._platform.clock.call_later(delay, run)

    def _dial_again(self) -> None:
        self._clear_timers()
        self._generation += 1
        if self._connecting is not None:
            self._connecting.cancel()
        self._later("connect", _REACH_S, lambda: self.fail("no ticket or no answer in time"))
        self._connecting = asyncio.get_running_loop().create_task(self._connect(self._generation))
        self._become("connecting")

    async def _connect(self, generation: int) -> None:
        try:
            ticket = ""
            if not self._resume_token:
                given = await self._user._ticket()
                if generation != self._generation:
                    return
                ticket, self._node = given.ticket, given.node
            query = "" if self._node is None else f"?node={self._node}"
            socket = await self._platform.dial(
                f"ws{self._base.removeprefix('http')}/ws/v1{query}",
                SUBPROTOCOL,
                lambda data: self._received(data) if generation == self._generation else None,
                lambda code: self._closed(code) if generation == self._generation else None,
            )
        except Exception as error:
            if generation == self._generation:
                self._not_connected(error)
            return
        if generation != self._generation:
            socket.close(codes.NORMAL)
            return
        self._socket = socket
        self._greet(ticket)

    def _not_connected(self, error: Exception) -> None:
        if isinstance(error, HttpError) and error.final:
            self._halt(error)
            return
        if isinstance(error, (HttpError, HandshakeRefused)):
            self._postpone(error.retry_after or 0.0)
        elif not isinstance(error, OSError):
            # No network did this: the program, when it was asked who the visitor is.
            self._user._failed(error)
        self.error = error if isinstance(error, HttpError) else FrontdeskError("connection.lost", str(error))
        self._retry()

    def _greet(self, ticket: str) -> None:
        self._clear_timers()
        self._later("connect", _CONNECT_S, self.fail)
        hello: wire.Hello = {
            "held": self._user._to_present(),
            "client": self._client,
            "language": self._language,
            "canRejoin": True,
        }
        if ticket:
            hello["ticket"] = ticket
        else:
            hello["resumeToken"] = self._resume_token
        feed = self._user._feed()
        if feed is not None:
            hello["feed"] = feed
        self._write({"ref": 1, "hello": hello})

    def _rejoin(self, after: float) -> None:
        """Somebody else serves this client from now on: hello again on the same socket."""
        self._suspend()
        self._later("connect", after, self._hello_again)
        self._become("connecting")

    def _hello_again(self) -> None:
        if self._resume_token:
            self._greet("")
        else:
            self.fail("there is nothing to say hello with")

    def _received(self, data: object) -> None:
        self._received_at = self._platform.clock.now()
        self._pinged = False
        try:
            frame = decode_server(data)
        except MalformedFrame:
            # A captive portal, a broken proxy.
            self.fail("what speaks there is no Frontdesk server")
            return
        if "welcome" in frame:
            self._welcomed(frame["welcome"])
        elif "ping" in frame:
            self._write({"pong": {}})
        elif "goAway" in frame:
            self._postpone(frame["goAway"].get("reconnectAfterMs", 0) / 1000)
        elif "rejoin" in frame:
            self._rejoin(frame["rejoin"].get("afterMs", 0) / 1000)
        elif "pong" not in frame and self.live:
            self._deliver(frame)

    def _deliver(self, frame: wire.ServerFrame) -> None:
        refusal = frame.get("refusal")
        if refusal is not None:
            retry = refusal.get("retryAfterMs")
            after = None if retry is None else retry / 1000
            self._answer(frame.get("ref", 0), Refused(refusal.get("code", ""), refusal.get("detail", ""), after))
        elif "done" in frame or "opened" in frame:
            self._answer(frame.get("ref", 0), None)
        # In the order of arrival, whoever asked: what follows an answer builds on it.
        self._user._frame(frame)

    def _welcomed(self, welcome: wire.Welcome) -> None:
        self._clear_timers()
        self._resume_token = welcome.get("resumeToken", "")
        self.limits = welcome.get("limits", {})
        self._live_since = self._platform.clock.now()
        self._not_before = 0.0
        self.error = None
        self.state = "live"
        self._later("check", _CHECK_EVERY_S, self._check)
        self._later("sync", _SYNC_EVERY_S, self._sync)
        self._user._live(welcome)
        if self.live:
            self._user._state_changed("live", None)

    def _check(self) -> None:
        """Nothing heard for the ping interval: asks. Nothing heard after that either: the connection is dead."""
        interval = self.limits.get("pingIntervalMs", _PING_INTERVAL_MS) / 1000
        silent = self._platform.clock.now() - self._received_at
        if silent >= interval + _GRACE_S:
            self.fail()
            return
        if silent >= interval and not self._pinged:
            self._pinged = True
            self._write({"ping": {}})
        self._later("check", _CHECK_EVERY_S, self._check)

    def _sync(self) -> None:
        """Asks whether what is held is still where it stands: repairs a push that was lost between nodes."""
        held = self._user._to_sync()
        # What is refused now is asked again with the next check.
        if held:
            self.request({"sync": {"held": held}})
        self._later("sync", _SYNC_EVERY_S, self._sync)

    def _closed(self, code: int) -> None:
        was_live = self.live
        self._drop()
        self.error = FrontdeskError("connection.lost", f"closed with {code}")
        after = codes.after_close(code)
        if after == "stop":
            self._halt(Stopped("client.stopped", f"closed with {code}"))
            return
        if after == "new-ticket":
            refused = not was_live and self._resume_token != ""
            self._resume_token = ""
            if refused:
                # A resume token the server no longer knows costs one round trip, not a back-off.
                self._dial_again()
                return
        if after == "reconnect":
            # Refused before Welcome: the token may be the cause, a ticket is the safe way.
            if not was_live:
                self._resume_token = ""
            if code == codes.OVERLOADED:
                self._postpone(_OVERLOADED_S)
        self._retry()

    def _drop(self, code: int | None = None) -> None:
        self._generation += 1
        socket, self._socket = self._socket, None
        if code is not None and socket is not None:
            socket.close(code)
        if self.live and self._platform.clock.now() - self._live_since >= _STABLE_AFTER_S:
            self._backoff.reset()
        self._suspend()

    def _suspend(self) -> None:
        """Nothing that was asked will be answered, and nothing more is asked."""
        was_live = self.live
        self._clear_timers()
        if was_live:
            self.state = "connecting"
        for ref in list(self._asked):
            self._answer(ref, FrontdeskError("connection.lost"))
        if was_live:
            self._user._gone()

    def _halt(self, error: FrontdeskError) -> None:
        self._resume_token = ""
        self.error = error
        self._become("stopped", error)

    def _postpone(self, delay: float) -> None:
        self._not_before = max(self._not_before, self._platform.clock.now() + min(delay, _POSTPONE_MAX_S))

    def _retry(self) -> None:
        delay = self._backoff.next() + max(0.0, self._not_before - self._platform.clock.now())
        self._later("connect", delay, self._dial_again)
        self._become("waiting", self.error)

    # Who is told may close the client: nothing is done after it.
    def _become(self, state: State, error: FrontdeskError | None = None) -> None:
        self.state = state
        self._user._state_changed(state, error)

    def _clear_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def written(frame: wire.ClientFrame) -> str:
    """A frame as text; raises for one that the server would stop this client for."""
    text = encode_client(frame)
    # A character takes at most four bytes.
    if len(text) * 4 > _FRAME_BYTES_MAX and len(text.encode()) > _FRAME_BYTES_MAX:
        raise FrontdeskError("frame.too_large", f"a frame holds {_FRAME_BYTES_MAX} bytes")
    return text
