"""A visitor: one identity, one conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from . import wire
from .api import Ticket
from .client import Client, Options
from .errors import FrontdeskError
from .inbox import Inbox
from .message import Actor, Message, to_actor, to_message
from .outbox import Ack, failed
from .platform import Clock
from .stream import cut
from .thread import Items, Thread

IdentityToken = str | Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Draft:
    """Somebody types; a bot's text grows until its message comes."""

    actor: Actor
    typing: bool
    text: str


class Visitor(Client):
    """A visitor of an inbox, made by Frontdesk.visitor().

    Events, each with what a listener is given:

    message(message)            a message of somebody else: each once, in order
    entry(message)              every message with its place, own ones and system texts too
    retracted(seq)              somebody took back the entry with this seq
    reload(messages, missed)    the newest page came in place of what was held; `missed`: messages before it will not be given
    draft(draft), session(session), queue(place), attended(attended)
    state(state, error)         how it is connected; `error`: why it stopped, or why it is not connected while it waits
    error(error)                something that no call answers for
    """

    def __init__(
        self,
        options: Options,
        inbox_key: str,
        token: str = "",
        position: wire.Position | None = None,
        identity_token: IdentityToken | None = None,
        page: str = "",
        referrer: str = "",
    ) -> None:
        # Keep it: it is the visitor's identity. Empty before the first ticket.
        self.token = token
        self.conversation_id = ""
        # The inbox as the ticket's answer describes it.
        self.inbox: dict[str, Any] = {}
        self.session: wire.Session | None = None
        self._self_id = ""
        # The inbox wants to see unsent text.
        self._drafts = False
        self._inbox_key, self._identity_token, self._page, self._referrer = inbox_key, identity_token, page, referrer
        self._thread = Thread("", _Host(self))
        self._waiting: Inbox | None = None
        if position is not None and position.get("epoch"):
            self._thread.timeline.reset(position["epoch"], int(position.get("seq", 0)))
        super().__init__(options)

    @property
    def position(self) -> wire.Position | None:
        """How far messages were given to the program: present it to a later run to go on from there."""
        position = self._thread.timeline.position()
        unread = None if self._waiting is None else self._waiting.first
        if position is None or unread is None:
            return position
        return {"epoch": position["epoch"], "seq": str(min(unread.seq - 1, int(position["seq"])))}

    def send(self, text: str, quote_seq: int = 0) -> asyncio.Future[Ack]:
        """Sends a text. It is kept and sent again until its ack, over any number of reconnects."""
        return self.send_content(quoting({"text": {"body": text}}, quote_seq))

    def send_content(self, content: wire.Content) -> asyncio.Future[Ack]:
        """Sends any content a visitor may, for example a file that was uploaded: {"file": {"id": ...}}."""
        return self._post("", content)

    def choose(self, message: Message, choice_id: str) -> asyncio.Future[Ack]:
        """Picks one of the choices of a message."""
        for choice in message.choices:
            if choice.id == choice_id:
                return self.send_content({"text": {"body": choice.label}, "choice": choice_id, "quoteSeq": str(message.seq)})
        return failed(FrontdeskError("request.invalid", f"the message has no choice {choice_id}"))

    def submit(self, form: Message, values: dict[str, str]) -> asyncio.Future[Ack]:
        """Answers a form, by the ids of its fields."""
        filled: list[wire.FieldValue] = [
            {"id": one.id, "label": one.label, "value": values[one.id]} for one in form.fields if one.id in values
        ]
        return self.send_content({"formReply": {"values": filled}, "quoteSeq": str(form.seq)})

    def messages(self) -> Inbox:
        """Messages of others, each once and in order, from the first call on; later calls give the same ones, so that a loop
        that was left can be gone on with. A reader that falls far behind misses nothing: what finds no room is asked for
        again. The loop ends with close(), and raises where the client was stopped.
        """
        if self._waiting is None:
            self._waiting = Inbox(self._options.inbox_max, self._thread.drained)
            ended = self._has_ended()
            if ended is not None:
                self._end_messages(ended)
        return self._waiting

    def typing(self, typing: bool = True, text: str = "") -> None:
        """Says that the visitor types, or no longer does. What is typed goes only to an inbox that wants to see it."""
        if self._drafts or self.inbox.get("typing") is not False:
            self._link.push({"draft": {"typing": typing, "text": cut(text) if self._drafts else ""}})

    def read(self, seq: int) -> None:
        """Says that everything up to here was seen."""
        held = self._thread.timeline.held
        self._link.push({"cursor": {"deliveredSeq": str(held), "readSeq": str(min(seq, held))}})

    async def end_session(self) -> None:
        """Ends the session, where the inbox lets visitors do so."""
        await self._command({"close": {}}, "session.closed")

    async def rate(self, rating: int, comment: str = "") -> None:
        """Rates the session that was closed, 1 to 5."""
        await self._command({"rate": {"rating": rating, "comment": comment}}, "session.not_ratable")

    async def ask_for_person(self) -> None:
        """While a bot answers: lets a person take over."""
        await self._command({"askForPerson": {}}, "session.not_owner")

    async def _ticket(self) -> Ticket:
        body = {
            "kind": "visitor",
            "inbox_key": self._inbox_key,
            "language": self._options.language,
            "page": self._page,
            "referrer": self._referrer,
        }
        if self.token:
            body["visitor_token"] = self.token
        if self._identity_token is not None:
            given = self._identity_token
            body["identity_token"] = given if isinstance(given, str) else await given()
        answer = await self._api.request("POST", "tickets", "", body)
        self.token = answer.get("visitor_token", "")
        conversation = answer.get("conversation_id", "")
        # The server may take the visitor for somebody else, with another conversation.
        if self.conversation_id not in ("", conversation):
            self._thread.timeline.reset("", 0)
        self.conversation_id = conversation
        self.inbox = answer.get("inbox") or {}
        return Ticket(answer.get("ticket", ""), answer.get("node"))

    def _to_present(self) -> list[wire.Held]:
        return [self._thread.held()] if self._thread.timeline.epoch else []

    def _to_sync(self) -> list[wire.Held]:
        return self._to_present()

    def _welcomed(self, welcome: wire.Welcome) -> None:
        self._self_id = welcome.get("self", {}).get("id", "")
        self._drafts = welcome.get("drafts", False)
        for opened in welcome.get("opened", [])[:1]:
            self._thread.opened(opened)
        self._emit("attended", welcome.get("attended", False))

    def _received(self, frame: wire.ServerFrame) -> None:
        if "entries" in frame:
            self._thread.entries(frame["entries"])
        elif "opened" in frame:
            self._thread.opened(frame["opened"])
        elif "session" in frame:
            self._session_moved(frame["session"].get("session"))
        elif "queuePlace" in frame:
            self._emit("queue", frame["queuePlace"])
        elif "attended" in frame:
            self._emit("attended", frame["attended"].get("attended", False))
        elif "draft" in frame:
            draft = frame["draft"]
            self._emit(
                "draft", Draft(to_actor(draft.get("actor", {})), draft.get("typing", False), draft.get("text", ""))
            )

    def _placed(self, conversation: str, entry: wire.Entry) -> None:
        self._thread.place(entry)

    def _lost(self) -> None:
        self._thread.lost()

    def _finish(self, error: FrontdeskError) -> None:
        self._thread.close()
        self._end_messages(error)

    def _end_messages(self, error: FrontdeskError) -> None:
        if self._waiting is not None:
            self._waiting.end(None if error.code == "client.closed" else error)

    def _self_actor(self) -> wire.Actor:
        return {"kind": "ACTOR_KIND_VISITOR", "id": self._self_id}

    def _accept(self, entry: wire.Entry) -> bool:
        message = _message(entry)
        answers = message is not None and not message.own and message.kind != "system"
        if message is not None and answers and self._waiting is not None and not self._waiting.push(message):
            return False
        self._arrived("", entry)
        if message is not None:
            self._emit("entry", message)
            if answers:
                self._emit("message", message)
        if "retraction" in entry:
            self._emit("retracted", int(entry["retraction"].get("seq", 0)))
        return True

    def _session_moved(self, session: wire.Session | None) -> None:
        if session is None:
            return
        known = self.session or {}
        if (session.get("number", 0), session.get("version", 0)) >= (known.get("number", 0), known.get("version", 0)):
            self.session = session
            self._emit("session", session)


