// A bot's answer may be longer than the window: the reader is at its beginning then, not at its end. Loaded with the
// first answer.
import type { Chat } from "../model/chat";
import type { MessageRow } from "../model/rows";

/** An older one is history: whoever opens the chat again comes to its end. */
const FRESH_MS = 60_000;

/** Entries that are not brought into view (again). */
const seen = new Set<number>();

/** Whoever follows an answer while it grows has read its beginning. */
export function followed(chat: Chat): void {
  const { typing, timeline } = chat.client.conversation;
  if (typing.value?.text) seen.add(timeline.lastSeq + 1);
}

/** `part`: an element of the answer. */
export function toBeginning(chat: Chat, { line, atMs }: MessageRow, part: Element): void {
  if (line.kind !== "entry" || seen.has(line.seq)) return;
  seen.add(line.seq);
  const message = part.closest(".message");
  const box = part.closest(".scroller");
  if (!message || !box || !chat.atEnd.peek() || Date.now() - atMs > FRESH_MS) return;
  const above = box.getBoundingClientRect().top - message.getBoundingClientRect().top;
  if (above > 0) box.scrollTop -= above + 8;
}
