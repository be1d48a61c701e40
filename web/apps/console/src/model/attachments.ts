// The files that go out with the next message of a conversation, each with how far its upload is.
// They belong to the conversation and not to the screen: an upload goes on while the agent looks at
// another one, and what is through lies with the draft. A reload ends what is not.
import type { FileInfo } from "@frontdesk/client";
import type { ReadonlySignal } from "@preact/signals-core";
import { computed, signal } from "@preact/signals-core";
import type { Drafts } from "./draft";
import type { Upload, UploadFailure } from "./uploads";
import { startUpload } from "./uploads";

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

export type AttachmentsOptions = {
  readonly drafts: Drafts;
  readonly upload: Upload;
  readonly fileBytesMax: () => number;
};

/** Those of one conversation. */
export class Attachments {
  readonly #list = signal<readonly Attachment[]>([]);
  readonly list: ReadonlySignal<readonly Attachment[]> = this.#list;
  /** What the server has of them. */
  readonly stored: ReadonlySignal<readonly FileInfo[]>;
  readonly #cancels = new Map<number, () => void>();
  #nextId = 1;

  constructor(
    private readonly conversation: string,
    private readonly options: AttachmentsOptions,
  ) {
    this.stored = computed(() => this.#list.value.flatMap(({ state }) => (state.kind === "stored" ? [state.file] : [])));
    this.#list.value = options.drafts.read(conversation).files.map((file) => ({
      id: this.#nextId++,
      name: file.name,
      sizeBytes: file.sizeBytes,
      mediaType: file.mediaType,
      state: { kind: "stored", file },
    }));
  }

  add(source: File): void {
    const id = this.#nextId++;
    const put = (state: Attachment["state"]) => {
      const next: Attachment = { id, name: source.name, sizeBytes: source.size, mediaType: source.type, state };
      const known = this.#list.peek();
      this.#list.value = known.some((other) => other.id === id) ? known.map((other) => (other.id === id ? next : other)) : [...known, next];
    };
    const max = this.options.fileBytesMax();
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
      startUpload(this.options.upload, this.conversation, source, {
        progress: (share) => this.#cancels.has(id) && put({ kind: "uploading", share }),
        stored: (file) => {
          this.#cancels.delete(id);
          put({ kind: "stored", file });
          this.#keep();
        },
        failed: (failure) => {
          this.#cancels.delete(id);
          put({ kind: "failed", failure });
        },
      }),
    );
  }

  remove(id: number): void {
    this.#cancels.get(id)?.();
    this.#cancels.delete(id);
    this.#list.value = this.#list.peek().filter((file) => file.id !== id);
    this.#keep();
  }

  /** They went out with a message. */
  clear(): void {
    this.#list.value = [];
    this.#keep();
  }

  /** All of it lies with the draft. */
  get settled(): boolean {
    return this.#list.peek().every((file) => file.state.kind === "stored");
  }

  /** Gives up what is not through. */
  cancel(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #keep(): void {
    this.options.drafts.change(this.conversation, { files: this.stored.peek() });
  }
}

/** Those of every conversation, as long as somebody is signed in. */
export class AllAttachments {
  readonly #known = new Map<string, Attachments>();

  constructor(private readonly options: AttachmentsOptions) {}

  of(conversation: string): Attachments {
    const known = this.#known.get(conversation);
    // What lies with the draft is read from there: another tab may have sent it.
    if (known !== undefined && !known.settled) return known;
    const made = new Attachments(conversation, this.options);
    this.#known.set(conversation, made);
    return made;
  }

  /** Nobody looks at them any more. */
  leave(conversation: string): void {
    if (this.#known.get(conversation)?.settled === true) this.#known.delete(conversation);
  }

  stop(): void {
    for (const attachments of this.#known.values()) attachments.cancel();
    this.#known.clear();
  }
}
