import type { Clock, TimerId } from "../src/platform";

type Timer = { readonly atMs: number; readonly run: () => void };

/** Time stands still until `advance`. */
export class FakeClock implements Clock {
  private nowMs = 1_800_000_000_000;
  private nextId = 1;
  private readonly timers = new Map<TimerId, Timer>();

  now(): number {
    return this.nowMs;
  }

  setTimer(run: () => void, delayMs: number): TimerId {
    const id = this.nextId++;
    this.timers.set(id, { atMs: this.nowMs + delayMs, run });
    return id;
  }

  clearTimer(id: TimerId): void {
    this.timers.delete(id);
  }

  /** Lets everything that waits on promises run. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) await Promise.resolve();
  }

  /** Moves on, timer by timer, in order. */
  async advance(lengthMs: number): Promise<void> {
    const end = this.nowMs + lengthMs;
    await this.settle();
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.atMs <= end).sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0];
      if (!due) break;
      const [id, timer] = due;
      this.timers.delete(id);
      this.nowMs = Math.max(this.nowMs, timer.atMs);
      timer.run();
      await this.settle();
    }
    this.nowMs = end;
    await this.settle();
  }

  /** Moves on without running what falls due, as a machine that sleeps does. */
  sleep(lengthMs: number): void {
    this.nowMs += lengthMs;
  }
}
