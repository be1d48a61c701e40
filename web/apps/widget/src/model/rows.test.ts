import type { Actor, EntryLine, OutgoingLine, ViewLine } from "@frontdesk/client";
import { describe, expect, it } from "vitest";
import { buildRows, draftLine } from "./rows";

const NOON = new Date(2026, 5, 15, 12).getTime();

function entry(seq: number, by: string, atMs: number, body: EntryLine["body"] = { kind: "text", text: `m${seq}`, quoteSeq: 0 }): EntryLine {
  const kind = by === "me" ? "visitor" : "agent";
  return { kind: "entry", key: `s${seq}`, seq, id: `e${seq}`, actor: { kind, id: by, name: by }, team: false, atMs, session: "", clientMsgId: "", body };
}

function outgoing(atMs: number): OutgoingLine {
  return {
    kind: "outgoing",
    key: "mX",
    clientMsgId: "X",
    conversation: "",
    content: {},
    body: { kind: "text", text: "later", quoteSeq: 0 },
    team: false,
    atMs,
    state: { kind: "sending" },
  };
}

function shape(lines: readonly ViewLine[], newFromSeq = 0): string[] {
  return buildRows(lines, (line) => line.actor.id === "me", newFromSeq).map((row) =>
    row.kind === "message" ? `${row.key}${row.own ? " own" : ""}${row.first ? " first" : ""}${row.last ? " last" : ""}` : row.kind,
  );
}

describe("rows", () => {
  it("group what one author wrote within five minutes, and mark days", () => {
    expect(
      shape([
        entry(1, "me", NOON),
        entry(2, "me", NOON + 60_000),
        entry(3, "lin", NOON + 120_000),
        entry(4, "lin", NOON + 20 * 60_000),
        entry(5, "lin", NOON + 86_400_000),
      ]),
    ).toEqual(["day", "s1 own first", "s2 own last", "s3 first last", "s4 first last", "day", "s5 first last"]);
  });

  it("put an unsent message in the group of the sent ones", () => {
    expect(shape([entry(1, "me", NOON), outgoing(NOON + 1)])).toEqual(["day", "s1 own first", "mX own last"]);
  });

  it("say once that nobody is there, not before that that somebody is waited for", () => {
    const happened = (seq: number, key: string): EntryLine => entry(seq, "", NOON, { kind: "system", key, params: {} });
    const keys = (...lines: readonly ViewLine[]): string[] => buildRows(lines, () => false, 0).flatMap((row) => (row.kind === "system" ? [row.text] : []));
    expect(keys(happened(1, "session.queued"), happened(2, "session.unattended"))).toEqual(["session.unattended"]);
    expect(keys(happened(1, "session.queued"), entry(2, "lin", NOON), happened(3, "session.unattended"))).toEqual(["session.queued", "session.unattended"]);
    expect(keys(happened(1, "session.unattended"), happened(2, "session.queued"))).toEqual(["session.unattended", "session.queued"]);
  });

  it("leave nothing behind for what a visitor has no part in, and break groups at what happened", () => {
    expect(
      shape([
        entry(1, "lin", NOON),
        { kind: "skip", key: "k2", fromSeq: 2, toSeq: 9 },
        entry(10, "lin", NOON, { kind: "retraction", seq: 1 }),
        entry(11, "lin", NOON),
        entry(12, "", NOON, { kind: "system", key: "session.closed", params: {} }),
        entry(13, "lin", NOON),
      ]),
    ).toEqual(["day", "s1 first", "s11 last", "system", "s13 first last"]);
  });

  it("mark once where new messages begin", () => {
    expect(shape([entry(1, "lin", NOON), entry(2, "lin", NOON), entry(3, "lin", NOON)], 2)).toEqual(["day", "s1 first last", "new", "s2 first", "s3 last"]);
  });

  it("part a bot from a person, and people by their names where they have no ids", () => {
    const by = (seq: number, kind: Actor["kind"], name: string): EntryLine => ({ ...entry(seq, "", NOON), actor: { kind, id: "", name } });
    expect(shape([by(1, "bot", "Lin"), by(2, "bot", "Lin"), by(3, "agent", "Lin"), by(4, "agent", "Mei")])).toEqual([
      "day",
      "s1 first",
      "s2 last",
      "s3 first last",
      "s4 first last",
    ]);
  });
});

describe("a bot's growing answer", () => {
  const bot: Actor = { kind: "bot", id: "", name: "Spruce" };
  const question: EntryLine = { ...entry(1, "me", NOON) };
  const said = (text: string): EntryLine => ({ ...entry(2, "", NOON, { kind: "text", text, quoteSeq: 0 }), actor: bot });
  const rows = (lines: readonly EntryLine[], text: string, actor = bot) =>
    buildRows([...lines, ...draftLine({ actor, text }, lines, lines.length, NOON + 1)], (line) => line.actor.id === "me", 0);

  it("has the place and the key of the message that it becomes", () => {
    const [growing, done] = [rows([question], "We open"), rows([question, said("We open at 9.")], "")].map((all) => all[all.length - 1]);
    expect(growing).toMatchObject({ kind: "message", key: "s2", own: false, first: true, last: true, body: { kind: "draft", text: "We open" } });
    expect(done).toMatchObject({ kind: "message", key: "s2", own: false, first: true, last: true, body: { kind: "text" } });
  });

  it("stands in the group of what the bot said before", () => {
    expect(rows([question, said("A moment.")], "We open").map((row) => (row.kind === "message" ? [row.key, row.first, row.last] : row.kind))).toEqual([
      "day",
      ["s1", true, true],
      ["s2", true, false],
      ["s3", false, true],
    ]);
  });

  it("is nothing where nobody tells it, and not shown again once it stands there", () => {
    expect(draftLine(undefined, [], 0, NOON)).toEqual([]);
    for (const [lines, text, actor] of [
      [[question], "", bot],
      [[question], "We open", { kind: "agent", id: "", name: "Lin" }],
      [[question, said("We open at 9.")], "We open", bot],
    ] as const) {
      expect(rows(lines, text, actor)).toHaveLength(lines.length + 1);
    }
  });
});
