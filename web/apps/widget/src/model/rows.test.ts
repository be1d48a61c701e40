import type { EntryLine, OutgoingLine, ViewLine } from "@frontdesk/client";
import { describe, expect, it } from "vitest";
import { buildRows } from "./rows";

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
});
