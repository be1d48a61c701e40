import { useEffect } from "preact/hooks";
import type { ShortcutAction } from "../model/shortcuts";
import { shortcutFor, shortcuts } from "../model/shortcuts";
import { useConsole, useDesk } from "./context";
import { Dialog } from "./parts/overlay";
import { t } from "./text";

function typingIn(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Puts the keyboard's table to work while the desk is shown; dialogs and menus keep their own keys. */
export function useShortcuts(onHelp: () => void, onPalette: () => void): void {
  const app = useConsole();
  const desk = useDesk();
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector("dialog[open], [role=menu]") !== null) return;
      const action = shortcutFor(event, typingIn(event.target));
      if (action === null || !run(action)) return;
      event.preventDefault();
    };
    const press = (testid: string) => {
      const button = document.querySelector<HTMLButtonElement>(`[data-testid="${testid}"]`);
      button?.click();
      return button !== null;
    };
    const run = (action: ShortcutAction): boolean => {
      const chat = desk.chat.peek();
      switch (action) {
        case "next":
          app.step(1);
          return true;
        case "previous":
          app.step(-1);
          return true;
        case "close":
          if (chat !== null) void chat.close();
          return chat !== null;
        case "assign":
          return press("transfer-button");
        case "take":
          return press("take-button");
        case "reply":
        case "note":
          chat?.composer.setMode(action);
          document.querySelector<HTMLElement>('[data-testid="composer-input"]')?.focus();
          return chat !== null;
        case "palette":
          onPalette();
          return true;
        case "search":
          document.querySelector<HTMLElement>('[data-testid="list-search"]')?.focus();
          return true;
        case "help":
          onHelp();
          return true;
        case "back":
          if (chat !== null) app.openConversation(null);
          return chat !== null;
      }
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [app, desk]);
}

export function ShortcutHelp({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={t("shortcuts.title")} onClose={onClose} testid="shortcut-help">
      <dl class="shortcut-list">
        {shortcuts.map(([key, action]) => (
          <div key={key}>
            <dt>{t(`shortcuts.${action}`)}</dt>
            <dd>
              <kbd>{key}</kbd>
            </dd>
          </div>
        ))}
        <div>
          <dt>{t("shortcuts.palette")}</dt>
          <dd>
            <kbd>{/Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl"}</kbd> <kbd>K</kbd>
          </dd>
        </div>
        <div>
          <dt>{t("shortcuts.send")}</dt>
          <dd>
            <kbd>Enter</kbd>
          </dd>
        </div>
        <div>
          <dt>{t("shortcuts.newline")}</dt>
          <dd>
            <kbd>Shift</kbd> <kbd>Enter</kbd>
          </dd>
        </div>
        <div>
          <dt>{t("shortcuts.replies")}</dt>
          <dd>
            <kbd>/</kbd>
          </dd>
        </div>
        <div>
          <dt>{t("shortcuts.mention")}</dt>
          <dd>
            <kbd>@</kbd>
          </dd>
        </div>
        <div>
          <dt>{t("shortcuts.emoji")}</dt>
          <dd>
            <kbd>:</kbd>
          </dd>
        </div>
        <div>
          <dt>{t("shortcuts.back")}</dt>
          <dd>
            <kbd>Esc</kbd>
          </dd>
        </div>
      </dl>
    </Dialog>
  );
}
