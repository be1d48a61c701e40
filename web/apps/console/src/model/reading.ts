// Where the reader of a long column is, and which rows that calls for. Both follow from what is known
// of the rows alone, never from how tall the page says it is at the moment: a page may still be on its
// way to a new height, and rows chosen by the old one change that height again, without end.
import type { Column, Span } from "./virtual";

/** So much is drawn above and below what is seen. */
export const overscanPx = 600;
/** So often in a row, with nobody scrolling: heights that never agree must not hold the page up. */
export const redrawsMax = 20;

/** The end of the column, or a row and how far its beginning is above the upper edge. */
export type Place = { readonly kind: "foot" } | { readonly kind: "row"; readonly key: string; readonly above: number };

export class Reading {
  height = 900;
  place: Place = { kind: "foot" };
  #redrawn = 0;

  /** `loose`: rows that stand above whatever comes first, as a day's mark does. */
  constructor(
    readonly column: Column,
    private readonly loose: (key: string) => boolean,
  ) {}

  /** The reader's upper edge in the column. */
  get top(): number {
    const last = Math.max(0, this.column.total - this.height);
    if (this.place.kind === "foot") return last;
    const index = this.column.indexOf(this.place.key);
    return index < 0 ? last : Math.max(0, Math.min(last, this.column.offset(index) + this.place.above));
  }

  span(overscan = overscanPx): Span {
    return this.column.span(this.top, this.height, overscan);
  }

  /** The reader went there. */
  scrolled(top: number, foot: boolean): void {
    this.#redrawn = 0;
    if (foot) {
      this.place = { kind: "foot" };
      return;
    }
    const key = this.column.keys[this.#hold(this.column.at(top))];
    if (key !== undefined) this.place = { kind: "row", key, above: top - this.column.offset(this.column.indexOf(key)) };
  }

  /** After a drawing of `span`: whether it has to be done again. `changed`: heights came out other than known. */
  drawn(span: Span, changed: boolean): boolean {
    const next = this.span();
    const again = changed || next.start < span.start || next.end > span.end;
    this.#redrawn = again ? this.#redrawn + 1 : 0;
    if (!again) this.#settle();
    return this.#redrawn > 0 && this.#redrawn < redrawsMax;
  }

  /** Heights turned out so that an end of the column was in the way: where the reader came to stand counts. */
  #settle(): void {
    if (this.place.kind === "foot") return;
    const index = this.column.indexOf(this.place.key);
    if (index >= 0) this.place = { ...this.place, above: this.top - this.column.offset(index) };
  }

  /** The row to hold on to. The first one may lose its head to a row before it: its successor does. */
  #hold(index: number): number {
    const { keys } = this.column;
    let first = 0;
    while (this.loose(keys[first] ?? "")) first += 1;
    let held = Math.max(index, first + 1);
    while (held < keys.length && this.loose(keys[held] ?? "")) held += 1;
    return Math.min(held, keys.length - 1);
  }
}
