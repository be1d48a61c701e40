// Small controls. Each has a name for people who do not see it.
import type { JSX } from "preact";
import type { IconName } from "./icons";
import { Icon } from "./icons";

export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick?: () => void;
  type?: "button" | "submit";
  disabled?: boolean;
  class?: string;
}): JSX.Element {
  return (
    <button
      type={props.type ?? "button"}
      class={`icon-button ${props.class ?? ""}`}
      aria-label={props.label}
      title={props.label}
      disabled={props.disabled ?? false}
      onClick={() => props.onClick?.()}
    >
      <Icon name={props.icon} />
    </button>
  );
}

/** The first letter of a Latin name, the last two characters of a Chinese one. */
export function initials(name: string): string {
  const trimmed = name.trim();
  if (/^[\u3400-\u9fff]+$/.test(trimmed)) return trimmed.slice(-2);
  return Array.from(trimmed)[0]?.toUpperCase() ?? "";
}

/** Always beside the name it stands for. */
export function Avatar({ name }: { name: string }): JSX.Element {
  return (
    <span class="avatar" aria-hidden="true">
      {initials(name)}
    </span>
  );
}

/** One thin line about the state of everything below it. */
export function Banner(props: { icon: IconName; text: string; action?: string; onAction?: () => void }): JSX.Element {
  return (
    <div class="banner" role="status">
      <Icon name={props.icon} small />
      <span>{props.text}</span>
      {props.action === undefined ? null : (
        <button type="button" onClick={() => props.onAction?.()}>
          {props.action}
        </button>
      )}
    </div>
  );
}

/** Stands in for content that is on its way; appears after 150 ms only. */
export function Skeleton({ lines, label }: { lines: number; label: string }): JSX.Element {
  return (
    <div role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, at) => (
        <div key={at} class={`skeleton skeleton-${at % 3}`} />
      ))}
    </div>
  );
}
