// The console's texts in the reader's language. Reading one inside a component makes it follow the
// language: switching reloads nothing.
import type { Locale, Params } from "@frontdesk/i18n";
import { Texts, errorText, systemText } from "@frontdesk/i18n";
import type { ConsoleKey } from "@frontdesk/i18n/catalogs/console.en";
import { consoleEn } from "@frontdesk/i18n/catalogs/console.en";

export const texts = new Texts<ConsoleKey>(consoleEn, {
  "zh-CN": async () => (await import("@frontdesk/i18n/catalogs/console.zh-CN")).consoleZh,
});

export function t(key: ConsoleKey, params: Params = {}): string {
  return texts.t(key, params);
}

export function locale(): Locale {
  return texts.locale.value;
}

/** What to tell a person about an error code of the server. */
export function problem(code: string, params: Params = {}): string {
  return errorText(texts, code, params);
}

export function systemLine(key: string, params: Readonly<Record<string, string>>): string {
  return systemText(texts, key, params);
}
