// A visitor's client: one identity, one conversation, shared by all tabs of a site.
//
// Nobody is known to the server before the first message, and nothing is kept on the device either:
// the identity a tab got with its first ticket lives in memory, and is told to tabs that open later.
// The first message of any tab fixes it, under a lock, in the store; a tab that had another one
// drops it and takes the stored one before its message goes out. So a first message from two tabs
// at once makes one conversation.
//
// Somebody the site signed in is who the site says, on every device: their identity comes with every
// ticket and is never stored, and what they leave unsent lies apart from the device's own visitor,
// until they sign out.
import type { AckJson, Codec, CommandJson, HeldJson, ServerFrame, WelcomeJson } from "@frontdesk/protocol";
import type { ReadonlySignal } from "@preact/signals-core";
import { batch, signal } from "@preact/signals-core";
import type { ConnectionState, Ticket } from "./connection";
import { Connection, TicketRefused } from "./connection";
import { Conversation } from "./conversation";
import { MessageIds } from "./ids";
import type { Actor } from "./model";
import { toActor, toNumber } from "./model";
import { Outbox } from "./outbox";
import type { Channel, Platform } from "./platform";
import { requestOlder, requestTicket } from "./tickets";

/** A ticket nobody used yet is good for so long: less than the server's 60 s. */
const SPARE_MS = 45_000;
/** How long a new tab waits for another one to tell the identity. */
const WHO_MS = 120;

/** What the page's first look brought: the ticket is as good as one the client asked for. */
export type Looked = Ticket & {
  readonly token: string;
  readonly conversation: string;
  readonly atMs: number;
};

/** `token`: what the server believes; `subject`: whom it names, to keep people's texts apart here. */
export type Identity = { readonly subject: string; readonly proof: Readonly<Record<string, unknown>> };

/** What a visitor may do with the session: `{ close: {} }`, `{ rate: { rating } }`, `{ askForPerson: {} }`. */
export type VisitorCommand = Pick<CommandJson, "close" | "rate" | "askForPerson">;

export type VisitorOptions = {
  readonly platform: Platform;
  readonly codec: Codec;
  readonly inboxKey: string;
  readonly client: string;
  readonly language: () => string;
  /** What the ticket tells about the page around: parent_origin, page, referrer. */
  readonly surroundings: () => Readonly<Record<string, string>>;
  /** The inbox as the ticket's answer describes it. */
  readonly onInbox: (inbox: unknown) => void;
  /** The unsent text changed in another tab, or is another one's. */
  readonly onDraft: (text: string) => void;
  /** Whom the site signed in, if anybody. */
  readonly identity?: () => Identity | undefined;
  readonly looked?: Looked | undefined;
};

type Told =
  | { readonly kind: "who" }
  | { readonly kind: "identity"; readonly token: string }
  | { readonly kind: "settled"; readonly token: string }
  | { readonly kind: "draft"; readonly text: string }
  | { readonly kind: "forgotten" };

export class VisitorClient {
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly conversation: Conversation;
  readonly outbox: Outbox;
  private readonly link: Connection;
  private channel: Channel;
  private readonly attendedNow = signal<boolean | undefined>(undefined);
  /** Whether somebody of the inbox is online; undefined until the server said. */
  readonly attended: ReadonlySignal<boolean | undefined> = this.attendedNow;
  private self: Actor = { kind: "visitor", id: "", name: "" };
  private token = "";
  /** The identity is in the store: messages may go out. */
  private settled = false;
  private settling: Promise<void> | undefined;
  private running = false;
  /** Known as soon as there is an identity. */
  conversationId = "";
  private spare: Looked | undefined;
  /** Whom the site signed in; empty for the device's own visitor. */
  private subject = "";
  private heard: ((token: string) => void) | undefined;
  private peek = false;

  constructor(private readonly options: VisitorOptions) {
    const { platform } = options;
    this.subject = options.identity?.()?.subject ?? "";
    this.spare = options.looked;
    this.channel = this.openChannel();
    this.outbox = new Outbox({
      platform,
      ids: new MessageIds(platform.clock, platform.random),
      prefix: this.key("outbox/"),
      transmit: (send) => this.settled && this.link.push({ send }),
    });
    this.link = new Connection({
      platform,
      codec: options.codec,
      client: options.client,
      language: options.language,
      user: {
        ticket: () => this.ticket(),
        held: () => this.held(),
        welcomed: (welcome) => this.welcomed(welcome),
        received: (frame) => this.received(frame),
        lost: () => {
          this.outbox.pause();
          this.conversation.lost();
        },
      },
    });
    this.connection = this.link.state;
    this.conversation = new Conversation("", {
      clock: platform.clock,
      outbox: this.outbox,
      self: () => this.self,
      push: (frame) => this.link.push(frame),
      request: (frame) => this.link.request(frame),
      page: (_, before) => requestOlder(platform, this.conversationId, before, this.headers()),
      repair: (_, whole) => this.repair(whole),
      serverNowMs: () => this.link.serverNowMs(),
    });
    this.recall();
    this.outbox.messages.subscribe((messages) => {
      if (messages.length > 0 && !this.settled) void this.settle();
    });
  }

