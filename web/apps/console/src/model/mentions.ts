// Colleagues called upon in a note: who is meant while typing after "@", whom a text names, and where
// in it the names stand.
import type { Agent } from "./api";
import { soundsAt } from "./pinyin";

/** As many as a note may carry. */
export const mentionsMax = 20;

export type Mention = { readonly id: string; readonly name: string };

const presenceOrder = { online: 0, away: 1, offline: 2 };

/** The colleagues whose names fit, those at their desks first among equals. */
export function findColleagues(agents: readonly Agent[], self: string, query: string, max: number): Agent[] {
  const rank = (at: number) => (at === 0 ? 0 : 1);
  return agents
    .filter((agent) => agent.id !== self)
    .map((agent) => ({ agent, at: soundsAt(agent.name, query) }))
    .filter((found) => found.at >= 0)
    .sort(
      (a, b) =>
        rank(a.at) - rank(b.at) || presenceOrder[a.agent.presence] - presenceOrder[b.agent.presence] || a.agent.name.localeCompare(b.agent.name),
    )
    .slice(0, max)
    .map((found) => found.agent);
}

export type NamePiece = { readonly text: string; readonly mention: Mention | null };

/** Cuts a text at the names it calls upon. The longest name wins: 林晓明 is not 林晓. */
export function cutAtMentions(text: string, people: readonly Mention[]): NamePiece[] {
  const byLength = people.filter((person) => person.name !== "").sort((a, b) => b.name.length - a.name.length);
  const pieces: NamePiece[] = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const sign = text[at] === "@" || text[at] === "＠";
    const person = sign ? byLength.find(({ name }) => text.startsWith(name, at + 1)) : undefined;
    if (person === undefined) {
      plain += text[at];
      at += 1;
      continue;
    }
    if (plain !== "") pieces.push({ text: plain, mention: null });
    plain = "";
    pieces.push({ text: `@${person.name}`, mention: person });
    at += 1 + person.name.length;
  }
  if (plain !== "") pieces.push({ text: plain, mention: null });
  return pieces;
}

/** The ids of the people a text names, each once. */
export function mentionedIn(text: string, people: readonly Mention[]): string[] {
  const ids = new Set<string>();
  for (const { mention } of cutAtMentions(text, people)) if (mention !== null) ids.add(mention.id);
  return [...ids].slice(0, mentionsMax);
}
