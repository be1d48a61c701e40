// A visitor: one identity, one conversation.
import type { Ticket } from "./api.js";
import type { ClientOptions, CommonEvents } from "./client.js";
import { Client } from "./client.js";
import { FrontdeskError } from "./errors.js";
import { Inbox } from "./inbox.js";
import type { Actor, Message } from "./message.js";
import { actorKind, toMessage } from "./message.js";
import type { Ack } from "./outbox.js";
import { quiet } from "./outbox.js";
import { cut } from "./stream.js";
import { Thread } from "./thread.js";
import type { Content, Entry, Held, Position, QueuePlace, ServerFrame, Session, TimelineItem, Welcome } from "./wire.js";

/** Who the visitor is. */
export type VisitorOptions = {
  /** Names the inbox; it is public. */
  readonly inboxKey: string;
  /** From an earlier run: the visitor and the conversation. Treat it like a password. */
  readonly token?: string;
  /** How far an earlier run got (`visitor.position`): messages go on from there. */
  readonly position?: Position;
  /** Who the site says the visitor is: a JSON Web Token, or what asks for a fresh one. */
  readonly identityToken?: string | (() => string | Promise<string>);
  /** The page the visitor writes from, and the one before. */
  readonly page?: string;
  readonly referrer?: string;
};

/** Somebody types; a bot's text grows until its message comes. */
export type Draft = { readonly actor: Actor; readonly typing: boolean; readonly text: string };

/** What a visitor's program may listen to. */
export type VisitorEvents = CommonEvents & {
  /** A message of somebody else: each once, in order. */
  message: [message: Message];
  /** Every message with its place, own ones and system texts too: each once, in order. */
  entry: [message: Message];
  /** Somebody took back the entry with this seq. */
  retracted: [seq: number];
  /** The newest page came in place of what was held. `missed`: messages before it will not be given. */
  reload: [messages: readonly Message[], missed: boolean];
  /** Somebody types; a bot's text grows until its message comes. */
  draft: [draft: Draft];
  /** The session changed. */
  session: [session: Session];
  /** Where the visitor stands in the queue. */
  queue: [place: QueuePlace];
  /** Whether somebody of the inbox is online. */
  attended: [attended: boolean];
};

/** A visitor of an inbox: one identity, one conversation. */
export class Visitor extends Client<VisitorEvents> {
  /** Keep it: it is the visitor's identity. Empty before the first ticket. */
  token: string;
  /** Empty before the first ticket. */
  conversationId = "";
  /** The inbox as the ticket's answer describes it. */
  inbox: Readonly<Record<string, unknown>> = {};
  /** The newest session, as far as it is known. */
  session: Session | undefined;
  private selfId = "";
  /** The inbox wants to see unsent text. */
  private drafts = false;
  private readonly thread: Thread;
  private waiting: Inbox<Message> | undefined;

  /** Made by `Frontdesk.visitor`. */
  constructor(
    options: ClientOptions,
    private readonly who: VisitorOptions,
  ) {
    super(options);
    this.token = who.token ?? "";
    this.thread = new Thread("", {
      clock: options.platform.clock,
      givesPast: false,
      accept: (_, entry) => this.accept(entry),
      reaches: () => true,
      loaded: (_, opened) => this.sessionMoved(opened.session),
      reloaded: (_, items, missed) => this.reloaded(items, missed),
      page: (_, range) => this.api.entries(this.conversationId, `Visitor ${this.token}`, range),
      sync: () => this.sync(),
      otherEpoch: () => this.link.fail("another epoch"),
      failed: (error) => this.failed(error),
    });
    if (who.position?.epoch !== undefined) this.thread.timeline.reset(who.position.epoch, Number(who.position.seq ?? 0));
  }

  /** How far messages were given to the program: present it to a later run to go on from there. */
  get position(): Position | undefined {
    const position = this.thread.timeline.position();
    const unread = this.waiting?.first;
    if (position === undefined || unread === undefined) return position;
    return { ...position, seq: String(Math.min(unread.seq - 1, Number(position.seq))) };
  }

  /** Sends a text. It is kept and sent again until its ack, over any number of reconnects. */
  send(text: string, quoteSeq = 0): Promise<Ack> {
    return this.sendContent({ text: { body: text }, ...quoting(quoteSeq) });
  }

  /** Sends any content a visitor may, for example a file that was uploaded: `{ file: { id } }`. */
  sendContent(content: Content): Promise<Ack> {
    return this.post("", content);
  }

  /** Picks one of the choices of a message. */
  choose(message: Message, choiceId: string): Promise<Ack> {
    const choice = message.choices.find((one) => one.id === choiceId);
    if (choice === undefined) return quiet(Promise.reject(new FrontdeskError("request.invalid", `the message has no choice ${choiceId}`)));
    return this.sendContent({ text: { body: choice.label }, choice: choiceId, quoteSeq: String(message.seq) });
  }

  /** Answers a form, by the ids of its fields. */
  submit(form: Message, values: Readonly<Record<string, string>>): Promise<Ack> {
    const filled = form.fields
      .filter(({ id }) => values[id] !== undefined)
      .map(({ id, label }) => ({ id, label, value: values[id] ?? "" }));
    return this.sendContent({ formReply: { values: filled }, quoteSeq: String(form.seq) });
  }

  /**
   * Messages of others, each once and in order, from the first call on; later calls give the same ones, so that a loop that
   * was left can be gone on with. A reader that falls far behind misses nothing: what finds no room is asked for again. The
   * loop ends with close(), and throws where the client was stopped.
   */
  messages(): AsyncIterableIterator<Message> {
    if (this.waiting === undefined) {
      this.waiting = new Inbox(this.options.inboxMax, () => this.thread.drained());
      const gone = this.gone();
      if (gone !== undefined) this.endMessages(gone);
    }
    return this.waiting;
  }

