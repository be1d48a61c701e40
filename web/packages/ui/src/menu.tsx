// A menu under its button. Closes with Escape or a press elsewhere and gives the focus back.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Drawing, Icon } from "./icons";

/** `icon`: the paths of its drawing. */
export type MenuItem = { readonly key: string; readonly icon: readonly string[]; readonly label: string; readonly run: () => void };

/** `opened`: it is on the screen because somebody asked for it. */
export function Menu({ label, items, opened = false }: { label: string; items: readonly MenuItem[]; opened?: boolean }): JSX.Element {
  const [open, setOpen] = useState(opened);
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
              <Drawing paths={item.icon} small />
              {item.label}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  );
}

function buttons(root: HTMLElement | null): HTMLButtonElement[] {
  return root ? Array.from(root.querySelectorAll("button")) : [];
}
