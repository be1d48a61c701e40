// Error codes and system entries in words. Codes come from the server; one that has no text yet
// reads as a general one, never as the bare code.
import type { SharedKey } from "./catalogs/shared.en";
import type { Params, Texts } from "./texts";

export function errorText<K extends string>(texts: Texts<K | SharedKey>, code: string, params: Params = {}): string {
  const key = `error.${code}`;
  return texts.has(key) ? texts.t(key, params) : texts.t("error.general");
}

/** A system entry as the reader reads it. Names that are missing become "an agent". */
export function systemText<K extends string>(
  texts: Texts<K | SharedKey>,
  key: string,
  params: Readonly<Record<string, string>>,
): string {
  const known = `system.${key}`;
  if (!texts.has(known)) return texts.t("system.unknown");
  const somebody = texts.t("system.somebody");
  const filled: Record<string, string> = { agent: somebody, former: somebody, name: somebody };
  for (const [name, value] of Object.entries(params)) {
    if (value !== "") filled[name] = value;
  }
  return texts.t(known, filled);
}