  /** There may be a history to show, and answers may come. */
  get known(): boolean {
    return this.settled || this.subject !== "";
  }

  get textBytesMax(): number {
    return this.link.limits.textBytesMax ?? 0;
  }

  get fileBytesMax(): number {
    return toNumber(this.link.limits.fileBytesMax);
  }

  start(): void {
    this.running = true;
    this.link.start();
  }

  stop(): void {
    this.running = false;
    this.link.stop();
  }

  reconnect(): void {
    this.link.wake();
  }

  /** The site says who the visitor is now: somebody, somebody else, or nobody any more. */
  identified(): void {
    const subject = this.options.identity?.()?.subject ?? "";
    if (subject === this.subject) {
      // A new signature where the old one had run out.
      if (this.running) this.link.start();
      return;
    }
    const running = this.running;
    this.stop();
    if (this.subject !== "") this.wipe();
    this.subject = subject;
    this.channel.close();
    this.channel = this.openChannel();
    this.conversation.forget();
    this.recall();
    this.outbox.moveTo(this.key("outbox/"));
    this.options.onDraft(this.draft);
    if (running || this.known) this.start();
  }

  /** The unsent text, kept over a reload and shared between tabs. */
  get draft(): string {
    return this.options.platform.storage.get(this.key("draft")) ?? "";
  }

  /** `shown`: the inbox lets be seen that somebody types. */
  saveDraft(text: string, shown: boolean): void {
    const { storage } = this.options.platform;
    if (text === "") storage.remove(this.key("draft"));
    else storage.set(this.key("draft"), text);
    this.tell({ kind: "draft", text });
    if (shown || this.peek) this.conversation.draft(text, this.peek);
  }

  /** Keeps a word about this visitor on the device, until they are forgotten here. */
  keep(name: string, word: string): void {
    this.options.platform.storage.set(this.key(name), word);
  }

  kept(name: string): string {
    return this.options.platform.storage.get(this.key(name)) ?? "";
  }

  /** Rejects with Refused. */
  async command(command: VisitorCommand): Promise<void> {
    await this.link.request({ command });
  }

  /** What identifies this visitor in HTTP requests; makes an identity if there is none yet. */
  async authorization(): Promise<Record<string, string>> {
    if (this.token === "") await this.ticket();
    await this.settle();
    return this.headers();
  }

  /** Erases everything this device keeps about the visitor. The next message is somebody new. */
  forget(): void {
    this.tell({ kind: "forgotten" });
    this.forgetHere();
  }

  private forgetHere(): void {
    const running = this.running;
    this.stop();
    this.wipe();
    this.recall();
    this.conversation.forget();
    if (running) this.start();
  }

  private wipe(): void {
    const { storage } = this.options.platform;
    this.outbox.clear();
    for (const key of storage.keys(this.key(""))) storage.remove(key);
  }

  /** Becomes who the store says this is. */
  private recall(): void {
    const stored = this.options.platform.storage.get(this.key("visitor"));
    this.token = stored ?? "";
    this.settled = stored !== undefined;
  }

  private openChannel(): Channel {
    const channel = this.options.platform.openChannel(this.key("tabs"));
    channel.onMessage = (message) => this.told(message);
    return channel;
  }

  private async ticket(): Promise<Ticket> {
    const spare = this.spare;
    this.spare = undefined;
    if (this.token === "") await this.askOthers();
    const fresh = spare && this.options.platform.clock.now() - spare.atMs < SPARE_MS;
    if (fresh && (this.token === "" || this.token === spare.token)) return this.taken(spare);
    try {
      return await this.requestTicket();
    } catch (error) {
      if (!(error instanceof TicketRefused) || error.code !== "visitor.token_invalid" || this.token === "") throw error;
      // The installation does not know its own signature any more: begin as somebody new.
      this.options.platform.storage.remove(this.key("visitor"));
      this.token = "";
      this.settled = false;
      this.conversation.forget();
      return this.requestTicket();
    }
  }

  private async requestTicket(): Promise<Ticket> {
    const identity = this.options.identity?.();
    // Whoever wrote here before is signed in with what they wrote.
    const token = this.token || (identity ? this.options.platform.storage.get(`${this.whole}visitor`) : undefined);
    const answer = await requestTicket(this.options.platform, {
      kind: "visitor",
      inbox_key: this.options.inboxKey,
      ...(token ? { visitor_token: token } : {}),
      ...identity?.proof,
      ...this.options.surroundings(),
      language: this.options.language(),
    });
    this.options.onInbox(answer.inbox);
    const { visitor_token: given, conversation_id: conversation } = answer;
    return this.taken({
      ...answer,
      token: typeof given === "string" ? given : "",
      conversation: typeof conversation === "string" ? conversation : this.conversationId,
      atMs: 0,
    });
  }

