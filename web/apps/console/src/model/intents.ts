// What visitors want: names of intents, what spoke for one, and what a threshold catches. Pure; the
// server sorts, the console shows how and why.
import type { Row } from "./types";

/** What the model tells apart and has a threshold for. */
export const labels = ["complaint", "consult", "sales"] as const;

/** What a person may correct an intent to; the empty one takes it away. */
export const corrections = [...labels, ""] as const;

/** What may be led somewhere without a rule or name of one's own. */
export const leading = [...labels, "human"] as const;

const named = [...leading, "other"] as const;
export type NamedIntent = (typeof named)[number];

/** An intent the console has words for; null for one of the account's own. */
export function namedIntent(intent: string): NamedIntent | null {
  return named.find((name) => name === intent) ?? null;
}

export type Score = { readonly label: string; readonly share: number };

/** The likeliest first. */
export function byScore(scores: Readonly<Record<string, number>>): readonly Score[] {
  return Object.entries(scores)
    .map(([label, share]) => ({ label, share }))
    .sort((a, b) => b.share - a.share);
}

/** Reads "complaint 0.91, consult 0.06"; null where it says something else. */
export function readScores(why: string): readonly Score[] | null {
  const scores: Score[] = [];
  for (const part of why.split(",")) {
    const found = /^\s*(\S+) ([01](?:\.\d+)?)\s*$/.exec(part);
    if (found === null) return null;
    scores.push({ label: found[1] ?? "", share: Number(found[2]) });
  }
  return scores;
}

export function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** A threshold of two decimals may come a hair's breadth beside a step's edge. */
const hair = 1e-4;

/** The first step that lies at or above a threshold. */
export function firstCaught(threshold: number, steps: number): number {
  return Math.min(steps, Math.max(0, Math.ceil(threshold * steps - hair)));
}

export type Caught = {
  readonly texts: number;
  /** Of those in steps at or above the threshold; 0 where there is none. */
  readonly share: number;
  /** The threshold lies within a step with texts: some of those are caught, too. */
  readonly atLeast: boolean;
};

/** What a threshold catches of the texts that were seen, counted in steps of the same width from 0 to 1. */
export function caught(seen: readonly number[], threshold: number): Caught {
  const texts = sum(seen);
  const from = firstCaught(threshold, seen.length);
  const cut = from > 0 && from - threshold * seen.length > hair ? (seen[from - 1] ?? 0) : 0;
  return { texts, share: texts === 0 ? 0 : sum(seen.slice(from)) / texts, atLeast: cut > 0 };
}

/** Whether an open conversation of this person has become a complaint. */
export function becameComplaint(row: Row, before: Row | undefined, user: string): boolean {
  const { session } = row;
  if (session.intent !== "complaint" || session.status === "closed" || session.owner?.id !== user) return false;
  // What comes as a complaint is known by its tag; only what turns into one is news.
  return before !== undefined && before.session.owner?.id === user && before.session.id === session.id && before.session.intent !== "complaint";
}
