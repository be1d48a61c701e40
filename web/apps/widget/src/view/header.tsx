// Who the visitor talks to, how soon somebody answers, and what else can be done.
import { Avatar, IconButton } from "@frontdesk/ui";
import type { ComponentType, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chat } from "../model/chat";

const loadMenu = () => import("./menu").then((module) => module.HeaderMenu);

export function Header({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const attended = chat.attended.value;
  const owner = chat.owner.value?.name ?? "";
  const title = chat.title.value;
  const faces = chat.inbox.value.faces;
  const [Menu, setMenu] = useState<{ readonly Loaded: ComponentType<{ chat: Chat }> } | undefined>(undefined);
  // Offline before it was ever opened there is none: the next press asks for it again.
  const openMenu = (): void => void Promise.all([loadMenu(), chat.later()]).then(([Loaded]) => setMenu({ Loaded }), () => undefined);
  return (
    <header class="header">
      <span class="faces">
        {(owner !== "" ? [owner] : faces.length > 0 ? faces.slice(0, 3) : [title]).map((name) => (
          <Avatar key={name} name={name} />
        ))}
      </span>
      <div class="header-words">
        <h1>{title}</h1>
        <p>
          {attended === undefined || chat.byBot.value ? null : <span class={attended ? "presence presence-on" : "presence"} aria-hidden="true" />}
          {owner || (attended === false ? texts.t("widget.unattended") : chat.promise.value)}
        </p>
      </div>
      {Menu ? <Menu.Loaded chat={chat} /> : <IconButton icon="more" label={texts.t("widget.menu")} onClick={openMenu} />}
      {chat.framed ? <IconButton icon="x" label={texts.t("widget.close")} onClick={() => chat.close()} /> : null}
    </header>
  );
}
