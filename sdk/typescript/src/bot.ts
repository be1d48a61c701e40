// A bot: an API key that answers conversations. The feed says which sessions it was given; those are opened, and each
// visitor's message is handed to the handler once and in order, also over reconnects. One handler runs at a time in
// each conversation, several at a time in all.
import type { Ticket } from "./api.js";
import type { ClientOptions, CommonEvents, SessionCommand } from "./client.js";
import { Client } from "./client.js";
import { Conversation } from "./conversation.js";
import { Refused } from "./errors.js";
import type { TimerId } from "./platform.js";
import type { Message } from "./message.js";
import { toMessage } from "./message.js";
import { Thread } from "./thread.js";
import type { Actor, Entry, FeedChange, FeedPosition, Held, OpenedFrame, Refusal, Row, ServerFrame, Session, Welcome } from "./wire.js";

/** As many as a hello or a position check may name, and a connection may have open. */
const OPEN_MAX = 60;
/** Conversations of others whose place is remembered. */
const PLACES_MAX = 10_000;
const LIST_AGAIN_MS = 3_000;
const OPEN_AGAIN_MS = 1_000;
/** Messages of a session that is not the bot's yet: kept for when it is. */
const UNCLAIMED_MAX = 1_000;

/** Who the bot is. */
export type BotOptions = {
  /** `fd_...`, made with `"bot": true`. */
  readonly apiKey: string;
  /** Handlers that run at a time in all. 64. */
  readonly handlersMax?: number;
};

/** What a bot's program may listen to. */
export type BotEvents = CommonEvents & {
  /** The bot was given a session. */
  given: [conversation: Conversation];
  /** The session is the bot's no longer: closed, or with somebody else. */
  released: [conversation: Conversation];
  /** Every message of a conversation the bot looks at, of whomever. */
  entry: [conversation: Conversation, message: Message];
  /** Somebody took back the entry with this seq. */
  retracted: [conversation: Conversation, seq: number];
  /** The newest page came in place of what was held. `missed`: messages before it will not be given. */
  reload: [conversation: Conversation, missed: boolean];
};

/** Answers a visitor's message. */
export type Handler = (conversation: Conversation, message: Message) => void | Promise<void>;

type Followed = {
  readonly thread: Thread;
  readonly conversation: Conversation;
  /** Visitor's messages that wait for the handler. */
  queue: Message[];
  running: boolean;
  /** Visitor's messages since the last answer, while the session was not the bot's. */
  unclaimed: Message[];
  /** An open is on its way, or the hello named it. */
  opening: boolean;
  /** What it missed has been asked for, and did not come yet. */
  wanted: boolean;
  again: TimerId | undefined;
};

/** An API key that answers conversations. */
export class Bot extends Client<BotEvents> {
  private self: Actor = {};
  private handler: Handler | undefined;
  private readonly followed = new Map<string, Followed>();
  /** What is open on this connection, the longest unused first. */
  private open = new Set<string>();
  private feedPosition: FeedPosition | undefined;
  private listing = 0;
  private listTimer: TimerId | undefined;
  private syncFrom = 0;
  private running = 0;
  private readonly ready: Followed[] = [];

  /** Made by `Frontdesk.bot`. */
  constructor(
    options: ClientOptions,
    private readonly who: BotOptions,
  ) {
    super(options);
  }

  /**
   * Who answers the visitors' messages; without it they wait. What it throws is told as the event "error", and the next
   * message comes.
   */
  onMessage(handler: Handler): this {
    this.handler = handler;
    for (const one of this.followed.values()) this.pump(one);
    return this;
  }

  /** The key's own id, once connected. */
  get id(): string {
    return this.self.id ?? "";
  }

  /** The conversations whose session the bot owns. */
  get conversations(): readonly Conversation[] {
    return [...this.followed.values()].map(({ conversation }) => conversation).filter(({ owned }) => owned);
  }

  /** A conversation by its id, to write to it or move it. */
  conversation(id: string): Conversation {
    return this.follow(id).conversation;
  }

  protected async ticket(): Promise<Ticket> {
    const answer = await this.api.request("POST", "tickets", this.authorization(), { kind: "agent" });
    return { ticket: String(answer["ticket"] ?? ""), node: typeof answer["node"] === "number" ? answer["node"] : undefined };
  }

