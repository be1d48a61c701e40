// Canned replies: which ones an agent means while typing after "/", and what is put in the composer.
import { soundsAt, soundsLike } from "./pinyin";

export type CannedReply = {
  readonly id: string;
  readonly shortcut: string;
  readonly team: string | null;
  readonly texts: Readonly<Record<string, string>>;
};

function rank(reply: CannedReply, wanted: string): number {
  const shortcut = reply.shortcut.toLowerCase();
  if (shortcut === wanted) return 0;
  if (shortcut.startsWith(wanted)) return 1;
  const at = soundsAt(shortcut, wanted);
  if (at === 0) return 2;
  if (at > 0) return 3;
  return Object.values(reply.texts).some((text) => soundsLike(text, wanted)) ? 4 : -1;
}

export function findReplies(replies: readonly CannedReply[], query: string, max: number): CannedReply[] {
  const wanted = query.trim().toLowerCase();
  return replies
    .map((reply) => ({ reply, rank: wanted === "" ? 3 : rank(reply, wanted) }))
    .filter((found) => found.rank >= 0)
    .sort((a, b) => a.rank - b.rank || a.reply.shortcut.localeCompare(b.reply.shortcut))
    .slice(0, max)
    .map((found) => found.reply);
}

/** Puts the visitor's and the agent's names where a reply asks for them. */
export function fillReply(text: string, names: { readonly visitor: string; readonly agent: string }): string {
  return text.replace(/\{\{\s*(visitor|agent)\s*\}\}/g, (_, who: string) => (who === "visitor" ? names.visitor : names.agent));
}
