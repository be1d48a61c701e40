// What the ticket's answer says about the inbox. Everything is optional: an older or newer server
// may leave out or add fields.
import type { Locale } from "@frontdesk/i18n";
import { localText } from "@frontdesk/i18n";

type ByLanguage<T> = Readonly<Record<string, T>>;

export type Inbox = {
  readonly name: string;
  readonly texts: Readonly<Record<string, ByLanguage<string>>>;
  readonly accent: string;
  readonly side: "left" | "right";
  readonly scheme: "system" | "light" | "dark";
  readonly attended: boolean | undefined;
  /** A bot answers first, whoever is here. */
  readonly bot: boolean;
  /** BCP 47: for visitors of whom nothing is known. */
  readonly language: string;
  readonly questions: ByLanguage<readonly string[]>;
  /** When somebody is here, in free words. */
  readonly hours: ByLanguage<string>;
  /** Names of people who answer here. */
  readonly faces: readonly string[];
  /** How long the first answer usually takes; undefined where too few are known. */
  readonly answerMinutes: number | undefined;
  readonly asksContact: boolean;
  readonly rates: boolean;
  readonly mayEnd: boolean;
  readonly showsTyping: boolean;
  readonly showsPlace: boolean;
};

type Fields = Readonly<Record<string, unknown>>;

function record(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text).filter(Boolean) : [];
}

/** Every entry that `read` finds something in. */
function each<T extends { readonly length: number }>(value: unknown, read: (one: unknown) => T): Record<string, T> {
  const all: Record<string, T> = {};
  for (const [name, one] of Object.entries(record(value))) {
    const found = read(one);
    if (found.length > 0) all[name] = found;
  }
  return all;
}

export function parseInbox(value: unknown): Inbox {
  const inbox = record(value);
  const look = record(inbox.look);
  const written: Record<string, ByLanguage<string>> = {};
  for (const [key, one] of Object.entries(record(inbox.texts))) written[key] = each(one, text);
  return {
    name: text(inbox.name),
    texts: written,
    accent: text(look.accent),
    side: look.side === "left" ? "left" : "right",
    scheme: look.scheme === "light" || look.scheme === "dark" ? look.scheme : "system",
    bot: inbox.bot === true,
    attended: typeof inbox.attended === "boolean" ? inbox.attended : undefined,
    language: text(inbox.language),
    questions: each(inbox.questions, texts),
    hours: each(inbox.hours_text, text),
    faces: Array.isArray(inbox.faces) ? texts(inbox.faces.map((face) => record(face).name)) : [],
    answerMinutes: typeof inbox.answer_minutes === "number" ? inbox.answer_minutes : undefined,
    asksContact: inbox.ask_contact === true,
    rates: inbox.rating !== false,
    mayEnd: inbox.visitor_may_close !== false,
    showsTyping: inbox.typing !== false,
    showsPlace: inbox.queue_place !== false,
  };
}

export const NO_INBOX: Inbox = parseInbox(undefined);

/** A text of the inbox in the reader's language; empty where the team wrote none. */
export function inboxText(inbox: Inbox, key: "title" | "greeting" | "away" | "closed" | "ask_contact", locale: Locale): string {
  return localText(inbox.texts[key], locale);
}
