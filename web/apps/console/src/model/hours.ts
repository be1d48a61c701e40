// Opening hours as a form edits them and as people read them. The server keeps minutes from midnight
// in the inbox's time zone; a span past midnight ends after minute 1440.
import type { Locale } from "@frontdesk/i18n";

export type WeekSpan = { readonly day: number; readonly from_minute: number; readonly to_minute: number };
export type SpecialDay = { readonly date: string; readonly spans: readonly (readonly [number, number])[] };
export type Hours = { readonly time_zone: string; readonly week: readonly WeekSpan[]; readonly days: readonly SpecialDay[] };

/** From and to as a time field holds them; empty while nothing is typed. */
export type Span = { readonly from: string; readonly to: string };
export type DayForm = { readonly date: string; readonly spans: readonly Span[] };
export type HoursForm = {
  readonly always: boolean;
  readonly timeZone: string;
  /** Monday first. */
  readonly week: readonly (readonly Span[])[];
  readonly days: readonly DayForm[];
};

/** What keeps a form from being saved. `day` counts from 0; a special day has its index in `days`. */
export type HoursProblem =
  | { readonly kind: "none" }
  | { readonly kind: "span" | "overlap"; readonly day: number }
  | { readonly kind: "date" | "special_span" | "special_overlap" | "twice"; readonly index: number };

const dayMinutes = 1_440;
const usualSpan: Span = { from: "09:00", to: "18:00" };

