// How long somebody waits, and how warm that is; which day a time falls on. Takes `now`, reads no
// clock. Words for times are packages/i18n's.

export type Warmth = "calm" | "warm" | "hot" | "burning";

/** How a waiting time stands against the time the team promises to answer in. */
export function warmth(waitedMs: number, promisedMs: number): Warmth {
  if (waitedMs < promisedMs / 2) return "calm";
  if (waitedMs < promisedMs) return "warm";
  return waitedMs < promisedMs * 3 ? "hot" : "burning";
}

/** A waiting time as a clock: 0:40, 6:10, 1:02:00. */
export function waitClock(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** The day a time falls on in the reader's zone, as a key that compares and groups. */
export function dayKey(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`;
}
