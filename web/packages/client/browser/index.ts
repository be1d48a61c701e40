// The browser as a Platform. Degrades where a feature is missing: no storage in some embedded
// views, no BroadcastChannel before Safari 15.4, no Web Locks before Safari 15.4 or on plain http.
import type { Channel, HttpAnswer, HttpRequest, KeyValueStore, Platform, Socket } from "../src/platform";

const REQUEST_MS = 15_000;

/** A platform that talks to the server whose files lie at `baseUrl` (with the last slash). */
export function browserPlatform(baseUrl: string): Platform {
  const storage = browserStorage();
  return {
    clock: {
      now: () => Date.now(),
      setTimer: (run, delayMs) => window.setTimeout(run, delayMs),
      clearTimer: (id) => window.clearTimeout(id),
    },
    random: {
      bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      unit: () => Math.random(),
    },
    storage,
    http: browserHttp(baseUrl),
    openSocket: (subprotocol, node) => openSocket(baseUrl, subprotocol, node),
    openChannel,
    withLock: (name, work) => withLock(storage, name, work),
    onWake,
  };
}

function browserStorage(): KeyValueStore {
  const memory = new Map<string, string>();
  let local: Storage | undefined;
  try {
    local = window.localStorage;
    local.setItem("frontdesk/probe", "1");
    local.removeItem("frontdesk/probe");
  } catch {
    // Forbidden by the person or the browser: this page's life is all there is.
    local = undefined;
  }
  return {
    get: (key) => local?.getItem(key) ?? memory.get(key),
    set: (key, value) => {
      try {
        if (local) {
          local.setItem(key, value);
          return;
        }
      } catch {
        // Full: keep it for the life of this page.
      }
      memory.set(key, value);
    },
    remove: (key) => {
      memory.delete(key);
      local?.removeItem(key);
    },
    keys: (prefix) => {
      const keys = new Set(memory.keys());
      for (let at = 0; local && at < local.length; at++) keys.add(local.key(at) ?? "");
      return [...keys].filter((key) => key.startsWith(prefix));
    },
  };
}

function browserHttp(baseUrl: string): HttpRequest {
  return async (method, path, options = {}): Promise<HttpAnswer> => {
    const abort = new AbortController();
    const timer = window.setTimeout(() => abort.abort(), REQUEST_MS);
    try {
      const answer = await fetch(baseUrl + path, {
        method,
        headers: {
          accept: "application/json",
          // Shows the server that a script of its own asks: other sites' scripts may not set it.
          "x-frontdesk": "1",
          ...(options.body === undefined ? {} : { "content-type": "application/json" }),
          ...options.headers,
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        credentials: "same-origin",
        signal: abort.signal,
      });
      const text = await answer.text();
      const retryAfter = Number(answer.headers.get("retry-after") ?? Number.NaN);
      return {
        status: answer.status,
        body: parse(text),
        retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1_000 : undefined,
      };
    } finally {
      window.clearTimeout(timer);
    }
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function openSocket(baseUrl: string, subprotocol: string, node?: number): Socket {
  const url = new URL(node ? `ws/v1?node=${node}` : "ws/v1", baseUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const inner = new WebSocket(url.href, subprotocol);
  inner.binaryType = "arraybuffer";
  const socket: Socket = {
    onOpen: () => undefined,
    onMessage: () => undefined,
    onClose: () => undefined,
    send: (data) => {
      if (inner.readyState === WebSocket.OPEN) inner.send(data);
    },
    close: (code) => inner.close(code),
  };
  inner.onopen = () => socket.onOpen();
  inner.onmessage = (event: MessageEvent<unknown>) => socket.onMessage(event.data);
  inner.onclose = (event) => socket.onClose(event.code);
  return socket;
}

function openChannel(name: string): Channel {
  return typeof BroadcastChannel === "function" ? broadcastChannel(name) : storageChannel(name);
}

function broadcastChannel(name: string): Channel {
  const inner = new BroadcastChannel(name);
  const channel: Channel = {
    post: (message) => inner.postMessage(message),
    onMessage: () => undefined,
    close: () => inner.close(),
  };
  inner.onmessage = (event: MessageEvent<unknown>) => channel.onMessage(event.data);
  return channel;
}

/** For browsers without any: what is said before it is there waits. */
function storageChannel(name: string): Channel {
  const channel: Channel = { post: (message) => void inner.then((one) => one.post(message)), onMessage: () => undefined, close: () => void inner.then((one) => one.close()) };
  const inner = import("./storage-channel").then((module) => module.storageChannel(name, (message) => channel.onMessage(message)));
  return channel;
}

async function withLock<T>(storage: KeyValueStore, name: string, work: () => Promise<T>): Promise<T> {
  // Absent from old browsers and from pages that are not a secure context.
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks) return locks.request(name, work);
  const { withClaim } = await import("./claim");
  return withClaim(storage, name, work);
}

function onWake(wake: () => void): () => void {
  const visible = (): void => {
    if (document.visibilityState === "visible") wake();
  };
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", visible);
  document.addEventListener("visibilitychange", visible);
  return () => {
    window.removeEventListener("online", wake);
    window.removeEventListener("pageshow", visible);
    document.removeEventListener("visibilitychange", visible);
  };
}

export type { RunningUpload, UploadResult } from "./upload";
