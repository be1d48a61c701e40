// What the SDK needs from where it runs. All of it can be replaced: tests run on a clock of their own and a socket in
// memory. The defaults serve Node, browsers and workers.
import { CLOSE_NONE } from "./codes.js";

/** A longer wait would end at once: runtimes count it in 32 bits. 24 days. */
const TIMER_MAX_MS = 0x7fff_ffff;

/** A timer, as the clock that set it names it. */
export type TimerId = unknown;

/** What time it is, and what runs later. */
export interface Clock {
  /** UTC milliseconds. */
  now(): number;
  setTimer(run: () => void, delayMs: number): TimerId;
  clearTimer(id: TimerId): void;
}

/** An open or opening WebSocket. The handlers are set before anything can arrive. */
export interface Socket {
  onOpen: () => void;
  onMessage: (data: unknown) => void;
  /** `retryAfterMs`: what the answer to the handshake said, where the runtime tells. */
  onClose: (code: number, retryAfterMs?: number) => void;
  send(text: string): void;
  close(code: number): void;
}

/** Of an HTTP request. */
export type HttpAnswer = {
  readonly status: number;
  /** The parsed body; undefined where it is no JSON. */
  readonly body: unknown;
  /** From Retry-After. */
  readonly retryAfterMs: number | undefined;
};

/** An HTTP request. */
export type HttpRequest = {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
};

/** Clock, random numbers, HTTP and sockets. */
export interface Platform {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Rejects where no answer came in time. */
  readonly http: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly dial: (url: string, subprotocol: string) => Socket | Promise<Socket>;
}

export function retryAfterMs(header: string | null | undefined): number | undefined {
  const seconds = header ? Number(header) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

async function http(request: HttpRequest): Promise<HttpAnswer> {
  const answer = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    signal: AbortSignal.timeout(request.timeoutMs),
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const text = await answer.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status: answer.status, body, retryAfterMs: retryAfterMs(answer.headers.get("retry-after")) };
}

/** What runtimes have in common; the types of Node 20 know no global WebSocket. */
type WebSocketLike = {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(text: string): void;
  close(code?: number): void;
};

function bare(): Socket & { retryAfterMs?: number | undefined } {
  const none = (): void => undefined;
  return { onOpen: none, onMessage: none, onClose: none, send: none, close: none };
}

/** Codes a program may close with; others are kept for the protocol itself. */
function sendable(code: number): number {
  return code === 1000 || (code >= 3000 && code <= 4999) ? code : 1000;
}

function attach(native: WebSocketLike): Socket & { retryAfterMs?: number | undefined } {
  const socket = bare();
  native.onopen = () => socket.onOpen();
  native.onmessage = (event) => socket.onMessage(event.data);
  native.onclose = (event) => socket.onClose(event.code || CLOSE_NONE, socket.retryAfterMs);
  // A close event follows every error.
  native.onerror = () => undefined;
  socket.send = (text) => native.send(text);
  socket.close = (code) => native.close(sendable(code));
  return socket;
}

async function dial(url: string, subprotocol: string): Promise<Socket> {
  const native = (globalThis as { WebSocket?: new (url: string, protocols: string[]) => WebSocketLike }).WebSocket;
  if (native !== undefined) return attach(new native(url, [subprotocol]));
  const { WebSocket } = await import("ws");
  const opened = new WebSocket(url, [subprotocol], { perMessageDeflate: false, handshakeTimeout: 10_000, maxPayload: 4 << 20 });
  const socket = attach(opened as unknown as WebSocketLike);
  opened.on("unexpected-response", (request, response) => {
    socket.retryAfterMs = retryAfterMs(response.headers["retry-after"]);
    // Ends the attempt: an error and a close follow.
    request.destroy();
    response.destroy();
    opened.terminate();
  });
  // A peer that is gone answers no close frame: the socket is not kept for it.
  socket.close = (code) => {
    opened.close(sendable(code));
    setTimeout(() => opened.terminate(), 2_000).unref();
  };
  return socket;
}

export function defaultPlatform(): Platform {
  return {
    clock: {
      now: () => Date.now(),
      setTimer: (run, delayMs) => setTimeout(run, Math.min(delayMs, TIMER_MAX_MS)),
      clearTimer: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
    },
    random: Math.random,
    randomBytes: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
    http,
    dial,
  };
}
