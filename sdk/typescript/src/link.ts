// One long connection to /ws/v1 and everything that keeps it alive: ticket or resume token, hello, back-off, silence,
// position checks, rejoin. Knows no conversation; its user does.
//
//   idle -> connecting -> live -> (lost) waiting -> connecting ...
//                              -> (told to) stopped
import type { Ticket } from "./api.js";
import { Backoff } from "./backoff.js";
import { decodeServer, encodeClient, SUBPROTOCOL } from "./codec.js";
import { afterClose, CLOSE_NORMAL, CLOSE_OVERLOADED, CLOSE_SILENT } from "./codes.js";
import { FrontdeskError, HttpError, Refused, Stopped } from "./errors.js";
import type { Platform, Socket, TimerId } from "./platform.js";
import type { ClientFrame, FeedPosition, Held, Limits, ServerFrame, Welcome } from "./wire.js";

/** What the program needs for an identity, and the ticket. */
const TICKET_MS = 30_000;
/** From dialling to Welcome. */
const CONNECT_MS = 10_000;
/** The longest that a server, or a proxy before it, may ask to be left alone. */
const POSTPONE_MAX_MS = 3_600_000;
const CHECK_EVERY_MS = 2_500;
/** How long after the ping interval a server that says nothing counts as gone. */
const GRACE_MS = 10_000;
const PING_INTERVAL_MS = 25_000;
const SYNC_EVERY_MS = 40_000;
const ANSWER_MS = 15_000;
/** A connection that lived shorter than this does not reset the back-off. */
const STABLE_AFTER_MS = 10_000;
const OVERLOADED_MS = 5_000;
/** Frames that may wait for their answer. */
const ASKED_MAX = 1_024;
/** The server stops whoever sends a larger frame. */
const FRAME_BYTES_MAX = 1_048_576;

/** How a client is connected. */
export type State = "idle" | "connecting" | "live" | "waiting" | "stopped" | "closed";

export interface LinkUser {
  /** Rejects with HttpError, or with what the program threw when it was asked who the visitor is. */
  ticket(): Promise<Ticket>;
  /** What the hello presents. */
  held(): readonly Held[];
  feed(): FeedPosition | undefined;
  /** What the next position check asks about. */
  toSync(): readonly Held[];
  welcomed(welcome: Welcome): void;
  received(frame: ServerFrame): void;
  lost(): void;
  stateChanged(state: State, error: FrontdeskError | undefined): void;
  /** Tells of an error that nothing else answers for. */
  failed(error: unknown): void;
}

type Asked = { readonly resolve: () => void; readonly reject: (error: FrontdeskError) => void; readonly timer: TimerId };

export class Link {
  state: State = "idle";
  /** Why it stopped, or why the last attempt to connect failed. */
  error: FrontdeskError | undefined;
  limits: Limits = {};
  private readonly backoff: Backoff;
  private readonly asked = new Map<number, Asked>();
  private socket: Socket | undefined;
  private resumeToken = "";
  private node: number | undefined;
  private ref = 1;
  /** Grows with every attempt, so that a late answer to an old one is told apart. */
  private generation = 0;
  private receivedAtMs = 0;
  private pingedAtMs = 0;
  private liveSinceMs = 0;
  private notBeforeMs = 0;
  private timer: TimerId | undefined;
  private checkTimer: TimerId | undefined;
  private syncTimer: TimerId | undefined;

  constructor(
    private readonly base: string,
    private readonly platform: Platform,
    private readonly client: string,
    private readonly language: string,
    private readonly user: LinkUser,
  ) {
    this.backoff = new Backoff(platform.random);
  }

  get live(): boolean {
    return this.state === "live";
  }

  start(): void {
    if (this.state === "idle") void this.connect();
  }

  /** Closes for good. */
  close(): void {
    if (this.state === "closed") return;
    this.drop(CLOSE_NORMAL);
    this.become("closed");
  }

  /** Sends a frame that nothing answers. False when not live. */
  push(frame: ClientFrame): boolean {
    if (!this.live) return false;
    this.write(frame);
    return true;
  }

  /** Throws for a frame that the server would stop this client for. */
  checkFrame(frame: ClientFrame): void {
    written(frame);
  }

