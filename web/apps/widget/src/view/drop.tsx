// Over the conversation while files are held above it. Loaded with the first of them.
import type { JSX } from "preact";
import type { Chat } from "../model/chat";

export function Drop({ chat }: { chat: Chat }): JSX.Element {
  return <p class="drop">{chat.texts.t("widget.drop")}</p>;
}
