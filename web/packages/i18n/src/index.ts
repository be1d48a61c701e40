// Everything a person reads, in the languages Frontdesk speaks.
export type { SharedKey } from "./catalogs/shared.en";
export { sharedEn } from "./catalogs/shared.en";
export { errorText, systemText } from "./errors";
export type { Locale } from "./locale";
export { LOCALES, LOCALE_NAMES, localOf, localText, pickLocale } from "./locale";
export type { Catalog, Loader, Loaders, Message, Params } from "./texts";
export { Texts, format } from "./texts";
export { clockTime, dateOf, dayMark, duration, fileSize, relativeTime, startOfDay } from "./time";