  protected toPresent(): readonly Held[] {
    const held = this.owned().slice(0, OPEN_MAX);
    // The server opens each by itself; an answer follows the welcome.
    this.open = new Set(held.map(({ thread }) => thread.id));
    for (const one of this.followed.values()) one.opening = this.open.has(one.thread.id);
    return held.map(({ thread }) => thread.held());
  }

  protected toSync(): readonly Held[] {
    const all = this.owned().filter(({ thread }) => thread.timeline.epoch !== "");
    if (this.syncFrom >= all.length) this.syncFrom = 0;
    const some = all.slice(this.syncFrom, this.syncFrom + OPEN_MAX);
    this.syncFrom += some.length;
    return some.map(({ thread }) => thread.held());
  }

  protected feed(): FeedPosition | undefined {
    return this.feedPosition;
  }

  protected welcomed(welcome: Welcome): void {
    this.self = welcome.self ?? {};
    const recovered = welcome.feedRecovered === true && this.feedPosition !== undefined;
    if (!recovered) this.feedPosition = welcome.feed;
    // An open whose answer was lost with the connection is given again: the feed does not tell of it a second time.
    for (const one of [...this.followed.values()]) if ((one.wanted || one.conversation.owned) && !one.opening) this.load(one);
    if (!recovered || this.listing > 0) void this.list();
  }

  protected received(frame: ServerFrame): void {
    if (frame.entries !== undefined) this.followed.get(frame.entries.conversation ?? "")?.thread.entries(frame.entries);
    else if (frame.opened !== undefined) this.opened(frame.opened);
    else if (frame.session !== undefined) this.moved(this.followed.get(frame.session.conversation ?? ""), frame.session.session);
    else if (frame.feed !== undefined) for (const change of frame.feed.changes ?? []) this.changed(change);
    else if (frame.refusal !== undefined) this.refusedOpen(frame.refusal);
  }

  protected placed(conversation: string, entry: Entry): void {
    this.followed.get(conversation)?.thread.place(entry);
  }

  protected lost(): void {
    this.open.clear();
    if (this.listTimer !== undefined) this.options.platform.clock.clearTimer(this.listTimer);
    this.listTimer = undefined;
    for (const one of this.followed.values()) {
      one.thread.lost();
      one.opening = false;
      this.clearAgain(one);
    }
  }

  protected finish(): void {
    this.lost();
    for (const one of this.followed.values()) {
      one.thread.close();
      one.queue = [];
    }
  }

  protected selfActor(): Entry["actor"] {
    return this.self;
  }

  private authorization(): string {
    // Without a key the headers of the options say who it is.
    return this.who.apiKey === "" ? "" : `Bearer ${this.who.apiKey}`;
  }

  private owned(): Followed[] {
    return [...this.followed.values()].filter(({ conversation }) => conversation.owned);
  }

  private follow(id: string): Followed {
    const known = this.followed.get(id);
    if (known !== undefined) return known;
    const conversation = new Conversation(id, {
      post: (to, content, audience) => this.post(to, content, audience),
      draft: (to, text, typing) => void this.push({ draft: { conversation: to, text, typing } }),
      move: (to, command: SessionCommand, done) => this.command({ conversation: to, ...command }, done),
      now: () => this.options.platform.clock.now(),
    });
    const thread = new Thread(id, {
      clock: this.options.platform.clock,
      givesPast: true,
      accept: (_, entry) => this.accept(one, entry),
      reaches: (_, items) => items.some(({ entry }) => entry !== undefined && isAnswer(entry)),
      loaded: (_, opened) => this.loaded(one, opened),
      reloaded: (_, __, missed) => this.emit("reload", conversation, missed),
      page: (_, range) => this.api.entries(id, this.authorization(), range),
      sync: () => void this.link.request({ sync: { held: [thread.held()] } }).catch(() => undefined),
      otherEpoch: () => this.load(one),
      failed: (error) => this.failed(error),
    });
    const one: Followed = { thread, conversation, queue: [], running: false, unclaimed: [], opening: false, wanted: false, again: undefined };
    this.forget();
    this.followed.set(id, one);
    return one;
  }

  /** The places of conversations of others are kept as long as there is room. */
  private forget(): void {
    if (this.followed.size < PLACES_MAX) return;
    for (const [id, { conversation, running, opening, wanted }] of this.followed) {
      if (conversation.owned || running || opening || wanted) continue;
      this.followed.delete(id);
      return;
    }
  }

