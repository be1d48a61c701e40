// How long to wait before the next attempt: random over a range that doubles, so that thousands cut off at once do not
// come back at once.

const BASE_MS = 500;
const CAP_MS = 30_000;

/** The waits between attempts, in milliseconds. */
export class Backoff {
  /** Failed attempts since the last reset. */
  attempt = 0;

  constructor(private readonly random: () => number) {}

  /** How long to wait now. */
  next(): number {
    const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(this.attempt, 16));
    this.attempt += 1;
    return Math.floor(this.random() * ceiling);
  }

  /** A connection held: the next wait is short again. */
  reset(): void {
    this.attempt = 0;
  }
}
