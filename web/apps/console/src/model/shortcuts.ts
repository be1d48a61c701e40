// The keyboard's table: which key does what where. A key typed into a field, or while an input
// method is composing, is never a shortcut, except those with Ctrl or Cmd.

export type ShortcutAction = "next" | "previous" | "close" | "assign" | "take" | "reply" | "note" | "help" | "palette" | "search" | "back";

export type KeyPress = {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly isComposing: boolean;
  /** 229 is what browsers report while an input method is at work. */
  readonly keyCode: number;
};

export const shortcuts: readonly (readonly [key: string, action: ShortcutAction])[] = [
  ["j", "next"],
  ["k", "previous"],
  ["e", "close"],
  ["a", "assign"],
  ["t", "take"],
  ["r", "reply"],
  ["n", "note"],
  ["/", "search"],
  ["?", "help"],
];

export function composing(press: Pick<KeyPress, "isComposing" | "keyCode">): boolean {
  return press.isComposing || press.keyCode === 229;
}

export function shortcutFor(press: KeyPress, typing: boolean): ShortcutAction | null {
  if (composing(press)) return null;
  if ((press.ctrlKey || press.metaKey) && !press.altKey && press.key.toLowerCase() === "k") return "palette";
  if (press.key === "Escape" && !typing) return "back";
  if (typing || press.ctrlKey || press.metaKey || press.altKey) return null;
  return shortcuts.find(([key]) => key === press.key)?.[1] ?? null;
}

/** Enter sends; with Shift it breaks the line; while an input method composes it belongs to that. */
export function sendsOnKey(press: KeyPress & { readonly shiftKey: boolean }): boolean {
  return press.key === "Enter" && !press.shiftKey && !press.altKey && !composing(press);
}