  private taken(looked: Looked): Ticket {
    const { token, conversation } = looked;
    if (token !== this.token && this.token !== "") {
      // Whose this was needs the site's word now, or has become somebody the site knows.
      if (this.subject === "") this.options.platform.storage.remove(this.key("visitor"));
      this.settled = false;
      this.conversation.forget();
    }
    this.token = token;
    this.conversationId = conversation;
    // The site vouches for it: there is nothing to fix first.
    if (this.subject !== "") this.settled = true;
    return looked;
  }

  /** Another tab that nobody wrote in yet may have an identity already. */
  private askOthers(): Promise<void> {
    return new Promise((resolve) => {
      const done = (token: string): void => {
        this.options.platform.clock.clearTimer(timer);
        this.heard = undefined;
        if (this.token === "") this.token = token;
        resolve();
      };
      const timer = this.options.platform.clock.setTimer(() => done(""), WHO_MS);
      this.heard = done;
      this.tell({ kind: "who" });
    });
  }

  private settle(): Promise<void> {
    if (this.settled || this.token === "") return Promise.resolve();
    this.settling ??= this.options.platform
      .withLock(this.key("identity"), () => {
        const { storage } = this.options.platform;
        const stored = storage.get(this.key("visitor"));
        if (stored !== undefined && stored !== this.token) this.adopt(stored);
        else storage.set(this.key("visitor"), this.token);
        this.settled = true;
        this.tell({ kind: "settled", token: this.token });
        return Promise.resolve();
      })
      .then(() => {
        if (this.link.live) this.outbox.resume(this.link.limits.inFlightMax);
      })
      .finally(() => {
        this.settling = undefined;
      });
    return this.settling;
  }

  /** Becomes who another tab of this device is already. */
  private adopt(token: string): void {
    this.settled = true;
    if (token === this.token) return;
    this.token = token;
    this.spare = undefined;
    this.conversation.forget();
    if (this.running) this.link.restart();
  }

  private told(message: unknown): void {
    const told = message as Told;
    switch (told.kind) {
      case "who":
        if (this.token !== "") this.tell({ kind: "identity", token: this.token });
        break;
      case "identity":
        this.heard?.(told.token);
        break;
      case "settled":
        this.adopt(told.token);
        this.outbox.load();
        break;
      case "draft":
        this.options.onDraft(told.text);
        break;
      case "forgotten":
        this.forgetHere();
        break;
    }
  }

  private tell(message: Told): void {
    this.channel.post(message);
  }

  private held(): HeldJson[] {
    const position = this.conversation.timeline.position();
    return position ? [{ position }] : [];
  }

  private repair(whole: boolean): void {
    if (whole) {
      this.conversation.forget();
      this.link.restart();
      return;
    }
    // The answer is Entries, then Done. A lost connection repairs it by its hello.
    this.link.request({ sync: { held: this.held() } }).catch(() => undefined);
  }

  private welcomed(welcome: WelcomeJson): void {
    batch(() => {
      // Before the entries: what another tab stored may be among them already.
      this.outbox.load();
      this.self = toActor(welcome.self);
      this.peek = welcome.drafts ?? false;
      this.attendedNow.value = welcome.attended ?? false;
      const opened = welcome.opened?.[0];
      if (opened?.conversation) this.conversationId = opened.conversation;
      this.conversation.opened(opened ?? {});
    });
    this.outbox.resume(this.link.limits.inFlightMax);
    if (this.outbox.messages.peek().length > 0) void this.settle();
  }

  private received(frame: ServerFrame): void {
    batch(() => {
      if (frame.entries) this.conversation.entries(frame.entries);
      else if (frame.ack) this.acked(frame.ack);
      else if (frame.refusal) this.outbox.refused(frame.refusal);
      else if (frame.session) this.conversation.sessionMoved(frame.session);
      else if (frame.cursor) this.conversation.cursorMoved(frame.cursor);
      else if (frame.draft) this.conversation.drafted(frame.draft);
      else if (frame.opened) this.conversation.opened(frame.opened);
      else if (frame.attended) this.attendedNow.value = frame.attended.attended ?? false;
      else if (frame.queuePlace) {
        this.attendedNow.value = frame.queuePlace.attended ?? false;
        this.conversation.queueMoved(frame.queuePlace);
      }
    });
  }

  private acked(ack: AckJson): void {
    const message = this.outbox.acked(ack);
    if (message) this.conversation.acked(message, ack);
  }

  private headers(): Record<string, string> {
    return { authorization: `Visitor ${this.token}` };
  }

  /** Before everything this device keeps for the inbox. */
  private get whole(): string {
    return `frontdesk/visitor/${this.options.inboxKey}/`;
  }

  private key(name: string): string {
    const whose = this.subject === "" ? "" : `as/${encodeURIComponent(this.subject)}/`;
    return `${this.whole}${whose}${name}`;
  }
}
