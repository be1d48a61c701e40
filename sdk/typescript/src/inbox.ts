// Messages between the connection and a program that reads them at its own pace. A loop that is left leaves the rest to the
// next one.

export class Inbox<T> implements AsyncIterableIterator<T> {
  private readonly waiting: T[] = [];
  private readers: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void }[] = [];
  private ended = false;
  private error: unknown;

  constructor(
    private readonly max: number,
    /** Half of it is free again. */
    private readonly drained: () => void,
  ) {}

  /** The oldest that was not read yet. */
  get first(): T | undefined {
    return this.waiting[0];
  }

  /** False where there is no room. */
  push(value: T): boolean {
    if (this.ended) return true;
    const reader = this.readers.shift();
    if (reader !== undefined) {
      reader.resolve({ value, done: false });
      return true;
    }
    if (this.waiting.length >= this.max) return false;
    this.waiting.push(value);
    return true;
  }

  /** What waits is still given; after it comes the end, or the error. */
  end(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    for (const reader of this.readers.splice(0)) this.finish(reader);
  }

  next(): Promise<IteratorResult<T>> {
    const value = this.waiting.shift();
    if (value !== undefined) {
      if (this.waiting.length === Math.floor(this.max / 2)) queueMicrotask(this.drained);
      return Promise.resolve({ value, done: false });
    }
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      if (this.ended) this.finish(reader);
      else this.readers.push(reader);
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private finish(reader: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void }): void {
    if (this.error === undefined) reader.resolve({ value: undefined, done: true });
    else reader.reject(this.error);
  }
}
