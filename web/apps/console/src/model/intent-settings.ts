// What an account says of its own about intents: what a place says in it, how an edit becomes the next
// document, and what people type as words. Pure; the server has the last word on all of it.
import type { IntentConfig, IntentLead, IntentRule, IntentSection, IntentTarget, Team } from "./api";
import { leading } from "./intents";
import { same } from "./same";

/** From 1 on, as the server counts them. */
export const priorities = ["low", "normal", "high", "urgent"] as const;
export type Priority = (typeof priorities)[number];

export const skillsMax = 16;
export const skillCharsMax = 32;
export const keywordsMax = 200;
const intentBytesMax = 64;
const patternBytesMax = 1_000;

const nothing: IntentSection = { threshold: {}, intents: {}, rules: [] };

/** What a place says of its own: an inbox by its id, or all of them where that is empty. */
export function ownOf(own: IntentConfig, inbox: string): IntentSection {
  return inbox === "" ? own : (held(own.inboxes, inbox) ?? nothing);
}

/** Sets a threshold in a place; null leaves it to what is said further out. */
export function withThreshold(own: IntentConfig, inbox: string, label: string, threshold: number | null): IntentConfig {
  return change(own, inbox, (section) => ({ ...section, threshold: put(section.threshold, label, threshold === null ? null : toHundredth(threshold)) }));
}

/** Says where an intent leads in a place; null leaves it to what is said further out. */
export function withLead(own: IntentConfig, inbox: string, intent: string, lead: IntentLead | null): IntentConfig {
  return change(own, inbox, (section) => ({ ...section, intents: put(section.intents, intent, lead) }));
}

/** A rule of a place as it was shown: the place may have changed since. */
export type ShownRule = { readonly at: number; readonly rule: IntentRule };

/** Puts a rule in the place of another, or behind all others where there is none or it is gone. */
export function withRule(own: IntentConfig, inbox: string, before: ShownRule | null, rule: IntentRule): IntentConfig {
  return change(own, inbox, (section) => {
    const at = before === null ? -1 : find(section.rules, before);
    return { ...section, rules: at < 0 ? [...section.rules, rule] : section.rules.map((other, place) => (place === at ? rule : other)) };
  });
}

export function withoutRule(own: IntentConfig, inbox: string, gone: ShownRule): IntentConfig {
  return change(own, inbox, (section) => {
    const at = find(section.rules, gone);
    return { ...section, rules: section.rules.filter((_, place) => place !== at) };
  });
}

/** Moves a rule past its neighbour; the first that applies decides. */
export function withRuleMoved(own: IntentConfig, inbox: string, moved: ShownRule, by: 1 | -1): IntentConfig {
  return change(own, inbox, (section) => {
    const at = find(section.rules, moved);
    const [rule, neighbour] = [section.rules[at], section.rules[at + by]];
    if (rule === undefined || neighbour === undefined) return section;
    return { ...section, rules: section.rules.map((other, place) => (place === at ? neighbour : place === at + by ? rule : other)) };
  });
}

/** Without what is said of an inbox that is gone. */
export function withoutInbox(own: IntentConfig, inbox: string): IntentConfig {
  return { ...own, inboxes: put(own.inboxes, inbox, null) };
}

function change(own: IntentConfig, inbox: string, edit: (section: IntentSection) => IntentSection): IntentConfig {
  if (inbox === "") return { ...own, ...edit({ threshold: own.threshold, intents: own.intents, rules: own.rules }) };
  const section = edit(ownOf(own, inbox));
  return { ...own, inboxes: put(own.inboxes, inbox, same(section, nothing) ? null : section) };
}

/** By a name that somebody chose, so nothing that every object has counts. */
function held<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function put<T>(record: Readonly<Record<string, T>>, name: string, value: T | null): Readonly<Record<string, T>> {
  const rest = Object.entries(record).filter(([known]) => known !== name);
  return Object.fromEntries(value === null ? rest : [...rest, [name, value]]);
}

/** Where a rule stands now: still in its place, else wherever it is; -1 where it is gone. */
function find(rules: readonly IntentRule[], { at, rule }: ShownRule): number {
  const is = (other: IntentRule | undefined) => other !== undefined && same(plain(other), plain(rule));
  return is(rules[at]) ? at : rules.findIndex(is);
}

/** An absent pattern and an empty one say the same. */
function plain(rule: IntentRule): IntentRule {
  return { ...rule, regex: rule.regex || null };
}

