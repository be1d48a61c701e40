// The bot: where it works and as whom, its flows with their versions, a talk with it that nobody else hears, the
// time machine and the figures. Shapes, what follows from them, and the requests.
import type { Call, IntentConfig, Texts } from "./api";
import { ApiError } from "./api";
import { parseKeywords } from "./intent-settings";
import { withQuery } from "./query";

export const botModes = ["off", "answer", "suggest"] as const;
export type BotMode = (typeof botModes)[number];
/** Who answers where no key of a bot of one's own is named. */
export const builtIn = "built_in";

export type BotPlace = { readonly mode: BotMode; readonly who: string; readonly flow: string };
export type HandoverRules = { readonly on_complaint: boolean; readonly on_anger: boolean; readonly misses_max: number };
export type BotSettings = {
  readonly name: Texts;
  /** By the inbox' id; one that is not named is off. */
  readonly inboxes: Readonly<Record<string, BotPlace>>;
  /** What is said where the bot knows no answer. */
  readonly fallback: Texts;
  readonly handover: HandoverRules;
  /** The language of what the bot writes for the team. */
  readonly team_language: string;
};
export type BotConfig = BotSettings & { readonly revision: number };

export type FlowHeading = { readonly name: string; readonly version: number; readonly updated_ms: number; readonly by?: string | null };
export type Flow = FlowHeading & { readonly yaml: string };
export type FlowVersion = { readonly version: number; readonly yaml?: string; readonly updated_ms: number; readonly by?: string | null };
/** A warning lets a flow pass. */
export type FlowProblem = { readonly code?: string; readonly severity?: "error" | "warning"; readonly line?: number | null; readonly step?: string | null; readonly params?: Readonly<Record<string, string>>; readonly reason: string };
export type CheckedFlow = { readonly ok: boolean; readonly problems: readonly FlowProblem[] };

export type TalkChoice = { readonly id: string; readonly label: string };
export type TalkSource = { readonly article: string; readonly slug?: string; readonly title: string };
export type TalkReply = {
  readonly kind: string;
  /** What is shown; of a handover the brief for the team, of a model the question it would be asked. */
  readonly text?: string | null;
  readonly choices?: readonly TalkChoice[] | null;
  readonly form?: { readonly title?: string; readonly fields?: readonly { readonly id: string; readonly label: string; readonly required?: boolean }[] } | null;
  readonly sources?: readonly TalkSource[] | null;
  readonly score?: number | null;
  readonly words?: readonly string[] | null;
  /** Why the session goes to people; empty where it does not. */
  readonly reason?: string;
  /** Of a flow, "name / step". */
  readonly step?: string;
};
export type TalkTurn = { readonly visitor: string; readonly replies: readonly TalkReply[]; readonly handed_over: boolean };
export type TalkRequest = { readonly inbox?: string; readonly language: string; readonly messages: readonly string[]; readonly flow?: string };

export type ReplayAnswer = { readonly kind: string; readonly text?: string | null; readonly article?: string | null };
export type ReplayRow = { readonly conversation: string; readonly session: string; readonly question: string; readonly before: ReplayAnswer | null; readonly after: ReplayAnswer | null; readonly changed: boolean };
/** Both are empty where nobody has an opinion, and for the inbox' own queue. */
export type ReplaySorting = { readonly intent: string; readonly team: string };
export type ReplaySorted = { readonly conversation: string; readonly session: string; readonly question: string; readonly before: ReplaySorting; readonly after: ReplaySorting };
export type Replay = { readonly sessions: number; readonly changed: number; readonly rows: readonly ReplayRow[]; readonly sorted?: readonly ReplaySorted[] };
export type ReplayRequest = {
  readonly sessions: number;
  readonly flow?: { readonly name: string; readonly yaml: string };
  readonly threshold?: number;
  readonly prompt?: string;
  /** Another model's name at the endpoint that is set up. */
  readonly model?: string;
  /** All that the account would say of its own about intents. */
  readonly intents?: IntentConfig;
};

