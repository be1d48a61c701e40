// Which language a reader gets, and the texts that a team writes in several languages.

export type Locale = "en" | "zh-CN";
export const LOCALES: readonly Locale[] = ["en", "zh-CN"];

/** The language's own name, for a switch. */
export const LOCALE_NAMES: Readonly<Record<Locale, string>> = { en: "English", "zh-CN": "简体中文" };

/** The first wish that can be met, in order: embed, own choice, browser, inbox. zh-* is zh-CN. */
export function pickLocale(...wishes: readonly (string | null | undefined)[]): Locale {
  for (const wish of wishes) {
    const language = wish?.toLowerCase().split("-")[0];
    if (language === "zh") return "zh-CN";
    if (language === "en") return "en";
  }
  return "en";
}

/** A text written by the team: in the reader's language, else in any it was written in. */
export function localText(texts: Readonly<Record<string, string>> | undefined, locale: Locale): string {
  if (!texts) return "";
  const sameLanguage = Object.keys(texts).find((key) => key.split("-")[0] === locale.split("-")[0]);
  return texts[locale] ?? texts[sameLanguage ?? "en"] ?? Object.values(texts)[0] ?? "";
}
