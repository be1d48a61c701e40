// Times in the reader's zone and words: relative up to a day, then dated.
import type { Locale } from "./locale";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** "now", "5 min ago", "3 h ago", then a date. */
export function relativeTime(atMs: number, nowMs: number, locale: Locale): string {
  const agoMs = Math.max(0, nowMs - atMs);
  // Safari before 14 has no relative times: the clock says as much.
  if (agoMs >= DAY_MS || typeof Intl.RelativeTimeFormat !== "function") {
    return agoMs >= DAY_MS ? dateOf(atMs, nowMs, locale) : clockTime(atMs, locale);
  }
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });
  if (agoMs < MINUTE_MS) return words.format(0, "second");
  if (agoMs < HOUR_MS) return words.format(-Math.floor(agoMs / MINUTE_MS), "minute");
  return words.format(-Math.floor(agoMs / HOUR_MS), "hour");
}

/** "14:05", "2:05 PM" */
export function clockTime(atMs: number, locale: Locale): string {
  return new Date(atMs).toLocaleTimeString(locale, { hour: locale === "en" ? "numeric" : "2-digit", minute: "2-digit" });
}

/** "12 Mar", with the year where it is another one; "Mon, 12 Mar" with the weekday. */
export function dateOf(atMs: number, nowMs: number, locale: Locale, form: Intl.DateTimeFormatOptions = {}): string {
  const date = new Date(atMs);
  const sameYear = date.getFullYear() === new Date(nowMs).getFullYear();
  return date.toLocaleDateString(locale, { day: "numeric", month: "short", ...form, ...(sameYear ? {} : { year: "numeric" }) });
}

/** "Today", "Yesterday" or a weekday and date, for the day marks of a timeline. */
export function dayMark(atMs: number, nowMs: number, locale: Locale): string {
  const days = Math.round((startOfDay(nowMs) - startOfDay(atMs)) / DAY_MS);
  if (days >= 0 && days <= 1 && typeof Intl.RelativeTimeFormat === "function") {
    const word = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-days, "day");
    return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1);
  }
  return dateOf(atMs, nowMs, locale, { weekday: "short" });
}

export function startOfDay(atMs: number): number {
  const date = new Date(atMs);
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}