/** What a trial has otherwise beside the flow, as it is typed; empty leaves it as it is. */
export type Otherwise = { readonly model: string; readonly prompt: string; readonly threshold: string; readonly intent: string; readonly words: string };
export const asItIs: Otherwise = { model: "", prompt: "", threshold: "", intent: "", words: "" };

/** Whether a text is no score; an empty one says nothing. */
export function thresholdWrong(text: string): boolean {
  if (text.trim() === "") return false;
  const score = Number(text);
  return !(score >= 0 && score <= 1);
}

/** What is asked for; a rule that is tried comes before those there are. */
export function replayOf(sessions: number, flow: { readonly name: string; readonly yaml: string }, otherwise: Otherwise, own: IntentConfig | null): ReplayRequest {
  const { model, prompt, threshold, intent } = otherwise;
  const keywords = parseKeywords(otherwise.words);
  return {
    sessions,
    flow,
    ...(threshold.trim() === "" ? {} : { threshold: Number(threshold) }),
    ...(prompt.trim() === "" ? {} : { prompt }),
    ...(model.trim() === "" ? {} : { model: model.trim() }),
    ...(own === null || intent === "" || keywords.length === 0 ? {} : { intents: { ...own, rules: [{ intent, keywords, regex: null }, ...own.rules] } }),
  };
}

export type BotDay = { readonly date: string; readonly sessions: number; readonly contained: number; readonly handed_over: number };
/** Days without any session are absent. */
export type BotFigures = { readonly days: readonly BotDay[]; readonly sessions: number; readonly contained: number; readonly handed_over: number; readonly no_answer: number; readonly by_reason: Readonly<Record<string, number>> };
export const botOutcomes = ["contained", "handed_over", "no_answer"] as const;
export type BotOutcome = (typeof botOutcomes)[number];
export type BotSession = {
  readonly conversation: string;
  readonly session: string;
  readonly inbox: string;
  readonly at_ms: number;
  readonly reason: string;
  /** Messages of the visitor while the bot had it, and how many of them it answered. */
  readonly turns: number;
  readonly answered: number;
};
export type BotSessionPage = { readonly sessions: readonly BotSession[]; readonly next?: string | null };

export class BotApi {
  constructor(private readonly call: Call) {}

  read = (): Promise<BotConfig> => this.call("GET", "api/v1/bot");
  change = (settings: BotSettings, revision: number): Promise<BotConfig> => this.call("PUT", "api/v1/bot", { ...settings, revision });
  /** By name, without what they say. */
  flows = async (): Promise<readonly FlowHeading[]> => (await this.call<{ readonly flows: readonly FlowHeading[] }>("GET", "api/v1/bot/flows")).flows;
  /** None where there is none of this name. */
  flow = (name: string): Promise<Flow | null> =>
    this.call<Flow>("GET", this.#flow(name)).catch((failure: unknown) => {
      if (failure instanceof ApiError && failure.code === "not_found") return null;
      throw failure;
    });
  /** Puts a flow in the place of what had this version; 0 where there is none yet. */
  changeFlow = (name: string, yaml: string, version: number): Promise<Flow> => this.call("PUT", this.#flow(name), { yaml, version });
  removeFlow = (name: string): Promise<void> => this.call("DELETE", this.#flow(name));
  versions = async (name: string): Promise<readonly FlowVersion[]> => (await this.call<{ readonly versions: readonly FlowVersion[] }>("GET", `${this.#flow(name)}/versions`)).versions;
  rollBack = (name: string, version: number): Promise<Flow> => this.call("POST", `${this.#flow(name)}/rollback`, { version });
  check = (yaml: string): Promise<CheckedFlow> => this.call("POST", "api/v1/bot/flows/check", { yaml });
  talk = async (request: TalkRequest): Promise<readonly TalkTurn[]> => (await this.call<{ readonly turns: readonly TalkTurn[] }>("POST", "api/v1/bot/talk", request)).turns;
  replay = (request: ReplayRequest): Promise<Replay> => this.call("POST", "api/v1/bot/replay", request);
  figures = (days: number): Promise<BotFigures> => this.call("GET", withQuery("api/v1/bot/figures", { days }));
  sessions = (outcome: BotOutcome, cursor: string | null = null): Promise<BotSessionPage> => this.call("GET", withQuery("api/v1/bot/sessions", { outcome, cursor }));

  #flow(name: string): string {
    return `api/v1/bot/flows/${encodeURIComponent(name)}`;
  }
}

