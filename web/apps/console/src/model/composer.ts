// What the agent is about to say in one conversation: text, reply or note, a quoted message, files
// on their way up. Text and mode survive leaving the conversation and reloading the page.
import type { Conversation, FileInfo, KeyValueStore } from "@frontdesk/client";
import type { ReadonlySignal } from "@preact/signals-core";
import { computed, signal } from "@preact/signals-core";
import type { Upload, UploadFailure } from "./uploads";
import { startUpload } from "./uploads";

export type Mode = "reply" | "note";

export type Attachment = {
  readonly id: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly state:
    | { readonly kind: "uploading"; readonly share: number }
    | { readonly kind: "stored"; readonly file: FileInfo }
    | { readonly kind: "failed"; readonly failure: UploadFailure };
};

type Stored = { readonly text: string; readonly mode: Mode };

function parse(text: string | undefined): Stored {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    if (typeof value === "object" && value !== null && "text" in value && typeof value.text === "string") {
      return { text: value.text, mode: "mode" in value && value.mode === "note" ? "note" : "reply" };
    }
  } catch {
    // Written by something else: as good as none.
  }
  return { text: "", mode: "reply" };
}

export class Composer {
  readonly #text = signal("");
  readonly #mode = signal<Mode>("reply");
  readonly #attachments = signal<readonly Attachment[]>([]);
  readonly #cancels = new Map<number, () => void>();
  readonly #key: string;
  #nextId = 1;
  readonly text: ReadonlySignal<string> = this.#text;
  /** What was chosen, or what alone is allowed. */
  readonly mode: ReadonlySignal<Mode>;
  readonly attachments: ReadonlySignal<readonly Attachment[]> = this.#attachments;
  /** The seq of the message this one answers; 0 for none. */
  readonly quoteSeq = signal(0);
  readonly canSend: ReadonlySignal<boolean>;

  constructor(
    private readonly conversation: Conversation,
    private readonly storage: KeyValueStore,
    prefix: string,
    private readonly upload: Upload,
    private readonly limits: () => { readonly textBytesMax: number; readonly fileBytesMax: number },
    allowed: ReadonlySignal<{ readonly reply: boolean; readonly note: boolean }>,
  ) {
    this.mode = computed(() => {
      const { reply, note } = allowed.value;
      return reply && note ? this.#mode.value : note ? "note" : "reply";
    });
    this.#key = `${prefix}${conversation.id}`;
    const stored = parse(storage.get(this.#key));
    this.#text.value = stored.text;
    this.#mode.value = stored.mode;
    this.canSend = computed(() => {
      const files = this.#attachments.value;
      if (files.some((file) => file.state.kind !== "stored")) return false;
      return (files.length > 0 || this.#text.value.trim() !== "") && this.overBytes() === 0;
    });
  }

  setText(text: string): void {
    this.#text.value = text;
    this.#store();
    // Notes are for the team: the visitor sees nobody typing.
    this.conversation.draft(this.mode.peek() === "note" ? "" : text, false);
  }

  setMode(mode: Mode): void {
    if (mode === this.#mode.peek()) return;
    this.#mode.value = mode;
    this.#store();
    this.conversation.draft(this.mode.peek() === "note" ? "" : this.#text.peek(), false);
  }

  /** By how many bytes the text is too long for the server; 0 if it fits. */
  overBytes(): number {
    const max = this.limits().textBytesMax;
    const text = this.#text.value;
    // A UTF-16 unit takes at most three bytes: short texts need no counting.
    if (max === 0 || text.length * 3 <= max) return 0;
    return Math.max(0, new TextEncoder().encode(text).length - max);
  }

  attach(files: readonly File[]): void {
    for (const file of files) this.#add(file);
  }

  #add(source: File): void {
    const id = this.#nextId++;
    const put = (state: Attachment["state"]) => {
      const next: Attachment = { id, name: source.name, sizeBytes: source.size, mediaType: source.type, state };
      const known = this.#attachments.peek();
      this.#attachments.value = known.some((other) => other.id === id) ? known.map((other) => (other.id === id ? next : other)) : [...known, next];
    };
    const max = this.limits().fileBytesMax;
    if (source.size === 0) {
      put({ kind: "failed", failure: { code: "file.empty" } });
      return;
    }
    if (max > 0 && source.size > max) {
      put({ kind: "failed", failure: { code: "file.too_large" } });
      return;
    }
    put({ kind: "uploading", share: 0 });
    this.#cancels.set(
      id,
      startUpload(this.upload, this.conversation.id, source, {
        progress: (share) => this.#cancels.has(id) && put({ kind: "uploading", share }),
        stored: (file) => {
          this.#cancels.delete(id);
          put({ kind: "stored", file });
        },
        failed: (failure) => {
          this.#cancels.delete(id);
          put({ kind: "failed", failure });
        },
      }),
    );
  }

  removeAttachment(id: number): void {
    this.#cancels.get(id)?.();
    this.#cancels.delete(id);
    this.#attachments.value = this.#attachments.peek().filter((file) => file.id !== id);
  }

  send(): boolean {
    if (!this.canSend.peek()) return false;
    const team = this.mode.peek() === "note";
    for (const file of this.#attachments.peek()) {
      if (file.state.kind === "stored") this.conversation.sendFile(file.state.file, { team });
    }
    const text = this.#text.peek().trim();
    if (text !== "") this.conversation.sendText(text, { team, quoteSeq: this.quoteSeq.peek() });
    this.#attachments.value = [];
    this.quoteSeq.value = 0;
    this.#text.value = "";
    // The next words are a reply again: a note must be chosen each time, so that none goes astray.
    this.#mode.value = "reply";
    this.#store();
    return true;
  }

  #store(): void {
    const stored: Stored = { text: this.#text.peek(), mode: this.#mode.peek() };
    if (stored.text === "" && stored.mode === "reply") this.storage.remove(this.#key);
    else this.storage.set(this.#key, JSON.stringify(stored));
  }
}
