// An answer that grows: each draft holds the whole text so far, at most a few a second; at the end comes the message
// that takes the draft's place. Drafts may be lost, the message is not.
import type { Ack } from "./outbox.js";

/** A draft follows the one before after so long at the earliest. */
const EVERY_MS = 250;
/** What the server takes. */
const DRAFT_BYTES_MAX = 4_096;

export type StreamHost = {
  readonly now: () => number;
  readonly draft: (text: string, typing: boolean) => void;
  readonly send: (text: string) => Promise<Ack>;
};

export class Stream {
  private whole = "";
  private shownAtMs: number | undefined;
  private ended = false;

  constructor(private readonly host: StreamHost) {}

  /** What was written so far. */
  get text(): string {
    return this.whole;
  }

  /** Adds a piece. */
  write(piece: string): void {
    if (this.ended || piece === "") return;
    this.whole += piece;
    const now = this.host.now();
    if (this.shownAtMs !== undefined && now - this.shownAtMs < EVERY_MS) return;
    this.shownAtMs = now;
    this.host.draft(cut(this.whole), true);
  }

  /** Sends the whole text as a message. */
  end(): Promise<Ack> {
    this.ended = true;
    return this.host.send(this.whole);
  }

  /** Takes the draft away; no message comes. */
  abort(): void {
    if (!this.ended && this.shownAtMs !== undefined) this.host.draft("", false);
    this.ended = true;
  }
}

/** As much of the text as a draft may hold, in whole characters. */
export function cut(text: string): string {
  if (text.length * 3 <= DRAFT_BYTES_MAX) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= DRAFT_BYTES_MAX) return text;
  let end = DRAFT_BYTES_MAX;
  // A byte 10xxxxxx goes on with the character before it.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
