// A server in memory and a clock that a test moves: what a client sends is seen frame by frame.
import assert from "node:assert/strict";
import { decodeClient, encodeServer, Frontdesk } from "@frontdesk/sdk";

export const EPOCH = "10312465081116569670";

/** Lets everything that waits for no timer run. */
export async function settle() {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

class FakeClock {
  time = 1_790_000_000_000;
  timers = new Map();
  next = 1;

  now() {
    return this.time;
  }

  setTimer(run, delayMs) {
    this.timers.set(this.next, { at: this.time + delayMs, run });
    return this.next++;
  }

  clearTimer(id) {
    this.timers.delete(id);
  }

  async advance(ms) {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const due = [...this.timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (due === undefined) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].run();
    }
    this.time = end;
    await settle();
  }
}

/** One socket as the server sees it. */
class FakeSocket {
  sent = [];
  closedWith = undefined;
  onOpen = () => {};
  onMessage = () => {};
  onClose = () => {};

  constructor(url, subprotocol) {
    this.url = url;
    this.subprotocol = subprotocol;
  }

  send(text) {
    this.sent.push(decodeClient(text));
  }

  close(code) {
    this.closedWith = code;
  }

  /** The frames of one kind that came, and forgets them. */
  take(kind) {
    const found = this.sent.filter((frame) => frame[kind] !== undefined);
    this.sent = this.sent.filter((frame) => frame[kind] === undefined);
    return found;
  }

  async push(...frames) {
    for (const frame of frames) this.onMessage(encodeServer(frame));
    await settle();
  }

  async end(code, retryAfterMs) {
    this.onClose(code, retryAfterMs);
    await settle();
  }
}

export class FakeServer {
  clock = new FakeClock();
  sockets = [];
  requests = [];
  random = 0.5;
  /** Answers of HTTP, by a function of the request. */
  answer = (request) => {
    if (request.url.endsWith("/tickets")) {
      return { ticket: `t${this.requests.length}`, visitor_token: "v1.token", conversation_id: "c1", inbox: { name: "Shop" } };
    }
    return { items: [], epoch: EPOCH, rows: [] };
  };

  frontdesk(options = {}, address = "http://desk.example/base/") {
    const platform = {
      clock: this.clock,
      random: () => this.random,
      randomBytes: (length) => new Uint8Array(length).fill(7),
      http: async (request) => {
        this.requests.push(request);
        const body = await this.answer(request);
        return body.status === undefined ? { status: 200, body, retryAfterMs: undefined } : body;
      },
      dial: (url, subprotocol) => {
        const socket = new FakeSocket(url, subprotocol);
        this.sockets.push(socket);
        return socket;
      },
    };
    return new Frontdesk(address, { platform, ...options });
  }

  get socket() {
    const socket = this.sockets.at(-1);
    assert.ok(socket, "nobody connected");
    return socket;
  }

  /** Lets the newest socket open and answers its hello. */
  async welcome(welcome) {
    await settle();
    this.socket.onOpen();
    const [hello] = this.socket.take("hello");
    assert.ok(hello, "no hello came");
    await this.socket.push({ ref: hello.ref, welcome: { resumeToken: `r${this.sockets.length}`, limits: { inFlightMax: 8, pingIntervalMs: 25_000 }, ...welcome } });
    return hello.hello;
  }
}

export function entry(seq, text, more = {}) {
  return {
    entry: {
      seq: String(seq), id: `e${seq}`, actor: { kind: "ACTOR_KIND_AGENT", name: "Mei" }, audience: "AUDIENCE_EVERYONE",
      atMs: "1", session: "s1", content: { text: { body: text } }, ...more,
    },
  };
}

export const said = (seq, text, session = "s1") => entry(seq, text, { session, actor: { kind: "ACTOR_KIND_VISITOR", id: "v1" } });

export const position = (seq) => ({ epoch: EPOCH, seq: String(seq) });
