// How long to wait before the next attempt: random over a range that doubles, so that thousands cut off at once do not
// come back at once.

const BASE_MS = 500;
const CAP_MS = 30_000;

export class Backoff {
  /** Failed attempts since the last reset. */
  attempt = 0;

  constructor(private readonly random: () => number) {}

  next(): number {
    const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(this.attempt, 16));
    this.attempt += 1;
    return Math.floor(this.random() * ceiling);
  }

  reset(): void {
    this.attempt = 0;
  }
}
