// Messages on their way out. A message is stored before it is shown, shown before it is sent, and
// stays here until the server says where it stands. After a reconnect everything unacknowledged is
// sent again under the same client_msg_id; the server tells repeats from news.
//
// Each message is one key of the store, so tabs never overwrite each other's; two tabs sending the
// same message is harmless for the same reason.
import type { AckJson, ContentJson, RefusalJson, SendJson } from "@frontdesk/protocol";
import type { ReadonlySignal } from "@preact/signals-core";
import { batch, signal } from "@preact/signals-core";
import type { MessageIds } from "./ids";
import type { Body } from "./model";
import type { Platform, TimerId } from "./platform";

/** What the server allows unless Welcome says otherwise. */
const IN_FLIGHT_MAX = 64;
/** A message not acknowledged while the connection lives is sent again: the ack may be lost. */
const ACK_MS = 20_000;

export type OutgoingState =
  | { readonly kind: "sending" }
  /** The server will not take it as it is; the person may change it, try again or drop it. */
  | { readonly kind: "refused"; readonly code: string };

/** A message that has no place in the timeline yet. */
export type Outgoing = {
  readonly key: string;
  readonly clientMsgId: string;
  /** Empty for a visitor, who has one conversation. */
  readonly conversation: string;
  readonly content: ContentJson;
  /** How the timeline shows it meanwhile; for a file with what the client knows about it. */
  readonly body: Body;
  readonly team: boolean;
  readonly atMs: number;
  readonly state: OutgoingState;
};

export type NewMessage = Pick<Outgoing, "conversation" | "content" | "body" | "team">;

export type OutboxOptions = {
  readonly platform: Pick<Platform, "clock" | "storage">;
  readonly ids: MessageIds;
  /** Keys of the store begin with it: one per identity. */
  readonly prefix: string;
  /** False when the connection is not live. */
  readonly transmit: (send: SendJson) => boolean;
};

export class Outbox {
  private readonly list = signal<readonly Outgoing[]>([]);
  readonly messages: ReadonlySignal<readonly Outgoing[]> = this.list;
  private readonly inFlight = new Map<string, number>();
  private inFlightMax = IN_FLIGHT_MAX;
  private open = false;
  private heldUntilMs = 0;
  private timer: TimerId | undefined;
  private prefix: string;

  constructor(private readonly options: OutboxOptions) {
    this.prefix = options.prefix;
    this.load();
  }

  /** Takes in what the store holds: from before a reload, or from another tab. */
  load(): void {
    const { storage } = this.options.platform;
    const known = new Set(this.list.peek().map((message) => message.clientMsgId));
    const stored: Outgoing[] = [];
    for (const key of storage.keys(this.prefix)) {
      const message = parse(storage.get(key));
      if (message === undefined) storage.remove(key);
      else if (!known.has(message.clientMsgId)) stored.push(message);
    }
    if (stored.length === 0) return;
    this.list.value = [...this.list.peek(), ...stored].sort(
      (a, b) => a.atMs - b.atMs || (a.clientMsgId < b.clientMsgId ? -1 : 1),
    );
    this.pump();
  }

  add(message: NewMessage): Outgoing {
    const clientMsgId = this.options.ids.next();
    const outgoing: Outgoing = {
      ...message,
      key: `m${clientMsgId}`,
      clientMsgId,
      atMs: this.options.platform.clock.now(),
      state: { kind: "sending" },
    };
    this.store(outgoing);
    this.list.value = [...this.list.peek(), outgoing];
    this.pump();
    return outgoing;
  }

  /** Sends a refused message again, at the end of the row. */
  retry(clientMsgId: string): void {
    const message = this.find(clientMsgId);
    if (message?.state.kind !== "refused") return;
    const again: Outgoing = { ...message, state: { kind: "sending" } };
    this.store(again);
    this.list.value = [...this.list.peek().filter((other) => other.clientMsgId !== clientMsgId), again];
    this.pump();
  }

  /** Forgets a message for good. */
  discard(clientMsgId: string): void {
    this.remove(clientMsgId);
  }

  /** Somebody else writes from here on; what is unsent of the last one stays where it is stored. */
  moveTo(prefix: string): void {
    this.pause();
    this.prefix = prefix;
    this.list.value = [];
    this.load();
  }

