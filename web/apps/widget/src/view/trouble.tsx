// What did not work: a bar over the conversation, a line over the text that cannot be sent, and the
// whole window where there is no chat at all.
import { errorText } from "@frontdesk/i18n";
import { Banner, Button } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";

export function Trouble({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  return <Banner icon="alert" text={errorText(texts, chat.trouble.value)} action={texts.t("dialog.close")} onAction={() => (chat.trouble.value = "")} />;
}

export function TooLong({ chat }: { chat: Chat }): JSX.Element {
  return (
    <p class="composer-note" role="alert">
      {errorText(chat.texts, "message.too_large")}
    </p>
  );
}

const STOPPED: Readonly<Record<string, "widget.stopped_origin" | "widget.stopped_inbox" | "widget.stopped_disabled" | "widget.stopped_identity">> = {
  "origin.refused": "widget.stopped_origin",
  "inbox.unknown": "widget.stopped_inbox",
  "auth.disabled": "widget.stopped_disabled",
  "close.3500": "widget.stopped_disabled",
  "identity.required": "widget.stopped_identity",
};

export function Stopped({ chat, code }: { chat: Chat; code: string }): JSX.Element {
  return (
    <div class="stopped" role="alert">
      <p>{chat.texts.t(STOPPED[code] ?? "widget.stopped")}</p>
      <Button onClick={() => chat.tryAgain()}>{chat.texts.t("widget.stopped_retry")}</Button>
    </div>
  );
}
