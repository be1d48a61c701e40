// The rows by view, kept in order while they change: what a feed change costs follows from what
// changed, not from how many rows there are.
import type { Counts, Viewer } from "./list";
import { belongs, compareRows } from "./list";
import type { ListView } from "./route";
import { listViews } from "./route";
import type { Row } from "./types";

/** Beyond this share of changed rows, sorting anew is the shorter way. */
const manyChanges = 0.2;

export class Board {
  #rows: ReadonlyMap<string, Row> = new Map();
  readonly #counts: Record<ListView, number> = Object.fromEntries(listViews.map((view) => [view, 0])) as Record<ListView, number>;
  #unread = 0;
  /** The views that were asked for, in order. */
  readonly #orders = new Map<ListView, Row[]>();

  constructor(private readonly viewer: Viewer) {}

  get counts(): Counts {
    return { ...this.#counts };
  }

  /** Unread messages of the conversations this person answers. */
  get unread(): number {
    return this.#unread;
  }

  /** The rows of a view as they are drawn. */
  order(view: ListView): readonly Row[] {
    let order = this.#orders.get(view);
    if (order === undefined) {
      order = [];
      for (const row of this.#rows.values()) if (belongs(row, view, this.viewer)) order.push(row);
      order.sort(compareRows(view));
      this.#orders.set(view, order);
    }
    return order;
  }

  /** Brings everything up to these rows. The same rows again cost nothing. */
  take(rows: ReadonlyMap<string, Row>): void {
    const before = this.#rows;
    if (rows === before) return;
    this.#rows = rows;
    const gone: Row[] = [];
    const come: Row[] = [];
    for (const [id, row] of rows) {
      const known = before.get(id);
      if (known === row) continue;
      if (known !== undefined) gone.push(known);
      come.push(row);
    }
    for (const [id, row] of before) if (!rows.has(id)) gone.push(row);
    for (const row of gone) this.#count(row, -1);
    for (const row of come) this.#count(row, 1);
    if (gone.length + come.length > Math.max(16, rows.size * manyChanges)) {
      this.#orders.clear();
      return;
    }
    for (const [view, order] of this.#orders) {
      const compare = compareRows(view);
      for (const row of gone) if (belongs(row, view, this.viewer)) takeOut(order, row, compare);
      for (const row of come) if (belongs(row, view, this.viewer)) order.splice(placeOf(order, row, compare), 0, row);
    }
  }

  #count(row: Row, by: 1 | -1): void {
    for (const view of listViews) if (belongs(row, view, this.viewer)) this.#counts[view] += by;
    if (row.session.status !== "closed" && row.session.owner?.id === this.viewer.user) this.#unread += by * row.unread;
  }
}

type Compare = (a: Row, b: Row) => number;

/** The first place whose row does not come before this one. */
function placeOf(order: readonly Row[], row: Row, compare: Compare): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(order[middle] as Row, row) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function takeOut(order: Row[], row: Row, compare: Compare): void {
  const at = placeOf(order, row, compare);
  const found = order[at] === row ? at : order.indexOf(row);
  if (found >= 0) order.splice(found, 1);
}
