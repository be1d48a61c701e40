"""A bot: an API key that answers conversations.

The feed says which sessions it was given; those are opened, and each visitor's message is handed to the handler once and
in order, also over reconnects. One handler runs at a time in each conversation, several at a time in all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from . import wire
from .api import Ticket
from .client import Client, Options
from .conversation import Conversation
from .errors import FrontdeskError, Refused
from .message import Message, to_message
from .platform import Clock, Timer
from .thread import Items, Thread

# As many as a hello or a position check may name, and a connection may have open.
_OPEN_MAX = 60
# Conversations of others whose place is remembered.
_PLACES_MAX = 10_000
_LIST_AGAIN_S = 3.0
_OPEN_AGAIN_S = 1.0
# Messages of a session that is not the bot's yet: kept for when it is.
_UNCLAIMED_MAX = 1_000

Handler = Callable[[Conversation, Message], Awaitable[None] | None]


class Bot(Client):
    """A bot, made by Frontdesk.bot().

    Events, each with what a listener is given:

    given(conversation)            the bot was given a session
    released(conversation)         the session is the bot's no longer: closed, or with somebody else
    entry(conversation, message)   every message of a conversation the bot looks at, of whomever
    retracted(conversation, seq)   somebody took back the entry with this seq
    reload(conversation, missed)   the newest page came in place of what was held; `missed`: messages before it will not be given
    state(state, error)            how it is connected; `error`: why it stopped, or why it is not connected while it waits
    error(error)                   something that no call answers for: a handler failed, a page could not be read
    """

    def __init__(self, options: Options, api_key: str, handlers_max: int = 64) -> None:
        self._api_key, self._handlers_max = api_key, handlers_max
        self._self: wire.Actor = {}
        self._handler: Handler | None = None
        self._followed: dict[str, _Followed] = {}
        # What is open on this connection, the longest unused first.
        self._open: dict[str, None] = {}
        self._feed_position: wire.FeedPosition | None = None
        self._listing: asyncio.Task[None] | None = None
        self._listed = False
        self._sync_from = 0
        self._ready: deque[_Followed] = deque()
        self._handling: set[asyncio.Task[None]] = set()
        super().__init__(options)

    def on_message(self, handler: Handler) -> Handler:
        """Who answers the visitors' messages, a function or a coroutine function; also as a decorator. Without it they wait.
        What it raises is told as the event "error", and the next message comes.
        """
        self._handler = handler
        for one in self._followed.values():
            self._pump(one)
        return handler

    @property
    def id(self) -> str:
        """The key's own id, once connected."""
        return self._self.get("id", "")

    @property
    def conversations(self) -> list[Conversation]:
        """Those whose session the bot owns."""
        return [one.conversation for one in self._owned()]

    def conversation(self, id: str) -> Conversation:
        """A conversation by its id, to write to it or move it."""
        return self._follow(id).conversation

    async def _ticket(self) -> Ticket:
        answer = await self._api.request("POST", "tickets", self._authorization(), {"kind": "agent"})
        return Ticket(answer.get("ticket", ""), answer.get("node"))

    def _to_present(self) -> list[wire.Held]:
        held = self._owned()[:_OPEN_MAX]
        # The server opens each by itself; an answer follows the welcome.
        self._open = {one.thread.id: None for one in held}
        for one in self._followed.values():
            one.opening = one.thread.id in self._open
        return [one.thread.held() for one in held]

    def _to_sync(self) -> list[wire.Held]:
        known = [one for one in self._owned() if one.thread.timeline.epoch]
        if self._sync_from >= len(known):
            self._sync_from = 0
        some = known[self._sync_from : self._sync_from + _OPEN_MAX]
        self._sync_from += len(some)
        return [one.thread.held() for one in some]

    def _feed(self) -> wire.FeedPosition | None:
        return self._feed_position

    def _welcomed(self, welcome: wire.Welcome) -> None:
        self._self = welcome.get("self", {})
        recovered = welcome.get("feedRecovered", False) and self._feed_position is not None
        if not recovered:
            self._feed_position = welcome.get("feed")
        # An open whose answer was lost with the connection is given again: the feed does not tell of it a second time.
        for one in list(self._followed.values()):
            if (one.wanted or one.conversation.owned) and not one.opening:
                self._load(one)
        if not recovered or not self._listed:
            self._listed = False
            self._listing = asyncio.get_running_loop().create_task(self._list())

    def _received(self, frame: wire.ServerFrame) -> None:
        if "entries" in frame:
            one = self._followed.get(frame["entries"].get("conversation", ""))
            if one is not None:
                one.thread.entries(frame["entries"])
        elif "opened" in frame:
            self._opened(frame["opened"])
        elif "session" in frame:
            self._moved(self._followed.get(frame["session"].get("conversation", "")), frame["session"].get("session"))
        elif "feed" in frame:
            for change in frame["feed"].get("changes", []):
                self._changed(change)
        elif "refusal" in frame:
            self._refused_open(frame["refusal"])

    def _placed(self, conversation: str, entry: wire.Entry) -> None:
        one = self._followed.get(conversation)
        if one is not None:
            one.thread.place(entry)

    def _lost(self) -> None:
        self._open.clear()
        if self._listing is not None:
            self._listing.cancel()
        for one in self._followed.values():
            one.thread.lost()
            one.opening = False
            one.clear_again()

    def _finish(self, error: FrontdeskError) -> None:
        self._lost()
        for one in self._followed.values():
            one.thread.close()
            one.queue.clear()

    def _self_actor(self) -> wire.Actor:
        return self._self

    def _draft(self, conversation: str, text: str, typing: bool) -> None:
        self._link.push({"draft": {"conversation": conversation, "text": text, "typing": typing}})

    def _now(self) -> float:
        return self._options.platform.clock.now()

    def _authorization(self) -> str:
        # Without a key the headers of the options say who it is.
        return f"Bearer {self._api_key}" if self._api_key else ""

    def _owned(self) -> list[_Followed]:
        return [one for one in self._followed.values() if one.conversation.owned]

    def _follow(self, id: str) -> _Followed:
        one = self._followed.get(id)
        if one is None:
            self._forget()
            one = self._followed[id] = _Followed(self, id)
        return one

    def _forget(self) -> None:
        """The places of conversations of others are kept as long as there is room."""
        if len(self._followed) < _PLACES_MAX:
            return
        for id, one in self._followed.items():
            if not (one.conversation.owned or one.running or one.opening or one.wanted):
                del self._followed[id]
                return

    async def _list(self) -> None:
        """The feed says what changes; what there was before, the list says."""
        while True:
            try:
                rows = await self._api.mine(self._authorization())
            except FrontdeskError as error:
                self._failed(error)
                await self._sleep(_LIST_AGAIN_S)
                continue
            for row in rows:
                self._row(row)
            self._listed = True
            return

    def _changed(self, change: wire.FeedChange) -> None:
        if "row" in change:
            self._row(change["row"])
        elif "removed" in change:
            self._moved(self._followed.get(change["removed"]), None, gone=True)
        if "number" in change and self._feed_position is not None:
            self._feed_position = {**self._feed_position, "number": change["number"]}

    def _row(self, row: wire.Row) -> None:
        id = row.get("conversation", "")
        session = row.get("session")
        given = self._is_mine(session)
        if id not in self._followed and not given:
            return
        one = self._follow(id)
        conversation = one.conversation
        conversation.visitor_id, conversation.visitor_name = row.get("visitor", ""), row.get("visitorName", "")
        conversation.language = row.get("language", "")
        if not _is_newer(conversation.session, session):
            return
        behind = int(row.get("position", {}).get("seq", 0)) > one.thread.timeline.held
        # What it missed while the session was somebody else's comes with the answer, and the session after it.
        if given and (not conversation.owned or (behind and id not in self._open)):
            self._load(one)
        elif not given:
            self._moved(one, session)

    def _load(self, one: _Followed) -> None:
        one.wanted = True
        if one.opening or not self._link.live:
            return
        one.opening = True
        self._touch(one.thread.id)
        open_: wire.Open = {"conversation": one.thread.id}
        position = one.thread.timeline.position()
        if position is not None:
            open_["position"] = position
        # The answer is taken in by `_opened`, in the order of arrival.
        self._link.request({"open": open_}).add_done_callback(lambda answer: self._load_ended(one, answer))

    def _load_ended(self, one: _Followed, answer: asyncio.Future[None]) -> None:
        error = None if answer.cancelled() else answer.exception()
        if error is None:
            return
        if not self._link.live:
            # The next welcome opens it again.
            return
        one.opening = False
        self._open.pop(one.thread.id, None)
        if not isinstance(error, Refused):
            one.load_later(_OPEN_AGAIN_S)
        elif error.retry_after is not None or error.code == "conversation.too_many_open":
            one.load_later(error.retry_after or _OPEN_AGAIN_S)
        else:
            self._moved(one, None, gone=True)

    def _touch(self, id: str) -> None:
        """Keeps what is used open; what was not used for the longest time is left. It still comes, to the owner."""
        self._open.pop(id, None)
        self._open[id] = None
        while len(self._open) > _OPEN_MAX:
            self._leave(next(iter(self._open)))

    def _leave(self, id: str) -> None:
        if id in self._open:
            del self._open[id]
            self._link.request({"leave": {"conversation": id}})

    def _refused_open(self, refusal: wire.Refusal) -> None:
        """One of those the hello named cannot be opened now, or may no longer be read."""
        one = self._followed.get(refusal.get("conversation", ""))
        if one is None:
            return
        one.opening = False
        if "retryAfterMs" in refusal:
            if one.conversation.owned:
                one.load_later(refusal["retryAfterMs"] / 1000)
        elif refusal.get("code") == "conversation.unknown":
            self._open.pop(one.thread.id, None)
            self._moved(one, None, gone=True)

    def _opened(self, frame: wire.OpenedFrame) -> None:
        one = self._followed.get(frame.get("conversation", ""))
        if one is None:
            return
        one.opening = False
        conversation = one.conversation
        session = frame.get("session", {})
        # Going on with the same session, what comes is the bot's. Otherwise the session says so once all is there.
        same = (conversation.session or {}).get("id") == session.get("id")
        conversation.owned = conversation.owned and self._is_mine(session) and same
        one.thread.opened(frame)

    def _loaded(self, one: _Followed, frame: wire.OpenedFrame) -> None:
        one.wanted = False
        known, session = one.conversation.session, frame.get("session")
        # What was told while older pages were read is newer than the frame.
        self._moved(one, session if _is_newer(known, session) else known)
        if not one.conversation.owned:
            self._leave(one.thread.id)

    def _is_mine(self, session: wire.Session | None) -> bool:
        if session is None or session.get("status") not in ("SESSION_STATUS_ASSIGNED", "SESSION_STATUS_PENDING"):
            return False
        return self.id != "" and session.get("owner", {}).get("id") == self.id

    def _moved(self, one: _Followed | None, session: wire.Session | None, gone: bool = False) -> None:
        """The session is another one now; `gone`: it is not the bot's to read any more."""
        if one is None or (not gone and not _is_newer(one.conversation.session, session)):
            return
        if gone:
            one.wanted = False
        conversation, thread = one.conversation, one.thread
        owned = not gone and self._is_mine(session)
        unread = thread.loading or one.opening or not thread.timeline.epoch or thread.id not in self._open
        if owned and not conversation.owned and unread:
            # It is the bot's once everything before is there: the answer to the open says so again.
            if thread.loading:
                conversation.session = session
            else:
                self._load(one)
            return
        if session is not None:
            conversation.session = session
        was, conversation.owned = conversation.owned, owned
        if owned:
            waiting = [message for message in one.unclaimed if message.session == (session or {}).get("id")]
            one.unclaimed.clear()
            if not was:
                self._emit("given", conversation)
            one.queue.extend(waiting)
            self._pump(one)
        elif was:
            # Whoever has it now answers what waits.
            one.queue.clear()
            self._leave(thread.id)
            self._emit("released", conversation)

    def _accept(self, one: _Followed, entry: wire.Entry) -> bool:
        conversation = one.conversation
        own = self.id != "" and entry.get("actor", {}).get("id") == self.id
        message = to_message(entry, conversation.id, own)
        asks = message is not None and message.actor.kind == "visitor"
        # One of another session was somebody else's to answer, or will be the bot's when that session is.
        given = conversation.owned and message is not None and message.session == (conversation.session or {}).get("id")
        if asks and given and len(one.queue) >= self._options.inbox_max:
            return False
        self._arrived(conversation.id, entry)
        if message is not None:
            self._emit("entry", conversation, message)
        if "retraction" in entry:
            self._emit("retracted", conversation, int(entry["retraction"].get("seq", 0)))
        if message is not None and asks and given:
            one.queue.append(message)
            self._pump(one)
        elif message is not None and asks:
            one.unclaimed.append(message)
        elif is_answer(entry):
            one.unclaimed.clear()
        return True

    def _pump(self, one: _Followed) -> None:
        """Runs the handler for what waits: one at a time in a conversation, `handlers_max` in all."""
        if one.running or not one.queue or self._handler is None:
            return
        if len(self._handling) >= self._handlers_max:
            if one not in self._ready:
                self._ready.append(one)
            return
        one.running = True
        task = asyncio.get_running_loop().create_task(self._handle(one, one.queue.popleft()))
        self._handling.add(task)
        task.add_done_callback(lambda done: self._handled(one, done))

    async def _handle(self, one: _Followed, message: Message) -> None:
        try:
            answer = None if self._handler is None else self._handler(one.conversation, message)
            if answer is not None:
                await answer
        except Exception as error:
            self._failed(error)

    def _handled(self, one: _Followed, task: asyncio.Task[None]) -> None:
        self._handling.discard(task)
        one.running = False
        if len(one.queue) <= self._options.inbox_max // 2:
            one.thread.drained()
        # The others first: none waits for one that never rests.
        if self._ready:
            self._pump(self._ready.popleft())
        self._pump(one)


