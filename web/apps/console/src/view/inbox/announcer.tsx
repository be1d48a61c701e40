// Tells screen readers about new messages: in the open conversation who wrote and what, elsewhere
// that somebody is waiting. One live region, so that nothing is said twice.
import { useEffect, useRef, useState } from "preact/hooks";
import type { EntryLine } from "../../model/types";
import { useDesk } from "../context";
import { t } from "../text";
import { lineText } from "./line-text";

export function Announcer() {
  const desk = useDesk();
  const chat = desk.chat.value;
  const [text, setText] = useState("");
  const last = useRef<{ readonly id: string; readonly seq: number }>({ id: "", seq: 0 });
  const lines = chat?.conversation.lines.value;
  useEffect(() => {
    if (chat === null || lines === undefined || !chat.conversation.loaded.peek()) return;
    let newest: EntryLine | undefined;
    for (let at = lines.length - 1; at >= 0 && newest === undefined; at--) {
      const line = lines[at];
      if (line?.kind === "entry") newest = line;
    }
    if (newest === undefined) return;
    const known = last.current;
    last.current = { id: chat.id, seq: newest.seq };
    if (known.id !== chat.id || newest.seq <= known.seq || newest.actor.id === desk.me.id) return;
    const row = chat.row.peek();
    const name = newest.actor.kind !== "visitor" ? newest.actor.name : row === null ? t("visitor") : desk.inbox.nameOf(row);
    setText(newest.body.kind === "system" ? lineText(newest) : t("announce.message", { name, text: lineText(newest) }));
  }, [chat, lines]);
  return (
    <div class="visually-hidden" aria-live="polite" role="log" data-testid="announcer">
      {text}
    </div>
  );
}
