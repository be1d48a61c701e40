// What the agent is about to say in one conversation: text, reply or note, a quoted message, whom a
// note calls upon, files on their way up. All of it survives leaving the conversation and reloading
// the page, but for uploads that were not through.
import type { Conversation, FileInfo, KeyValueStore } from "@frontdesk/client";
import type { ReadonlySignal } from "@preact/signals-core";
import { computed, signal } from "@preact/signals-core";
import type { Stored } from "./draft";
import { isEmpty, parseDraft } from "./draft";
import type { Mention } from "./mentions";
import { mentionedIn } from "./mentions";
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

export class Composer {
  readonly #text = signal("");
  readonly #mode = signal<Mode>("reply");
  readonly #quoteSeq = signal(0);
  readonly #attachments = signal<readonly Attachment[]>([]);
  readonly #cancels = new Map<number, () => void>();
  readonly #key: string;
  /** The colleagues picked for this note; the text says who of them is still meant. */
  #people: readonly Mention[] = [];
  #nextId = 1;
  readonly text: ReadonlySignal<string> = this.#text;
  /** What was chosen, or what alone is allowed. */
  readonly mode: ReadonlySignal<Mode>;
  readonly attachments: ReadonlySignal<readonly Attachment[]> = this.#attachments;
  /** The seq of the message this one answers; 0 for none. */
  readonly quoteSeq: ReadonlySignal<number> = this.#quoteSeq;
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
    this.#restore(parseDraft(storage.get(this.#key)));
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

  /** Answers this message; 0 answers none. */
  quote(seq: number): void {
    this.#quoteSeq.value = seq;
    this.#store();
  }

  /** A colleague was picked: what stands in the text as "@name" calls upon them. */
  mention(person: Mention): void {
    if (!this.#people.some((known) => known.id === person.id)) this.#people = [...this.#people, { id: person.id, name: person.name }];
    this.#store();
  }

  /** Takes up again what the server refused: its words before those that stand here, in its own mode. */
  resume(text: string, mode: Mode, quoteSeq: number): void {
    const written = this.#text.peek();
    if (quoteSeq > 0) this.#quoteSeq.value = quoteSeq;
    this.setMode(mode);
    this.setText(written === "" ? text : `${text}\n${written}`);
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
          this.#store();
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
    this.#store();
  }

  /** The conversation is left: what is not through is given up, the rest is kept. */
  leave(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  send(): boolean {
    if (!this.canSend.peek()) return false;
    const team = this.mode.peek() === "note";
    const text = this.#text.peek().trim();
    const quoteSeq = this.#quoteSeq.peek();
    // An answer once: the words carry the quote, or the first file where there are none.
    let ofFile = text === "" ? quoteSeq : 0;
    for (const file of this.#attachments.peek()) {
      if (file.state.kind !== "stored") continue;
      this.conversation.sendFile(file.state.file, { team, quoteSeq: ofFile });
      ofFile = 0;
    }
    if (text !== "") this.conversation.sendText(text, { team, quoteSeq, mentions: team ? mentionedIn(text, this.#people) : [] });
    this.#attachments.value = [];
    this.#quoteSeq.value = 0;
    this.#text.value = "";
    this.#people = [];
    // The next words are a reply again: a note must be chosen each time, so that none goes astray.
    this.#mode.value = "reply";
    this.#store();
    return true;
  }

  #restore(stored: Stored): void {
    this.#text.value = stored.text;
    this.#mode.value = stored.mode;
    this.#quoteSeq.value = stored.quoteSeq;
    this.#people = stored.people;
    this.#attachments.value = stored.files.map((file) => ({
      id: this.#nextId++,
      name: file.name,
      sizeBytes: file.sizeBytes,
      mediaType: file.mediaType,
      state: { kind: "stored", file },
    }));
  }

  #store(): void {
    const stored: Stored = {
      text: this.#text.peek(),
      mode: this.#mode.peek(),
      quoteSeq: this.#quoteSeq.peek(),
      people: this.#people,
      files: this.#attachments.peek().flatMap(({ state }) => (state.kind === "stored" ? [state.file] : [])),
    };
    if (isEmpty(stored)) this.storage.remove(this.#key);
    else this.storage.set(this.#key, JSON.stringify(stored));
  }
}
