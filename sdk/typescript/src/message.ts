// What a program sees of an entry: a message with its parts as plain values.
import type { ActorKind as WireActorKind, Content, Entry, File, FormField, Source } from "./wire.js";

/** Who somebody is. */
export type ActorKind = "visitor" | "agent" | "bot" | "system" | "api" | "unknown";

/** Who said something. */
export type Actor = {
  readonly kind: ActorKind;
  /** Empty where the reader may not know it. */
  readonly id: string;
  readonly name: string;
};

/** A button, or an option of a field. */
export type Choice = { readonly id: string; readonly label: string };

/** What a field of a form takes. */
export type FieldKind = "text" | "email" | "phone" | "order_number" | "choice";

/** A field of a form. */
export type Field = {
  readonly id: string;
  readonly label: string;
  readonly kind: FieldKind;
  readonly required: boolean;
  /** Of kind choice. */
  readonly options: readonly Choice[];
};

/** What a message is. */
export type MessageKind = "text" | "file" | "choices" | "form" | "form_reply" | "system" | "unsupported";

/** An entry of a conversation with its parts as plain values. */
export type Message = {
  readonly kind: MessageKind;
  /** Empty for a visitor, who has one conversation. */
  readonly conversation: string;
  readonly seq: number;
  readonly id: string;
  readonly session: string;
  readonly actor: Actor;
  /** Sent by this client, or by another one of the same identity. */
  readonly own: boolean;
  /** A note that visitors never see. */
  readonly team: boolean;
  readonly atMs: number;
  /** Of a text its body, of choices the text above them, of a form its title; otherwise empty. */
  readonly text: string;
  /** The seq of the entry this one answers; 0 for none. */
  readonly quoteSeq: number;
  /** The id of the choice that was picked; empty for none. */
  readonly choice: string;
  readonly choices: readonly Choice[];
  readonly fields: readonly Field[];
  /** Of a form reply: what was filled in, by the field's id. */
  readonly values: Readonly<Record<string, string>>;
  readonly file: File | undefined;
  /** The articles a bot's answer was taken from. */
  readonly sources: readonly Source[];
  /** As it came. */
  readonly content: Content;
};

const KINDS: readonly (readonly [keyof Content, MessageKind])[] = [
  ["text", "text"],
  ["file", "file"],
  ["choices", "choices"],
  ["form", "form"],
  ["formReply", "form_reply"],
  ["system", "system"],
];

export function actorKind(kind: WireActorKind | undefined): ActorKind {
  const name = (kind ?? "").replace("ACTOR_KIND_", "").toLowerCase();
  return name === "visitor" || name === "agent" || name === "bot" || name === "system" || name === "api" ? name : "unknown";
}

function toChoice({ id = "", label = "" }: { readonly id?: string | undefined; readonly label?: string | undefined }): Choice {
  return { id, label };
}

function toField({ id = "", label = "", kind = "FORM_FIELD_KIND_TEXT", required = false, options = [] }: FormField): Field {
  // The names of the wire, without what they all begin with.
  const plain = kind === "FORM_FIELD_KIND_UNSPECIFIED" ? "text" : (kind.replace("FORM_FIELD_KIND_", "").toLowerCase() as FieldKind);
  return { id, label, kind: plain, required, options: options.map(toChoice) };
}

/** The message of an entry; undefined for one that is none (taken back, or taking back). */
export function toMessage(entry: Entry, conversation: string, own: boolean): Message | undefined {
  const { content } = entry;
  if (content === undefined) return undefined;
  const kind = KINDS.find(([field]) => content[field] !== undefined)?.[1] ?? "unsupported";
  const values = Object.create(null) as Record<string, string>;
  for (const { id, value } of content.formReply?.values ?? []) values[id ?? ""] = value ?? "";
  return {
    kind,
    conversation,
    seq: Number(entry.seq ?? 0),
    id: entry.id ?? "",
    session: entry.session ?? "",
    actor: { kind: actorKind(entry.actor?.kind), id: entry.actor?.id ?? "", name: entry.actor?.name ?? "" },
    own,
    team: entry.audience === "AUDIENCE_TEAM",
    atMs: Number(entry.atMs ?? 0),
    text: content.text?.body ?? content.choices?.body ?? content.form?.title ?? "",
    quoteSeq: Number(content.quoteSeq ?? 0),
    choice: content.choice ?? "",
    choices: (content.choices?.choices ?? []).map(toChoice),
    fields: (content.form?.fields ?? []).map(toField),
    values,
    file: content.file,
    sources: content.sources ?? [],
    content,
  };
}