  /** Sends a frame; the answer is that it was carried out. Rejects with Refused or FrontdeskError. */
  request(frame: ClientFrame): Promise<void> {
    if (this.state === "closed") return Promise.reject(new FrontdeskError("client.closed"));
    if (this.state === "stopped") return Promise.reject(this.error ?? new Stopped("client.stopped"));
    if (!this.live) return Promise.reject(new FrontdeskError("connection.lost", "not connected now"));
    if (this.asked.size >= ASKED_MAX) return Promise.reject(new FrontdeskError("outbox.full", "too many frames wait for their answer"));
    this.ref = this.ref >= 0x7fffffff ? 2 : this.ref + 1;
    const { ref } = this;
    return new Promise((resolve, reject) => {
      this.write({ ref, ...frame });
      const timer = this.platform.clock.setTimer(() => {
        this.asked.delete(ref);
        reject(new FrontdeskError("timeout"));
      }, ANSWER_MS);
      this.asked.set(ref, { resolve, reject, timer });
    });
  }

  private write(frame: ClientFrame): void {
    this.socket?.send(written(frame));
  }

  private async connect(): Promise<void> {
    this.clearTimers();
    const generation = ++this.generation;
    this.timer = this.platform.clock.setTimer(() => this.fail("no ticket in time"), TICKET_MS);
    this.become("connecting");
    if (generation !== this.generation) return;
    let ticket = "";
    try {
      if (this.resumeToken === "") {
        ({ ticket, node: this.node } = await this.user.ticket());
        if (generation !== this.generation) return;
      }
      this.clearTimers();
      this.timer = this.platform.clock.setTimer(() => this.fail(), CONNECT_MS);
      const query = this.node === undefined ? "" : `?node=${this.node}`;
      const socket = await this.platform.dial(`${this.base.replace(/^http/, "ws")}/ws/v1${query}`, SUBPROTOCOL);
      this.attach(socket, generation, ticket);
    } catch (error) {
      if (generation === this.generation) this.refusedTicket(error);
    }
  }

  private refusedTicket(error: unknown): void {
    this.clearTimers();
    if (error instanceof HttpError) {
      if (error.final) {
        this.halt(error);
        return;
      }
      this.postpone(error.retryAfterMs ?? 0);
      this.error = error;
    } else {
      this.error = new FrontdeskError("connection.lost", String(error), undefined, { cause: error });
      this.user.failed(error);
    }
    this.retry();
  }

  private attach(socket: Socket, generation: number, ticket: string): void {
    if (generation !== this.generation) {
      socket.close(CLOSE_NORMAL);
      return;
    }
    this.socket = socket;
    socket.onOpen = () => {
      if (generation === this.generation) this.greet(ticket);
    };
    socket.onMessage = (data) => {
      if (generation === this.generation) this.received(data);
    };
    socket.onClose = (code, retryAfterMs) => {
      if (generation !== this.generation) return;
      this.postpone(retryAfterMs ?? 0);
      this.closed(code);
    };
  }

  private greet(ticket: string): void {
    this.clearTimers();
    this.timer = this.platform.clock.setTimer(() => this.fail(), CONNECT_MS);
    const credential = ticket === "" ? { resumeToken: this.resumeToken } : { ticket };
    const { client, language } = this;
    this.write({ ref: 1, hello: { ...credential, held: this.user.held(), feed: this.user.feed(), client, language, canRejoin: true } });
  }

  /** Somebody else serves this client from now on: hello again on the same socket. */
  private rejoin(afterMs: number): void {
    this.suspend();
    this.timer = this.platform.clock.setTimer(() => (this.resumeToken === "" ? this.fail("there is nothing to say hello with") : this.greet("")), afterMs);
    this.become("connecting");
  }

  private received(data: unknown): void {
    this.receivedAtMs = this.platform.clock.now();
    this.pingedAtMs = 0;
    let frame: ServerFrame;
    try {
      frame = decodeServer(data);
    } catch {
      // A captive portal, a broken proxy.
      this.fail("what speaks there is no Frontdesk server");
      return;
    }
    if (frame.welcome !== undefined) this.welcomed(frame.welcome);
    else if (frame.ping !== undefined) this.write({ pong: {} });
    else if (frame.goAway !== undefined) this.postpone(frame.goAway.reconnectAfterMs ?? 0);
    else if (frame.rejoin !== undefined) this.rejoin(frame.rejoin.afterMs ?? 0);
    else if (frame.pong === undefined && this.live) this.deliver(frame);
  }

  private deliver(frame: ServerFrame): void {
    const asked = this.asked.get(frame.ref ?? 0);
    if (asked !== undefined && (frame.done ?? frame.opened ?? frame.refusal) !== undefined) {
      this.asked.delete(frame.ref ?? 0);
      this.platform.clock.clearTimer(asked.timer);
      const { refusal } = frame;
      if (refusal === undefined) asked.resolve();
      else asked.reject(new Refused(refusal.code ?? "", refusal.detail ?? "", refusal.retryAfterMs));
    }
    // In the order of arrival, whoever asked: what follows an answer builds on it.
    this.user.received(frame);
  }

