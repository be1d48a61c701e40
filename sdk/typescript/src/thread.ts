// One conversation as far as this client follows it: every entry once and in order, over drops, resumes and pages that
// the server gives in place of what is missing.
import type { EntriesPage } from "./api.js";
import type { Clock, TimerId } from "./platform.js";
import { span, Timeline } from "./timeline.js";
import type { Entries, Entry, Held, OpenedFrame, TimelineItem } from "./wire.js";

/** A hole this old is not just frames out of order. */
const HOLE_MS = 500;
const HOLE_AGAIN_MS = 5_000;
const FILL_AGAIN_MS = 3_000;
/** Items read back at most when a conversation is opened for the first time. */
const BACK_MAX = 1_000;

export interface ThreadHost {
  readonly clock: Clock;
  /** Whether what a conversation held before it was opened for the first time is given to `accept`. */
  readonly givesPast: boolean;
  /** Takes an entry; false where there is no room for it now. */
  accept(thread: Thread, entry: Entry): boolean;
  /** Whether these items reach back as far as the host wants a conversation it did not know. */
  reaches(thread: Thread, items: readonly TimelineItem[]): boolean;
  /** What an `opened` brought is taken in. */
  loaded(thread: Thread, opened: OpenedFrame): void;
  /** The newest page came in place of what was held. `missed`: some entries before it will never be given. */
  reloaded(thread: Thread, items: readonly TimelineItem[], missed: boolean): void;
  page(thread: Thread, range: { readonly after: number } | { readonly before: number }): Promise<EntriesPage>;
  /** Asks whether `thread.held()` is where it stands. */
  sync(thread: Thread): void;
  /** What is held belongs to another life of the installation. */
  otherEpoch(thread: Thread): void;
  failed(error: unknown): void;
}

export class Thread {
  readonly timeline = new Timeline();
  /** An entry found no room: nothing more is taken until `drained`. */
  private behind = false;
  /** What comes while older pages are read; undefined otherwise. */
  private meanwhile: TimelineItem[] | undefined;
  /** Grows with every beginning, so that pages that were read for an older one are told apart. */
  private reading = 0;
  private filling = false;
  /** What was held belonged to another life of the installation. */
  private forgotten = false;
  private closed = false;
  private holeTimer: TimerId | undefined;

  constructor(
    /** Empty for a visitor. */
    readonly id: string,
    private readonly host: ThreadHost,
  ) {}

  /** Older pages are being read. */
  get loading(): boolean {
    return this.meanwhile !== undefined;
  }

  /** How the thread is named in a hello and a position check. */
  held(): Held {
    return { ...(this.id === "" ? {} : { conversation: this.id }), position: this.timeline.position() };
  }

  opened(frame: OpenedFrame): void {
    const items = frame.items ?? [];
    const epoch = frame.position?.epoch ?? "";
    const known = this.timeline.epoch !== "";
    this.behind = false;
    this.stopReading();
    if (frame.recovered === true && known) {
      this.take(items);
    } else if (known && epoch === this.timeline.epoch) {
      // Too much is missing to be sent at once. The page is the end of it; the rest is read over HTTP.
      this.host.reloaded(this, items, false);
      this.take(items);
      void this.fill();
    } else if (this.host.reaches(this, items) || frame.moreBefore !== true) {
      this.begin(frame, items);
    } else {
      this.meanwhile = [];
      void this.readBack(frame, items);
      return;
    }
    this.host.loaded(this, frame);
  }

  entries(frame: Entries): void {
    const items = frame.items ?? [];
    if (this.timeline.epoch !== "" && frame.epoch !== undefined && frame.epoch !== this.timeline.epoch) {
      this.timeline.reset("", 0);
      this.forgotten = true;
      this.host.otherEpoch(this);
    } else if (this.meanwhile !== undefined) {
      this.meanwhile.push(...items);
    } else if (this.timeline.epoch !== "") {
      this.take(items);
    }
  }

  /** Puts an own message in its place as soon as its ack tells it. */
  place(entry: Entry): void {
    if (this.meanwhile !== undefined) this.meanwhile.push({ entry });
    else if (this.timeline.epoch !== "") this.take([{ entry }]);
  }

  /** There is room again. */
  drained(): void {
    if (!this.behind) return;
    this.behind = false;
    this.host.sync(this);
  }

  /** The connection is gone, or the thread is followed no longer. */
  lost(): void {
    this.stopReading();
    this.clearHole();
  }

  close(): void {
    this.closed = true;
    this.lost();
  }

  /** What was being read belongs to a beginning that the next `opened` takes the place of. */
  private stopReading(): void {
    this.reading += 1;
    this.meanwhile = undefined;
  }

  private begin(frame: OpenedFrame, items: readonly TimelineItem[]): void {
    const again = this.timeline.epoch !== "" || this.forgotten;
    this.forgotten = false;
    const first = items[0];
    const start = first === undefined || !this.host.givesPast ? Number(frame.position?.seq ?? 0) : span(first)[0] - 1;
    this.timeline.reset(frame.position?.epoch ?? "", start);
    this.host.reloaded(this, items, again);
    this.take(items);
  }

  private async readBack(frame: OpenedFrame, newest: readonly TimelineItem[]): Promise<void> {
    const { reading } = this;
    let items = newest;
    try {
      while (items.length < BACK_MAX && items[0] !== undefined && !this.host.reaches(this, items)) {
        const older = await this.host.page(this, { before: span(items[0])[0] });
        if (reading !== this.reading) return;
        if (older.items.length === 0) break;
        items = [...older.items, ...items];
      }
    } catch (error) {
      if (reading !== this.reading) return;
      // What is there is taken: better the end of it than nothing.
      this.host.failed(error);
    }
    const meanwhile = this.meanwhile ?? [];
    this.meanwhile = undefined;
    this.begin(frame, items);
    this.take(meanwhile);
    this.host.loaded(this, frame);
  }

  private take(items: readonly TimelineItem[]): void {
    if (this.behind) return;
    const taken = this.timeline.take(items, (entry) => this.host.accept(this, entry));
    this.behind = taken === "full";
    if (taken === "hole") this.watchHole(HOLE_MS);
    else this.clearHole();
  }

  /** Reads what lies between what is held and the page that came. */
  private async fill(): Promise<void> {
    if (this.filling) return;
    this.filling = true;
    try {
      while (!this.closed && this.timeline.holeEnd !== undefined) {
        const { held, epoch } = this.timeline;
        const page = await this.host.page(this, { after: held });
        if (page.epoch !== epoch || this.timeline.epoch !== epoch) break;
        this.take(page.items);
        const end = this.timeline.holeEnd;
        if (this.timeline.held === held && end !== undefined && !this.behind) {
          // The server does not have it any more.
          this.timeline.held = end - 1;
          this.host.reloaded(this, [], true);
          this.take([]);
        }
      }
    } catch (error) {
      this.host.failed(error);
      this.holeTimer ??= this.host.clock.setTimer(() => {
        this.holeTimer = undefined;
        void this.fill();
      }, FILL_AGAIN_MS);
    } finally {
      this.filling = false;
    }
  }

  private watchHole(delayMs: number): void {
    if (this.filling) return;
    this.holeTimer ??= this.host.clock.setTimer(() => {
      this.holeTimer = undefined;
      if (this.timeline.holeEnd === undefined || this.closed) return;
      this.host.sync(this);
      this.watchHole(HOLE_AGAIN_MS);
    }, delayMs);
  }

  private clearHole(): void {
    if (this.holeTimer !== undefined) this.host.clock.clearTimer(this.holeTimer);
    this.holeTimer = undefined;
  }
}