  /** The feed says what changes; what there was before, the list says. */
  private async list(): Promise<void> {
    const listing = ++this.listing;
    try {
      const rows = await this.api.mine(this.authorization());
      if (listing !== this.listing) return;
      for (const row of rows) this.row(row);
      this.listing = 0;
    } catch (error) {
      if (listing !== this.listing || !this.link.live) return;
      this.failed(error);
      this.listTimer = this.options.platform.clock.setTimer(() => void this.list(), LIST_AGAIN_MS);
    }
  }

  private changed(change: FeedChange): void {
    if (change.row !== undefined) this.row(change.row);
    else if (change.removed !== undefined) this.moved(this.followed.get(change.removed), undefined, true);
    if (change.number !== undefined && this.feedPosition !== undefined) {
      this.feedPosition = { ...this.feedPosition, number: change.number };
    }
  }

  private row(row: Row): void {
    const id = row.conversation ?? "";
    const known = this.followed.get(id);
    const given = this.isMine(row.session);
    if (known === undefined && !given) return;
    const one = known ?? this.follow(id);
    one.conversation.visitor = { id: row.visitor ?? "", name: row.visitorName ?? "" };
    one.conversation.language = row.language ?? "";
    if (!this.isNewer(one.conversation.session, row.session)) return;
    const behind = Number(row.position?.seq ?? 0) > one.thread.timeline.held;
    // What it missed while the session was somebody else's comes with the answer, and the session after it.
    if (given && !one.conversation.owned) this.load(one);
    else if (given && behind && !this.open.has(id)) this.load(one);
    else if (!given) this.moved(one, row.session);
  }

  private load(one: Followed): void {
    one.wanted = true;
    if (one.opening || !this.link.live) return;
    one.opening = true;
    const { id, timeline } = one.thread;
    this.touch(id);
    // The answer is taken in by `opened`, in the order of arrival.
    this.link.request({ open: { conversation: id, position: timeline.position() } }).catch((error: unknown) => {
      one.opening = false;
      if (!this.link.live) return;
      this.open.delete(id);
      if (!(error instanceof Refused)) this.loadLater(one);
      else if (error.retryAfterMs !== undefined || error.code === "conversation.too_many_open") this.loadLater(one, error.retryAfterMs);
      else this.moved(one, undefined, true);
    });
  }

  private loadLater(one: Followed, afterMs = OPEN_AGAIN_MS): void {
    one.again ??= this.options.platform.clock.setTimer(() => {
      one.again = undefined;
      this.load(one);
    }, afterMs);
  }

  /** Keeps what is used open; what was not used for the longest time is left. It still comes, to the owner. */
  private touch(id: string): void {
    this.open.delete(id);
    this.open.add(id);
    for (const oldest of this.open) {
      if (this.open.size <= OPEN_MAX) return;
      this.leave(oldest);
    }
  }

  private leave(id: string): void {
    if (!this.open.delete(id)) return;
    this.link.request({ leave: { conversation: id } }).catch(() => undefined);
  }

  /** One of those the hello named cannot be opened now, or may no longer be read. */
  private refusedOpen(refusal: Refusal): void {
    const one = this.followed.get(refusal.conversation ?? "");
    if (one === undefined) return;
    one.opening = false;
    if (refusal.retryAfterMs !== undefined) {
      if (one.conversation.owned) this.loadLater(one, refusal.retryAfterMs);
    } else if (refusal.code === "conversation.unknown") {
      this.open.delete(one.thread.id);
      this.moved(one, undefined, true);
    }
  }

  private opened(frame: OpenedFrame): void {
    const one = this.followed.get(frame.conversation ?? "");
    if (one === undefined) return;
    one.opening = false;
    const { conversation, thread } = one;
    // Going on with the same session, what comes is the bot's. Otherwise the session says so once all is there.
    const same = conversation.owned && this.isMine(frame.session) && frame.session?.id === conversation.session?.id;
    if (!same) conversation.owned = false;
    thread.opened(frame);
  }

  private loaded(one: Followed, frame: OpenedFrame): void {
    const { conversation, thread } = one;
    one.wanted = false;
    // What was told while older pages were read is newer than the frame.
    this.moved(one, this.isNewer(conversation.session, frame.session) ? frame.session : conversation.session);
    if (!conversation.owned) this.leave(thread.id);
  }

