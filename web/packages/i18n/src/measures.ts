// Lengths of time and sizes of files, in the reader's words.
import type { Locale } from "./locale";

const MINUTE_MS = 60_000;

/** "40 s", "3 min", "1 h 20 min": how long something lasts or lasted. */
export function duration(lengthMs: number, locale: Locale): string {
  if (lengthMs < MINUTE_MS) return `${Math.max(1, Math.floor(lengthMs / 1_000))}${locale === "zh-CN" ? " 秒" : " s"}`;
  const minutes = Math.round(lengthMs / MINUTE_MS);
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  const [h, min] = locale === "zh-CN" ? [" 小时", " 分钟"] : [" h", " min"];
  if (hours === 0) return `${rest}${min}`;
  return rest === 0 ? `${hours}${h}` : `${hours}${h} ${rest}${min}`;
}

/** "72%" of 0.72, with decimals where there are some; "100%" of the whole alone. */
export function percent(share: number, locale: Locale, decimals = 0): string {
  const short = 1 - 10 ** -(decimals + 2);
  const shown = share < 1 ? Math.min(share, short) : share;
  return shown.toLocaleString(locale, { style: "percent", maximumFractionDigits: decimals });
}

/** "0.4", "9.6", "120": milliseconds that something took, with a decimal where there are few. */
export function millis(ms: number, locale: Locale): string {
  // What would be rounded up to 10 has no decimal either.
  return ms.toLocaleString(locale, ms < 9.95 ? { minimumFractionDigits: 1, maximumFractionDigits: 1 } : { maximumFractionDigits: 0 });
}

/** "1.4 MB" */
export function fileSize(bytes: number, locale: Locale): string {
  const units = ["B", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toLocaleString(locale, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${units[unit] ?? "B"}`;
}
