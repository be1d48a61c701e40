import { describe, expect, it } from "vitest";
import { becameComplaint, byScore, caught, firstCaught, namedIntent, readScores } from "./intents";
import type { Row } from "./types";
import { toRow, toSession } from "./wire";

describe("a threshold", () => {
  const seen = Array.from({ length: 20 }, () => 0);
  seen[13] = 10;
  seen[15] = 20;
  seen[16] = 30;
  seen[19] = 40;

  it("begins with the first whole step that reaches it", () => {
    const cases: readonly (readonly [threshold: number, from: number])[] = [[0, 0], [0.05, 1], [0.3, 6], [0.55, 11], [0.65, 13], [0.78, 16], [0.8, 16], [0.82, 17], [0.7799999713897705, 16], [0.6499999761581421, 13], [0.550000011920929, 11], [1, 20]];
    for (const [threshold, from] of cases) expect([threshold, firstCaught(threshold, 20)]).toEqual([threshold, from]);
  });

  it("catches what lies in the steps at or above it", () => {
    expect(caught(seen, 0.65)).toEqual({ texts: 100, share: 1, atLeast: false });
    expect(caught(seen, 0.7)).toEqual({ texts: 100, share: 0.9, atLeast: false });
    expect(caught(seen, 0.8)).toEqual({ texts: 100, share: 0.7, atLeast: false });
    expect(caught(seen, 1)).toEqual({ texts: 100, share: 0, atLeast: false });
    expect(caught(seen, 0)).toEqual({ texts: 100, share: 1, atLeast: false });
  });

  it("says so where it cuts a step that holds texts", () => {
    expect(caught(seen, 0.78)).toEqual({ texts: 100, share: 0.7, atLeast: true });
    expect(caught(seen, 0.73)).toEqual({ texts: 100, share: 0.9, atLeast: false });
    expect(caught(seen, 0.99)).toEqual({ texts: 100, share: 0, atLeast: true });
  });

  it("catches nothing of nothing", () => {
    expect(caught([], 0.7)).toEqual({ texts: 0, share: 0, atLeast: false });
    expect(caught(Array.from({ length: 20 }, () => 0), 0.78)).toEqual({ texts: 0, share: 0, atLeast: false });
  });
});

describe("an intent", () => {
  it("has a name where the console has words for it", () => {
    expect(["complaint", "consult", "sales", "human", "other"].map(namedIntent)).toEqual(["complaint", "consult", "sales", "human", "other"]);
    expect([namedIntent("refund"), namedIntent(""), namedIntent("Complaint"), namedIntent("toString")]).toEqual([null, null, null, null]);
  });

  it("says what spoke for it", () => {
    expect(readScores("complaint 0.91, consult 0.06, other 0.02, sales 0.01")).toEqual([
      { label: "complaint", share: 0.91 },
      { label: "consult", share: 0.06 },
      { label: "other", share: 0.02 },
      { label: "sales", share: 0.01 },
    ]);
    for (const words of ["", "人工", "complaint", "real person, 2", "complaint 0.91, really"]) expect([words, readScores(words)]).toEqual([words, null]);
    expect(byScore({ consult: 0.2, complaint: 0.7, other: 0.1 }).map((score) => score.label)).toEqual(["complaint", "consult", "other"]);
  });

  it("comes off the wire with its reasons", () => {
    expect(toSession({ intent: "complaint", intentConfidence: 0.91, intentSource: "INTENT_SOURCE_MODEL", intentWhy: "complaint 0.91" })).toMatchObject({ intent: "complaint", intentConfidence: 0.91, intentSource: "model", intentWhy: "complaint 0.91" });
    expect(toSession({ intentSource: "INTENT_SOURCE_RULE" }).intentSource).toBe("rule");
    expect(toSession({ intentSource: "INTENT_SOURCE_PERSON", intentConfidence: 1 })).toMatchObject({ intent: "", intentSource: "person" });
    // Absent, unspecified, or of a newer server.
    expect(toSession({})).toMatchObject({ intent: "", intentConfidence: 0, intentSource: null, intentWhy: "" });
    expect(toSession({ intentConfidence: "NaN", intentSource: "INTENT_SOURCE_UNSPECIFIED" })).toMatchObject({ intentConfidence: 0, intentSource: null });
    expect(toSession({ intentSource: "INTENT_SOURCE_STARS" as "INTENT_SOURCE_RULE" }).intentSource).toBeNull();
  });
});

describe("a complaint", () => {
  const row = (intent: string, more: { readonly owner?: string; readonly id?: string; readonly status?: "SESSION_STATUS_ASSIGNED" | "SESSION_STATUS_CLOSED" } = {}): Row =>
    toRow({ conversation: "c", session: { id: more.id ?? "s", number: 1, status: more.status ?? "SESSION_STATUS_ASSIGNED", owner: { id: more.owner ?? "me" }, intent } });

  it("is news where an open conversation of one's own turns into one", () => {
    expect(becameComplaint(row("complaint"), row(""), "me")).toBe(true);
    expect(becameComplaint(row("complaint"), row("consult"), "me")).toBe(true);
  });

  it("is none otherwise", () => {
    expect(becameComplaint(row("complaint"), row("complaint"), "me")).toBe(false);
    expect(becameComplaint(row("sales"), row(""), "me")).toBe(false);
    expect(becameComplaint(row("complaint", { owner: "you" }), row("", { owner: "you" }), "me")).toBe(false);
    expect(becameComplaint(row("complaint", { status: "SESSION_STATUS_CLOSED" }), row(""), "me")).toBe(false);
    // It came as one: with its session, or with its owner.
    expect(becameComplaint(row("complaint"), undefined, "me")).toBe(false);
    expect(becameComplaint(row("complaint"), row("", { id: "s0" }), "me")).toBe(false);
    expect(becameComplaint(row("complaint"), row("", { owner: "you" }), "me")).toBe(false);
  });
});
