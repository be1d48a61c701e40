// A button with words.
import type { ComponentChildren, JSX } from "preact";

export function Button(props: {
  children: ComponentChildren;
  onClick?: () => void;
  kind?: "plain" | "primary" | "danger";
  type?: "button" | "submit";
  disabled?: boolean;
}): JSX.Element {
  const kind = props.kind ?? "plain";
  return (
    <button
      type={props.type ?? "button"}
      class={kind === "plain" ? "button" : `button button-${kind}`}
      disabled={props.disabled ?? false}
      onClick={() => props.onClick?.()}
    >
      {props.children}
    </button>
  );
}
