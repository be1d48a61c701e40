// What a visitor's client and a bot have in common: the connection, the outbox, waiting for both.
import type { Ticket } from "./api.js";
import { Api } from "./api.js";
import { Emitter } from "./emitter.js";
import { FrontdeskError, Refused, Stopped } from "./errors.js";
import { MessageIds } from "./ids.js";
import type { State } from "./link.js";
import { Link } from "./link.js";
import type { Ack, OutboxStore } from "./outbox.js";
import { Outbox, quiet } from "./outbox.js";
import type { Platform } from "./platform.js";
import type { Audience, ClientFrame, Command, Content, Entry, FeedPosition, Held, ServerFrame, Welcome } from "./wire.js";

const START_MS = 30_000;
/** How long after a refusal that names no time, or a lost connection, a command is tried again. */
const AGAIN_MS = 250;

export type ClientOptions = {
  readonly platform: Platform;
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly client: string;
  readonly language: string;
  readonly sendTimeoutMs: number;
  readonly outboxMax: number;
  readonly inboxMax: number;
  readonly store: OutboxStore | undefined;
};

/** What every client tells. */
export type CommonEvents = {
  /** The client's state changed; `error` says why it stopped, or why it is not connected while it waits. */
  state: [state: State, error: FrontdeskError | undefined];
  /** Something that no call answers for: a listener or handler failed, a page could not be read. */
  error: [error: unknown];
};

/** A command without the conversation: `{ take: {} }`, `{ transfer: { toTeam } }` and so on. */
export type SessionCommand = Omit<Command, "conversation">;

/** Base of Visitor and Bot. */
export abstract class Client<Events extends CommonEvents> extends Emitter<Events> {
  protected readonly api: Api;
  protected readonly link: Link;
  protected readonly outbox: Outbox;
  private readonly ids: MessageIds;
  /** Of those that wait for the end. */
  private readonly runners = new Set<(error: FrontdeskError) => void>();
  private readonly liveWaiters = new Set<{ resolve: () => void; reject: (error: FrontdeskError) => void }>();

  constructor(protected readonly options: ClientOptions) {
    super();
    const { platform } = options;
    this.api = new Api(options.base, platform, options.headers);
    this.ids = new MessageIds(platform);
    this.link = new Link(options.base, platform, options.client, options.language, {
      ticket: () => this.ticket(),
      held: () => this.toPresent(),
      feed: () => this.feed(),
      toSync: () => this.toSync(),
      welcomed: (welcome) => {
        this.welcomed(welcome);
        this.outbox.resume(welcome.limits?.inFlightMax);
      },
      received: (frame) => this.frame(frame),
      lost: () => {
        this.outbox.pause();
        this.lost();
      },
      stateChanged: (state, error) => this.stateChanged(state, error),
      failed: (error) => this.failed(error),
    });
    this.outbox = new Outbox({
      clock: platform.clock,
      max: options.outboxMax,
      sendTimeoutMs: options.sendTimeoutMs,
      store: options.store,
      check: (send) => this.link.checkFrame({ send }),
      transmit: (send) => this.link.push({ send }),
      failed: (error) => this.failed(error),
    });
  }

  /** How the client is connected. */
  get state(): State {
    return this.link.state;
  }

  /** Messages without an ack. */
  get pending(): number {
    return this.outbox.size;
  }

  /**
   * Connects, and stays connected until close(). Resolves with the first welcome; rejects where there will be none, or
   * after `timeoutMs` (30 s). It goes on trying even then: start() again waits again.
   */
  start(timeoutMs: number = START_MS): Promise<void> {
    this.link.start();
    return this.untilLive(timeoutMs);
  }

  /** Connects as start() does, and serves until close(). Rejects with why it could not connect, or why it was stopped. */
  async run(): Promise<void> {
    try {
      await this.start();
      const gone = this.gone();
      if (gone !== undefined) throw gone;
      await new Promise<void>((_, reject) => this.runners.add(reject));
    } catch (error) {
      if (this.state === "closed") return;
      if (this.state !== "stopped") this.close();
      throw error;
    }
  }

  /** Ends the client. Messages without an ack are rejected with client.closed; a store keeps them. */
  close(): void {
    if (this.link.state === "closed") return;
    this.link.close();
    this.ended(new FrontdeskError("client.closed"));
  }

