import type { Presence } from "../../model/types";
import type { IconName } from "../icons";
import { Icon } from "./icon";

/** One of eight quiet colours, always the same for the same person. */
function hue(id: string): number {
  let hash = 0;
  for (let at = 0; at < id.length; at++) hash = (hash * 31 + id.charCodeAt(at)) >>> 0;
  return hash % 8;
}

/** One sign for a CJK name, up to two for others. */
function letters(name: string): string {
  const words = name.trim().split(/\s+/).filter((word) => word !== "");
  const first = [...(words[0] ?? "")][0] ?? "";
  if (/\p{Script=Han}/u.test(first)) return [...name.trim()].at(-1) ?? first;
  const second = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + second).toUpperCase();
}

type AvatarProps = {
  readonly id: string;
  readonly name: string;
  readonly size?: "small" | "normal" | "large";
  readonly icon?: IconName;
  readonly presence?: Presence | undefined;
};

/** A drawing beside the name it stands for, so hidden from screen readers. */
export function Avatar({ id, name, size = "normal", icon, presence }: AvatarProps) {
  return (
    <span class={`avatar avatar-${size} hue-${hue(id || name)}`} aria-hidden="true">
      {icon === undefined ? letters(name) : <Icon name={icon} size={size === "small" ? 12 : 16} />}
      {presence !== undefined && <span class={`dot dot-${presence}`} />}
    </span>
  );
}
