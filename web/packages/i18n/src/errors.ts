// Error codes in words. Codes come from the server; one that has no text yet
// reads as a general one, never as the bare code.
import type { SharedKey } from "./catalogs/shared.en";
import type { Params, Texts } from "./texts";

export function errorText<K extends string>(texts: Texts<K | SharedKey>, code: string, params: Params = {}): string {
  const key = `error.${code}`;
  return texts.has(key) ? texts.t(key, params) : texts.t("error.general");
}
