import { letters } from "../../model/letters";
import type { Presence } from "../../model/types";
import { signal } from "@preact/signals";
import type { Hue } from "../../model/avatar";
import { hueById } from "../../model/avatar";
import type { IconName } from "../icons";
import { Icon } from "./icon";

/** Colours that people chose for themselves, by their ids: whatever draws somebody follows. */
export const chosenHues = signal<ReadonlyMap<string, Hue>>(new Map());

type AvatarProps = {
  readonly id: string;
  readonly name: string;
  readonly size?: "small" | "normal" | "large";
  readonly icon?: IconName;
  readonly presence?: Presence | undefined;
  /** A colour that is being tried; null for the one that goes with the id. */
  readonly hue?: Hue | null;
};

/** A drawing beside the name it stands for, so hidden from screen readers. */
export function Avatar({ id, name, size = "normal", icon, presence, hue }: AvatarProps) {
  const shown = hue ?? (hue === undefined ? chosenHues.value.get(id) : undefined) ?? hueById(id || name);
  return (
    <span class={`avatar avatar-${size} hue-${shown}`} aria-hidden="true">
      {icon === undefined ? letters(name) : <Icon name={icon} size={size === "small" ? 12 : 16} />}
      {presence !== undefined && <span class={`dot dot-${presence}`} />}
    </span>
  );
}
