// What a bot says to the team alone: why it answered as it did, and what it would answer in an agent's place. Both
// come as system texts whose parameters are words; read here into values, with nothing taken for granted.
import type { EntryLine } from "./types";

export const whyKinds = ["answer", "ask_back", "flow", "llm", "handover", "suggestion"] as const;
export type WhyKind = (typeof whyKinds)[number];

/** Why a bot hands over. */
export const handoverReasons = ["asked", "unsure", "complaint", "angry", "flow", "bot_failed"] as const;
export type HandoverReason = (typeof handoverReasons)[number];

export type Why = {
  /** Of the message it is about; 0 for none. */
  readonly seq: number;
  readonly kind: WhyKind | null;
  /** Of a handover. */
  readonly reason: HandoverReason | null;
  readonly question: string;
  readonly article: string;
  readonly title: string;
  /** 0 to 1; null where there is none. */
  readonly score: number | null;
  readonly words: readonly string[];
  readonly model: string;
  readonly tokens: number;
  readonly tookMs: number | null;
};

export type Suggestion = { readonly seq: number; readonly text: string; readonly article: string; readonly title: string; readonly path: string; readonly score: number | null; readonly botName: string };

type Params = Readonly<Record<string, string>>;

function figure(params: Params, name: string): number | null {
  const text = params[name] ?? "";
  const value = Number(text);
  return text.trim() === "" || !Number.isFinite(value) ? null : value;
}

function score(params: Params): number | null {
  const value = figure(params, "score");
  return value === null ? null : Math.min(1, Math.max(0, value));
}

/** A system entry of the team's that says why; null for any other. */
export function whyOf(line: EntryLine): Why | null {
  if (line.body.kind !== "system" || line.body.key !== "bot.why") return null;
  const { params } = line.body;
  return {
    seq: figure(params, "seq") ?? 0,
    kind: whyKinds.find((kind) => kind === params["kind"]) ?? null,
    reason: handoverReasons.find((reason) => reason === params["reason"]) ?? null,
    question: params["question"] ?? "",
    article: params["article"] ?? "",
    title: params["title"] ?? "",
    score: score(params),
    words: (params["words"] ?? "").split(/\s+/).filter((word) => word !== ""),
    model: params["model"] ?? "",
    tokens: figure(params, "tokens") ?? 0,
    tookMs: figure(params, "took_ms"),
  };
}

export function suggestionOf(line: EntryLine): Suggestion | null {
  if (line.body.kind !== "system" || line.body.key !== "bot.suggestion") return null;
  const { params } = line.body;
  const text = params["text"] ?? "";
  if (text.trim() === "") return null;
  return { seq: line.seq, text, article: params["article"] ?? "", title: params["title"] ?? "", path: params["path"] ?? "", score: score(params), botName: line.actor.name };
}

/**
 * What the bot would answer now: its newest suggestion, as long as nobody has answered since and the visitor has
 * not written on.
 */
export function openSuggestion(lines: readonly { readonly kind: string }[], dismissed: (seq: number) => boolean): Suggestion | null {
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at];
    if (line === undefined || line.kind === "skip") continue;
    // What is on its way is an answer, unless it is a note.
    if (line.kind === "outgoing") {
      if ((line as { readonly team?: boolean }).team === true) continue;
      return null;
    }
    const entry = line as EntryLine;
    const suggestion = suggestionOf(entry);
    if (suggestion !== null) return dismissed(suggestion.seq) ? null : suggestion;
    if (entry.team || entry.body.kind === "system" || entry.body.kind === "retraction" || entry.body.kind === "tombstone") continue;
    return null;
  }
  return null;
}
