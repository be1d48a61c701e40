// The entries of one conversation as far as this client holds them: dense by seq, from the oldest
// loaded to the newest. Whatever arrives twice is dropped, whatever arrives early waits until the
// hole before it is filled. What lies far before the end may be let go of and loaded again.
import type { PositionJson, TimelineItemJson } from "@frontdesk/protocol";
import type { ReadonlySignal } from "@preact/signals-core";
import { signal } from "@preact/signals-core";
import type { EntryLine, TimelineLine } from "./model";
import { toLine } from "./model";

export type Applied =
  | "ok"
  /** Items are missing before some that came: ask for them. */
  | "gap"
  /** The installation's log is another one: what is held is worth nothing. */
  | "other-epoch";

/** A view at the end lets the oldest go when more than this is held... */
export const TRIM_ABOVE = 200;
/** ...down to this: more than any window shows, and not for every message again. */
export const TRIM_TO = 120;

export class Timeline {
  private readonly held = signal<readonly TimelineLine[]>([]);
  private readonly more = signal(false);
  readonly lines: ReadonlySignal<readonly TimelineLine[]> = this.held;
  /** Older entries exist on the server. */
  readonly moreBefore: ReadonlySignal<boolean> = this.more;
  private early: TimelineLine[] = [];
  /** Seqs that entries held here take back. */
  private readonly taken = new Set<number>();
  private epoch = "";
  private last = 0;

  /** The entry with this seq, where it is held. */
  entry(seq: number): EntryLine | undefined {
    const lines = this.held.value;
    const line = lines[indexOf(lines, seq)];
    return line?.kind === "entry" ? line : undefined;
  }

  /** Whether an entry held here takes this one back. */
  takenBack(seq: number): boolean {
    return this.held.value.length > 0 && this.taken.has(seq);
  }

  /** The newest seq without a hole before it. */
  get lastSeq(): number {
    return this.last;
  }

  get firstSeq(): number {
    const first = this.held.peek()[0];
    return first === undefined ? this.last + 1 : fromSeq(first);
  }

  /** Where this timeline stands; undefined before anything was loaded. */
  position(): PositionJson | undefined {
    return this.epoch === "" ? undefined : { epoch: this.epoch, seq: String(this.last) };
  }

  /** Forgets everything and begins with a page from the server. */
  reset(position: PositionJson | undefined, items: readonly TimelineItemJson[], moreBefore: boolean): void {
    const lines = toLines(items);
    this.epoch = position?.epoch ?? "";
    this.last = lines.length === 0 ? Number(position?.seq ?? 0) : toSeq(lines[lines.length - 1]);
    this.early = [];
    this.taken.clear();
    this.more.value = moreBefore;
    this.held.value = this.withRetractions(lines, lines);
  }

  /** Takes in items pushed by the server, in any order, repeated or not. */
  append(epoch: string | undefined, items: readonly TimelineItemJson[]): Applied {
    if (epoch !== undefined && epoch !== this.epoch) {
      if (this.epoch !== "") return "other-epoch";
      this.epoch = epoch;
    }
    return this.take(toLines(items));
  }

  /** Puts an own message in its place as soon as its ack tells it. */
  place(epoch: string | undefined, line: EntryLine): Applied {
    if (epoch !== undefined && epoch !== this.epoch) {
      if (this.epoch !== "") return "other-epoch";
      this.epoch = epoch;
    }
    return this.take([line]);
  }

  /**
   * Adds the page that was asked for before `first`. What began there may have gone meanwhile, or have been
   * loaded anew; then the page would leave a hole, and is of no use.
   */
  prepend(first: number, items: readonly TimelineItemJson[], moreBefore: boolean): void {
    if (first !== this.firstSeq) return;
    const older = toLines(items).filter((line) => toSeq(line) < first);
    this.more.value = moreBefore;
    if (older.length > 0) this.held.value = this.withRetractions(older.concat(this.held.peek()), older);
  }

  /**
   * Lets the oldest lines go where many are held; `loadOlder` brings them back. For a view that
   * stands at the end: whoever reads further up needs what is there.
   */
  trim(): void {
    const lines = this.held.peek();
    if (lines.length <= TRIM_ABOVE) return;
    const kept = lines.slice(lines.length - TRIM_TO);
    // What they take back is known to the server: a page loaded again comes without it.
    const first = fromSeq(kept[0] as TimelineLine);
    for (const seq of this.taken) if (seq < first) this.taken.delete(seq);
    this.more.value = true;
    this.held.value = kept;
  }

  private take(lines: readonly TimelineLine[]): Applied {
    const waiting = this.early.length === 0 && lines.length === 1 ? lines : [...this.early, ...lines].sort((a, b) => fromSeq(a) - fromSeq(b));
    const added: TimelineLine[] = [];
    const replacing: TimelineLine[] = [];
    this.early = [];
    for (const line of waiting) {
      if (toSeq(line) <= this.last) {
        replacing.push(line);
      } else if (fromSeq(line) > this.last + 1) {
        this.early.push(line);
      } else {
        added.push(line.kind === "skip" ? { ...line, fromSeq: this.last + 1 } : line);
        this.last = toSeq(line);
      }
    }
    const held = this.held.peek();
    const next = added.length === 0 ? held.slice() : held.concat(added);
    let replaced = false;
    for (const line of replacing) replaced = replace(next, line) || replaced;
    if (replaced || added.length > 0) this.held.value = this.withRetractions(next, added);
    return this.early.length > 0 ? "gap" : "ok";
  }

  /** Empties the entries that others take back; only `fresh` ones can say something new. */
  private withRetractions(lines: TimelineLine[], fresh: readonly TimelineLine[]): readonly TimelineLine[] {
    let news = false;
    for (const line of fresh) {
      if (line.kind !== "entry") continue;
      if (line.body.kind === "retraction") this.taken.add(line.body.seq);
      news = news || line.body.kind === "retraction" || this.taken.has(line.seq);
    }
    if (!news) return lines;
    return lines.map((line) =>
      line.kind === "entry" && this.taken.has(line.seq) && line.body.kind !== "tombstone"
        ? { ...line, body: { kind: "tombstone", reason: "retracted" } }
        : line,
    );
  }
}

/** What is held stays, except that a tombstone takes the place of its content. */
function replace(lines: TimelineLine[], line: TimelineLine): boolean {
  if (line.kind !== "entry" || line.body.kind !== "tombstone") return false;
  const at = indexOf(lines, line.seq);
  const old = lines[at];
  if (old?.kind !== "entry" || old.body.kind === "tombstone") return false;
  lines[at] = { ...line, key: old.key };
  return true;
}

/** Where the entry with this seq stands; -1 for none. Lines are in the order of their seqs. */
function indexOf(lines: readonly TimelineLine[], seq: number): number {
  let low = 0;
  let high = lines.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const line = lines[middle] as TimelineLine;
    if (toSeq(line) < seq) low = middle + 1;
    else if (fromSeq(line) > seq) high = middle - 1;
    else return line.kind === "entry" ? middle : -1;
  }
  return -1;
}

function toLines(items: readonly TimelineItemJson[]): TimelineLine[] {
  return items.map(toLine).filter((line): line is TimelineLine => line !== undefined);
}

function fromSeq(line: TimelineLine): number {
  return line.kind === "entry" ? line.seq : line.fromSeq;
}

function toSeq(line: TimelineLine | undefined): number {
  if (line === undefined) return 0;
  return line.kind === "entry" ? line.seq : line.toSeq;
}
