// A quoted message: who said what, in two lines. A click leads to it.
import type { Chat } from "../../model/chat";
import type { EntryLine } from "../../model/types";
import { t } from "../text";
import { lineText } from "./line-text";

/** Who said what is quoted; empty while it is not known. */
export function quoteName(chat: Chat, entry: EntryLine | null): string {
  if (entry === null) return "";
  if (entry.actor.kind !== "visitor") return chat.conversation.isOwn(entry) ? t("you") : entry.actor.name || t("bot");
  return entry.actor.name || chat.visitorName();
}

export function quoteLine(entry: EntryLine | null): string {
  return entry === null ? t("quote.earlier") : lineText(entry);
}

export function Quote({ chat, seq }: { readonly chat: Chat; readonly seq: number }) {
  const entry = chat.entry(seq);
  const busy = chat.reaching.value;
  return (
    <button type="button" class="quote" title={t("quote.show")} data-testid="quote" aria-busy={busy ? "true" : undefined} onClick={() => void chat.reach(seq)}>
      <span class="quote-name">{quoteName(chat, entry)}</span>
      <span class="quote-text">{quoteLine(entry)}</span>
    </button>
  );
}
