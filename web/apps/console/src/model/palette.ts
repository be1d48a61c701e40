// The command palette: conversations, pages and actions under one search.
import { soundsAt } from "./pinyin";

export type Command = {
  readonly key: string;
  readonly group: "action" | "page" | "conversation";
  readonly label: string;
  /** What it is also found by. */
  readonly hint: string;
  readonly run: () => void;
};

function rank(command: Command, wanted: string): number {
  const label = command.label.toLowerCase();
  if (label.startsWith(wanted)) return 0;
  const at = soundsAt(label, wanted);
  if (at === 0) return 1;
  if (at > 0) return 2;
  return command.hint.toLowerCase().includes(wanted) ? 3 : -1;
}

/** The best matches first; among equals the order in which they were given. */
export function findCommands(commands: readonly Command[], query: string, max: number): Command[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return commands.slice(0, max);
  return commands
    .map((command) => ({ command, rank: rank(command, wanted) }))
    .filter((found) => found.rank >= 0)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, max)
    .map((found) => found.command);
}
