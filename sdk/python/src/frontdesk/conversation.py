"""A conversation as a bot's program sees it: what it may say and do there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from . import wire
from .message import Choice, Field
from .outbox import Ack
from .stream import Stream

class ConversationHost(Protocol):
    """What a conversation needs from the bot it belongs to."""

    def _post(
        self, conversation: str, content: wire.Content, audience: wire.Audience = "AUDIENCE_EVERYONE"
    ) -> asyncio.Future[Ack]: ...

    def _draft(self, conversation: str, text: str, typing: bool) -> None: ...

    async def _command(self, frame: wire.Command, done: str) -> None: ...

    def _now(self) -> float: ...


class Conversation:
    """One visitor's conversation, as the bot's handler is given it."""

    def __init__(self, id: str, host: ConversationHost) -> None:
        self.id = id
        self._host = host
        # The newest session, as far as it is known.
        self.session: wire.Session | None = None
        self.visitor_id = ""
        self.visitor_name = ""
        # BCP 47; empty where it is not known.
        self.language = ""
        # The bot owns the session: messages are given to it.
        self.owned = False

    def reply(self, text: str, quote_seq: int = 0, sources: Sequence[wire.Source] = ()) -> asyncio.Future[Ack]:
        """Answers with a text. Kept and sent again until its ack, over any number of reconnects. `quote_seq`: the entry that
        is answered. `sources`: the articles the answer was taken from, the best first, at most 3.
        """
        return self._send({"text": {"body": text}}, quote_seq, sources)

    def choices(
        self, body: str, choices: Sequence[str | Choice], quote_seq: int = 0, sources: Sequence[wire.Source] = ()
    ) -> asyncio.Future[Ack]:
        """A text with buttons under it. What the visitor picks comes as a message with `choice`."""
        all_ = [(choice if isinstance(choice, Choice) else Choice(choice)).to_wire() for choice in choices]
        return self._send({"choices": {"body": body, "choices": all_}}, quote_seq, sources)

    def form(self, title: str, fields: Sequence[Field], submit: str = "", quote_seq: int = 0) -> asyncio.Future[Ack]:
        """Asks for several things at once. What is filled in comes as a message with `values`."""
        form: wire.Form = {"title": title, "fields": [field.to_wire() for field in fields], "submit": submit}
        return self._send({"form": form}, quote_seq, ())

    def note(self, text: str) -> asyncio.Future[Ack]:
        """A note for the team."""
        return self._host._post(self.id, {"text": {"body": text}}, "AUDIENCE_TEAM")

    def stream(self, quote_seq: int = 0, sources: Sequence[wire.Source] = ()) -> Stream:
        """An answer that grows while it is written: drafts, then the message."""
        return Stream(
            self._host._now,
            lambda text, typing: self._host._draft(self.id, text, typing),
            lambda text: self.reply(text, quote_seq, sources),
        )

    def typing(self, typing: bool = True) -> None:
        """Says that an answer is on its way, or no longer is."""
        self._host._draft(self.id, "", typing)

    async def hand_over(self, team: str = "", note: str = "") -> None:
        """Gives the session to people: to a team by its id, or back to its queue. Visitors never see the note."""
        if team:
            transfer: wire.Transfer = {"toTeam": team, "note": note}
            await self._host._command({"conversation": self.id, "transfer": transfer}, "session.not_owner")
            return
        if note:
            await self.note(note)
        await self._host._command({"conversation": self.id, "requeue": {}}, "session.not_owner")

    async def close(self) -> None:
        """Ends the session."""
        await self._host._command({"conversation": self.id, "close": {}}, "session.closed")

    def _send(self, content: wire.Content, quote_seq: int, sources: Sequence[wire.Source]) -> asyncio.Future[Ack]:
        if quote_seq > 0:
            content["quoteSeq"] = str(quote_seq)
        if sources:
            content["sources"] = list(sources)
        return self._host._post(self.id, content)
