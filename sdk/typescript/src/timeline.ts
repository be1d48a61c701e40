// How far a conversation is held without a hole, and what came early. Pure: no clock, no connection.
import type { Entry, Position, TimelineItem } from "./wire.js";

/** Items that may wait for a hole to be filled. More are let go: asking again brings them. */
const EARLY_MAX = 2_000;

/** What came of taking items in. */
export type Taken =
  | "ok"
  /** Items are missing before some that came. */
  | "hole"
  /** There was no room for an entry: it is not held, nor is anything after it. */
  | "full";

/** What is held of one conversation. */
export class Timeline {
  epoch = "";
  /** Everything up to here has been taken. */
  held = 0;
  private readonly early = new Map<number, TimelineItem>();

  /** Where this stands; undefined before anything is known. */
  position(): Position | undefined {
    return this.epoch === "" ? undefined : { epoch: this.epoch, seq: String(this.held) };
  }

  /** Begins anew, with everything up to `held` behind it. */
  reset(epoch: string, held: number): void {
    this.epoch = epoch;
    this.held = held;
    this.early.clear();
  }

  /**
   * Takes items in, in any order, repeated or not, and gives each entry that extends what is held to `accept`, once and
   * in order. `accept` says whether there is room for it.
   */
  take(items: readonly TimelineItem[], accept: (entry: Entry) => boolean): Taken {
    let roomy = this.extend(accept);
    for (const item of items) {
      if (!roomy) break;
      const [from, to] = span(item);
      const next = from <= this.held + 1;
      // What closes a hole is taken however much waits behind it.
      if (to <= this.held || (!next && this.early.size >= EARLY_MAX)) continue;
      this.early.set(Math.max(from, this.held + 1), item);
      if (next) roomy = this.extend(accept);
    }
    if (!roomy) this.early.clear();
    return !roomy ? "full" : this.early.size > 0 ? "hole" : "ok";
  }

  /** Gives what follows on what is held; false where there is no room. */
  private extend(accept: (entry: Entry) => boolean): boolean {
    for (let item = this.next(); item !== undefined; item = this.next()) {
      const [, to] = span(item);
      if (to <= this.held) continue;
      if (item.entry !== undefined && !accept(item.entry)) return false;
      this.held = to;
    }
    return true;
  }

  /** The seq before which items are missing; undefined without a hole. */
  get holeEnd(): number | undefined {
    return this.early.size === 0 ? undefined : Math.min(...this.early.keys());
  }

  private next(): TimelineItem | undefined {
    let at = this.held + 1;
    if (!this.early.has(at) && this.early.size > 0) at = Math.min(...this.early.keys());
    const item = at <= this.held + 1 ? this.early.get(at) : undefined;
    if (item !== undefined) this.early.delete(at);
    return item;
  }
}

/** First and last seq of an item. */
export function span(item: TimelineItem): readonly [number, number] {
  if (item.skip !== undefined) return [Number(item.skip.fromSeq ?? 0), Number(item.skip.toSeq ?? 0)];
  const seq = Number(item.entry?.seq ?? 0);
  return [seq, seq];
}
