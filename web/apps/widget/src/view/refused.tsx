// Below a message that the server refused: why, and what can be done with it.
import { Icon } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";

export function Refused({ chat, code, clientMsgId }: { chat: Chat; code: string; clientMsgId: string }): JSX.Element {
  const { texts } = chat;
  const key = `error.${code}`;
  return (
    <p class="message-below message-refused">
      <Icon name="alert" small /> {texts.t(texts.has(key) ? key : "state.refused")}{" "}
      <button type="button" class="link" onClick={() => chat.client.conversation.retry(clientMsgId)}>
        {texts.t("message.retry")}
      </button>{" "}
      <button type="button" class="link" onClick={() => chat.client.conversation.discard(clientMsgId)}>
        {texts.t("message.discard")}
      </button>
    </p>
  );
}
