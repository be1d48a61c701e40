// Words that are masked, refused or flagged: rules, what the server would not take of one, and the requests.
import type { Call } from "./api";
import { withQuery } from "./query";

export const ruleKinds = ["words", "pattern", "card", "id_number"] as const;
export type WordRuleKind = (typeof ruleKinds)[number];
export const ruleActions = ["mask", "refuse", "flag"] as const;
export type WordRuleAction = (typeof ruleActions)[number];
export const ruleReaches = ["visitors", "team", "everyone"] as const;
export type WordRuleReach = (typeof ruleReaches)[number];

export type WordRule = { readonly name: string; readonly kind: WordRuleKind; readonly words: readonly string[]; readonly pattern: string; /** Of identity numbers: those of 15 digits, too, which have no check digit. */ readonly old_form?: boolean; readonly action: WordRuleAction; readonly applies_to: WordRuleReach };
export type WordsConfig = { readonly revision: number; readonly rules: readonly WordRule[] };
export type TriedWords = { readonly text: string; readonly refused: boolean; readonly flags: readonly string[]; readonly rules: readonly string[] };
export type WordHit = { readonly at_ms: number; readonly rule: string; readonly action: string; readonly by?: { readonly kind: string; readonly id?: string; readonly name?: string } | null; readonly conversation?: string | null };
export type WordHitPage = { readonly hits: readonly WordHit[]; readonly next?: string | null };

export class WordsApi {
  constructor(private readonly call: Call) {}

  read = (): Promise<WordsConfig> => this.call("GET", "api/v1/words");
  change = (rules: readonly WordRule[], revision: number): Promise<WordsConfig> => this.call("PUT", "api/v1/words", { rules, revision });
  try = (text: string, by: "visitor" | "agent"): Promise<TriedWords> => this.call("POST", "api/v1/words/try", { text, by });
  hits = (cursor: string | null = null): Promise<WordHitPage> => this.call("GET", withQuery("api/v1/words/hits", { cursor }));
}

export const newRule: WordRule = { name: "", kind: "words", words: [], pattern: "", action: "mask", applies_to: "visitors" };

/** Only what the kind of a rule asks for counts. */
export function tidyRule(rule: WordRule): WordRule {
  return { ...rule, old_form: rule.kind === "id_number" && rule.old_form === true, name: rule.name.trim(), words: rule.kind === "words" ? rule.words : [], pattern: rule.kind === "pattern" ? rule.pattern.trim() : "" };
}

export type WordRuleProblem = "name_empty" | "name_taken" | "words_empty" | "words_too_many" | "pattern_empty";

export const ruleWordsMax = 2_000;

/** What a rule lacks; null where nothing. `taken`: the names of the others. */
export function ruleProblem(rule: WordRule, taken: readonly string[]): WordRuleProblem | null {
  const { name, kind, words, pattern } = tidyRule(rule);
  if (name === "") return "name_empty";
  if (taken.includes(name)) return "name_taken";
  if (kind === "words" && words.length === 0) return "words_empty";
  if (words.length > ruleWordsMax) return "words_too_many";
  return kind === "pattern" && pattern === "" ? "pattern_empty" : null;
}

/** The part of a rule that the server names as wrong: "pattern" of "rules[3].pattern"; null for another field. */
export function refusedPart(field: string): string | null {
  return /^rules\[\d+\]\.(\w+)/.exec(field)?.[1] ?? null;
}

/** Puts a rule in the place of the one at `at`, or behind all others. */
export function withRule(rules: readonly WordRule[], at: number | null, rule: WordRule): readonly WordRule[] {
  return at === null ? [...rules, rule] : rules.map((other, place) => (place === at ? rule : other));
}

/** The parts of a text that masking changed, found by the signs that stand there instead. */
export function maskedParts(text: string): readonly { readonly text: string; readonly masked: boolean }[] {
  return text
    .split(/([*•█＊]+)/)
    .filter((part) => part !== "")
    .map((part) => ({ text: part, masked: /^[*•█＊]+$/.test(part) }));
}