class _Followed:
    """A conversation the bot follows, and what its thread needs."""

    gives_past = True

    def __init__(self, bot: Bot, id: str) -> None:
        self._bot = bot
        self.conversation = Conversation(id, bot)
        self.thread = Thread(id, self)
        # Visitor's messages that wait for the handler.
        self.queue: deque[Message] = deque()
        self.running = False
        # Visitor's messages since the last answer, while the session was not the bot's.
        self.unclaimed: deque[Message] = deque(maxlen=_UNCLAIMED_MAX)
        # An open is on its way, or the hello named it.
        self.opening = False
        # What it missed has been asked for, and did not come yet.
        self.wanted = False
        self._again: Timer | None = None

    def load_later(self, after: float) -> None:
        if self._again is None:
            self._again = self.clock().call_later(after, self._load_again)

    def _load_again(self) -> None:
        self._again = None
        self._bot._load(self)

    def clear_again(self) -> None:
        if self._again is not None:
            self._again.cancel()
        self._again = None

    def clock(self) -> Clock:
        return self._bot._options.platform.clock

    def accept(self, entry: wire.Entry) -> bool:
        return self._bot._accept(self, entry)

    def reaches(self, items: Items) -> bool:
        return any("entry" in item and is_answer(item["entry"]) for item in items)

    def loaded(self, opened: wire.OpenedFrame) -> None:
        self._bot._loaded(self, opened)

    def reloaded(self, items: Items, missed: bool) -> None:
        self._bot._emit("reload", self.conversation, missed)

    async def page(self, which: str, seq: int) -> tuple[Items, str]:
        return await self._bot._api.entries(self.thread.id, self._bot._authorization(), which, seq)

    def sync(self) -> None:
        self._bot._link.request({"sync": {"held": [self.thread.held()]}})

    def other_epoch(self) -> None:
        self._bot._load(self)

    def failed(self, error: BaseException) -> None:
        self._bot._failed(error)


def _is_newer(known: wire.Session | None, session: wire.Session | None) -> bool:
    if known is None or session is None:
        return session is not None
    return (session.get("number", 0), session.get("version", 0)) >= (known.get("number", 0), known.get("version", 0))


def is_answer(entry: wire.Entry) -> bool:
    """Somebody of the team, a bot or a program said something to the visitor."""
    by_us = entry.get("actor", {}).get("kind") in ("ACTOR_KIND_AGENT", "ACTOR_KIND_BOT", "ACTOR_KIND_API")
    return by_us and "content" in entry and entry.get("audience") != "AUDIENCE_TEAM"
