// What stands before the first message: a greeting, when somebody is here, and questions to begin with.
import { localOf, localText } from "@frontdesk/i18n";
import { Icon } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";
import { inboxText } from "../model/inbox";

export function Welcome({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const inbox = chat.inbox.value;
  const locale = texts.locale.value;
  const away = chat.attended.value === false ? inboxText(inbox, "away", locale) : "";
  const hours = localText(inbox.hours, locale);
  const questions = chat.rows.value.length === 0 ? (localOf(inbox.questions, locale) ?? []) : [];
  return (
    <div class="greeting">
      <h2>{inboxText(inbox, "greeting", locale) || texts.t("widget.greeting")}</h2>
      <p>{away || texts.t("widget.intro")}</p>
      {hours === "" ? null : (
        <p class="hours">
          <Icon name="clock" small />
          <span>{hours}</span>
        </p>
      )}
      {questions.length === 0 ? null : (
        <ul class="questions" aria-label={texts.t("widget.questions")}>
          {questions.map((question) => (
            <li key={question}>
              <button type="button" onClick={() => chat.ask(question)}>
                {question}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
