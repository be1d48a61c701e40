// What a person asks for in the middle of writing: a canned reply after "/", a colleague after "@", an
// emoji after ":", each in the widths a Chinese keyboard makes. Only where a word begins, so that
// addresses, fractions and times stay what they are.

export type TriggerKind = "reply" | "mention" | "emoji";

/** `start` is where the sign stands; `query` what was typed after it. */
export type Trigger = { readonly kind: TriggerKind; readonly start: number; readonly query: string };

const signs: readonly (readonly [kind: TriggerKind, pattern: RegExp])[] = [
  ["reply", /(?:^|\s)([/、／][^\s/、／]{0,40})$/u],
  // A name may follow Chinese without a space; what comes after letters is an e-mail address.
  ["mention", /(?:^|[^\w.@＠-])([@＠][^\s@＠]{0,40})$/u],
  ["emoji", /(?:^|\s)([:：][^\s:：]{0,24})$/u],
];

/** What the text before the caret asks for; null for nothing. */
export function triggerAt(text: string, caret: number, kinds: readonly TriggerKind[]): Trigger | null {
  const before = text.slice(0, caret);
  for (const [kind, pattern] of signs) {
    const asked = kinds.includes(kind) ? pattern.exec(before)?.[1] : undefined;
    if (asked !== undefined) return { kind, start: caret - asked.length, query: asked.slice(1) };
  }
  return null;
}

/** The text with `put` in the place of what was asked, and where the caret belongs. */
export function answerTrigger(text: string, trigger: Trigger, put: string): { readonly text: string; readonly caret: number } {
  const end = trigger.start + 1 + trigger.query.length;
  return { text: text.slice(0, trigger.start) + put + text.slice(end), caret: trigger.start + put.length };
}

/** The text with `put` where the caret (or the selection) is, kept apart from the words around it. */
export function insertAt(text: string, from: number, to: number, put: string): { readonly text: string; readonly caret: number } {
  return { text: text.slice(0, from) + put + text.slice(to), caret: from + put.length };
}