class _Host:
    gives_past = False

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def clock(self) -> Clock:
        return self._visitor._options.platform.clock

    def accept(self, entry: wire.Entry) -> bool:
        return self._visitor._accept(entry)

    def reaches(self, items: Items) -> bool:
        return True

    def loaded(self, opened: wire.OpenedFrame) -> None:
        self._visitor._session_moved(opened.get("session"))

    def reloaded(self, items: Items, missed: bool) -> None:
        messages = [_message(item["entry"]) for item in items if "entry" in item]
        self._visitor._emit("reload", [message for message in messages if message is not None], missed)

    async def page(self, which: str, seq: int) -> tuple[Items, str]:
        visitor = self._visitor
        return await visitor._api.entries(visitor.conversation_id, f"Visitor {visitor.token}", which, seq)

    def sync(self) -> None:
        # What is refused now is asked again with the next check.
        held = self._visitor._to_sync()
        if held:
            self._visitor._link.request({"sync": {"held": held}})

    def other_epoch(self) -> None:
        self._visitor._link.fail("another epoch")

    def failed(self, error: BaseException) -> None:
        self._visitor._failed(error)


def _message(entry: wire.Entry) -> Message | None:
    return to_message(entry, "", entry.get("actor", {}).get("kind") == "ACTOR_KIND_VISITOR")


def quoting(content: wire.Content, seq: int) -> wire.Content:
    if seq > 0:
        content["quoteSeq"] = str(seq)
    return content
