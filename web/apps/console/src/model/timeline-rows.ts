// Turns a conversation's lines into the rows a timeline draws: day marks, the new-messages divider,
// bubbles grouped by sender, notes, quiet system lines. Skips have no row: what a reader may not
// see leaves no trace.
import type { DeliveryState, EntryLine, OutgoingLine, ViewLine } from "@frontdesk/client";
import { dayKey } from "./time";
import type { Actor, Body, Cursor } from "./types";
import type { Why } from "./why";
import { whyOf } from "./why";

export type Bubble = {
  readonly kind: "message" | "note";
  readonly key: string;
  /** 0 while the message is on its way. */
  readonly seq: number;
  readonly outgoing: OutgoingLine | null;
  readonly body: Body;
  readonly actor: Actor;
  readonly atMs: number;
  readonly mine: boolean;
  /** On the visitor's side or the team's. */
  readonly side: "visitor" | "team";
  /** First and last of a run by the same sender: the first carries the name and the time. */
  readonly first: boolean;
  readonly last: boolean;
  /** Where the message stands with the visitor; null where that means nothing. */
  readonly delivery: DeliveryState | null;
  /** Why a bot said this; the team alone is told. */
  readonly why: Why | null;
};

export type TimelineRow =
  | { readonly kind: "day"; readonly key: string; readonly atMs: number }
  | { readonly kind: "unread"; readonly key: string }
  | { readonly kind: "system"; readonly key: string; readonly entry: EntryLine; readonly systemKey: string; readonly params: Readonly<Record<string, string>>; readonly why: Why | null }
  | Bubble;

/** Messages further apart than this begin a new group. */
export const groupGapMs = 5 * 60_000;

export type TimelineInput = {
  readonly lines: readonly ViewLine[];
  readonly self: Actor;
  readonly cursors: ReadonlyMap<string, Cursor>;
  /** The first seq the reader had not read when they opened the conversation; 0 for none. */
  readonly unreadFrom: number;
};

function visitorCursor(cursors: ReadonlyMap<string, Cursor>): Cursor | undefined {
  for (const cursor of cursors.values()) if (cursor.actor.kind === "visitor") return cursor;
  return undefined;
}

function deliveryOf(seq: number, visitor: Cursor | undefined): DeliveryState {
  if (visitor !== undefined && visitor.readSeq >= seq) return "read";
  return visitor !== undefined && visitor.deliveredSeq >= seq ? "delivered" : "sent";
}

/** What a line is drawn as, as long as the line is the same; thousands of lines are made anew for none of them. */
const drawn = new WeakMap<EntryLine, Draw>();

function drawOfEntry(line: EntryLine, self: Actor, visitor: Cursor | undefined): Draw {
  const known = drawn.get(line);
  const mine = line.actor.id !== "" && line.actor.id === self.id;
  const side = line.actor.kind === "visitor" ? "visitor" : "team";
  const receipts = side === "team" && !line.team && line.body.kind !== "tombstone";
  const delivery = receipts ? deliveryOf(line.seq, visitor) : null;
  if (known !== undefined && (known.kind === "system" || (known.delivery === delivery && known.mine === mine))) return known;
  const draw: Draw =
    line.body.kind === "system"
      ? { kind: "system", key: line.key, entry: line, systemKey: line.body.key, params: line.body.params, why: null }
      : {
          kind: line.team ? "note" : "message",
          key: line.key,
          seq: line.seq,
          outgoing: null,
          body: line.body,
          actor: line.actor,
          atMs: line.atMs,
          mine,
          side,
          first: true,
          last: true,
          delivery,
          why: null,
        };
  drawn.set(line, draw);
  return draw;
}

function bubbleOfOutgoing(line: OutgoingLine, self: Actor): Bubble {
  return {
    kind: line.team ? "note" : "message",
    key: line.key,
    seq: 0,
    outgoing: line,
    body: line.body,
    actor: self,
    atMs: line.atMs,
    mine: true,
    side: "team",
    first: true,
    last: true,
    delivery: line.state.kind,
    why: null,
  };
}

type Draw = Bubble | Extract<TimelineRow, { kind: "system" }>;

