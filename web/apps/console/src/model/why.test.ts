import type { ContentJson, EntryJson } from "@frontdesk/protocol";
import { toEntry } from "@frontdesk/client";
import { describe, expect, it } from "vitest";
import { openSuggestion, suggestionOf, whyOf } from "./why";

const entry = (seq: number, content: ContentJson, more: Partial<EntryJson> = {}) => toEntry({ seq: String(seq), id: `e${seq}`, actor: { kind: "ACTOR_KIND_BOT", id: "b", name: "Bot" }, audience: "AUDIENCE_TEAM", atMs: "1", content, ...more });
const why = (params: Record<string, string>) => whyOf(entry(2, { system: { key: "bot.why", params } }));
const suggest = (seq: number, params: Record<string, string> = {}) => entry(seq, { system: { key: "bot.suggestion", params: { text: "Yes.", score: "0.78", ...params } } });
const said = (seq: number, kind: "VISITOR" | "AGENT" | "BOT", more: Partial<EntryJson> = {}) => entry(seq, { text: { body: "x" } }, { actor: { kind: `ACTOR_KIND_${kind}`, id: kind }, audience: "AUDIENCE_EVERYONE", ...more });

describe("why a bot said something", () => {
  it("is read from words", () => {
    expect(why({ seq: "6", question: "Invoice?", kind: "answer", article: "a1", title: "Invoices", score: "0.91", words: " pay  invoice ", model: "m", tokens: "120", took_ms: "2" })).toEqual({ seq: 6, question: "Invoice?", kind: "answer", reason: null, article: "a1", title: "Invoices", score: 0.91, words: ["pay", "invoice"], model: "m", tokens: 120, tookMs: 2 });
  });

  it("takes nothing for granted", () => {
    expect(why({})).toEqual({ seq: 0, question: "", kind: null, reason: null, article: "", title: "", score: null, words: [], model: "", tokens: 0, tookMs: null });
    expect(why({ kind: "handover", reason: "complaint" })).toMatchObject({ kind: "handover", reason: "complaint" });
    expect(why({ seq: "x", kind: "toString", reason: "toString", score: "7", took_ms: "" })).toMatchObject({ seq: 0, kind: null, reason: null, score: 1, tookMs: null });
    expect(whyOf(said(1, "BOT"))).toBeNull();
    expect(whyOf(entry(1, { system: { key: "session.closed", params: {} } }))).toBeNull();
  });
});

describe("a suggestion", () => {
  const open = (...lines: Parameters<typeof openSuggestion>[0]) => openSuggestion(lines, () => false)?.seq ?? null;

  it("has a text, or is none", () => {
    expect(suggestionOf(suggest(3))).toMatchObject({ seq: 3, text: "Yes.", score: 0.78, botName: "Bot" });
    expect(suggestionOf(suggest(3, { text: " " }))).toBeNull();
    expect(suggestionOf(said(1, "BOT"))).toBeNull();
  });

  it("stands until somebody has answered or the visitor has written on", () => {
    expect(open(said(1, "VISITOR"), suggest(2))).toBe(2);
    expect(open(said(1, "VISITOR"), suggest(2), said(3, "VISITOR"))).toBeNull();
    expect(open(said(1, "VISITOR"), suggest(2), said(3, "AGENT"))).toBeNull();
    expect(open(said(1, "VISITOR"), suggest(2), said(3, "VISITOR"), suggest(4))).toBe(4);
    expect(open()).toBeNull();
  });

  it("stands whatever the team tells itself", () => {
    const note = said(3, "AGENT", { audience: "AUDIENCE_TEAM" });
    const system = entry(4, { system: { key: "participant.joined", params: {} } }, { audience: "AUDIENCE_EVERYONE" });
    expect(open(suggest(2), note, system, { kind: "skip" })).toBe(2);
  });

  it("is gone with an answer on its way, but not with a note", () => {
    const outgoing = (team: boolean) => ({ kind: "outgoing", team });
    expect(open(suggest(2), outgoing(false))).toBeNull();
    expect(open(suggest(2), outgoing(true))).toBe(2);
  });

  it("is put aside for good", () => {
    expect(openSuggestion([suggest(2)], (seq) => seq === 2)).toBeNull();
    expect(openSuggestion([suggest(1), suggest(2)], (seq) => seq === 2)).toBeNull();
  });
});
