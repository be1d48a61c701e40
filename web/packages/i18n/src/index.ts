// Everything a person reads, in the languages Frontdesk speaks.
export type { SharedKey } from "./catalogs/shared.en";
export { sharedEn } from "./catalogs/shared.en";
export { errorText } from "./errors";
export { enumerated } from "./lists";
export type { Locale } from "./locale";
export { duration, fileSize, millis, percent } from "./measures";
export { LOCALE_NAMES } from "./locale-names";
export { LOCALES, localOf, localText, pickLocale } from "./locale";
export { systemText } from "./system";
export type { Catalog, Loader, Loaders, Message, Params } from "./texts";
export { Texts, format } from "./texts";
export { clockTime, dateOf, dayMark, relativeTime, startOfDay } from "./time";
