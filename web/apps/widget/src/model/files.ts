// Files on their way to the server, and pictures on their way to the page. The server wants the
// visitor's token for every file, so pictures are fetched and shown as blob: URLs.
import type { FileInfo, VisitorClient } from "@frontdesk/client";
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
  private readonly pictures = new Map<string, Promise<string>>();
  private nextId = 1;

  constructor(
    private readonly baseUrl: string,
    private readonly client: VisitorClient,
  ) {}

  async add(file: File): Promise<void> {
    const id = this.nextId++;
    // A pasted picture has no name worth showing.
    const name = file.name === "" ? "image.png" : file.name;
    this.list.value = [...this.list.peek(), { id, name, progress: 0, failed: "" }];
    const limit = this.client.fileBytesMax;
    if (limit > 0 && file.size > limit) {
      this.change(id, { failed: "file.too_large" });
      return;
    }
    let headers: Record<string, string>;
    try {
      headers = await this.client.authorization();
    } catch {
      this.change(id, { failed: "network" });
      return;
    }
    if (!this.list.peek().some((one) => one.id === id)) return;
    const { upload } = await import("@frontdesk/client/browser/upload");
    const run = upload(this.baseUrl, this.client.conversationId, file, name, headers, (progress) => this.change(id, { progress }));
    this.running.set(id, run);
    const result = await run.result;
    this.running.delete(id);
    switch (result.kind) {
      case "stored":
        this.remove(id);
        this.client.conversation.sendFile(result.file);
        break;
      case "refused":
        this.change(id, { failed: result.code });
        break;
      case "cancelled":
        this.remove(id);
        break;
    }
  }

  cancel(id: number): void {
    this.running.get(id)?.cancel();
    this.remove(id);
  }

  /** A blob: URL of the picture, or of its small version. Rejects where it cannot be had. */
  picture(file: FileInfo, small: boolean): Promise<string> {
    const path = `api/v1/files/${file.id}${small && file.hasThumbnail ? "/thumbnail" : ""}`;
    const known = this.pictures.get(path);
    if (known) return known;
    const loading = this.fetch(path).then((blob) => URL.createObjectURL(blob));
    this.pictures.set(path, loading);
    // A failure is not kept: the next look tries again.
    loading.catch(() => this.pictures.delete(path));
    return loading;
  }

  /** Saves the file under its name. */
  async save(file: FileInfo): Promise<void> {
    const url = URL.createObjectURL(await this.fetch(`api/v1/files/${file.id}`));
    const link = document.createElement("a");
    link.href = url;
    link.download = file.name;
    link.click();
    // The browser has taken the blob by the time anything else runs.
    window.setTimeout(() => URL.revokeObjectURL(url), 0);
  }

  private async fetch(path: string): Promise<Blob> {
    const answer = await fetch(this.baseUrl + path, { headers: await this.client.authorization(), credentials: "omit" });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.blob();
  }

  private change(id: number, change: Partial<Upload>): void {
    this.list.value = this.list.peek().map((one) => (one.id === id ? { ...one, ...change } : one));
  }

  private remove(id: number): void {
    this.list.value = this.list.peek().filter((one) => one.id !== id);
  }
}
