import { describe, expect, it } from "vitest";
import type { WordRule } from "./words";
import { maskedParts, newRule, refusedPart, ruleProblem, tidyRule, withRule } from "./words";

const rule = (more: Partial<WordRule>): WordRule => ({ ...newRule, name: "Insults", words: ["idiot"], ...more });

describe("a rule", () => {
  it.each<readonly [string | null, Partial<WordRule>]>([
    [null, {}],
    ["name_empty", { name: " " }],
    ["name_taken", { name: " Cards " }],
    ["words_empty", { words: [] }],
    ["words_too_many", { words: Array.from({ length: 2_001 }, (_, at) => String(at)) }],
    ["pattern_empty", { kind: "pattern", pattern: " " }],
    [null, { kind: "pattern", pattern: "x", words: [] }],
    [null, { kind: "card", words: [] }],
  ])("has the problem %s", (problem, more) => expect(ruleProblem(rule(more), ["Cards"])).toBe(problem));

  it("says only what its kind asks for", () => {
    expect(tidyRule(rule({ kind: "card", pattern: "x", old_form: true }))).toMatchObject({ words: [], pattern: "", old_form: false });
    expect(tidyRule(rule({ kind: "id_number", old_form: true }))).toMatchObject({ words: [], old_form: true });
    expect(tidyRule(rule({ kind: "pattern", pattern: " x " }))).toMatchObject({ words: [], pattern: "x" });
  });

  it("takes the place of another, or comes last", () => {
    const rules = [rule({ name: "a" }), rule({ name: "b" })];
    expect(withRule(rules, 0, rule({ name: "c" })).map((one) => one.name)).toEqual(["c", "b"]);
    expect(withRule(rules, null, rule({ name: "c" })).map((one) => one.name)).toEqual(["a", "b", "c"]);
  });

  it("is refused by its part", () => {
    expect(["rules[3].pattern", "rules[0].words", "rules", "revision"].map(refusedPart)).toEqual(["pattern", "words", null, null]);
  });
});

describe("a masked text", () => {
  it("shows what was masked", () => {
    expect(maskedParts("card **** 1111")).toEqual([{ text: "card ", masked: false }, { text: "****", masked: true }, { text: " 1111", masked: false }]);
    expect(maskedParts("")).toEqual([]);
  });
});