  private isMine(session: Session | undefined): boolean {
    const answers = session?.status === "SESSION_STATUS_ASSIGNED" || session?.status === "SESSION_STATUS_PENDING";
    return answers && this.id !== "" && session.owner?.id === this.id;
  }

  private isNewer(known: Session | undefined, next: Session | undefined): boolean {
    if (known === undefined || next === undefined) return next !== undefined;
    const [a, b] = [known.number ?? 0, next.number ?? 0];
    return b > a || (b === a && (next.version ?? 0) >= (known.version ?? 0));
  }

  /** The session is another one now; `gone`: it is not the bot's to read any more. */
  private moved(one: Followed | undefined, session: Session | undefined, gone = false): void {
    if (one === undefined || (!gone && !this.isNewer(one.conversation.session, session))) return;
    if (gone) one.wanted = false;
    const { conversation } = one;
    const owned = !gone && this.isMine(session);
    const { id, timeline, loading } = one.thread;
    if (owned && !conversation.owned && (loading || one.opening || timeline.epoch === "" || !this.open.has(id))) {
      // It is the bot's once everything before is there: the answer to the open says so again.
      if (loading) conversation.session = session;
      else this.load(one);
      return;
    }
    if (session !== undefined) conversation.session = session;
    const was = conversation.owned;
    conversation.owned = owned;
    if (owned) {
      const waiting = one.unclaimed.filter((message) => message.session === conversation.session?.id);
      one.unclaimed = [];
      if (!was) this.emit("given", conversation);
      one.queue.push(...waiting);
      this.pump(one);
    } else if (was) {
      // Whoever has it now answers what waits.
      one.queue = [];
      this.leave(one.thread.id);
      this.emit("released", conversation);
    }
  }

  private accept(one: Followed, entry: Entry): boolean {
    const { conversation } = one;
    const own = this.id !== "" && entry.actor?.id === this.id;
    const message = toMessage(entry, conversation.id, own);
    const asks = message !== undefined && message.actor.kind === "visitor";
    // One of another session was somebody else's to answer, or will be the bot's when that session is.
    const given = conversation.owned && message?.session === conversation.session?.id;
    if (asks && given && one.queue.length >= this.options.inboxMax) return false;
    this.arrived(conversation.id, entry);
    if (message !== undefined) this.emit("entry", conversation, message);
    if (entry.retraction !== undefined) this.emit("retracted", conversation, Number(entry.retraction.seq ?? 0));
    if (asks && given) {
      one.queue.push(message);
      this.pump(one);
    } else if (asks) {
      one.unclaimed.push(message);
      if (one.unclaimed.length > UNCLAIMED_MAX) one.unclaimed.shift();
    } else if (isAnswer(entry)) {
      one.unclaimed = [];
    }
    return true;
  }

  /** Runs the handler for what waits: one at a time in a conversation, `handlersMax` in all. */
  private pump(one: Followed): void {
    if (one.running || one.queue.length === 0 || this.handler === undefined) return;
    if (this.running >= (this.who.handlersMax ?? 64)) {
      if (!this.ready.includes(one)) this.ready.push(one);
      return;
    }
    one.running = true;
    this.running += 1;
    void this.handle(one);
  }

  private async handle(one: Followed): Promise<void> {
    const message = one.queue.shift();
    try {
      if (message !== undefined) await this.handler?.(one.conversation, message);
    } catch (error) {
      this.failed(error);
    }
    one.running = false;
    this.running -= 1;
    if (one.queue.length <= this.options.inboxMax / 2) one.thread.drained();
    // The others first: none waits for one that never rests.
    const next = this.ready.shift();
    if (next !== undefined) this.pump(next);
    this.pump(one);
  }

  private clearAgain(one: Followed): void {
    if (one.again !== undefined) this.options.platform.clock.clearTimer(one.again);
    one.again = undefined;
  }
}

/** Somebody of the team, a bot or a program said something to the visitor. */
function isAnswer(entry: Entry): boolean {
  const kind = entry.actor?.kind;
  const answers = kind === "ACTOR_KIND_AGENT" || kind === "ACTOR_KIND_BOT" || kind === "ACTOR_KIND_API";
  return answers && entry.content !== undefined && entry.audience !== "AUDIENCE_TEAM";
}