  /** Says that the visitor types, or no longer does. What is typed goes only to an inbox that wants to see it. */
  typing(typing = true, text = ""): void {
    if (!this.drafts && this.inbox["typing"] === false) return;
    this.push({ draft: { typing, text: this.drafts ? cut(text) : "" } });
  }

  /** Says that everything up to here was seen. */
  read(seq: number): void {
    this.push({ cursor: { deliveredSeq: String(this.thread.timeline.held), readSeq: String(Math.min(seq, this.thread.timeline.held)) } });
  }

  /** Ends the session, where the inbox lets visitors do so. */
  endSession(): Promise<void> {
    return this.command({ close: {} }, "session.closed");
  }

  /** Rates the session that was closed, 1 to 5. */
  rate(rating: number, comment = ""): Promise<void> {
    return this.command({ rate: { rating, comment } }, "session.not_ratable");
  }

  /** While a bot answers: lets a person take over. */
  askForPerson(): Promise<void> {
    return this.command({ askForPerson: {} }, "session.not_owner");
  }

  protected async ticket(): Promise<Ticket> {
    const { inboxKey, identityToken, page = "", referrer = "" } = this.who;
    const proof = typeof identityToken === "function" ? await identityToken() : identityToken;
    const answer = await this.api.request("POST", "tickets", "", {
      kind: "visitor",
      inbox_key: inboxKey,
      language: this.options.language,
      page,
      referrer,
      ...(this.token === "" ? {} : { visitor_token: this.token }),
      ...(proof === undefined ? {} : { identity_token: proof }),
    });
    this.token = String(answer["visitor_token"] ?? "");
    const conversation = String(answer["conversation_id"] ?? "");
    // The server may take the visitor for somebody else, with another conversation.
    if (this.conversationId !== "" && this.conversationId !== conversation) this.thread.timeline.reset("", 0);
    this.conversationId = conversation;
    this.inbox = (answer["inbox"] ?? {}) as Readonly<Record<string, unknown>>;
    return { ticket: String(answer["ticket"] ?? ""), node: typeof answer["node"] === "number" ? answer["node"] : undefined };
  }

  protected toPresent(): readonly Held[] {
    return this.thread.timeline.epoch === "" ? [] : [this.thread.held()];
  }

  protected toSync(): readonly Held[] {
    return this.toPresent();
  }

  protected feed(): undefined {
    return undefined;
  }

  protected welcomed(welcome: Welcome): void {
    this.selfId = welcome.self?.id ?? "";
    this.drafts = welcome.drafts ?? false;
    const opened = welcome.opened?.[0];
    if (opened !== undefined) this.thread.opened(opened);
    this.emit("attended", welcome.attended ?? false);
  }

  protected received(frame: ServerFrame): void {
    if (frame.entries !== undefined) this.thread.entries(frame.entries);
    else if (frame.opened !== undefined) this.thread.opened(frame.opened);
    else if (frame.session !== undefined) this.sessionMoved(frame.session.session);
    else if (frame.queuePlace !== undefined) this.emit("queue", frame.queuePlace);
    else if (frame.attended !== undefined) this.emit("attended", frame.attended.attended ?? false);
    else if (frame.draft !== undefined) {
      const { actor, typing = false, text = "" } = frame.draft;
      this.emit("draft", { actor: { kind: actorKind(actor?.kind), id: actor?.id ?? "", name: actor?.name ?? "" }, typing, text });
    }
  }

  protected placed(_: string, entry: Entry): void {
    this.thread.place(entry);
  }

  protected lost(): void {
    this.thread.lost();
  }

  protected finish(error: FrontdeskError): void {
    this.thread.close();
    this.endMessages(error);
  }

  private endMessages(error: FrontdeskError): void {
    this.waiting?.end(error.code === "client.closed" ? undefined : error);
  }

  protected selfActor(): Entry["actor"] {
    return { kind: "ACTOR_KIND_VISITOR", id: this.selfId };
  }

  private accept(entry: Entry): boolean {
    const own = entry.actor?.kind === "ACTOR_KIND_VISITOR";
    const message = toMessage(entry, "", own);
    const answer = message !== undefined && !own && message.kind !== "system" ? message : undefined;
    if (answer !== undefined && this.waiting?.push(answer) === false) return false;
    this.arrived("", entry);
    if (message !== undefined) this.emit("entry", message);
    if (answer !== undefined) this.emit("message", answer);
    if (entry.retraction !== undefined) this.emit("retracted", Number(entry.retraction.seq ?? 0));
    return true;
  }

  private reloaded(items: readonly TimelineItem[], missed: boolean): void {
    const messages = items.map(({ entry }) => entry && toMessage(entry, "", entry.actor?.kind === "ACTOR_KIND_VISITOR"));
    this.emit("reload", messages.filter((message): message is Message => message !== undefined), missed);
  }

  private sessionMoved(next: Session | undefined): void {
    if (next === undefined) return;
    const { number = 0, version = 0 } = this.session ?? {};
    const older = (next.number ?? 0) < number || ((next.number ?? 0) === number && (next.version ?? 0) < version);
    if (older) return;
    this.session = next;
    this.emit("session", next);
  }

  private sync(): void {
    const held = this.toSync();
    // What is refused now is asked again with the next check.
    if (held.length > 0) this.link.request({ sync: { held } }).catch(() => undefined);
  }
}

export function quoting(seq: number): { readonly quoteSeq?: string } {
  return seq > 0 ? { quoteSeq: String(seq) } : {};
}
