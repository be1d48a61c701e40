// What the agent is about to say in one conversation: text, reply or note, a quoted message, whom a
// note calls upon, the files with it. All of it survives leaving the conversation, and, but for
// uploads that were not through, reloading the page.
import type { Conversation } from "@frontdesk/client";
import type { ReadonlySignal } from "@preact/signals-core";
import { computed, signal } from "@preact/signals-core";
import type { Attachment, Attachments } from "./attachments";
import type { Drafts } from "./draft";
import type { Mention } from "./mentions";
import { mentionedIn } from "./mentions";

export type Mode = "reply" | "note";

export class Composer {
  readonly #text = signal("");
  readonly #mode = signal<Mode>("reply");
  readonly #quoteSeq = signal(0);
  /** The colleagues picked for this note; the text says who of them is still meant. */
  #people: readonly Mention[] = [];
  readonly text: ReadonlySignal<string> = this.#text;
  /** What was chosen, or what alone is allowed. */
  readonly mode: ReadonlySignal<Mode>;
  readonly attachments: ReadonlySignal<readonly Attachment[]>;
  /** The seq of the message this one answers; 0 for none. */
  readonly quoteSeq: ReadonlySignal<number> = this.#quoteSeq;
  readonly canSend: ReadonlySignal<boolean>;

  constructor(
    private readonly conversation: Conversation,
    private readonly drafts: Drafts,
    private readonly files: Attachments,
    private readonly textBytesMax: () => number,
    allowed: ReadonlySignal<{ readonly reply: boolean; readonly note: boolean }>,
  ) {
    this.mode = computed(() => {
      const { reply, note } = allowed.value;
      return reply && note ? this.#mode.value : note ? "note" : "reply";
    });
    const { text, mode, quoteSeq, people } = drafts.read(conversation.id);
    this.#text.value = text;
    this.#mode.value = mode;
    this.#quoteSeq.value = quoteSeq;
    this.#people = people;
    this.attachments = files.list;
    this.canSend = computed(() => {
      const files = this.attachments.value;
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
    const max = this.textBytesMax();
    const text = this.#text.value;
    // A UTF-16 unit takes at most three bytes: short texts need no counting.
    if (max === 0 || text.length * 3 <= max) return 0;
    return Math.max(0, new TextEncoder().encode(text).length - max);
  }

  attach(files: readonly File[]): void {
    for (const file of files) this.files.add(file);
  }

  removeAttachment(id: number): void {
    this.files.remove(id);
  }

  send(): boolean {
    if (!this.canSend.peek()) return false;
    const team = this.mode.peek() === "note";
    const text = this.#text.peek().trim();
    const quoteSeq = this.#quoteSeq.peek();
    // An answer once: the words carry the quote, or the first file where there are none.
    let ofFile = text === "" ? quoteSeq : 0;
    for (const file of this.files.stored.peek()) {
      this.conversation.sendFile(file, { team, quoteSeq: ofFile });
      ofFile = 0;
    }
    if (text !== "") this.conversation.sendText(text, { team, quoteSeq, mentions: team ? mentionedIn(text, this.#people) : [] });
    this.files.clear();
    this.#quoteSeq.value = 0;
    this.#text.value = "";
    this.#people = [];
    // The next words are a reply again: a note must be chosen each time, so that none goes astray.
    this.#mode.value = "reply";
    this.#store();
    return true;
  }

  #store(): void {
    this.drafts.change(this.conversation.id, {
      text: this.#text.peek(),
      mode: this.#mode.peek(),
      quoteSeq: this.#quoteSeq.peek(),
      people: this.#people,
    });
  }
}
