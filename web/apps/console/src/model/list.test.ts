import { describe, expect, it } from "vitest";
import { belongs, compareRows, countRows, holdInPlace, matches, rowsOf, shiftOf, supersedes } from "./list";
import type { Row, Session } from "./types";
import { toSession } from "./wire";

const viewer = { user: "me", teams: new Set(["sales"]) };

function row(conversation: string, session: Partial<Session>, more: Partial<Row> = {}): Row {
  return {
    conversation,
    visitor: `v-${conversation}`,
    visitorName: "",
    session: { ...toSession(undefined), id: "s", number: 1, status: "queued", ...session },
    last: null,
    seq: 1,
    unread: 0,
    mentioned: false,
    visitorOnline: false,
    language: "en",
    ...more,
  };
}

const owner = (id: string) => ({ kind: "agent" as const, id, name: id });

describe("views", () => {
  const rows = [
    row("mine", { status: "assigned", owner: owner("me"), team: "sales" }),
    row("theirs", { status: "assigned", owner: owner("you"), team: "other" }),
    row("waits", { status: "queued", team: "sales" }),
    row("over", { status: "closed", owner: owner("me"), team: "sales" }, { mentioned: true }),
  ];

  it("put every row where it belongs", () => {
    const names = (view: "mine" | "mentions" | "queue" | "team" | "all" | "closed") => rowsOf(rows, view, viewer).map((known) => known.conversation).sort();
    expect(names("mine")).toEqual(["mine"]);
    expect(names("queue")).toEqual(["waits"]);
    expect(names("team")).toEqual(["mine", "waits"]);
    expect(names("all")).toEqual(["mine", "theirs", "waits"]);
    expect(names("closed")).toEqual(["over"]);
    expect(names("mentions")).toEqual(["over"]);
  });

  it("are counted as they are shown", () => {
    expect(countRows(rows, viewer)).toEqual({ mine: 1, mentions: 1, queue: 1, team: 2, all: 3, closed: 1 });
  });

  it("show nobody's closed conversation as open", () => {
    expect(belongs(row("x", { status: "closed", owner: owner("me") }), "mine", viewer)).toBe(false);
  });
});

describe("order", () => {
  it("puts the urgent first and then whoever waits longest in the queue", () => {
    const long = row("long", { waitingSinceMs: 1_000, priority: 2 });
    const short = row("short", { waitingSinceMs: 5_000, priority: 2 });
    const urgent = row("urgent", { waitingSinceMs: 9_000, priority: 4 });
    expect([short, urgent, long].sort(compareRows("queue")).map((known) => known.conversation)).toEqual(["urgent", "long", "short"]);
  });

  it("leaves what is under the pointer where it is", () => {
    expect(holdInPlace(["new", "a", "b", "c"], "a", 0)).toEqual(["a", "new", "b", "c"]);
    expect(holdInPlace(["c", "a", "b"], "c", 2)).toEqual(["a", "b", "c"]);
    expect(holdInPlace(["a"], "gone", 3)).toEqual(["a"]);
    expect(holdInPlace(["a", "b"], "b", 9)).toEqual(["a", "b"]);
  });

  it("keeps the row under the pointer among its neighbours where the reader has scrolled", () => {
    const sight = { from: 2, keys: ["c", "d", "e"] };
    // The held row wrote itself; then another one came in above.
    expect(holdInPlace(["d", "a", "b", "c", "e", "f"], "d", 3, sight)).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(holdInPlace(["f", "d", "a", "b", "c", "e"], "d", 3, sight)).toEqual(["f", "a", "b", "c", "d", "e"]);
    expect(holdInPlace(["d", "a", "b"], "d", 2, { from: 2, keys: ["d"] })).toEqual(["a", "b", "d"]);
  });

  it("knows by how much most rows in sight moved", () => {
    const sight = { from: 1, keys: ["b", "c", "d"] };
    expect(shiftOf(["a", "b", "c", "d"], sight)).toBe(0);
    expect(shiftOf(["x", "y", "a", "b", "c", "d"], sight)).toBe(2);
    expect(shiftOf(["d", "x", "a", "b", "c"], sight)).toBe(2);
    expect(shiftOf(["b", "c", "d"], sight)).toBe(-1);
    expect(shiftOf(["x"], sight)).toBe(0);
  });
});

describe("two sources of one row", () => {
  it("never let it go back", () => {
    const held = row("a", { number: 2, version: 3 }, { seq: 10 });
    expect(supersedes(row("a", { number: 1, version: 9 }, { seq: 11 }), held)).toBe(false);
    expect(supersedes(row("a", { number: 2, version: 2 }, { seq: 11 }), held)).toBe(false);
    expect(supersedes(row("a", { number: 2, version: 3 }, { seq: 9 }), held)).toBe(false);
    expect(supersedes(row("a", { number: 2, version: 3 }, { seq: 10, unread: 4 }), held)).toBe(true);
    expect(supersedes(row("a", { number: 3, version: 1 }, { seq: 1 }), held)).toBe(true);
    expect(supersedes(held, undefined)).toBe(true);
  });
});

describe("search", () => {
  it("finds names, last lines and owners without caring for case", () => {
    const known = row("a", { owner: owner("Mei") }, { visitorName: "James Carter" });
    expect(matches(known, "  carter ", "")).toBe(true);
    expect(matches(known, "mei", "")).toBe(true);
    expect(matches(known, "nobody", "")).toBe(false);
    expect(matches(row("b", {}), "visitor 3f", "Visitor 3F0A")).toBe(true);
    expect(matches(known, "", "")).toBe(true);
  });
});