export function ownThreshold(own: IntentConfig, inbox: string, label: string): number | null {
  return held(ownOf(own, inbox).threshold, label) ?? null;
}

export function ownLead(own: IntentConfig, inbox: string, intent: string): IntentLead | null {
  return held(ownOf(own, inbox).intents, intent) ?? null;
}

export function toHundredth(threshold: number): number {
  return Math.round(threshold * 100) / 100;
}

/** The team a target names: by its id in what an account says, by a name in any language in the installation's file. */
export function teamOf(target: Pick<IntentTarget, "team">, teams: readonly Team[]): Team | null {
  const wanted = target.team ?? "";
  return (wanted === "" ? undefined : teams.find((team) => team.id === wanted || Object.values(team.names).includes(wanted))) ?? null;
}

/** What holds as an entry of one's own that says the same. A team that is not there is left out. */
export function leadOf(target: IntentTarget, teams: readonly Team[]): IntentLead {
  return { team: teamOf(target, teams)?.id ?? null, skills: target.skills, priority: priorityOf(target.priority ?? 0) };
}

export function priorityOf(number: number): Priority | null {
  return number < 1 ? null : (priorities[Math.min(number, priorities.length) - 1] ?? null);
}

/** Names to choose from: those the console has words for, then those of rules and targets. */
export function knownIntents(named: readonly { readonly intent: string }[]): readonly string[] {
  return [...new Set<string>([...leading, ...named.map((one) => one.intent)])];
}

export type NameProblem = "empty" | "characters" | "too_long" | "other";

/** Why a text is no name of an intent; null where it is one. */
export function nameProblem(name: string): NameProblem | null {
  if (name === "") return "empty";
  if (!/^[\p{Alphabetic}\p{N}_-]+$/u.test(name)) return "characters";
  if (bytes(name) > intentBytesMax) return "too_long";
  return name === "other" ? "other" : null;
}

/** Words between commas of any kind: lower case, each once. */
export function parseSkills(text: string): readonly string[] {
  const words = text.split(/[,，、;；\n]/).map((word) => word.trim().toLowerCase());
  return [...new Set(words.filter((word) => word !== ""))];
}

export type SkillsProblem = "too_many" | "too_long";

export function skillsProblem(skills: readonly string[]): SkillsProblem | null {
  if (skills.length > skillsMax) return "too_many";
  return skills.some((skill) => [...skill].length > skillCharsMax) ? "too_long" : null;
}

/** One a line; case makes no difference to a rule, so it makes none here. */
export function parseKeywords(text: string): readonly string[] {
  const words = new Map<string, string>();
  for (const line of text.split("\n")) {
    const word = line.trim();
    if (word !== "" && !words.has(word.toLowerCase())) words.set(word.toLowerCase(), word);
  }
  return [...words.values()];
}

export type RuleProblem = "keywords_too_many" | "keywords_too_long" | "regex_too_long";

/** What the server would not take of a rule; whether a pattern can be read, only it knows. */
export function ruleProblem(rule: IntentRule): RuleProblem | null {
  if (rule.keywords.length > keywordsMax) return "keywords_too_many";
  if (rule.keywords.some((word) => bytes(word) > patternBytesMax)) return "keywords_too_long";
  return bytes(rule.regex ?? "") > patternBytesMax ? "regex_too_long" : null;
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The field the server names where it does not know the team an intent leads to. */
export function teamField(inbox: string, intent: string): string {
  return `own${inbox === "" ? "" : `.inboxes.${inbox}`}.intents.${intent}.team`;
}

/** Which team of which place that is; null for another field. */
export function refusedTeam(field: string): { readonly inbox: string; readonly intent: string } | null {
  const found = /^own(?:\.inboxes\.([^.]+))?\.intents\.(.+)\.team$/.exec(field);
  return found === null ? null : { inbox: found[1] ?? "", intent: found[2] ?? "" };
}

/** An inbox the server does not know any more; null for another field. */
export function refusedInbox(field: string): string | null {
  return /^own\.inboxes\.([^.]+)$/.exec(field)?.[1] ?? null;
}

/** The part of an entry that a refusal is about, by its English words. */
export function refusedPart(detail: string): "keywords" | "regex" | "skills" | null {
  if (/\bkeyword has|most \d+ keywords/.test(detail)) return "keywords";
  if (/\bregex\b|\bpattern\b/.test(detail)) return "regex";
  return /\bskills\b/.test(detail) ? "skills" : null;
}
