// The way back to the newest message. Loaded when somebody first reads further up.
import { Drawing } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";

/** From Lucide, as the other icons. */
const DOWN = ["M12 5v14", "m19 12-7 7-7-7"];

export function Latest({ chat }: { chat: Chat }): JSX.Element {
  const unread = chat.client.conversation.unread.value;
  return (
    <button type="button" class="latest" onClick={() => (chat.toEnd.value += 1)}>
      <Drawing paths={DOWN} small />
      <span>{chat.texts.t("timeline.latest")}</span>
      {unread > 0 ? <b>{unread}</b> : null}
    </button>
  );
}
