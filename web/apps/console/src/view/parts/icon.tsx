import { createElement } from "preact";
import type { IconName } from "../icons";
import { icons } from "../icons";

/** A drawing beside a text or inside a labelled control: never the only sign, so hidden from readers. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: 12 | 14 | 16 | 20 | 24 | 32 }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width={size >= 20 ? 1.75 : 2} stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      {icons[name].map(([tag, attributes], at) => createElement(tag, { key: at, ...attributes }))}
    </svg>
  );
}
