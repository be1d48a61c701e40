// Texts in the reader's language. A catalog maps keys to messages; English is the source and defines
// the keys, every other language has the same ones (the compiler sees to it). Reading a text inside
// a component makes the component follow the language: switching reloads nothing.
import type { ReadonlySignal, Signal } from "@preact/signals-core";
import { batch, signal } from "@preact/signals-core";
import type { Locale } from "./locale";

/** `{name}` stands for a parameter; with plural forms the parameter `count` chooses. */
export type Message = string | { readonly one?: string; readonly other: string };
export type Catalog<K extends string> = Readonly<Record<K, Message>>;
export type Params = Readonly<Record<string, string | number>>;
export type Loader<K extends string> = () => Promise<Partial<Catalog<K>>>;
export type Loaders<K extends string> = Readonly<Partial<Record<Locale, Loader<K>>>>;

export class Texts<K extends string> {
  private readonly current = signal<Locale>("en");
  private readonly catalog: Signal<Partial<Catalog<K>>>;
  readonly locale: ReadonlySignal<Locale> = this.current;
  private readonly loaded = new Map<Locale, Partial<Catalog<K>>>();
  private readonly whole = new Set<Locale>();
  private later: Loaders<K> = {};
  private wanted: Locale = "en";

  /** Without English from the start nothing can be read before the first `use` is done. */
  constructor(
    en: Catalog<K> | undefined,
    private readonly loaders: Loaders<K>,
  ) {
    if (en) this.loaded.set("en", en);
    this.catalog = signal(en ?? {});
  }

  /** Changes the language as soon as its texts are there. */
  async use(locale: Locale): Promise<void> {
    this.wanted = locale;
    const later = this.whole.has(locale) ? undefined : this.later[locale];
    const first = this.loaded.get(locale) ?? (await this.loaders[locale]?.());
    const catalog = first && later ? { ...first, ...(await later()) } : first;
    if (catalog === undefined || this.wanted !== locale) return;
    this.loaded.set(locale, catalog);
    if (later) this.whole.add(locale);
    batch(() => {
      this.catalog.value = catalog;
      this.current.value = locale;
    });
  }

  /** Adds texts that are not read at first, in this language and in those that are chosen later. */
  extend(later: Loaders<K>): Promise<void> {
    this.later = later;
    return this.use(this.wanted);
  }

  t(key: K, params: Params = {}): string {
    return format(this.catalog.value[key] ?? "", params, this.current.value);
  }

  /** Whether a key that came from elsewhere (an error code, a system text) has a text. */
  has(key: string): key is K {
    return Object.prototype.hasOwnProperty.call(this.catalog.peek(), key);
  }
}

export function format(message: Message, params: Params, locale: Locale): string {
  const text = typeof message === "string" ? message : pluralForm(message, Number(params.count ?? 0), locale);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? value.toLocaleString(locale) : value;
  });
}

function pluralForm(message: { readonly one?: string; readonly other: string }, count: number, locale: Locale): string {
  const form = new Intl.PluralRules(locale).select(count);
  return form === "one" && message.one !== undefined ? message.one : message.other;
}
