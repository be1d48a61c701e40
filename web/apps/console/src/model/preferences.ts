// What a person chose for this browser: theme and language. Kept across reloads.
import type { KeyValueStore } from "@frontdesk/client";
import type { Signal } from "@preact/signals-core";
import { effect, signal } from "@preact/signals-core";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export class Preferences {
  readonly theme: Signal<Theme>;
  /** Null follows the browser. */
  readonly language: Signal<string | null>;

  constructor(storage: KeyValueStore) {
    const theme = storage.get("frontdesk/theme");
    this.theme = signal(themes.find((name) => name === theme) ?? "system");
    this.language = signal(storage.get("frontdesk/language") ?? null);
    effect(() => storage.set("frontdesk/theme", this.theme.value));
    effect(() => {
      const language = this.language.value;
      if (language === null) storage.remove("frontdesk/language");
      else storage.set("frontdesk/language", language);
    });
  }
}
