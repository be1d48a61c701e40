// Going to a message that is quoted, however far back it is: reads older pages until it is there, and
// moves the timeline until it is drawn. Loaded with the first quote.
import type { Chat } from "./chat";

/** So many older pages are read for it: what lies further back is not worth the wait. */
const PAGES_MAX = 60;
/** Each comes closer: only rows that nobody has seen stand elsewhere than reckoned. */
const MOVES_MAX = 20;

/** The row on the screen, or why there is none. */
export type Reached = HTMLElement | "timeline.older_failed" | "widget.quote_gone";

export async function reach(chat: Chat, seq: number): Promise<Reached> {
  const { timeline } = chat.client.conversation;
  for (let page = 0; page < PAGES_MAX && timeline.firstSeq > seq && timeline.moreBefore.peek(); page++) {
    await chat.loadOlder();
    if (chat.olderFailed.peek()) return "timeline.older_failed";
  }
  const key = chat.lineOf(seq)?.key;
  for (let move = 0; move < MOVES_MAX; move++) {
    await drawn();
    const rows = Array.from(document.querySelectorAll<HTMLElement>("[data-row]"));
    const row = rows.find((one) => one.dataset.row === key);
    if (row) return row;
    if (!key || !moveTo(chat, key, rows)) break;
  }
  return "widget.quote_gone";
}

/** Scrolls to about where the row will be; false where it has no place. */
function moveTo(chat: Chat, key: string, drawnRows: readonly HTMLElement[]): boolean {
  const list = drawnRows[0]?.parentElement;
  const box = list?.closest(".scroller");
  const keys = chat.rows.peek().map((row) => row.key);
  const at = keys.indexOf(key);
  if (!list || !box || at < 0) return false;
  const first = keys.indexOf(drawnRows[0]?.dataset.row ?? "");
  const last = first + drawnRows.length - 1;
  // What is not drawn is a space as high as its rows are reckoned to be.
  if (at < first) box.scrollTop = (parseFloat(list.style.paddingTop) * at) / first;
  else box.scrollTop = box.scrollHeight - (parseFloat(list.style.paddingBottom) * (keys.length - at)) / (keys.length - 1 - last);
  return true;
}

/** Done when the page has drawn what it knows by now, and what followed from that. */
function drawn(): Promise<void> {
  return new Promise((resolve) => window.requestAnimationFrame(() => window.requestAnimationFrame(() => resolve())));
}
