// One long connection to /ws/v1 and everything that keeps it alive: ticket or resume token, hello,
// back-off, half-open detection, position checks. Knows no conversation; its user does.
//
//   idle -> connecting -> hello -> live -> (lost) backoff -> connecting ...
//                                       -> (told to) stopped
import type { ClientFrame, Codec, FeedPositionJson, HeldJson, LimitsJson, RefusalJson, ServerFrame, WelcomeJson } from "@frontdesk/protocol";
import type { ReadonlySignal } from "@preact/signals-core";
import { signal } from "@preact/signals-core";
import { Backoff } from "./backoff";
import { afterClose, CLOSE_NORMAL, CLOSE_OVERLOADED, CLOSE_RIGHTS, CLOSE_SILENT } from "./codes";
import type { Platform, Socket, TimerId } from "./platform";

/** From dialling to Welcome. */
const CONNECT_MS = 10_000;
/** Nothing received for so long: ask whether the other side is there. */
const ASK_AFTER_MS = 25_000;
/** Nothing received for so long: the connection is dead, whatever the browser thinks. */
const DEAD_AFTER_MS = 35_000;
const CHECK_EVERY_MS = 2_500;
const SYNC_EVERY_MS = 40_000;
const ANSWER_MS = 15_000;
/** A connection that lived shorter than this does not reset the back-off. */
const STABLE_AFTER_MS = 10_000;
const OVERLOADED_MS = 5_000;

export type ConnectionState =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting" }
  | { readonly kind: "hello" }
  | { readonly kind: "live" }
  | { readonly kind: "backoff"; readonly retryAtMs: number; readonly attempt: number }
  | { readonly kind: "stopped"; readonly code: string };

/** Why no ticket was given. `stop` means that asking again is pointless. */
export class TicketRefused extends Error {
  override readonly name = "TicketRefused";

  constructor(
    readonly code: string,
    readonly stop: boolean,
    readonly retryAfterMs: number | undefined,
  ) {
    super(`no ticket: ${code}`);
  }
}

/** The server refused a frame, or no answer can come any more ("connection.lost", "timeout"). */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(
    readonly code: string,
    readonly detail = "",
    readonly retryAfterMs: number | undefined = undefined,
  ) {
    super(`refused: ${code}`);
  }

  static from(refusal: RefusalJson): Refused {
    return new Refused(refusal.code ?? "", refusal.detail ?? "", refusal.retryAfterMs);
  }
}

/** What the first hello needs. `node`: which node of a cluster serves whoever it is of. */
export type Ticket = { readonly ticket: string; readonly node?: number | undefined };

/** Who uses the connection: knows how to get a ticket and what it already holds. */
export interface ConnectionUser {
  /** Rejects with TicketRefused, or with anything else where no answer came. */
  ticket(): Promise<Ticket>;
  held(): HeldJson[];
  feed?(): FeedPositionJson | undefined;
  welcomed(welcome: WelcomeJson): void;
  received(frame: ServerFrame): void;
  lost(): void;
  /** The connection ends because the user's rights are others now; it comes back by itself. */
  rightsChanged?(): void;
}

export type ConnectionOptions = {
  readonly platform: Platform;
  readonly codec: Codec;
  /** For example "frontdesk-widget/0.1.0". */
  readonly client: string;
  readonly language: () => string;
  readonly user: ConnectionUser;
};

type Waiting = { readonly resolve: (frame: ServerFrame) => void; readonly reject: (error: Refused) => void; readonly timer: TimerId };

export class Connection {
  private readonly current = signal<ConnectionState>({ kind: "idle" });
  readonly state: ReadonlySignal<ConnectionState> = this.current;
  /** As Welcome told them; empty before. */
  limits: LimitsJson = {};
  private readonly backoff: Backoff;
  private readonly waiting = new Map<number, Waiting>();
  private socket: Socket | undefined;
  private resumeToken = "";
  private node: number | undefined;
  private ref = 1;
  /** Grows with every attempt, so that a late answer to an old one is told apart. */
  private generation = 0;
  private receivedAtMs = 0;
  private askedAtMs = 0;
  private liveSinceMs = 0;
  private notBeforeMs = 0;
  private timer: TimerId | undefined;
  private checkTimer: TimerId | undefined;
  private syncTimer: TimerId | undefined;
  private unwake: (() => void) | undefined;
  private serverAheadMs = 0;

  constructor(private readonly options: ConnectionOptions) {
    this.backoff = new Backoff(() => options.platform.random.unit());
  }

  get live(): boolean {
    return this.current.peek().kind === "live";
  }

  /** The server's clock, as well as one frame can tell. */
  serverNowMs(): number {
    return this.options.platform.clock.now() + this.serverAheadMs;
  }

  start(): void {
    const kind = this.current.peek().kind;
    if (kind !== "idle" && kind !== "stopped") return;
    this.unwake ??= this.options.platform.onWake(() => this.wake());
    this.backoff.reset();
    void this.connect();
  }

