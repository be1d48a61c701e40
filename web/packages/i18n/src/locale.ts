// Which language a reader gets, and the texts that a team writes in several languages.

export type Locale = "en" | "zh-CN";
export const LOCALES: readonly Locale[] = ["en", "zh-CN"];

/** The first wish that can be met, in order: embed, own choice, browser, inbox. zh-* is zh-CN. */
export function pickLocale(...wishes: readonly (string | null | undefined)[]): Locale {
  for (const wish of wishes) {
    const language = wish?.toLowerCase().split("-")[0];
    if (language === "zh") return "zh-CN";
    if (language === "en") return "en";
  }
  return "en";
}

/** What the team wrote by language: in the reader's, else in any it was written in. */
export function localOf<T>(written: Readonly<Record<string, T>> | undefined, locale: Locale): T | undefined {
  if (!written) return undefined;
  const sameLanguage = Object.keys(written).find((key) => key.split("-")[0] === locale.split("-")[0]);
  return written[locale] ?? written[sameLanguage ?? "en"] ?? Object.values(written)[0];
}

/** A text written by the team; empty where it wrote none. */
export function localText(texts: Readonly<Record<string, string>> | undefined, locale: Locale): string {
  return localOf(texts, locale) ?? "";
}
