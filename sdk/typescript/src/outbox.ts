// Messages on their way. One is kept from send() until its ack, and sent again with the same id after every reconnect,
// so that it is stored once whatever happens between. In each conversation one message waits for its ack at a time:
// one that is refused for its rate is never passed by the next.
import { FrontdeskError, Refused } from "./errors.js";
import type { Clock, TimerId } from "./platform.js";
import type { Audience, Content, Refusal, Send } from "./wire.js";

/** No ack for so long on a live connection: it is sent again. */
const ACK_MS = 15_000;
const IN_FLIGHT_MAX = 32;

/** A message that has no ack yet, as a store keeps it. */
export type Pending = {
  readonly clientMsgId: string;
  /** Empty for a visitor, who has one conversation. */
  readonly conversation: string;
  readonly content: Content;
  readonly audience: Audience;
};

/** Where pending messages survive the process. Without one they live in memory. */
export interface OutboxStore {
  /** Oldest first. What it throws, making the client throws. */
  load(): readonly Pending[];
  /** What it throws, the message is rejected with: it was not taken in. */
  put(message: Pending): void;
  /** What it throws is told as the event "error". */
  remove(clientMsgId: string): void;
}

/** The message is on disk and has its place. */
export type Ack = {
  readonly conversation: string;
  readonly clientMsgId: string;
  readonly id: string;
  readonly seq: number;
  readonly atMs: number;
};

type Waiting = Pending & {
  resolve(ack: Ack): void;
  reject(error: FrontdeskError): void;
  deadline: TimerId | undefined;
  sentAtMs: number | undefined;
};

export type OutboxOptions = {
  readonly clock: Clock;
  /** Messages that may wait for their ack. */
  readonly max: number;
  readonly sendTimeoutMs: number;
  readonly store: OutboxStore | undefined;
  /** Throws for a message that the server would stop this client for. */
  readonly check: (send: Send) => void;
  /** False when the connection is not live. */
  readonly transmit: (send: Send) => boolean;
  /** Tells of an error that nothing else answers for. */
  readonly failed: (error: unknown) => void;
};

export class Outbox {
  /** By clientMsgId, oldest first. */
  private readonly waiting = new Map<string, Waiting>();
  private inFlightMax = IN_FLIGHT_MAX;
  private live = false;
  private heldUntilMs = 0;
  private timer: TimerId | undefined;

  constructor(private readonly options: OutboxOptions) {
    for (const message of options.store?.load() ?? []) this.enter(message).catch(() => undefined);
  }

  get size(): number {
    return this.waiting.size;
  }

  /** Takes a message in at once; the answer is its ack, or why there will be none. */
  add(message: Pending): Promise<Ack> {
    if (this.waiting.size >= this.options.max) return quiet(Promise.reject(new FrontdeskError("outbox.full")));
    try {
      // One that cannot be sent would be in the way of all that follow, after every reconnect.
      this.options.check(toSend(message));
      this.options.store?.put(message);
    } catch (error) {
      return quiet(Promise.reject(error));
    }
    const ack = this.enter(message);
    this.pump();
    return ack;
  }

  private enter(message: Pending): Promise<Ack> {
    return quiet(
      new Promise<Ack>((resolve, reject) => {
        const deadline = this.options.clock.setTimer(() => this.late(message.clientMsgId), this.options.sendTimeoutMs);
        this.waiting.set(message.clientMsgId, { ...message, resolve, reject, deadline, sentAtMs: undefined });
      }),
    );
  }

  /** The connection is live: everything without an ack goes out, in order. */
  resume(inFlightMax: number | undefined): void {
    this.inFlightMax = inFlightMax !== undefined && inFlightMax > 0 ? inFlightMax : IN_FLIGHT_MAX;
    this.live = true;
    this.heldUntilMs = 0;
    for (const message of this.waiting.values()) message.sentAtMs = undefined;
    this.pump();
  }

  pause(): void {
    this.live = false;
    this.clearTimer();
  }

  /** The ack, or the entry that says the same. Gives the message back, for its place in the conversation. */
  acked(ack: Ack): Pending | undefined {
    const message = this.remove(ack.clientMsgId);
    message?.resolve(ack);
    this.pump();
    return message;
  }

  /** Whether the refusal was about a message of this outbox. */
  refused(refusal: Refusal): boolean {
    const message = this.waiting.get(refusal.clientMsgId ?? "");
    if (message === undefined) return false;
    message.sentAtMs = undefined;
    if (refusal.retryAfterMs !== undefined) {
      this.heldUntilMs = Math.max(this.heldUntilMs, this.options.clock.now() + refusal.retryAfterMs);
    } else {
      this.remove(message.clientMsgId)?.reject(new Refused(refusal.code ?? "", refusal.detail ?? ""));
    }
    this.pump();
    return true;
  }

  /** Nothing more will be sent. What a store keeps stays there for the next process. */
  close(error: FrontdeskError): void {
    this.pause();
    for (const message of this.waiting.values()) {
      this.options.clock.clearTimer(message.deadline);
      message.reject(error);
    }
    this.waiting.clear();
  }

  private late(clientMsgId: string): void {
    this.remove(clientMsgId)?.reject(new FrontdeskError("timeout", "no ack in time; the message may have been stored"));
    this.pump();
  }

  private remove(clientMsgId: string): Waiting | undefined {
    const message = this.waiting.get(clientMsgId);
    if (message === undefined) return undefined;
    this.options.clock.clearTimer(message.deadline);
    this.waiting.delete(clientMsgId);
    try {
      this.options.store?.remove(clientMsgId);
    } catch (error) {
      this.options.failed(error);
    }
    return message;
  }

  private pump(): void {
    this.clearTimer();
    if (!this.live || this.waiting.size === 0) return;
    const now = this.options.clock.now();
    if (this.heldUntilMs > now) {
      this.timer = this.options.clock.setTimer(() => this.pump(), this.heldUntilMs - now);
      return;
    }
    const busy = new Set<string>();
    let inFlight = 0;
    for (const message of this.waiting.values()) {
      if (message.sentAtMs !== undefined && now - message.sentAtMs < ACK_MS) inFlight += 1;
    }
    for (const message of this.waiting.values()) {
      if (busy.has(message.conversation)) continue;
      busy.add(message.conversation);
      if (message.sentAtMs !== undefined && now - message.sentAtMs < ACK_MS) continue;
      if (inFlight >= this.inFlightMax) break;
      message.sentAtMs = now;
      inFlight += 1;
      if (!this.options.transmit(toSend(message))) return;
    }
    this.timer = this.options.clock.setTimer(() => this.pump(), ACK_MS);
  }

  private clearTimer(): void {
    if (this.timer !== undefined) this.options.clock.clearTimer(this.timer);
    this.timer = undefined;
  }
}

function toSend({ conversation, clientMsgId, content, audience }: Pending): Send {
  return { conversation, clientMsgId, content, audience };
}

/** Whoever does not look at the answer is not told of a failure by the end of the process. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
