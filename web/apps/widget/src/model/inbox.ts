// What the ticket's answer says about the inbox. Everything is optional: an older or newer server
// may leave out or add fields.
import type { Locale } from "@frontdesk/i18n";
import { localText } from "@frontdesk/i18n";

type ByLanguage = Readonly<Record<string, string>>;

export type Inbox = {
  readonly name: string;
  readonly texts: Readonly<Record<string, ByLanguage>>;
  readonly accent: string;
  readonly side: "left" | "right";
  readonly scheme: "system" | "light" | "dark";
  readonly attended: boolean | undefined;
  /** BCP 47: for visitors of whom nothing is known. */
  readonly language: string;
};

export const NO_INBOX: Inbox = { name: "", texts: {}, accent: "", side: "right", scheme: "system", attended: undefined, language: "" };

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function byLanguage(value: unknown): ByLanguage {
  const texts: Record<string, string> = {};
  for (const [language, one] of Object.entries(record(value))) if (typeof one === "string" && one !== "") texts[language] = one;
  return texts;
}

export function parseInbox(value: unknown): Inbox {
  const inbox = record(value);
  const look = record(inbox.look);
  const texts: Record<string, ByLanguage> = {};
  for (const [key, one] of Object.entries(record(inbox.texts))) texts[key] = byLanguage(one);
  return {
    name: text(inbox.name),
    texts,
    accent: text(look.accent),
    side: look.side === "left" ? "left" : "right",
    scheme: look.scheme === "light" || look.scheme === "dark" ? look.scheme : "system",
    attended: typeof inbox.attended === "boolean" ? inbox.attended : undefined,
    language: text(inbox.language),
  };
}

/** A text of the inbox in the reader's language; empty where the team wrote none. */
export function inboxText(inbox: Inbox, key: "title" | "greeting" | "away" | "closed", locale: Locale): string {
  return localText(inbox.texts[key], locale);
}
