// The entries of one conversation as far as this client holds them: dense by seq, from the oldest
// loaded to the newest. Whatever arrives twice is dropped, whatever arrives early waits until the
// hole before it is filled.
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

export class Timeline {
  private readonly held = signal<readonly TimelineLine[]>([]);
  private readonly more = signal(false);
  readonly lines: ReadonlySignal<readonly TimelineLine[]> = this.held;
  /** Older entries exist on the server. */
  readonly moreBefore: ReadonlySignal<boolean> = this.more;
  private early: TimelineLine[] = [];
  private epoch = "";
  private last = 0;

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
    this.more.value = moreBefore;
    this.held.value = withRetractions(lines);
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

  /** Adds an older page before what is held. */
  prepend(items: readonly TimelineItemJson[], moreBefore: boolean): void {
    const first = this.firstSeq;
    const older = toLines(items).filter((line) => toSeq(line) < first);
    this.more.value = moreBefore;
    if (older.length > 0) this.held.value = withRetractions([...older, ...this.held.peek()]);
  }

  private take(lines: readonly TimelineLine[]): Applied {
    const waiting = [...this.early, ...lines].sort((a, b) => fromSeq(a) - fromSeq(b));
    const next = [...this.held.peek()];
    const before = next.length;
    let replaced = false;
    this.early = [];
    for (const line of waiting) {
      if (toSeq(line) <= this.last) {
        replaced = replace(next, line) || replaced;
      } else if (fromSeq(line) > this.last + 1) {
        this.early.push(line);
      } else {
        next.push(line.kind === "skip" ? { ...line, fromSeq: this.last + 1 } : line);
        this.last = toSeq(line);
      }
    }
    if (replaced || next.length > before) this.held.value = withRetractions(next);
    return this.early.length > 0 ? "gap" : "ok";
  }
}

/** What is held stays, except that a tombstone takes the place of its content. */
function replace(lines: TimelineLine[], line: TimelineLine): boolean {
  if (line.kind !== "entry") return false;
  const at = lines.findIndex((other) => other.kind === "entry" && other.seq === line.seq);
  const old = lines[at];
  if (old?.kind !== "entry") return false;
  if (line.body.kind === "tombstone" && old.body.kind !== "tombstone") {
    lines[at] = { ...line, key: old.key };
    return true;
  }
  return false;
}

/** Empties the entries that later entries of the same timeline take back. */
function withRetractions(lines: readonly TimelineLine[]): readonly TimelineLine[] {
  const taken = new Set<number>();
  for (const line of lines) {
    if (line.kind === "entry" && line.body.kind === "retraction") taken.add(line.body.seq);
  }
  if (taken.size === 0) return lines;
  return lines.map((line) =>
    line.kind === "entry" && taken.has(line.seq) && line.body.kind !== "tombstone"
      ? { ...line, body: { kind: "tombstone", reason: "retracted" } }
      : line,
  );
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
