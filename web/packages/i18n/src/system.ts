// System entries of a timeline in words.
import type { SharedKey } from "./catalogs/shared.en";
import type { Texts } from "./texts";

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
