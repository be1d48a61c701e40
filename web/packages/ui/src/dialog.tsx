// A dialog over everything. Keeps the focus while it is open and gives it back; Escape closes it.
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./controls";

export function Dialog(props: {
  title: string;
  closeLabel: string;
  onClose: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);

  // In the turn that draws it: a key pressed in between belongs to the dialog already.
  useLayoutEffect(() => {
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

function focusable(root: HTMLElement | null): HTMLElement[] {
  return root ? Array.from(root.querySelectorAll<HTMLElement>("button:not(:disabled), textarea, input, a[href]")) : [];
}