  protected abstract ticket(): Promise<Ticket>;
  protected abstract toPresent(): readonly Held[];
  protected abstract feed(): FeedPosition | undefined;
  protected abstract toSync(): readonly Held[];
  protected abstract welcomed(welcome: Welcome): void;
  protected abstract received(frame: ServerFrame): void;
  /** An own message has its place. */
  protected abstract placed(conversation: string, entry: Entry): void;
  protected abstract lost(): void;
  protected abstract finish(error: FrontdeskError): void;
  protected abstract selfActor(): Entry["actor"];

  protected post(conversation: string, content: Content, audience: Audience = "AUDIENCE_EVERYONE"): Promise<Ack> {
    const gone = this.gone();
    if (gone !== undefined) return quiet(Promise.reject(gone));
    return this.outbox.add({ clientMsgId: this.ids.next(), conversation, content, audience });
  }

  /** An entry that came counts as the ack of the message it is. */
  protected arrived(conversation: string, entry: Entry): void {
    const clientMsgId = entry.clientMsgId ?? "";
    if (clientMsgId === "") return;
    const { id = "", seq, atMs } = entry;
    this.outbox.acked({ conversation, clientMsgId, id, seq: Number(seq ?? 0), atMs: Number(atMs ?? 0) });
  }

  /**
   * Moves a session. A connection that goes meanwhile is waited for and the command given again; `done` is the
   * refusal that then says that it was carried out the first time.
   */
  protected async command(frame: Command, done: string): Promise<void> {
    const { clock } = this.options.platform;
    const endsAtMs = clock.now() + this.options.sendTimeoutMs;
    for (let again = false; ; again = true) {
      await this.untilLive(Math.max(0, endsAtMs - clock.now()));
      try {
        await this.link.request({ command: frame });
        return;
      } catch (error) {
        if (!(error instanceof FrontdeskError)) throw error;
        if (again && error.code === done) return;
        const later = error instanceof Refused ? error.retryAfterMs : error.code === "connection.lost" || error.code === "timeout" ? AGAIN_MS : undefined;
        if (later === undefined || clock.now() + later >= endsAtMs) throw error;
        await this.sleep(later);
      }
    }
  }

  protected push(frame: ClientFrame): boolean {
    return this.link.push(frame);
  }

  private sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.options.platform.clock.setTimer(resolve, delayMs));
  }

  /** Why nothing can be asked any more. */
  protected gone(): FrontdeskError | undefined {
    if (this.link.state === "closed") return new FrontdeskError("client.closed");
    if (this.link.state === "stopped") return this.link.error ?? new Stopped("client.stopped");
    return undefined;
  }

  private untilLive(timeoutMs: number): Promise<void> {
    if (this.link.live) return Promise.resolve();
    const gone = this.gone();
    if (gone !== undefined) return Promise.reject(gone);
    const { clock } = this.options.platform;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer(() => waiter.reject(this.notConnected()), timeoutMs);
      const end = (): void => {
        clock.clearTimer(timer);
        this.liveWaiters.delete(waiter);
      };
      const waiter = {
        resolve: () => {
          end();
          resolve();
        },
        reject: (error: FrontdeskError) => {
          end();
          reject(error);
        },
      };
      this.liveWaiters.add(waiter);
    });
  }

  private notConnected(): FrontdeskError {
    const { error } = this.link;
    const why = error === undefined ? "" : ` (${error.message})`;
    return new FrontdeskError("timeout", `not connected in time${why}`, undefined, { cause: error });
  }

  private stateChanged(state: State, error: FrontdeskError | undefined): void {
    if (state === "live") for (const waiter of [...this.liveWaiters]) waiter.resolve();
    if (state === "stopped") this.ended(error ?? new Stopped("client.stopped"));
    this.tell("state", [state, error]);
  }

  private ended(error: FrontdeskError): void {
    for (const waiter of [...this.liveWaiters]) waiter.reject(error);
    this.outbox.close(error);
    this.finish(error);
    for (const run of this.runners) run(error);
    this.runners.clear();
  }

  private frame(frame: ServerFrame): void {
    const { ack, refusal } = frame;
    if (ack !== undefined) {
      const { clientMsgId = "", conversation = "", id = "", atMs, position } = ack;
      const seq = Number(position?.seq ?? 0);
      const message = this.outbox.acked({ conversation, clientMsgId, id, seq, atMs: Number(atMs ?? 0) });
      // One whose sender waits no longer still has its place.
      const { content, audience } = message ?? {};
      this.placed(conversation, { seq: String(seq), id, atMs, clientMsgId, actor: this.selfActor(), audience, content });
    } else if (refusal === undefined || !this.outbox.refused(refusal)) {
      this.received(frame);
    }
  }
}
