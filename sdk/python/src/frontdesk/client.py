"""What a visitor's client and a bot have in common: the connection, the outbox, waiting for both."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from . import wire
from .api import Api, Ticket
from .emitter import Emitter
from .errors import FrontdeskError, Refused, Stopped
from .ids import MessageIds
from .link import Link, State, written
from .outbox import Ack, Outbox, OutboxStore, Pending, failed
from .platform import Platform

_START_S = 30.0
# How long after a lost connection a command is tried again.
_AGAIN_S = 0.25


@dataclass(frozen=True)
class Options:
    base: str
    # BCP 47.
    language: str = "en"
    client: str = "frontdesk-sdk-py/0.1.0"
    headers: dict[str, str] = field(default_factory=dict)
    send_timeout: float = 300.0
    outbox_max: int = 1_000
    inbox_max: int = 1_000
    store: OutboxStore | None = None
    platform: Platform = field(default_factory=Platform)


class Client(Emitter):
    """Base of Visitor and Bot. Made inside a running event loop, and used by it alone."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self._options = options
        platform = options.platform
        self._api = Api(options.base, platform, options.headers)
        self._ids = MessageIds(platform)
        self._link = Link(options.base, platform, options.client, options.language, self)
        self._outbox = Outbox(
            platform.clock,
            options.outbox_max,
            options.send_timeout,
            options.store,
            lambda send: self._link.push({"send": send}),
            lambda send: written({"send": send}),
            self._failed,
        )
        self._live_waiters: set[asyncio.Future[None]] = set()
        self._over = asyncio.Event()

    @property
    def state(self) -> State:
        """How the client is connected."""
        return self._link.state

    @property
    def pending(self) -> int:
        """Messages without an ack."""
        return len(self._outbox)

    async def start(self, timeout: float = _START_S) -> None:
        """Connects, and stays connected until close(). Returns with the first welcome; raises where there will be none, or
        after `timeout` seconds. It goes on trying even then: start() again waits again.
        """
        self._link.start()
        await self._until_live(timeout)

    async def run(self) -> None:
        """Connects as start() does, and serves until close(); raises why it could not connect, or why it was stopped.
        Cancelling it closes the client.
        """
        try:
            await self.start()
            await self._over.wait()
        except FrontdeskError:
            if self._link.state != "closed":
                raise
        finally:
            if self._link.state != "stopped":
                self.close()
                await self.wait_closed()
        if self._link.state == "stopped":
            raise self._link.error or Stopped("client.stopped")

    def close(self) -> None:
        """Ends the client. Messages without an ack fail with client.closed; a store keeps them."""
        if self._link.state != "closed":
            self._link.close()
            self._ended(FrontdeskError("client.closed"))

    async def wait_closed(self) -> None:
        """Returns when the connection that close() closed is gone, after two seconds at the latest."""
        await self._link.wait_closed()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        await self.wait_closed()

    # What a visitor and a bot do differently.

    async def _ticket(self) -> Ticket:
        raise NotImplementedError

    def _to_present(self) -> list[wire.Held]:
        raise NotImplementedError

    def _to_sync(self) -> list[wire.Held]:
        raise NotImplementedError

    def _feed(self) -> wire.FeedPosition | None:
        return None

    def _welcomed(self, welcome: wire.Welcome) -> None:
        raise NotImplementedError

    def _received(self, frame: wire.ServerFrame) -> None:
        raise NotImplementedError

    def _placed(self, conversation: str, entry: wire.Entry) -> None:
        """An own message has its place."""
        raise NotImplementedError

    def _lost(self) -> None:
        raise NotImplementedError

    def _finish(self, error: FrontdeskError) -> None:
        raise NotImplementedError

    def _self_actor(self) -> wire.Actor:
        raise NotImplementedError

    # What they share.

    def _post(
        self, conversation: str, content: wire.Content, audience: wire.Audience = "AUDIENCE_EVERYONE"
    ) -> asyncio.Future[Ack]:
        ended = self._has_ended()
        if ended is not None:
            return failed(ended)
        return self._outbox.add(Pending(self._ids.next(), conversation, content, audience))

    def _arrived(self, conversation: str, entry: wire.Entry) -> None:
        """An entry that came counts as the ack of the message it is."""
        client_msg_id = entry.get("clientMsgId")
        if client_msg_id:
            seq, at_ms = int(entry.get("seq", 0)), int(entry.get("atMs", 0))
            self._outbox.acked(Ack(conversation, client_msg_id, entry.get("id", ""), seq, at_ms))

    async def _command(self, frame: wire.Command, done: str) -> None:
        """Moves a session. A connection that goes meanwhile is waited for and the command given again; `done` is the
        refusal that then says that it was carried out the first time.
        """
        clock = self._options.platform.clock
        ends_at = clock.now() + self._options.send_timeout
        again = False
        while True:
            await self._until_live(max(0.0, ends_at - clock.now()))
            try:
                await self._link.request({"command": frame})
                return
            except FrontdeskError as error:
                if again and error.code == done:
                    return
                lost = error.code in ("connection.lost", "timeout")
                later = error.retry_after if isinstance(error, Refused) else _AGAIN_S if lost else None
                if later is None or clock.now() + later >= ends_at:
                    raise
            again = True
            await self._sleep(later)

    async def _sleep(self, delay: float) -> None:
        over = asyncio.Event()
        timer = self._options.platform.clock.call_later(delay, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()

    def _has_ended(self) -> FrontdeskError | None:
        """Why nothing can be asked any more."""
        if self._link.state == "closed":
            return FrontdeskError("client.closed")
        if self._link.state == "stopped":
            return self._link.error or Stopped("client.stopped")
        return None

    async def _until_live(self, timeout: float) -> None:
        if self._link.live:
            return
        ended = self._has_ended()
        if ended is not None:
            raise ended
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def late() -> None:
            if not waiter.done():
                why = "" if self._link.error is None else f" ({self._link.error})"
                waiter.set_exception(FrontdeskError("timeout", f"not connected in time{why}"))

        timer = self._options.platform.clock.call_later(timeout, late)
        self._live_waiters.add(waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._live_waiters.discard(waiter)

    def _live(self, welcome: wire.Welcome) -> None:
        self._welcomed(welcome)
        self._outbox.resume(welcome.get("limits", {}).get("inFlightMax"))

    def _gone(self) -> None:
        self._outbox.pause()
        self._lost()

    def _frame(self, frame: wire.ServerFrame) -> None:
        if "ack" in frame:
            ack = frame["ack"]
            seq = ack.get("position", {}).get("seq", "0")
            conversation, client_msg_id = ack.get("conversation", ""), ack.get("clientMsgId", "")
            told = Ack(conversation, client_msg_id, ack.get("id", ""), int(seq), int(ack.get("atMs", 0)))
            message = self._outbox.acked(told)
            entry: wire.Entry = {
                "seq": seq,
                "id": told.id,
                "atMs": str(told.at_ms),
                "clientMsgId": client_msg_id,
                "actor": self._self_actor(),
            }
            # One whose sender waits no longer still has its place.
            if message is not None:
                entry["content"], entry["audience"] = message.content, message.audience
            self._placed(conversation, entry)
        elif "refusal" not in frame or not self._outbox.refused(frame["refusal"]):
            self._received(frame)

    def _state_changed(self, state: State, error: FrontdeskError | None) -> None:
        if state == "live":
            for waiter in self._live_waiters:
                if not waiter.done():
                    waiter.set_result(None)
        if state == "stopped":
            self._ended(error or Stopped("client.stopped"))
        self._emit("state", state, error)

    def _ended(self, error: FrontdeskError) -> None:
        for waiter in self._live_waiters:
            if not waiter.done():
                waiter.set_exception(error)
        self._outbox.close(error)
        self._finish(error)
        self._over.set()
