// Names one after the other, as the reader's language separates them.
import type { Locale } from "./locale";

/** "Ada, Mei", "Ada、Mei". `Intl.ListFormat` has no form that does both: its short lists in Chinese run together. */
export function enumerated(names: readonly string[], locale: Locale): string {
  return names.join(locale === "zh-CN" ? "、" : ", ");
}