export function clockOf(minute: number): string {
  const within = minute % dayMinutes;
  return `${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
}

export function minuteOf(clock: string): number | null {
  const match = /^(\d{2}):(\d{2})/.exec(clock);
  if (match === null) return null;
  const [hours, minutes] = [Number(match[1]), Number(match[2])];
  return hours < 24 && minutes < 60 ? hours * 60 + minutes : null;
}

/** A span in minutes: one that does not end after it began ends the next day. */
function minutesOf(span: Span): readonly [number, number] | null {
  const from = minuteOf(span.from);
  const to = minuteOf(span.to);
  if (from === null || to === null || from === to) return null;
  return [from, to > from ? to : to + dayMinutes];
}

function overlap(spans: readonly (readonly [number, number])[]): boolean {
  const sorted = [...spans].sort((a, b) => a[0] - b[0]);
  return sorted.some((span, at) => at > 0 && span[0] < (sorted[at - 1]?.[1] ?? 0));
}

export function hoursForm(hours: Hours, ownTimeZone: string): HoursForm {
  const spanOf = (from: number, to: number): Span => ({ from: clockOf(from), to: clockOf(to) });
  const always = hours.week.length === 0;
  const week = Array.from({ length: 7 }, (_, at) => hours.week.filter((span) => span.day === at + 1).map((span) => spanOf(span.from_minute, span.to_minute)));
  return {
    always,
    timeZone: hours.time_zone === "" ? (always && hours.days.length === 0 ? ownTimeZone : "UTC") : hours.time_zone,
    // What a team that begins to keep hours most likely means.
    week: always ? week.map((_, at) => (at < 5 ? [usualSpan] : [])) : week,
    days: hours.days.map((day) => ({ date: day.date, spans: day.spans.map(([from, to]) => spanOf(from, to)) })),
  };
}

export function problemOf(form: HoursForm): HoursProblem | null {
  if (!form.always) {
    for (const [day, spans] of form.week.entries()) {
      const minutes = spans.map(minutesOf);
      if (minutes.some((span) => span === null)) return { kind: "span", day };
      if (overlap(minutes.filter((span) => span !== null))) return { kind: "overlap", day };
    }
    if (form.week.every((spans) => spans.length === 0)) return { kind: "none" };
  }
  for (const [index, day] of form.days.entries()) {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day.date)) return { kind: "date", index };
    if (form.days.findIndex((other) => other.date === day.date) !== index) return { kind: "twice", index };
    const minutes = day.spans.map(minutesOf);
    if (minutes.some((span) => span === null)) return { kind: "special_span", index };
    if (overlap(minutes.filter((span) => span !== null))) return { kind: "special_overlap", index };
  }
  return null;
}

/** What is sent to the server; of a form without a problem. */
export function hoursOf(form: HoursForm): Hours {
  const spansOf = (spans: readonly Span[]) =>
    spans
      .map(minutesOf)
      .filter((span) => span !== null)
      .sort((a, b) => a[0] - b[0]);
  return {
    time_zone: form.timeZone,
    week: form.always ? [] : form.week.flatMap((spans, at) => spansOf(spans).map(([from, to]) => ({ day: at + 1, from_minute: from, to_minute: to }))),
    days: [...form.days].sort((a, b) => a.date.localeCompare(b.date)).map((day) => ({ date: day.date, spans: spansOf(day.spans) })),
  };
}

/** One more span of a day: the usual hours, or the two after the last one. */
export function nextSpan(spans: readonly Span[]): Span {
  const last = spans.at(-1);
  if (last === undefined) return usualSpan;
  const from = Math.min((minuteOf(last.to) ?? 0) + 60, dayMinutes - 60);
  return { from: clockOf(from), to: clockOf(Math.min(from + 120, dayMinutes - 1)) };
}

/** "Mon" or "Monday" of a day that counts from 0 for Monday. */
export function dayName(day: number, locale: Locale, style: "short" | "long" = "short"): string {
  // 1 January 2024 was a Monday.
  return new Date(Date.UTC(2024, 0, 1 + day)).toLocaleDateString(locale, { weekday: style, timeZone: "UTC" });
}

/** The week in words, days with the same hours together: "Mon–Fri 09:00–18:00, Sat 10:00–14:00". */
export function hoursWords(week: HoursForm["week"], locale: Locale): string {
  const wordsOf = (spans: readonly Span[]) => spans.map((span) => `${span.from}–${span.to}`).join(locale === "zh-CN" ? "、" : " & ");
  const groups: { first: number; last: number; words: string }[] = [];
  for (const [day, spans] of week.entries()) {
    const words = wordsOf(spans);
    if (words === "") continue;
    const before = groups.at(-1);
    if (before !== undefined && before.words === words && before.last === day - 1) before.last = day;
    else groups.push({ first: day, last: day, words });
  }
  const separator = locale === "zh-CN" ? "至" : "–";
  return groups
    .map((group) => `${dayName(group.first, locale)}${group.last > group.first ? `${separator}${dayName(group.last, locale)}` : ""} ${group.words}`)
    .join(locale === "zh-CN" ? "，" : ", ");
}

/** Whether the inbox is open at a moment, by the hours as they are saved. */
export function openAt(hours: Hours, atMs: number): boolean {
  const here = partsIn(hours.time_zone === "" ? "UTC" : hours.time_zone, atMs);
  const before = partsIn(hours.time_zone === "" ? "UTC" : hours.time_zone, atMs - 86_400_000);
  const covers = (spans: readonly (readonly [number, number])[], minute: number) => spans.some(([from, to]) => minute >= from && minute < to);
  const spansOf = (day: { readonly date: string; readonly day: number }): readonly (readonly [number, number])[] => {
    const special = hours.days.find((known) => known.date === day.date);
    if (special !== undefined) return special.spans;
    if (hours.week.length === 0) return [[0, dayMinutes]];
    return hours.week.filter((span) => span.day === day.day).map((span) => [span.from_minute, span.to_minute] as const);
  };
  return covers(spansOf(here), here.minute) || covers(spansOf(before), here.minute + dayMinutes);
}

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

function partsIn(timeZone: string, atMs: number): { readonly date: string; readonly day: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", weekday: "short", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  const parts = new Map(format.formatToParts(atMs).map((part) => [part.type, part.value]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? "";
  return { date: `${part("year")}-${part("month")}-${part("day")}`, day: weekdays.indexOf(part("weekday")) + 1, minute: Number(part("hour")) * 60 + Number(part("minute")) };
}

/** Every zone the browser knows, or none where it does not tell. */
export function timeZones(): readonly string[] {
  const known = Intl as { readonly supportedValuesOf?: (key: "timeZone") => string[] };
  const zones = known.supportedValuesOf?.("timeZone") ?? [];
  return zones.includes("UTC") ? zones : [...zones, "UTC"];
}
