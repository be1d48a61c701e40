// Files on their way to the server. Most conversations have none: what does the work is loaded with
// the first one.
import type { VisitorClient } from "@frontdesk/client";
import type { RunningUpload } from "@frontdesk/client/browser";
import type { ReadonlySignal } from "@preact/signals";
import { signal } from "@preact/signals";

export type Upload = {
  readonly id: number;
  readonly name: string;
  /** 0 to 1. */
  readonly progress: number;
  /** Empty while it runs. */
  readonly failed: string;
};

export class Files {
  private readonly list = signal<readonly Upload[]>([]);
  readonly uploads: ReadonlySignal<readonly Upload[]> = this.list;
  private readonly running = new Map<number, RunningUpload>();
  private nextId = 1;

  constructor(
    readonly baseUrl: string,
    readonly client: VisitorClient,
    /** What the next file answers. */
    private readonly takeQuote: () => number,
  ) {}

  async add(file: File): Promise<void> {
    const id = this.nextId++;
    const quoteSeq = this.takeQuote();
    // A pasted picture has no name worth showing.
    const name = file.name === "" ? "image.png" : file.name;
    this.list.value = [...this.list.peek(), { id, name, progress: 0, failed: "" }];
    const module = await import("./uploading").catch(() => undefined);
    if (!module) {
      this.change(id, { failed: "network" });
      return;
    }
    await module.uploadFile(this.baseUrl, this.client, file, name, {
      quoteSeq,
      change: (change) => this.change(id, change),
      remove: () => this.remove(id),
      gone: () => !this.list.peek().some((one) => one.id === id),
      runs: (run) => (run ? this.running.set(id, run) : this.running.delete(id)),
    });
  }

  cancel(id: number): void {
    this.running.get(id)?.cancel();
    this.remove(id);
  }

  private change(id: number, change: Partial<Upload>): void {
    this.list.value = this.list.peek().map((one) => (one.id === id ? { ...one, ...change } : one));
  }

  private remove(id: number): void {
    this.list.value = this.list.peek().filter((one) => one.id !== id);
  }
}