  /** Closes for good; `start` opens again with a new ticket. */
  stop(): void {
    this.unwake?.();
    this.unwake = undefined;
    this.resumeToken = "";
    this.drop(CLOSE_NORMAL);
    this.current.value = { kind: "idle" };
  }

  /** Drops the connection and its identity and connects again with a new ticket. */
  restart(): void {
    this.stop();
    this.start();
  }

  /** The network may be back: tries at once instead of waiting, or checks a quiet connection. */
  wake(): void {
    const state = this.current.peek();
    const now = this.options.platform.clock.now();
    if (state.kind === "backoff" && now >= this.notBeforeMs) {
      void this.connect();
    } else if (state.kind === "live") {
      this.check();
      if (this.live && now - this.receivedAtMs > CHECK_EVERY_MS) this.ask(now);
    }
  }

  /** Sends a frame that nothing answers. False when not live. */
  push(frame: ClientFrame): boolean {
    if (!this.live) return false;
    this.write(frame);
    return true;
  }

  /** Sends a frame and gives its answer; rejects with Refused. */
  request(frame: ClientFrame): Promise<ServerFrame> {
    if (!this.live) return Promise.reject(new Refused("connection.lost"));
    return this.roundTrip(frame);
  }

  private roundTrip(frame: ClientFrame): Promise<ServerFrame> {
    const ref = this.nextRef();
    return new Promise((resolve, reject) => {
      const timer = this.options.platform.clock.setTimer(() => {
        this.waiting.delete(ref);
        reject(new Refused("timeout"));
      }, ANSWER_MS);
      this.waiting.set(ref, { resolve, reject, timer });
      this.write({ ref, ...frame });
    });
  }

  private nextRef(): number {
    this.ref = this.ref >= 0x7fffffff ? 2 : this.ref + 1;
    return this.ref;
  }

  private write(frame: ClientFrame): void {
    this.socket?.send(this.options.codec.encode(frame));
  }

  private async connect(): Promise<void> {
    this.clearTimers();
    const generation = ++this.generation;
    this.current.value = { kind: "connecting" };
    let ticket = "";
    if (this.resumeToken === "") {
      try {
        ({ ticket, node: this.node } = await this.options.user.ticket());
      } catch (error) {
        if (generation === this.generation) this.ticketFailed(error);
        return;
      }
      if (generation !== this.generation) return;
    }
    this.dial(generation, ticket);
  }

  private ticketFailed(error: unknown): void {
    if (error instanceof TicketRefused) {
      if (error.stop) {
        this.halt(error.code);
        return;
      }
      this.postpone(error.retryAfterMs ?? 0);
    }
    this.retry();
  }

  private dial(generation: number, ticket: string): void {
    const { platform, codec } = this.options;
    const socket = platform.openSocket(codec.subprotocol, this.node);
    this.socket = socket;
    this.awaitWelcome();
    socket.onOpen = () => {
      if (generation === this.generation) this.greet(ticket);
    };
    socket.onMessage = (data) => {
      if (generation === this.generation) this.received(data);
    };
    socket.onClose = (code) => {
      if (generation === this.generation) this.closed(code);
    };
  }

  private awaitWelcome(): void {
    this.clearTimers();
    this.timer = this.options.platform.clock.setTimer(() => this.fail(), CONNECT_MS);
  }

  private greet(ticket: string): void {
    const { client, language, user } = this.options;
    this.awaitWelcome();
    this.current.value = { kind: "hello" };
    const credential = ticket === "" ? { resumeToken: this.resumeToken } : { ticket };
    const feed = user.feed?.();
    this.write({ ref: 1, hello: { ...credential, held: user.held(), ...(feed ? { feed } : {}), client, language: language(), canRejoin: true } });
  }

  /** Somebody else serves this client from now on: hello again on the same socket. */
  private rejoin(afterMs: number): void {
    this.suspend();
    // Without a token there is nothing to say hello with.
    this.timer = this.options.platform.clock.setTimer(() => (this.resumeToken ? this.greet("") : this.fail()), afterMs);
  }

  private received(data: unknown): void {
    this.receivedAtMs = this.options.platform.clock.now();
    this.askedAtMs = 0;
    let frame: ServerFrame;
    try {
      frame = this.options.codec.decode(data);
    } catch {
      // Whatever speaks there is no Frontdesk server (a captive portal, a broken proxy).
      this.fail();
      return;
    }
    if (frame.welcome) this.welcomed(frame.welcome);
    else if (frame.ping) this.write({ pong: {} });
    else if (frame.goAway) this.postpone(frame.goAway.reconnectAfterMs ?? 0);
    else if (frame.rejoin) this.rejoin(frame.rejoin.afterMs ?? 0);
    else if (!frame.pong) this.deliver(frame);
  }

