// What lies over the page: a menu under its button, a dialog over everything. Both close with
// Escape and give the focus back.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { IconName } from "./icons";
import { Icon } from "./icons";
import { IconButton } from "./controls";

export type MenuItem = { readonly key: string; readonly icon: IconName; readonly label: string; readonly run: () => void };

export function Menu({ label, items }: { label: string; items: readonly MenuItem[] }): JSX.Element {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return undefined;
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    buttons(root.current)[1]?.focus();
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open) return;
    const [trigger, ...entries] = buttons(root.current);
    const at = entries.findIndex((entry) => entry === document.activeElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      setOpen(false);
      trigger?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : entries.length - 1;
      entries[(Math.max(at, 0) + step) % entries.length]?.focus();
    } else if (event.key === "Tab") {
      setOpen(false);
    }
  };

  return (
    <div class="menu" ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class="icon-button"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      {open ? (
        <div class="menu-list" role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.key}
              type="button"
              role="menuitem"
              class="menu-item"
              onClick={() => {
                setOpen(false);
                item.run();
              }}
            >
              <Icon name={item.icon} small />
              {item.label}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  );
}

export function Dialog(props: {
  title: string;
  closeLabel: string;
  onClose: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const before = document.activeElement;
    (focusable(box.current)[1] ?? box.current)?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      event.stopPropagation();
      props.onClose();
    } else if (event.key === "Tab") {
      const all = focusable(box.current);
      const [first, last] = [all[0], all[all.length - 1]];
      const end = event.shiftKey ? first : last;
      if (document.activeElement !== end && document.activeElement !== box.current) return;
      event.preventDefault();
      (event.shiftKey ? last : first)?.focus();
    }
  };

  return (
    <div
      class="dialog-scrim"
      onKeyDown={onKeyDown}
      onClick={(event) => {
        if (event.target === event.currentTarget) props.onClose();
      }}
    >
      <div class="dialog" role="dialog" aria-modal="true" aria-label={props.title} tabIndex={-1} ref={box}>
        <IconButton icon="x" label={props.closeLabel} onClick={props.onClose} class="dialog-close" />
        <h2>{props.title}</h2>
        {props.children}
      </div>
    </div>
  );
}

function buttons(root: HTMLElement | null): HTMLButtonElement[] {
  return root ? Array.from(root.querySelectorAll("button")) : [];
}

function focusable(root: HTMLElement | null): HTMLElement[] {
  return root ? Array.from(root.querySelectorAll<HTMLElement>("button:not(:disabled), textarea, input, a[href]")) : [];
}
