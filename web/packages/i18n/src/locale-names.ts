import type { Locale } from "./locale";

/** The language's own name, for a switch. */
export const LOCALE_NAMES: Readonly<Record<Locale, string>> = { en: "English", "zh-CN": "简体中文" };
