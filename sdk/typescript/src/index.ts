// The SDK of Frontdesk: visitors and bots over the protocol `frontdesk.v1.json`. See README.md.
import type { BotOptions } from "./bot.js";
import { Bot } from "./bot.js";
import type { ClientOptions } from "./client.js";
import type { OutboxStore } from "./outbox.js";
import type { Platform } from "./platform.js";
import { defaultPlatform } from "./platform.js";
import type { VisitorOptions } from "./visitor.js";
import { Visitor } from "./visitor.js";

const CLIENT = "frontdesk-sdk-ts/0.1.0";

/** Options of all clients of a server. */
export type FrontdeskOptions = {
  /** BCP 47. */
  readonly language?: string;
  /** Names the program in the server's records, for example "shop-bot/2.1"; at most 64 bytes. */
  readonly client?: string;
  /** Sent with every HTTP request, for example for a proxy on the way. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long a message waits for its ack, reconnects included. 5 minutes; at most 24 days. */
  readonly sendTimeoutMs?: number;
  /** Messages that may wait for their ack. 1,000. */
  readonly outboxMax?: number;
  /** Messages that may wait for a reader or a handler. 1,000. */
  readonly inboxMax?: number;
  /** Where pending messages survive the process; one for each client. */
  readonly store?: OutboxStore;
  /** Clock, random numbers, HTTP and sockets, where they are not the runtime's. */
  readonly platform?: Partial<Platform>;
};

/** A Frontdesk server. */
export class Frontdesk {
  private readonly options: ClientOptions;

  /** `baseUrl`: where the server is reached, with its path prefix if it has one. */
  constructor(baseUrl: string, options: FrontdeskOptions = {}) {
    const { language = "en", client = CLIENT, headers = {}, sendTimeoutMs = 300_000, outboxMax = 1_000, inboxMax = 1_000, store, platform } = options;
    const { href, protocol } = new URL(baseUrl);
    if (protocol !== "http:" && protocol !== "https:") throw new TypeError(`not an address of a server: ${baseUrl}`);
    const base = href.replace(/\/+$/, "");
    this.options = { platform: { ...defaultPlatform(), ...platform }, base, headers, client, language, sendTimeoutMs, outboxMax, inboxMax, store };
  }

  /** A visitor of an inbox. `start()` connects it. */
  visitor(options: VisitorOptions): Visitor {
    return new Visitor(this.options, options);
  }

  /** A bot, by its API key. `start()` connects it. */
  bot(options: BotOptions): Bot {
    return new Bot(this.options, options);
  }
}

export { Backoff } from "./backoff.js";
export type { BotEvents, BotOptions, Handler } from "./bot.js";
export { Bot } from "./bot.js";
export type { CommonEvents, SessionCommand } from "./client.js";
export { decodeClient, decodeServer, encodeClient, encodeServer, MalformedFrame, SUBPROTOCOL } from "./codec.js";
export type { AfterClose } from "./codes.js";
export { afterClose } from "./codes.js";
export type { FieldSpec, HandOver, ReplyOptions } from "./conversation.js";
export { Conversation } from "./conversation.js";
export { FrontdeskError, HttpError, Refused, Stopped } from "./errors.js";
export type { State } from "./link.js";
export type { Actor, ActorKind, Choice, Field, FieldKind, Message, MessageKind } from "./message.js";
export type { Ack, OutboxStore, Pending } from "./outbox.js";
export type { Clock, HttpAnswer, HttpRequest, Platform, Socket, TimerId } from "./platform.js";
export { Stream } from "./stream.js";
export { Timeline } from "./timeline.js";
export type { Draft, VisitorEvents, VisitorOptions } from "./visitor.js";
export { Visitor } from "./visitor.js";
