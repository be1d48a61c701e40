// Who the visitor talks to, whether somebody is there, and what else can be done.
import { LOCALE_NAMES } from "@frontdesk/i18n";
import type { MenuItem } from "@frontdesk/ui";
import { Avatar, IconButton, Menu } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";

export function Header({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const owner = chat.client.conversation.session.value?.owner?.name ?? "";
  const attended = chat.attended.value;
  const other = chat.otherLanguage();
  const items: MenuItem[] = [
    { key: "language", icon: "globe", label: LOCALE_NAMES[other], run: () => chat.chooseLanguage(other) },
  ];
  if (chat.sessionOpen.value) {
    items.push({ key: "end", icon: "leave", label: texts.t("widget.end"), run: () => (chat.question.value = "end") });
  }
  if (chat.rows.value.length > 0) {
    items.push({ key: "forget", icon: "trash", label: texts.t("widget.forget"), run: () => (chat.question.value = "forget") });
  }
  return (
    <header class="header">
      <Avatar name={owner || chat.title.value} />
      <div class="header-words">
        <h1>{chat.title.value}</h1>
        <p>
          {attended === undefined ? null : <span class={attended ? "presence presence-on" : "presence"} aria-hidden="true" />}
          {attended === undefined ? "\u00a0" : owner !== "" && chat.sessionOpen.value ? owner : texts.t(attended ? "widget.attended" : "widget.unattended")}
        </p>
      </div>
      <Menu label={texts.t("widget.menu")} items={items} />
      {chat.framed ? <IconButton icon="x" label={texts.t("widget.close")} onClick={() => chat.close()} /> : null}
    </header>
  );
}
