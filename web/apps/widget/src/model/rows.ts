// Turns the lines of a conversation into the rows of the timeline: day marks, groups of one author,
// the mark where new messages begin. What a visitor has no part in leaves no row.
import type { Actor, Body, EntryLine, OutgoingLine, Typing, ViewLine } from "@frontdesk/client";
import { startOfDay } from "@frontdesk/i18n";

/** Messages of one author within this time stand together. */
const GROUP_MS = 5 * 60_000;

/** A bot's answer while it grows: looks like the entry that takes its place. */
export type DraftLine = Pick<EntryLine, "kind" | "key" | "seq" | "actor" | "atMs"> & { readonly body: { readonly kind: "draft"; readonly text: string } };

export type MessageRow = {
  readonly kind: "message";
  readonly key: string;
  readonly own: boolean;
  readonly actor: Actor | undefined;
  readonly body: Body | DraftLine["body"];
  readonly atMs: number;
  readonly line: EntryLine | OutgoingLine | DraftLine;
  /** First and last of its group: the first has the name, the last time and state. */
  readonly first: boolean;
  readonly last: boolean;
};

export type Row =
  | MessageRow
  | { readonly kind: "day"; readonly key: string; readonly loose: true; readonly atMs: number }
  | { readonly kind: "new"; readonly key: string }
  | { readonly kind: "system"; readonly key: string; readonly text: string; readonly params: Readonly<Record<string, string>> };

/**
 * The growing answer, under the key that the next entry will have: what is drawn of it stays. One that comes later
 * than its entry is not shown again.
 */
export function draftLine(typing: Typing | undefined, lines: readonly ViewLine[], lastSeq: number, atMs: number): DraftLine[] {
  if (!typing?.text || typing.actor.kind !== "bot") return [];
  const last = lines[lines.length - 1];
  if (last?.kind === "entry" && last.body.kind === "text" && last.body.text.startsWith(typing.text)) return [];
  return [{ kind: "entry", key: `s${lastSeq + 1}`, seq: 0, actor: typing.actor, atMs, body: { kind: "draft", text: typing.text } }];
}

/** `newFromSeq` is the first entry the reader had not seen when the chat was opened; 0 for none. */
export function buildRows(lines: readonly (ViewLine | DraftLine)[], isOwn: (line: EntryLine | DraftLine) => boolean, newFromSeq: number): Row[] {
  const rows: Row[] = [];
  let day = 0;
  let marked = newFromSeq === 0;
  for (const line of lines) {
    if (line.kind === "skip" || line.body.kind === "retraction") continue;
    if (startOfDay(line.atMs) !== day) {
      day = startOfDay(line.atMs);
      rows.push({ kind: "day", key: `d${day}`, loose: true, atMs: line.atMs });
    }
    if (!marked && line.kind === "entry" && line.seq >= newFromSeq) {
      marked = true;
      rows.push({ kind: "new", key: "new" });
    }
    if (line.body.kind === "system") {
      // Where nobody is online there is nobody to wait for.
      const before = rows[rows.length - 1];
      if (line.body.key === "session.unattended" && before?.kind === "system" && before.text === "session.queued") rows.pop();
      rows.push({ kind: "system", key: line.key, text: line.body.key, params: line.body.params });
      continue;
    }
    const own = line.kind === "outgoing" || isOwn(line);
    const row: MessageRow = {
      kind: "message",
      key: line.key,
      own,
      actor: line.kind === "entry" ? line.actor : undefined,
      body: line.body,
      atMs: line.atMs,
      line,
      first: true,
      last: true,
    };
    const before = rows[rows.length - 1];
    if (before?.kind === "message" && belongTogether(before, row)) {
      rows[rows.length - 1] = { ...before, last: false };
      rows.push({ ...row, first: false });
    } else {
      rows.push(row);
    }
  }
  return rows;
}

function belongTogether(a: MessageRow, b: MessageRow): boolean {
  // Visitors are not told the ids of people.
  const sameAuthor = a.own === b.own && (a.own || (a.actor?.name === b.actor?.name && a.actor?.kind === b.actor?.kind));
  return sameAuthor && b.atMs - a.atMs < GROUP_MS;
}
