// What floats: dialogs on the browser's own <dialog> (focus trap, Escape and inert page for free)
// and menus that keep the keyboard inside.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../text";
import { Button } from "./controls";
import { Icon } from "./icon";
import type { IconName } from "../icons";

type DialogProps = {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly testid?: string;
  readonly wide?: boolean;
  /** Between the usual width and the wide one. */
  readonly middle?: boolean;
};

export function Dialog({ title, onClose, children, testid, wide, middle }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Shown in the same turn as it is drawn: a key pressed in between would still go to the page below.
  useLayoutEffect(() => {
    const element = dialog.current;
    const opener = document.activeElement;
    element?.showModal();
    // A field that asked for the focus could not have it before the dialog was shown.
    element?.querySelector<HTMLElement>("[data-focused]")?.focus();
    return () => {
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide === true ? "dialog dialog-wide" : middle === true ? "dialog dialog-middle" : "dialog"}
      aria-labelledby={id}
      data-testid={testid}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <Button label={t("close")} icon="x" kind="quiet" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

type DialogFootProps = {
  /** Leaves it be; without it there is nothing to leave. */
  readonly onCancel?: (() => void) | undefined;
  readonly action: string;
  readonly icon?: IconName;
  readonly kind?: "primary" | "danger";
  readonly busy?: boolean;
  readonly disabled?: boolean;
  readonly testid?: string;
  /** Without it the button sends the form it stands in. */
  readonly onAction?: () => void;
};

/** The last line of a dialog: the way out, and what it is there for. */
export function DialogFoot({ onCancel, action, kind = "primary", onAction, ...button }: DialogFootProps) {
  return (
    <footer class="dialog-foot">
      {onCancel !== undefined && <Button onClick={onCancel}>{t("cancel")}</Button>}
      <Button {...button} kind={kind} {...(onAction === undefined ? { type: "submit" } : { onClick: onAction })}>
        {action}
      </Button>
    </footer>
  );
}

export type MenuItem = {
  readonly key: string;
  readonly label: string;
  readonly icon?: IconName;
  readonly hint?: string;
  readonly checked?: boolean;
  /** Begins a new group of the menu. */
  readonly separated?: boolean;
  readonly disabled?: boolean;
  readonly testid?: string;
  readonly run: () => void;
};

type MenuProps = {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly align?: "start" | "end";
  readonly side?: "below" | "above" | "right";
  readonly onClose: () => void;
};

/** A menu under (or beside) the control that opened it; its parent is positioned. */
export function Menu({ label, items, align = "start", side = "below", onClose }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const first = menu.current?.querySelector<HTMLElement>('[aria-checked="true"]') ?? menu.current?.querySelector<HTMLElement>("[role^=menuitem]");
    first?.focus();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected && (document.activeElement === document.body || menu.current?.contains(document.activeElement))) opener.focus();
    };
  }, []);
  useEffect(() => {
    const outside = (event: Event) => {
      if (event.target instanceof Node && menu.current?.parentElement?.contains(event.target) !== true) onClose();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [onClose]);
  const move = (step: number) => {
    const all = [...(menu.current?.querySelectorAll<HTMLElement>("[role^=menuitem]:not([disabled])") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + step + all.length) % all.length]?.focus();
  };
  return (
    <div
      ref={menu}
      class={`menu menu-${align} menu-${side}`}
      role="menu"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key === "Escape" || event.key === "Tab") onClose();
        else if (event.key === "ArrowDown") move(1);
        else if (event.key === "ArrowUp") move(-1);
        else return;
        if (event.key !== "Tab") event.preventDefault();
        event.stopPropagation();
      }}
    >
      {items.map((item) => (
        <button
          key={item.key}
          type="button"
          role={item.checked === undefined ? "menuitem" : "menuitemradio"}
          aria-checked={item.checked}
          class={item.separated === true ? "menu-item menu-separated" : "menu-item"}
          disabled={item.disabled}
          tabIndex={-1}
          data-testid={item.testid}
          onClick={() => {
            onClose();
            item.run();
          }}
        >
          {item.icon !== undefined && <Icon name={item.icon} />}
          <span class="menu-label">{item.label}</span>
          {item.hint !== undefined && <kbd>{item.hint}</kbd>}
          {item.checked === true && <Icon name="check" />}
        </button>
      ))}
    </div>
  );
}