  /** Forgets everything, as when the person asks to be forgotten on this device. */
  clear(): void {
    batch(() => {
      for (const message of this.list.peek()) this.remove(message.clientMsgId);
    });
  }

  /** The connection is live: everything unacknowledged goes out, in order. */
  resume(inFlightMax: number | undefined): void {
    this.inFlightMax = inFlightMax !== undefined && inFlightMax > 0 ? inFlightMax : IN_FLIGHT_MAX;
    this.open = true;
    this.heldUntilMs = 0;
    this.inFlight.clear();
    this.pump();
  }

  pause(): void {
    this.open = false;
    this.inFlight.clear();
    this.clearTimer();
  }

  /** The server has the message. Gives it back, so that the timeline can show it in its place. */
  acked(ack: AckJson): Outgoing | undefined {
    const message = this.find(ack.clientMsgId ?? "");
    if (message) this.remove(message.clientMsgId);
    return message;
  }

  /** The entry came without its ack (it was sent before a reload). */
  arrived(clientMsgId: string): void {
    if (this.find(clientMsgId)) this.remove(clientMsgId);
  }

  /** Whether the refusal was about a message of this outbox. */
  refused(refusal: RefusalJson): boolean {
    const message = this.find(refusal.clientMsgId ?? "");
    if (!message) return false;
    this.inFlight.delete(message.clientMsgId);
    if (refusal.retryAfterMs !== undefined) {
      // Nothing overtakes the refused one: all wait.
      this.heldUntilMs = Math.max(this.heldUntilMs, this.options.platform.clock.now() + refusal.retryAfterMs);
    } else {
      const next: Outgoing = { ...message, state: { kind: "refused", code: refusal.code ?? "" } };
      this.store(next);
      this.list.value = this.list.peek().map((other) => (other.clientMsgId === next.clientMsgId ? next : other));
    }
    this.pump();
    return true;
  }

  private find(clientMsgId: string): Outgoing | undefined {
    return this.list.peek().find((message) => message.clientMsgId === clientMsgId);
  }

  private pump(): void {
    this.clearTimer();
    if (!this.open) return;
    const now = this.options.platform.clock.now();
    for (const [id, sentAtMs] of this.inFlight) {
      if (now - sentAtMs >= ACK_MS) this.inFlight.delete(id);
    }
    for (;;) {
      // Looked up anew each time: an answer may come before the next one goes out.
      const next = this.list.peek().find((message) => message.state.kind === "sending" && !this.inFlight.has(message.clientMsgId));
      if (next === undefined || this.inFlight.size >= this.inFlightMax || this.heldUntilMs > now) break;
      this.inFlight.set(next.clientMsgId, now);
      if (!this.options.transmit(toSend(next))) {
        this.inFlight.delete(next.clientMsgId);
        return;
      }
    }
    this.clearTimer();
    const held = this.heldUntilMs - now;
    if (held > 0) this.timer = this.options.platform.clock.setTimer(() => this.pump(), held);
    else if (this.inFlight.size > 0) this.timer = this.options.platform.clock.setTimer(() => this.pump(), ACK_MS);
  }

  private store(message: Outgoing): void {
    this.options.platform.storage.set(this.prefix + message.clientMsgId, JSON.stringify(message));
  }

  private remove(clientMsgId: string): void {
    this.options.platform.storage.remove(this.prefix + clientMsgId);
    this.inFlight.delete(clientMsgId);
    this.list.value = this.list.peek().filter((message) => message.clientMsgId !== clientMsgId);
    this.pump();
  }

  private clearTimer(): void {
    if (this.timer !== undefined) this.options.platform.clock.clearTimer(this.timer);
    this.timer = undefined;
  }
}

function toSend(message: Outgoing): SendJson {
  return {
    ...(message.conversation === "" ? {} : { conversation: message.conversation }),
    clientMsgId: message.clientMsgId,
    content: message.content,
    audience: message.team ? "AUDIENCE_TEAM" : "AUDIENCE_EVERYONE",
  };
}

function parse(text: string | undefined): Outgoing | undefined {
  try {
    const value = JSON.parse(text ?? "null") as Partial<Outgoing> | null;
    const whole = value?.clientMsgId && value.content && value.body && value.state && value.key;
    return whole ? (value as Outgoing) : undefined;
  } catch {
    return undefined;
  }
}
