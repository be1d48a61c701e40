// The way to what everybody reads: a page of the help centre for each inbox, behind one button.
import { useCallback, useState } from "preact/hooks";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Menu } from "../parts/overlay";
import { useDesk } from "../context";

type Inbox = { readonly id: string; readonly name: string; readonly inbox_key: string };
type Props = {
  readonly label: string;
  /** Relative to the console; null for an inbox without one. */
  readonly path: (inbox: Inbox) => string | null;
};

export function HelpPages({ label, path }: Props) {
  const { inbox: model } = useDesk();
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  const pages = model.directory.value.inboxes.flatMap((inbox) => {
    const own = path(inbox);
    return own === null ? [] : [{ inbox, href: new URL(own, new URL(".", location.href)).href }];
  });
  const [only] = pages;
  if (only === undefined) return null;
  if (pages.length === 1) {
    return (
      <a class="button button-plain button-normal" href={only.href} target="_blank" rel="noopener" data-testid="help-link">
        <Icon name="external-link" />
        <span class="button-text">{label}</span>
      </a>
    );
  }
  return (
    <span class="menu-anchor">
      <Button icon="external-link" popup="menu" expanded={open} testid="help-links" onClick={() => setOpen(!open)}>
        {label}
      </Button>
      {open && <Menu label={label} items={pages.map((page) => ({ key: page.inbox.id, label: page.inbox.name, icon: "globe" as const, testid: "help-link", run: () => void window.open(page.href, "_blank", "noopener") }))} onClose={close} />}
    </span>
  );
}
