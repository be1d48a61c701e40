// The two questions the widget asks before it does what cannot be undone.
import { Button, Dialog } from "@frontdesk/ui";
import type { JSX } from "preact";
import { endChat, forget } from "../model/actions";
import type { Chat } from "../model/chat";

export function Questions({ chat }: { chat: Chat }): JSX.Element | null {
  const { texts } = chat;
  const question = chat.question.value;
  if (question === "none") return null;
  const close = (): void => {
    chat.question.value = "none";
  };
  const ending = question === "end";
  return (
    <Dialog title={texts.t(ending ? "widget.end_question" : "widget.forget_question")} closeLabel={texts.t("dialog.close")} onClose={close}>
      <p>{texts.t(ending ? "widget.end_text" : "widget.forget_text")}</p>
      <div class="dialog-actions">
        <Button onClick={close}>{texts.t("widget.end_keep")}</Button>
        {ending ? (
          <Button kind="primary" onClick={() => void endChat(chat)}>
            {texts.t("widget.end")}
          </Button>
        ) : (
          <Button kind="danger" onClick={() => void forget(chat)}>
            {texts.t("widget.forget_do")}
          </Button>
        )}
      </div>
    </Dialog>
  );
}
