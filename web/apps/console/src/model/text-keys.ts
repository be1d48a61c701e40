// The keys of the texts a person reads. The model names texts, the view speaks them.
export type { ConsoleKey as Key } from "@frontdesk/i18n/catalogs/console.en";
