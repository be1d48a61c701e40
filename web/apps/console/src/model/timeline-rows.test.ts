import type { EntryLine, OutgoingLine, ViewLine } from "@frontdesk/client";
import { describe, expect, it } from "vitest";
import type { Bubble, TimelineRow } from "./timeline-rows";
import { groupGapMs, timelineRows } from "./timeline-rows";
import type { Actor, Body, Cursor } from "./types";

const self: Actor = { kind: "agent", id: "me", name: "Lin" };
const visitor: Actor = { kind: "visitor", id: "v", name: "" };
const noon = new Date(2026, 4, 5, 12).getTime();

function entry(seq: number, actor: Actor, body: Partial<EntryLine> & { readonly text?: string } = {}): EntryLine {
  const { text, ...more } = body;
  const shown: Body = { kind: "text", text: text ?? `m${seq}`, quoteSeq: 0 };
  return { kind: "entry", key: `s${seq}`, seq, id: `e${seq}`, actor, team: false, atMs: noon + seq * 1_000, session: "s", clientMsgId: "", body: shown, ...more };
}

const outgoing = (id: string): OutgoingLine => ({
  kind: "outgoing",
  key: `m${id}`,
  clientMsgId: id,
  conversation: "c",
  content: {},
  body: { kind: "text", text: id, quoteSeq: 0 },
  team: false,
  atMs: noon + 60_000,
  state: { kind: "sending" },
});

function rows(lines: readonly ViewLine[], more: { readonly cursors?: readonly Cursor[]; readonly unreadFrom?: number } = {}): TimelineRow[] {
  return timelineRows({ lines, self, cursors: new Map((more.cursors ?? []).map((cursor) => [cursor.actor.id, cursor])), unreadFrom: more.unreadFrom ?? 0 });
}

const bubbles = (all: readonly TimelineRow[]) => all.filter((row): row is Bubble => row.kind === "message" || row.kind === "note");

describe("timeline rows", () => {
  it("group what one person says in a row, until they pause", () => {
    const all = bubbles(rows([entry(1, visitor), entry(2, visitor), entry(3, self), entry(4, self, { atMs: noon + 3_000 + groupGapMs })]));
    expect(all.map((row) => [row.first, row.last])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
    ]);
  });

  it("keep notes apart from replies of the same agent", () => {
    const all = bubbles(rows([entry(1, self), entry(2, self, { team: true }), entry(3, self)]));
    expect(all.map((row) => row.kind)).toEqual(["message", "note", "message"]);
    expect(all.every((row) => row.first && row.last)).toBe(true);
  });

  it("mark each day once, in the reader's zone", () => {
    const all = rows([entry(1, visitor), entry(2, visitor), entry(3, visitor, { atMs: noon + 24 * 3_600_000 })]);
    expect(all.map((row) => row.kind)).toEqual(["day", "message", "message", "day", "message"]);
  });

  it("leave no trace of what the reader may not see, nor of retractions", () => {
    const all = rows([
      entry(1, visitor),
      { kind: "skip", key: "k2", fromSeq: 2, toSeq: 4 },
      entry(5, self, { body: { kind: "retraction", seq: 1 } }),
      entry(6, visitor),
    ]);
    expect(bubbles(all).map((row) => row.seq)).toEqual([1, 6]);
    expect(bubbles(all)[0]?.last).toBe(false);
  });

  it("put one divider before the first unread message and break the group there", () => {
    const all = rows([entry(1, visitor), entry(2, visitor), entry(3, visitor)], { unreadFrom: 3 });
    expect(all.map((row) => row.kind)).toEqual(["day", "message", "message", "unread", "message"]);
    expect(bubbles(all).map((row) => [row.first, row.last])).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
  });

  it("tell how far a reply got with the visitor, and nothing about notes and visitors", () => {
    const cursor: Cursor = { actor: visitor, deliveredSeq: 2, readSeq: 1 };
    const all = bubbles(rows([entry(1, self), entry(2, self), entry(3, self), entry(4, self, { team: true }), entry(5, visitor)], { cursors: [cursor] }));
    expect(all.map((row) => row.delivery)).toEqual(["read", "delivered", "sent", null, null]);
  });

  it("show what is on its way at the foot under the key it will keep", () => {
    const all = bubbles(rows([entry(1, visitor), outgoing("x")]));
    expect(all.at(-1)).toMatchObject({ key: "mx", seq: 0, mine: true, side: "team", delivery: "sending" });
  });

  it("keep system lines quiet and out of the groups", () => {
    const all = rows([entry(1, visitor), entry(2, { kind: "system", id: "", name: "" }, { body: { kind: "system", key: "session.assigned", params: { agent: "Lin" } } }), entry(3, visitor)]);
    expect(all.map((row) => row.kind)).toEqual(["day", "message", "system", "message"]);
    expect(bubbles(all).every((row) => row.first && row.last)).toBe(true);
  });

  it("are the same objects for the same lines, but for what a new line or receipt changes", () => {
    const lines = [entry(1, visitor), entry(2, visitor), entry(3, self), entry(4, self)];
    const before = bubbles(rows(lines));
    const after = bubbles(rows([...lines, entry(5, self)]));
    expect(after.slice(0, 3).every((row, at) => row === before[at])).toBe(true);
    expect([after[3]?.first, after[3]?.last]).toEqual([false, false]);
    const read = bubbles(rows(lines, { cursors: [{ actor: visitor, deliveredSeq: 3, readSeq: 3 }] }));
    expect(read.map((row) => row.delivery)).toEqual([null, null, "read", "sent"]);
    expect([read[0] === before[0], read[2] === before[2]]).toEqual([true, false]);
  });

  describe("with a bot's reasons", () => {
    const bot: Actor = { kind: "bot", id: "b", name: "Bot" };
    const why = (seq: number, of: number) => entry(seq, bot, { team: true, body: { kind: "system", key: "bot.why", params: { seq: String(of), kind: "answer", score: "0.91" } } });

    it("fold them under what they are about, which stays in its group", () => {
      const all = rows([entry(1, visitor), entry(2, bot), why(3, 2), entry(4, bot), why(5, 4)]);
      expect(all.map((row) => row.kind)).toEqual(["day", "message", "message", "message"]);
      expect(bubbles(all).map((row) => row.why?.score ?? null)).toEqual([null, 0.91, 0.91]);
      expect(bubbles(all).map((row) => [row.first, row.last])).toEqual([[true, true], [true, false], [false, true]]);
    });

    it("let one about no message stand for itself, and leave out one whose message is not loaded", () => {
      const all = rows([why(7, 3), entry(8, visitor), why(9, 0)]);
      expect(all.map((row) => row.kind)).toEqual(["day", "message", "system"]);
      expect(all[2]).toMatchObject({ systemKey: "bot.why", why: { seq: 0 } });
    });

    it("fold them under suggestions, too", () => {
      const suggestion = entry(2, bot, { team: true, body: { kind: "system", key: "bot.suggestion", params: { text: "Yes." } } });
      expect(rows([suggestion, why(3, 2)])[1]).toMatchObject({ kind: "system", why: { score: 0.91 } });
    });

    it("are the same objects as long as nothing about them changes", () => {
      const lines = [entry(1, visitor), entry(2, bot)];
      const reason = why(3, 2);
      const [before, after, again] = [bubbles(rows(lines)), bubbles(rows([...lines, reason])), bubbles(rows([...lines, reason, entry(4, visitor)]))];
      expect([before[1]?.why, after[1] === before[1], after[0] === before[0]]).toEqual([null, false, true]);
      expect(again[1]).toBe(after[1]);
    });
  });
});