const nowhere: BotPlace = { mode: "off", who: builtIn, flow: "" };

export function placeOf(settings: BotSettings, inbox: string): BotPlace {
  return (Object.hasOwn(settings.inboxes, inbox) ? settings.inboxes[inbox] : undefined) ?? nowhere;
}

/** What changes in an inbox; one that says what would hold anyway is left out. */
export function withPlace(settings: BotSettings, inbox: string, change: Partial<BotPlace>): BotSettings["inboxes"] {
  const place = { ...placeOf(settings, inbox), ...change };
  const rest = Object.entries(settings.inboxes).filter(([known]) => known !== inbox);
  const says = place.mode !== nowhere.mode || place.who !== nowhere.who || place.flow !== nowhere.flow;
  return Object.fromEntries(says ? [...rest, [inbox, place]] : rest);
}

/** What can be set. Where nothing ever was, the team is written to in the language of whoever sets it first. */
export function settingsOf({ revision, name, inboxes, fallback, handover, team_language }: BotConfig, reader: string): BotSettings {
  return { name, inboxes, fallback, handover, team_language: revision === 0 ? reader : team_language };
}

export const missesMax = 10;

/** What the bot is called where nobody named it; as in crates/bot/src/texts.rs. */
export const ownNames = { en: "Frontdesk", "zh-CN": "小前台" } as const;

/** A part of a whole; 0 of nothing. */
export function shareOf(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(1, Math.max(0, part / whole));
}

/** The reasons of a handover, the most frequent first. */
export function reasonsOf(figures: BotFigures): readonly (readonly [reason: string, count: number])[] {
  return Object.entries(figures.by_reason).sort((a, b) => b[1] - a[1]);
}

/** Every day of so many until today (UTC), with nothing where nothing was told of it. */
export function everyDay<T extends { readonly date: string }>(days: readonly T[], count: number, nowMs: number, none: (date: string) => T): readonly T[] {
  const known = new Map(days.map((day) => [day.date, day]));
  const dayMs = 24 * 60 * 60_000;
  return Array.from({ length: count }, (_, at) => new Date(nowMs - (count - 1 - at) * dayMs).toISOString().slice(0, 10)).map((date) => known.get(date) ?? none(date));
}

const flowNameMax = 64;

export type FlowNameProblem = "empty" | "characters" | "taken";

/** Why a text is no name for a new flow; null where it is one. */
export function flowNameProblem(name: string, taken: readonly string[]): FlowNameProblem | null {
  if (name === "") return "empty";
  if (name.length > flowNameMax || !/^[a-z0-9]+([_-][a-z0-9]+)*$/.test(name)) return "characters";
  return taken.includes(name) ? "taken" : null;
}

/** Problems by the line they are about; those about none under 0. */
export function problemsByLine(problems: readonly FlowProblem[], lines: number): ReadonlyMap<number, readonly FlowProblem[]> {
  const byLine = new Map<number, FlowProblem[]>();
  for (const problem of problems) {
    const line = typeof problem.line === "number" && problem.line >= 1 && problem.line <= lines ? problem.line : 0;
    byLine.set(line, [...(byLine.get(line) ?? []), problem]);
  }
  return byLine;
}

/** Where a line begins in a text, and where it ends. */
export function lineSpan(text: string, line: number): readonly [from: number, to: number] {
  const lines = text.split("\n");
  const from = lines.slice(0, Math.max(0, line - 1)).reduce((sum, one) => sum + one.length + 1, 0);
  return [Math.min(from, text.length), Math.min(text.length, from + (lines[line - 1]?.length ?? 0))];
}
