// A conversation as a bot's program sees it: what it may say and do there.
import type { Choice, FieldKind } from "./message.js";
import type { Ack } from "./outbox.js";
import type { Audience, Content, FormField, Session, Source } from "./wire.js";
import type { SessionCommand } from "./client.js";
import { Stream } from "./stream.js";

/** What may be said beside an answer. */
export type ReplyOptions = {
  /** The seq of the entry that is answered. */
  readonly quoteSeq?: number;
  /** The articles the answer was taken from, the best first, at most 3. */
  readonly sources?: readonly Source[];
};

/** A field as it is asked for: a `Field` whose usual parts may be left out. */
export type FieldSpec = {
  readonly id: string;
  readonly label: string;
  /** Without it: text. */
  readonly kind?: FieldKind;
  readonly required?: boolean;
  /** Of kind choice. */
  readonly options?: readonly Choice[];
};

/** To whom a session goes. */
export type HandOver = {
  /** The team's id; without one the session goes to the queue it came from. */
  readonly team?: string;
  /** What the team should know. Visitors never see it. */
  readonly note?: string;
};

/** What a conversation needs from the bot it belongs to. */
export interface ConversationHost {
  post(conversation: string, content: Content, audience?: Audience): Promise<Ack>;
  draft(conversation: string, text: string, typing: boolean): void;
  move(conversation: string, command: SessionCommand, done: string): Promise<void>;
  now(): number;
}

/** One visitor's conversation, as the bot's handler is given it. */
export class Conversation {
  /** The newest session, as far as it is known. */
  session: Session | undefined;
  /** Who writes here; empty where it is not known. */
  visitor = { id: "", name: "" };
  /** BCP 47; empty where it is not known. */
  language = "";
  /** The bot owns the session: messages are given to it. */
  owned = false;

  /** Made by the bot. */
  constructor(
    readonly id: string,
    private readonly host: ConversationHost,
  ) {}

  /** Answers with a text. Kept and sent again until its ack, over any number of reconnects. */
  reply(text: string, options: ReplyOptions = {}): Promise<Ack> {
    return this.send({ text: { body: text } }, options);
  }

  /** A text with buttons under it. What the visitor picks comes as a message with `choice`. */
  choices(body: string, choices: readonly (string | Choice)[], options: ReplyOptions = {}): Promise<Ack> {
    const all: Choice[] = choices.map((choice) => (typeof choice === "string" ? { id: choice, label: choice } : choice));
    return this.send({ choices: { body, choices: all } }, options);
  }

  /** Asks for several things at once. What is filled in comes as a message with `values`. */
  form(title: string, fields: readonly FieldSpec[], submit = "", options: ReplyOptions = {}): Promise<Ack> {
    const all = fields.map(({ id, label, kind = "text", required = false, options: choices }): FormField => ({
      id,
      label,
      kind: `FORM_FIELD_KIND_${kind.toUpperCase() as Uppercase<typeof kind>}`,
      required,
      options: choices,
    }));
    return this.send({ form: { title, fields: all, submit } }, options);
  }

  /** A note for the team. */
  note(text: string): Promise<Ack> {
    return this.host.post(this.id, { text: { body: text } }, "AUDIENCE_TEAM");
  }

  /** An answer that grows while it is written: drafts, then the message. */
  stream(options: ReplyOptions = {}): Stream {
    return new Stream({
      now: () => this.host.now(),
      draft: (text, typing) => this.host.draft(this.id, text, typing),
      send: (text) => this.reply(text, options),
    });
  }

  /** Says that an answer is on its way, or no longer is. */
  typing(typing = true): void {
    this.host.draft(this.id, "", typing);
  }

  /** Gives the session to people: to a team, or back to its queue. */
  async handOver({ team = "", note = "" }: HandOver = {}): Promise<void> {
    if (team !== "") return this.host.move(this.id, { transfer: { toTeam: team, note } }, "session.not_owner");
    if (note !== "") await this.note(note);
    return this.host.move(this.id, { requeue: {} }, "session.not_owner");
  }

  /** Ends the session. */
  close(): Promise<void> {
    return this.host.move(this.id, { close: {} }, "session.closed");
  }

  private send(content: Content, { quoteSeq = 0, sources }: ReplyOptions): Promise<Ack> {
    const quoted = quoteSeq > 0 ? { quoteSeq: String(quoteSeq) } : {};
    return this.host.post(this.id, { ...content, ...quoted, ...(sources === undefined ? {} : { sources }) });
  }
}
