// What the client needs from where it runs. Everything is injected, so that tests run on a fake
// clock and an in-memory socket, and the same code serves a browser, a worker or Node.

export type TimerId = number;

export interface Clock {
  /** UTC milliseconds. */
  now(): number;
  setTimer(run: () => void, delayMs: number): TimerId;
  clearTimer(id: TimerId): void;
}

export interface Random {
  bytes(length: number): Uint8Array;
  /** At least 0, less than 1. */
  unit(): number;
}

/** Small texts that survive a reload. Writes may be lost where the browser forbids storage. */
export interface KeyValueStore {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(prefix: string): string[];
}

/** An open or opening WebSocket. The handlers are set before anything can arrive. */
export interface Socket {
  onOpen: () => void;
  onMessage: (data: unknown) => void;
  onClose: (code: number) => void;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code: number): void;
}

export interface HttpAnswer {
  readonly status: number;
  /** The parsed body; undefined where it is no JSON. */
  readonly body: unknown;
  /** From Retry-After. */
  readonly retryAfterMs: number | undefined;
}

/** One request below the server's base URL. Rejects when no answer came. */
export type HttpRequest = (
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  options?: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> },
) => Promise<HttpAnswer>;

/** What tabs of one origin tell each other. A message never comes back to its sender. */
export interface Channel {
  post(message: unknown): void;
  onMessage: (message: unknown) => void;
  close(): void;
}

export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: KeyValueStore;
  readonly http: HttpRequest;
  /** Opens `ws/v1` below the server's base URL; a proxy may lead it to the node. */
  openSocket(subprotocol: string, node?: number): Socket;
  openChannel(name: string): Channel;
  /** Runs `work` while no other tab runs work under the same name, as well as the browser can. */
  withLock<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Calls back when the network came back or the page became visible again. */
  onWake(wake: () => void): () => void;
}
