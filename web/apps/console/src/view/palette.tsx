import { useId, useState } from "preact/hooks";
import type { Command } from "../model/palette";
import { findCommands } from "../model/palette";
import { themes } from "../model/preferences";
import { listViews, settingsPages } from "../model/route";
import { composing } from "../model/shortcuts";
import { useConsole, useDesk } from "./context";
import { useDemoToggle } from "./demo-toggle";
import { lineText } from "./inbox/line-text";
import { Icon } from "./parts/icon";
import { Dialog } from "./parts/overlay";
import { presenceText } from "./presence";
import { t } from "./text";

const shownMax = 12;
const groupIcons = { action: "circle-check", page: "panel-right", conversation: "message-square" } as const;

function useCommands(): Command[] {
  const app = useConsole();
  const desk = useDesk();
  const chat = desk.chat.value;
  const actions = chat?.actions.value;
  const demo = useDemoToggle();
  const action = (key: string, label: string, run: () => void, hint = ""): Command => ({ key, group: "action", label, hint, run });
  const commands: Command[] = [];
  if (chat !== null && actions !== undefined) {
    if (actions.take) commands.push(action("take", t("take"), () => void chat.command({ take: {} })));
    if (actions.takeOver) commands.push(action("take-over", t("take_over"), () => void chat.command({ takeOver: {} })));
    if (actions.close) commands.push(action("close", t("shortcuts.close"), () => void chat.close()));
    if (actions.reopen) commands.push(action("reopen", t("reopen"), () => void chat.command({ reopen: {} })));
    if (actions.requeue) commands.push(action("requeue", t("requeue"), () => chat.ask({ kind: "requeue" })));
    if (actions.join) commands.push(action("join", t("join"), () => void chat.command({ join: {} })));
  }
  for (const presence of ["online", "away", "offline"] as const) {
    commands.push(action(`presence-${presence}`, presenceText(presence), () => void desk.inbox.setPresence(presence).catch(() => app.notices.show("danger", "presence.failed")), desk.me.display_name));
  }
  if (demo !== null) commands.push(action("demo", demo.label, demo.toggle));
  for (const theme of themes) commands.push(action(`theme-${theme}`, t(`theme.${theme}`), () => (app.preferences.theme.value = theme), t("profile.theme")));
  for (const view of listViews) commands.push({ key: `view-${view}`, group: "page", label: t("palette.part", { page: t("nav.inbox"), part: t(`view.${view}`) }), hint: "", run: () => app.go({ page: "inbox", view, conversation: null }) });
  commands.push({ key: "waiting", group: "page", label: t("nav.waiting"), hint: "", run: () => app.go({ page: "waiting" }) });
  commands.push({ key: "knowledge", group: "page", label: t("nav.knowledge"), hint: "", run: () => app.go({ page: "knowledge", article: null }) });
  for (const section of settingsPages) commands.push({ key: `settings-${section}`, group: "page", label: t("palette.part", { page: t("nav.settings"), part: t(`settings.${section}`) }), hint: "", run: () => app.go({ page: "settings", section, item: null }) });
  for (const row of desk.inbox.rows.value.values()) {
    commands.push({ key: row.conversation, group: "conversation", label: desk.inbox.nameOf(row), hint: row.last === null ? "" : lineText(row.last), run: () => app.openConversation(row.conversation, row.session.status === "closed" ? "closed" : "all") });
  }
  return commands;
}

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const id = useId();
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const shown = findCommands(useCommands(), query, shownMax);
  const run = (command: Command | undefined) => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  return (
    <Dialog title={t("palette.title")} onClose={onClose} testid="palette">
      <div class="search">
        <Icon name="search" size={14} />
        <input
          class="search-input"
          role="combobox"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={shown.length > 0 ? `${id}-${chosen}` : undefined}
          aria-label={t("palette.search")}
          placeholder={t("palette.search")}
          value={query}
          // The dialog gives its first focus to what asks for it.
          autofocus
          data-testid="palette-input"
          onInput={(event) => {
            setQuery(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={(event) => {
            if (composing(event) || shown.length === 0) return;
            if (event.key === "ArrowDown") setChosen((chosen + 1) % shown.length);
            else if (event.key === "ArrowUp") setChosen((chosen + shown.length - 1) % shown.length);
            else if (event.key === "Enter") run(shown[chosen]);
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <div id={id} role="listbox" aria-label={t("palette.title")} class="palette">
        {shown.map((command, at) => (
          <div key={command.key} id={`${id}-${at}`} role="option" aria-selected={at === chosen} class="reply-option" onMouseEnter={() => setChosen(at)} onClick={() => run(command)}>
            <Icon name={groupIcons[command.group]} />
            <span class="palette-label">{command.label}</span>
            <span class="reply-text">{command.hint}</span>
            <span class="meta">{t(`palette.${command.group}`)}</span>
          </div>
        ))}
      </div>
      {shown.length === 0 && <p class="meta palette-none">{t("palette.none")}</p>}
    </Dialog>
  );
}