  private welcomed(welcome: Welcome): void {
    const { clock } = this.platform;
    this.clearTimers();
    this.resumeToken = welcome.resumeToken ?? "";
    this.limits = welcome.limits ?? {};
    this.liveSinceMs = clock.now();
    this.notBeforeMs = 0;
    this.error = undefined;
    this.state = "live";
    this.checkTimer = clock.setTimer(() => this.check(), CHECK_EVERY_MS);
    this.syncTimer = clock.setTimer(() => this.sync(), SYNC_EVERY_MS);
    this.user.welcomed(welcome);
    if (this.live) this.user.stateChanged("live", undefined);
  }

  /** Nothing heard for the ping interval: asks. Nothing heard after that either: the connection is dead. */
  private check(): void {
    const now = this.platform.clock.now();
    const interval = this.limits.pingIntervalMs ?? PING_INTERVAL_MS;
    const silentMs = now - this.receivedAtMs;
    if (silentMs >= interval + GRACE_MS) {
      this.fail();
      return;
    }
    if (silentMs >= interval && this.pingedAtMs === 0) {
      this.pingedAtMs = now;
      this.write({ ping: {} });
    }
    this.checkTimer = this.platform.clock.setTimer(() => this.check(), CHECK_EVERY_MS);
  }

  /** Asks whether what is held is still where it stands: repairs a push that was lost between nodes. */
  private sync(): void {
    const held = this.user.toSync();
    // What is refused now is asked again with the next check.
    if (held.length > 0) this.request({ sync: { held } }).catch(() => undefined);
    this.syncTimer = this.platform.clock.setTimer(() => this.sync(), SYNC_EVERY_MS);
  }

  /** Closes from this side because the connection is of no use, and tries again. */
  fail(why = "the server says nothing"): void {
    this.drop(CLOSE_SILENT);
    this.error = new FrontdeskError("connection.lost", why);
    this.retry();
  }

  private closed(code: number): void {
    const wasLive = this.live;
    this.drop();
    this.error = new FrontdeskError("connection.lost", `closed with ${code}`);
    switch (afterClose(code)) {
      case "stop":
        this.halt(new Stopped("client.stopped", `closed with ${code}`));
        return;
      case "new-ticket": {
        const refused = !wasLive && this.resumeToken !== "";
        this.resumeToken = "";
        if (refused) {
          // A resume token the server no longer knows costs one round trip, not a back-off.
          void this.connect();
          return;
        }
        break;
      }
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
    const { socket } = this;
    this.socket = undefined;
    if (code !== undefined) socket?.close(code);
    if (this.live && this.platform.clock.now() - this.liveSinceMs >= STABLE_AFTER_MS) this.backoff.reset();
    this.suspend();
  }

  /** Nothing that was asked will be answered, and nothing more is asked. */
  private suspend(): void {
    const wasLive = this.live;
    this.clearTimers();
    if (wasLive) this.state = "connecting";
    for (const asked of this.asked.values()) {
      this.platform.clock.clearTimer(asked.timer);
      asked.reject(new FrontdeskError("connection.lost"));
    }
    this.asked.clear();
    if (wasLive) this.user.lost();
  }

  private halt(error: FrontdeskError): void {
    this.resumeToken = "";
    this.error = error;
    this.become("stopped", error);
  }

  private postpone(delayMs: number): void {
    this.notBeforeMs = Math.max(this.notBeforeMs, this.platform.clock.now() + Math.min(delayMs, POSTPONE_MAX_MS));
  }

  private retry(): void {
    const { clock } = this.platform;
    const delayMs = this.backoff.next() + Math.max(0, this.notBeforeMs - clock.now());
    this.timer = clock.setTimer(() => void this.connect(), delayMs);
    this.become("waiting", this.error);
  }

  /** Who is told may close the client: nothing is done after it. */
  private become(state: State, error?: FrontdeskError): void {
    this.state = state;
    this.user.stateChanged(state, error);
  }

  private clearTimers(): void {
    for (const timer of [this.timer, this.checkTimer, this.syncTimer]) {
      if (timer !== undefined) this.platform.clock.clearTimer(timer);
    }
    this.timer = this.checkTimer = this.syncTimer = undefined;
  }
}

/** A frame as text; throws for one that the server would stop this client for. */
function written(frame: ClientFrame): string {
  const text = encodeClient(frame);
  // A UTF-16 unit takes at most three bytes.
  const large = text.length * 3 > FRAME_BYTES_MAX && new TextEncoder().encode(text).length > FRAME_BYTES_MAX;
  if (large) throw new FrontdeskError("frame.too_large", `a frame holds ${FRAME_BYTES_MAX} bytes`);
  return text;
}
