// What is known of an inbox before anybody talks, and what follows from it: the launcher's colours
// and name, the window's theme, the visitor's language. Small, since it runs on every page of a site.
import type { Identity, Looked, Ticket } from "@frontdesk/client";
import type { Locale } from "@frontdesk/i18n";
import { localText, pickLocale } from "@frontdesk/i18n";
import type { Settings, ToPage } from "@frontdesk/loader/messages";
import { accentColours, followTheme } from "@frontdesk/ui";
import type { Inbox } from "./inbox";
import { inboxText } from "./inbox";
import type { Outgoing } from "./page";

const LANGUAGE_KEY = "frontdesk/language";
/** Read before the catalog of texts is there. */
const TITLE = { en: "Chat", "zh-CN": "在线咨询" };

/** What the first request for a ticket came to. */
export type Look =
  | { readonly kind: "seen"; readonly inbox: unknown; readonly looked: Looked }
  | { readonly kind: "refused"; readonly code: string }
  /** Nothing that would hold for long: the server is away or busy. */
  | { readonly kind: "failed" };

/** Learns about the inbox without opening a connection: nothing is kept by either side. */
export async function takeLook(baseUrl: string, request: Readonly<Record<string, unknown>>): Promise<Look> {
  const atMs = Date.now();
  let answer: Response;
  let body: unknown;
  try {
    answer = await fetch(`${baseUrl}api/v1/tickets`, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/json", "x-frontdesk": "1" },
      body: JSON.stringify({ kind: "visitor", ...request }),
    });
    body = await answer.json();
  } catch {
    return { kind: "failed" };
  }
  const fields = (typeof body === "object" && body !== null ? body : {}) as Readonly<Record<string, unknown>>;
  const words = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  if (answer.ok) {
    // The ticket, and the node it leads to, as they are.
    const looked = { ...(fields as Ticket), token: words("visitor_token"), conversation: words("conversation_id"), atMs };
    return { kind: "seen", inbox: fields.inbox, looked };
  }
  const passes = answer.status >= 500 || answer.status === 429 || answer.status === 408;
  return passes ? { kind: "failed" } : { kind: "refused", code: words("code") };
}

/** Whom the site signed in. What it signed is the server's matter; here only the name in it counts. */
export function identityOf(settings: Settings): Identity | undefined {
  const token = settings.identity ?? "";
  if (token === "") return undefined;
  let subject = token;
  let proof: Identity["proof"] = { identity_token: token };
  try {
    const hashed = token[0] === "{";
    const who = JSON.parse(hashed ? token : atob((token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/"))) as Readonly<Record<string, unknown>>;
    subject = String(who[hashed ? "identifier" : "sub"]);
    if (hashed) proof = { identity: who };
  } catch {
    // The server will say what it thinks of it.
  }
  return { subject, proof };
}

/** Embed, own choice, browser, inbox: the first that is a language we have. */
export function languageOf(settings: Settings, inbox: Inbox): Locale {
  return pickLocale(settings.language, ownLanguage(), ...navigator.languages, inbox.language);
}

/** Whether it is a language we have. */
export function isLocale(language: string | undefined): boolean {
  return /^(?:en|zh)\b/i.test(language ?? "");
}

function ownLanguage(): string | null {
  try {
    return localStorage.getItem(LANGUAGE_KEY);
  } catch {
    // Forbidden by the browser: nothing was chosen.
    return null;
  }
}

export function keepLanguage(locale: Locale): void {
  try {
    localStorage.setItem(LANGUAGE_KEY, locale);
  } catch {
    // Forbidden by the browser: the choice holds until the page is left.
  }
}

export function titleOf(inbox: Inbox, locale: Locale): string {
  return inboxText(inbox, "title", locale) || inbox.name || localText(TITLE, locale);
}

/** Puts colours and theme on; the returned function stops following the system. */
export function dress(settings: Settings, inbox: Inbox): () => void {
  const colours = accentColours(inbox.accent);
  if (colours) {
    const style = document.documentElement.style;
    style.setProperty("--accent", colours.accent);
    style.setProperty("--on-accent", colours.onAccent);
    style.setProperty("--accent-text-light", colours.textLight);
    style.setProperty("--accent-text-dark", colours.textDark);
  }
  return followTheme(settings.theme ?? inbox.scheme);
}

/** What the launcher is drawn with. */
export function readyMessage(settings: Settings, inbox: Inbox, label: string): Outgoing<Extract<ToPage, { kind: "ready" }>> {
  const colours = accentColours(inbox.accent) ?? { accent: "#2f5fd0", onAccent: "#ffffff" };
  return { kind: "ready", accent: colours.accent, onAccent: colours.onAccent, side: settings.side ?? inbox.side, label };
}
