// The live conversation list: which row belongs to which view, in which order, and how many there
// are. Pure functions over a map of rows; console.ts keeps the map and applies the feed to it.
import { soundsLike } from "./pinyin";
import type { ListView } from "./route";
import { listViews } from "./route";
import type { Row } from "./types";

export type Viewer = {
  readonly user: string;
  readonly teams: ReadonlySet<string>;
};

/** Whether a row belongs to a view, for this viewer. */
export function belongs(row: Row, view: ListView, viewer: Viewer): boolean {
  const { status, owner, team } = row.session;
  if (view === "closed") return status === "closed";
  // Whoever is called upon is called upon in a closed conversation, too.
  if (view === "mentions") return row.mentioned;
  if (status === "closed") return false;
  switch (view) {
    case "mine":
      return owner?.id === viewer.user;
    case "queue":
      return status === "queued";
    case "team":
      return viewer.teams.has(team);
    case "all":
      return true;
  }
}

function activityMs(row: Row): number {
  return row.last?.atMs ?? row.session.openedAtMs;
}

/**
 * Who needs an answer comes first: in the queue and among the open ones those who wait longest,
 * then by the newest message. Closed ones stand by the time they were closed.
 */
export function compareRows(view: ListView): (a: Row, b: Row) => number {
  const byId = (a: Row, b: Row) => (a.conversation === b.conversation ? 0 : a.conversation < b.conversation ? 1 : -1);
  if (view === "closed") {
    return (a, b) => b.session.closedAtMs - a.session.closedAtMs || activityMs(b) - activityMs(a) || byId(a, b);
  }
  if (view === "queue") {
    return (a, b) =>
      b.session.priority - a.session.priority ||
      (a.session.waitingSinceMs || a.session.queuedAtMs) - (b.session.waitingSinceMs || b.session.queuedAtMs) ||
      byId(a, b);
  }
  return (a, b) => activityMs(b) - activityMs(a) || byId(a, b);
}

export function rowsOf(rows: Iterable<Row>, view: ListView, viewer: Viewer): Row[] {
  const chosen: Row[] = [];
  for (const row of rows) if (belongs(row, view, viewer)) chosen.push(row);
  return chosen.sort(compareRows(view));
}

export type Counts = Readonly<Record<ListView, number>>;

export function countRows(rows: Iterable<Row>, viewer: Viewer): Counts {
  const counts = { mine: 0, mentions: 0, queue: 0, team: 0, all: 0, closed: 0 };
  for (const row of rows) {
    for (const view of listViews) if (belongs(row, view, viewer)) counts[view] += 1;
  }
  return counts;
}

/**
 * Whether `next` says something newer than what is held. The list by HTTP and the feed may cross;
 * a row never goes back in its session, its version or its position.
 */
export function supersedes(next: Row, held: Row | undefined): boolean {
  if (held === undefined) return true;
  if (next.session.number !== held.session.number) return next.session.number > held.session.number;
  if (next.session.version !== held.session.version) return next.session.version > held.session.version;
  return next.seq >= held.seq;
}

/** Rows that are on the screen, and at which index the first of them stands. */
export type Sight = { readonly from: number; readonly keys: readonly string[] };

/**
 * By how many places the rows in sight have moved in a new order. Single ones that went elsewhere
 * do not count: it is what most of them did.
 */
export function shiftOf(order: readonly string[], sight: Sight): number {
  const was = new Map(sight.keys.map((key, at) => [key, sight.from + at]));
  const shifts: number[] = [];
  for (let at = 0; at < order.length && shifts.length < was.size; at++) {
    const before = was.get(order[at] ?? "");
    if (before !== undefined) shifts.push(at - before);
  }
  return shifts.sort((a, b) => a - b)[shifts.length >> 1] ?? 0;
}

/**
 * Keeps one key at the index where it was, so that what is under the pointer never moves; where the
 * reader has scrolled, at its place among the rows in sight.
 */
export function holdInPlace(order: readonly string[], key: string | null, index: number, sight?: Sight): readonly string[] {
  if (key === null) return order;
  const at = order.indexOf(key);
  if (at < 0) return order;
  if (sight === undefined && at === index) return order;
  const rest = order.filter((other) => other !== key);
  // In a list without it the others stood one after the other as well.
  const shift = sight === undefined ? 0 : shiftOf(rest, { from: sight.from, keys: sight.keys.filter((other) => other !== key) });
  rest.splice(Math.max(0, Math.min(index + shift, rest.length)), 0, key);
  return rest;
}

/** The text a row is found by. */
export function matches(row: Row, query: string, fallbackName: string): boolean {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return true;
  const last = row.last?.body;
  const line = last?.kind === "text" ? last.text : last?.kind === "file" ? last.file.name : "";
  if ([row.visitorName || fallbackName, row.session.owner?.name ?? ""].some((name) => soundsLike(name, wanted))) return true;
  return [line, ...row.session.labels].some((text) => text.toLowerCase().includes(wanted));
}