  private deliver(frame: ServerFrame): void {
    const waiting = frame.ref === undefined ? undefined : this.waiting.get(frame.ref);
    if (waiting && frame.ref !== undefined && !frame.entries) {
      this.waiting.delete(frame.ref);
      this.options.platform.clock.clearTimer(waiting.timer);
      if (frame.refusal) waiting.reject(Refused.from(frame.refusal));
      else waiting.resolve(frame);
      return;
    }
    this.options.user.received(frame);
  }

  private welcomed(welcome: WelcomeJson): void {
    const { clock } = this.options.platform;
    this.clearTimers();
    this.resumeToken = welcome.resumeToken ?? "";
    this.limits = welcome.limits ?? {};
    this.liveSinceMs = clock.now();
    this.notBeforeMs = 0;
    if (welcome.serverTimeMs !== undefined) this.serverAheadMs = Number(welcome.serverTimeMs) - clock.now();
    this.current.value = { kind: "live" };
    this.checkTimer = clock.setTimer(() => this.checkAgain(), CHECK_EVERY_MS);
    this.syncTimer = clock.setTimer(() => this.sync(), SYNC_EVERY_MS);
    this.options.user.welcomed(welcome);
  }

  private checkAgain(): void {
    this.check();
    if (this.live) this.checkTimer = this.options.platform.clock.setTimer(() => this.checkAgain(), CHECK_EVERY_MS);
  }

  private check(): void {
    const now = this.options.platform.clock.now();
    const silentMs = now - this.receivedAtMs;
    if (silentMs >= DEAD_AFTER_MS) this.fail();
    else if (this.askedAtMs > 0 && now - this.askedAtMs >= DEAD_AFTER_MS - ASK_AFTER_MS) this.fail();
    else if (silentMs >= ASK_AFTER_MS) this.ask(now);
  }

  private ask(now: number): void {
    if (this.askedAtMs > 0) return;
    this.askedAtMs = now;
    this.write({ ping: {} });
  }

  /** Asks whether everything held is still where it stands: repairs a delivery the bus lost. */
  private sync(): void {
    const held = this.options.user.held();
    // A refusal or a lost connection is repaired by the reconnect that follows.
    if (held.length > 0) this.roundTrip({ sync: { held } }).catch(() => undefined);
    this.syncTimer = this.options.platform.clock.setTimer(() => this.sync(), SYNC_EVERY_MS);
  }

  /** Closes from this side because the connection is of no use, and tries again. */
  private fail(): void {
    this.drop(CLOSE_SILENT);
    this.retry();
  }

  private closed(code: number): void {
    const wasLive = this.live;
    this.drop();
    if (code === CLOSE_RIGHTS) this.options.user.rightsChanged?.();
    switch (afterClose(code)) {
      case "stop":
        this.halt(`close.${code}`);
        return;
      case "new-ticket":
        if (this.resumeToken !== "") {
          // A resume token the server no longer knows costs one round trip, not a back-off.
          this.resumeToken = "";
          void this.connect();
          return;
        }
        break;
      case "reconnect":
        // Refused before Welcome: the token may be the cause, a ticket is the safe way.
        if (!wasLive) this.resumeToken = "";
        if (code === CLOSE_OVERLOADED) this.postpone(OVERLOADED_MS);
        break;
    }
    this.retry();
  }

  private drop(code?: number): void {
    this.generation += 1;
    const socket = this.socket;
    this.socket = undefined;
    if (code !== undefined) socket?.close(code);
    if (this.live && this.options.platform.clock.now() - this.liveSinceMs >= STABLE_AFTER_MS) this.backoff.reset();
    this.suspend();
  }

  /** Nothing that was asked will be answered, and nothing more is asked. */
  private suspend(): void {
    const wasLive = this.live;
    this.clearTimers();
    for (const waiting of this.waiting.values()) {
      this.options.platform.clock.clearTimer(waiting.timer);
      waiting.reject(new Refused("connection.lost"));
    }
    this.waiting.clear();
    if (wasLive) {
      this.current.value = { kind: "connecting" };
      this.options.user.lost();
    }
  }

  private halt(code: string): void {
    this.resumeToken = "";
    this.unwake?.();
    this.unwake = undefined;
    this.current.value = { kind: "stopped", code };
  }

  private postpone(delayMs: number): void {
    this.notBeforeMs = Math.max(this.notBeforeMs, this.options.platform.clock.now() + delayMs);
  }

  private retry(): void {
    const { clock } = this.options.platform;
    const delayMs = this.backoff.next() + Math.max(0, this.notBeforeMs - clock.now());
    this.current.value = { kind: "backoff", retryAtMs: clock.now() + delayMs, attempt: this.backoff.attempt };
    this.timer = clock.setTimer(() => void this.connect(), delayMs);
  }

  private clearTimers(): void {
    for (const timer of [this.timer, this.checkTimer, this.syncTimer]) {
      if (timer !== undefined) this.options.platform.clock.clearTimer(timer);
    }
    this.timer = this.checkTimer = this.syncTimer = undefined;
  }
}
