// Who the visitor talks to, whether somebody is there, and what else can be done.
import { Avatar, IconButton } from "@frontdesk/ui";
import type { ComponentType, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chat } from "../model/chat";

const loadMenu = () => import("./menu").then((module) => module.HeaderMenu);

export function Header({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const owner = chat.client.conversation.session.value?.owner?.name ?? "";
  const attended = chat.attended.value;
  const [Menu, setMenu] = useState<{ readonly Loaded: ComponentType<{ chat: Chat }> } | undefined>(undefined);
  // Offline before it was ever opened there is none: the next press asks for it again.
  const openMenu = (): void => void Promise.all([loadMenu(), chat.later()]).then(([Loaded]) => setMenu({ Loaded }), () => undefined);
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
      {Menu ? <Menu.Loaded chat={chat} /> : <IconButton icon="more" label={texts.t("widget.menu")} onClick={openMenu} />}
      {chat.framed ? <IconButton icon="x" label={texts.t("widget.close")} onClick={() => chat.close()} /> : null}
    </header>
  );
}
