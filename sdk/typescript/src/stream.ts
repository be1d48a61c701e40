// An answer that grows: each draft holds the whole text so far, at most a few a second; at the end comes the message
// that takes the draft's place. Drafts may be lost, the message is not.
import { FrontdeskError } from "./errors.js";
import type { Ack } from "./outbox.js";
import { quiet } from "./outbox.js";

/** A draft follows the one before after so long at the earliest. */
const EVERY_MS = 250;
/** What the server takes. */
const DRAFT_BYTES_MAX = 4_096;

export type StreamHost = {
  readonly now: () => number;
  readonly draft: (text: string, typing: boolean) => void;
  readonly send: (text: string) => Promise<Ack>;
};

/** An answer that grows while it is written. */
export class Stream {
  private whole = "";
  private shownAtMs: number | undefined;
  private ended = false;
  private ack: Promise<Ack> | undefined;

  /** Made by `Conversation.stream`. */
  constructor(private readonly host: StreamHost) {}

  /** What was written so far. */
  get text(): string {
    return this.whole;
  }

  /** Adds a piece. After the end it does nothing. */
  write(piece: string): void {
    if (this.ended || piece === "") return;
    this.whole += piece;
    const now = this.host.now();
    if (this.shownAtMs !== undefined && now - this.shownAtMs < EVERY_MS) return;
    this.shownAtMs = now;
    this.host.draft(cut(this.whole), true);
  }

  /** Sends the whole text as a message, once. Rejects after abort(). */
  end(): Promise<Ack> {
    if (this.ended && this.ack === undefined) return quiet(Promise.reject(new FrontdeskError("request.invalid", "the stream was aborted")));
    this.ended = true;
    this.ack ??= this.host.send(this.whole);
    return this.ack;
  }

  /** Takes the draft away; no message comes. After end() it does nothing. */
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
