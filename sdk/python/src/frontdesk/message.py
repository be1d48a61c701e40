"""What a program sees of an entry: a message with its parts as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from . import wire

ActorKind = Literal["visitor", "agent", "bot", "system", "api", "unknown"]
MessageKind = Literal["text", "file", "choices", "form", "form_reply", "system", "unsupported"]

_ACTORS: dict[str, ActorKind] = {
    "ACTOR_KIND_VISITOR": "visitor",
    "ACTOR_KIND_AGENT": "agent",
    "ACTOR_KIND_BOT": "bot",
    "ACTOR_KIND_SYSTEM": "system",
    "ACTOR_KIND_API": "api",
}
_KINDS: dict[str, MessageKind] = {
    "text": "text",
    "file": "file",
    "choices": "choices",
    "form": "form",
    "formReply": "form_reply",
    "system": "system",
}


@dataclass(frozen=True)
class Actor:
    kind: ActorKind
    # Empty where the reader may not know it.
    id: str = ""
    name: str = ""


@dataclass(frozen=True)
class Message:
    kind: MessageKind
    # Empty for a visitor, who has one conversation.
    conversation: str
    seq: int
    id: str
    session: str
    actor: Actor
    # Sent by this client, or by another one of the same identity.
    own: bool
    # A note that visitors never see.
    team: bool
    at_ms: int
    # Of a text its body, of choices the text above them, of a form its title; otherwise empty.
    text: str
    # The seq of the entry this one answers; 0 for none.
    quote_seq: int
    # The id of the choice that was picked; empty for none.
    choice: str
    # As it came.
    content: wire.Content
    choices: tuple[wire.Choice, ...] = ()
    fields: tuple[wire.FormField, ...] = ()
    # Of a form reply: what was filled in, by the field's id.
    values: dict[str, str] = field(default_factory=dict)
    file: wire.File | None = None
    # The articles a bot's answer was taken from.
    sources: tuple[wire.Source, ...] = ()


def to_actor(actor: wire.Actor) -> Actor:
    return Actor(_ACTORS.get(actor.get("kind", ""), "unknown"), actor.get("id", ""), actor.get("name", ""))


def to_message(entry: wire.Entry, conversation: str, own: bool) -> Message | None:
    """The message of an entry; None for one that is none (taken back, or taking back)."""
    content = entry.get("content")
    if content is None:
        return None
    text = content.get("text", {}).get("body") or content.get("choices", {}).get("body")
    return Message(
        kind=next((kind for name, kind in _KINDS.items() if name in content), "unsupported"),
        conversation=conversation,
        seq=int(entry.get("seq", 0)),
        id=entry.get("id", ""),
        session=entry.get("session", ""),
        actor=to_actor(entry.get("actor", {})),
        own=own,
        team=entry.get("audience") == "AUDIENCE_TEAM",
        at_ms=int(entry.get("atMs", 0)),
        text=text or content.get("form", {}).get("title", ""),
        quote_seq=int(content.get("quoteSeq", 0)),
        choice=content.get("choice", ""),
        content=content,
        choices=tuple(content.get("choices", {}).get("choices", ())),
        fields=tuple(content.get("form", {}).get("fields", ())),
        values={each.get("id", ""): each.get("value", "") for each in content.get("formReply", {}).get("values", ())},
        file=content.get("file"),
        sources=tuple(content.get("sources", ())),
    )
