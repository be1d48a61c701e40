"""What a program sees of an entry: a message with its parts as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from . import wire

FieldKind = Literal["text", "email", "phone", "order_number", "choice"]
ActorKind = Literal["visitor", "agent", "bot", "system", "api", "unknown"]
MessageKind = Literal["text", "file", "choices", "form", "form_reply", "system", "unsupported"]

_ACTORS: dict[str, ActorKind] = {
    "ACTOR_KIND_VISITOR": "visitor",
    "ACTOR_KIND_AGENT": "agent",
    "ACTOR_KIND_BOT": "bot",
    "ACTOR_KIND_SYSTEM": "system",
    "ACTOR_KIND_API": "api",
}
_FIELD_KINDS: dict[FieldKind, wire.FormFieldKind] = {
    "text": "FORM_FIELD_KIND_TEXT",
    "email": "FORM_FIELD_KIND_EMAIL",
    "phone": "FORM_FIELD_KIND_PHONE",
    "order_number": "FORM_FIELD_KIND_ORDER_NUMBER",
    "choice": "FORM_FIELD_KIND_CHOICE",
}
_KINDS_OF_FIELDS = {on_wire: kind for kind, on_wire in _FIELD_KINDS.items()}
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
    """Who said something."""

    kind: ActorKind
    # Empty where the reader may not know it.
    id: str = ""
    name: str = ""


@dataclass(frozen=True)
class Choice:
    """A button, or an option of a field. Without a label it says its id."""

    id: str
    label: str = ""

    def to_wire(self) -> wire.Choice:
        """As a frame holds it."""
        return {"id": self.id, "label": self.label or self.id}


@dataclass(frozen=True)
class Field:
    """A field of a form."""

    id: str
    label: str
    kind: FieldKind = "text"
    required: bool = False
    # Of kind choice.
    options: Sequence[Choice] = ()

    def to_wire(self) -> wire.FormField:
        """As a frame holds it."""
        return {
            "id": self.id,
            "label": self.label,
            "kind": _FIELD_KINDS[self.kind],
            "required": self.required,
            "options": [option.to_wire() for option in self.options],
        }


@dataclass(frozen=True)
class Message:
    """An entry of a conversation with its parts as plain values."""

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
    choices: tuple[Choice, ...] = ()
    fields: tuple[Field, ...] = ()
    # Of a form reply: what was filled in, by the field's id.
    values: dict[str, str] = field(default_factory=dict)
    file: wire.File | None = None
    # The articles a bot's answer was taken from.
    sources: tuple[wire.Source, ...] = ()


def to_actor(actor: wire.Actor) -> Actor:
    return Actor(_ACTORS.get(actor.get("kind", ""), "unknown"), actor.get("id", ""), actor.get("name", ""))


def _to_choice(choice: wire.Choice) -> Choice:
    return Choice(choice.get("id", ""), choice.get("label", ""))


def _to_field(of: wire.FormField) -> Field:
    kind = _KINDS_OF_FIELDS.get(of.get("kind", "FORM_FIELD_KIND_TEXT"), "text")
    options = tuple(map(_to_choice, of.get("options", ())))
    return Field(of.get("id", ""), of.get("label", ""), kind, of.get("required", False), options)


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
        choices=tuple(map(_to_choice, content.get("choices", {}).get("choices", ()))),
        fields=tuple(map(_to_field, content.get("form", {}).get("fields", ()))),
        values={each.get("id", ""): each.get("value", "") for each in content.get("formReply", {}).get("values", ())},
        file=content.get("file"),
        sources=tuple(content.get("sources", ())),
    )