/** What a bot's reasons are read as, as long as the line is the same. */
const reasons = new WeakMap<EntryLine, Why>();

/** Reasons by the seq of what they are about. */
function reasonsIn(lines: readonly ViewLine[]): ReadonlyMap<number, Why> {
  const bySeq = new Map<number, Why>();
  for (const line of lines) {
    if (line.kind !== "entry" || line.body.kind !== "system") continue;
    const why = reasons.get(line) ?? whyOf(line);
    if (why === null) continue;
    reasons.set(line, why);
    bySeq.set(why.seq, why);
  }
  return bySeq;
}

const explained = new WeakMap<Draw, Draw>();

/** The same with its reason; the same object as long as both are the same. */
function withWhy(draw: Draw, why: Why | undefined): Draw {
  if (why === undefined) return draw;
  const known = explained.get(draw);
  if (known?.why === why) return known;
  const next = { ...draw, why };
  explained.set(draw, next);
  return next;
}

function draws(input: TimelineInput): Draw[] {
  const visitor = visitorCursor(input.cursors);
  const whys = reasonsIn(input.lines);
  const out: Draw[] = [];
  for (const line of input.lines) {
    if (line.kind === "skip") continue;
    if (line.kind === "outgoing") {
      out.push(bubbleOfOutgoing(line, input.self));
    } else if (line.body.kind !== "retraction") {
      const why = reasons.get(line);
      // A reason stands folded under what it is about; one about nothing that is shown stands for itself.
      if (why === undefined) out.push(withWhy(drawOfEntry(line, input.self, visitor), whys.get(line.seq)));
      else if (why.seq === 0) out.push(withWhy(drawOfEntry(line, input.self, visitor), why));
    }
  }
  return out;
}

function timeOf(draw: Draw): number {
  return draw.kind === "system" ? draw.entry.atMs : draw.atMs;
}

function seqOf(draw: Draw): number {
  return draw.kind === "system" ? draw.entry.seq : draw.seq;
}

/** Where the bubbles of a run stand in it; the two in its middle and at its ends are kept apart. */
const placed = new WeakMap<Bubble, Bubble>();

function inRun(draw: Bubble, first: boolean, last: boolean): Bubble {
  if (first && last) return draw;
  const known = placed.get(draw);
  if (known !== undefined && known.first === first && known.last === last) return known;
  const bubble = { ...draw, first, last };
  placed.set(draw, bubble);
  return bubble;
}

/** The day a time falls on. The borders of the last day are kept: most lines fall into the same one. */
class Days {
  #key = "";
  #fromMs = 0;
  #toMs = 0;

  keyOf(atMs: number): string {
    if (atMs < this.#fromMs || atMs >= this.#toMs) {
      const at = new Date(atMs);
      this.#fromMs = new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
      this.#toMs = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1).getTime();
      this.#key = dayKey(atMs);
    }
    return this.#key;
  }
}

function sameGroup(a: Draw, b: Draw, days: Days): boolean {
  if (a.kind === "system" || b.kind === "system") return false;
  return (
    a.kind === b.kind &&
    a.actor.kind === b.actor.kind &&
    a.actor.id === b.actor.id &&
    b.atMs - a.atMs < groupGapMs &&
    days.keyOf(a.atMs) === days.keyOf(b.atMs)
  );
}

export function timelineRows(input: TimelineInput): TimelineRow[] {
  const all = draws(input);
  const dividerAt = input.unreadFrom === 0 ? -1 : all.findIndex((draw) => seqOf(draw) >= input.unreadFrom);
  const rows: TimelineRow[] = [];
  const days = new Days();
  let day = "";
  let together = false;
  all.forEach((draw, at) => {
    const atMs = timeOf(draw);
    const key = days.keyOf(atMs);
    if (key !== day) {
      rows.push({ kind: "day", key: `day-${key}`, atMs });
      day = key;
    }
    if (at === dividerAt) rows.push({ kind: "unread", key: "unread" });
    const next = all[at + 1];
    const followed = next !== undefined && at + 1 !== dividerAt && sameGroup(draw, next, days);
    rows.push(draw.kind === "system" ? draw : inRun(draw, !together, !followed));
    together = followed;
  });
  return rows;
}
