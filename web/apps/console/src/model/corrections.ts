// Sessions whose intent a person corrected: reading them page by page, and as lines to train a model on.
import type { SortedPage, SortedSession } from "./api";
import { ApiError } from "./api";
import { labels } from "./intents";

/** How far back one can look. */
export const daysBack = [7, 30, 90] as const;
export type DaysBack = (typeof daysBack)[number];

/** How often a page is asked for again that came too early. */
const triesMax = 10;

export type ReadPage = (cursor: string | null) => Promise<SortedPage>;

/** What was read so far; `next` is empty before the first page, and null where that was all. */
export type Corrections = { readonly sessions: readonly SortedSession[]; readonly next: string | null };

export const noneRead: Corrections = { sessions: [], next: "" };

/**
 * Reads on until at least so many more are known, or so many pages were read: a page may be empty, and there are
 * more all the same. Newest first, as far as they are known.
 */
export async function readMore(known: Corrections, read: ReadPage, inbox: string, wanted: number, pagesMax: number): Promise<Corrections> {
  let { sessions, next } = known;
  for (let page = 0; page < pagesMax && next !== null && sessions.length < known.sessions.length + wanted; page++) {
    const answer = await read(next === "" ? null : next);
    sessions = joined(sessions, answer.sessions, inbox);
    next = answer.next ?? null;
  }
  return { sessions: [...sessions].sort((a, b) => b.at_ms - a.at_ms), next };
}

/** With those of a page, of one inbox or all; one that closes meanwhile would come twice. */
function joined(known: readonly SortedSession[], page: readonly SortedSession[], inbox: string): readonly SortedSession[] {
  const ids = new Set(known.map((one) => one.session));
  return [...known, ...page.filter((one) => !ids.has(one.session) && (inbox === "" || one.inbox === inbox))];
}

export type ReadAll = {
  readonly inbox: string;
  readonly onRead: (count: number) => void;
  readonly cancelled: () => boolean;
  readonly wait: (ms: number) => Promise<void>;
};

/** Reads every page; null where that was cancelled. Where the server asks for a pause it gets one. */
export async function readAll(read: ReadPage, { inbox, onRead, cancelled, wait }: ReadAll): Promise<readonly SortedSession[] | null> {
  let known: Corrections = noneRead;
  let tries = 0;
  while (known.next !== null) {
    if (cancelled()) return null;
    try {
      known = await readMore(known, read, inbox, Number.MAX_SAFE_INTEGER, 1);
      tries = 0;
      onRead(known.sessions.length);
    } catch (failure) {
      if (!(failure instanceof ApiError) || failure.retryAfterMs === undefined || ++tries > triesMax) throw failure;
      await wait(failure.retryAfterMs);
    }
  }
  return cancelled() ? null : known.sessions;
}

/** What was read of a session, as the server reads it. */
export function textOf(session: Pick<SortedSession, "messages">): string {
  return session.messages.map((message) => message.text).join("\n");
}

export type Training = {
  /** A line of JSON each. */
  readonly text: string;
  readonly lines: number;
  /** A model has no label for them. */
  readonly leftOut: number;
};

export function training(sessions: readonly SortedSession[]): Training {
  const lines = sessions
    .map((session) => ({ text: textOf(session), label: session.intent }))
    .filter(({ text, label }) => text.trim() !== "" && labels.some((known) => known === label))
    .map(({ text, label }) => `${JSON.stringify({ text, label, lang: languageOf(text) })}\n`);
  return { text: lines.join(""), lines: lines.length, leftOut: sessions.length - lines.length };
}

/** The language of a text as data sets name it; `frontdesk intent corrections` says the same. */
export function languageOf(text: string): "zh" | "en" | "mix" {
  if (!/[\u{3400}-\u{4dbf}\u{4e00}-\u{9fff}\u{f900}-\u{faff}\u{20000}-\u{323af}]/u.test(text)) return "en";
  const words = text.split(/[^a-zA-Z]+/).filter((word) => word.length > 1);
  return words.length > 1 ? "mix" : "zh";
}
