// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Given } from "./entrance";
import { Entrance } from "./entrance";

const SITE = "https://shop.example";
type Answer = { readonly status: number; readonly body: unknown };

let posted: Record<string, unknown>[];
let asked: Record<string, unknown>[];
let answers: Answer[];
let begun: Given[];
let drawn: string[];
let parent: Window;
let away: boolean;
let onBegin: (given: Given) => void;

const SEEN: Answer = {
  status: 200,
  body: { ticket: "t1", visitor_token: "v1", conversation_id: "c1", inbox: { name: "Tea", look: { accent: "#2f6b55", side: "left" }, texts: { title: { "zh-CN": "茶" } }, language: "zh-CN" } },
};

beforeEach(() => {
  vi.useFakeTimers();
  posted = [];
  asked = [];
  answers = [];
  begun = [];
  drawn = [];
  away = false;
  onBegin = () => undefined;
  localStorage.clear();
  parent = { postMessage: (message: Record<string, unknown>) => void posted.push(message) } as unknown as Window;
  vi.stubGlobal("fetch", (_: string, options: { body: string }) => {
    asked.push(JSON.parse(options.body) as Record<string, unknown>);
    const answer = answers.shift();
    if (!answer) return Promise.reject(new Error("unreachable"));
    return Promise.resolve({ ok: answer.status < 300, status: answer.status, json: () => Promise.resolve(answer.body) });
  });
  new Entrance(parent, {
    baseUrl: "https://chat.example/",
    inboxKey: "k",
    drawWaiting: (title) => void drawn.push(title),
    fetchChat: () => (away ? Promise.reject(new Error("unreachable")) : Promise.resolve(begin)),
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function begin(given: Given): void {
  begun.push(given);
  onBegin(given);
}

function say(message: Record<string, unknown>): void {
  const event = new Event("message");
  Object.assign(event, { data: { frontdesk: 1, ...message }, origin: SITE, source: parent });
  window.dispatchEvent(event);
}

const connect = (settings: Record<string, unknown> = { language: "en" }): void => say({ kind: "connect", page: `${SITE}/tea`, referrer: "", settings });
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe("the entrance", () => {
  it("tells how the launcher looks, and fetches nothing more until somebody comes near", async () => {
    answers.push(SEEN);
    connect();
    await settle(60_000);
    expect(posted).toEqual([{ frontdesk: 1, kind: "ready", accent: "#2f6b55", onAccent: "#ffffff", side: "left", label: "茶" }]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ kind: "visitor", inbox_key: "k", parent_origin: SITE, page: `${SITE}/tea` });
    expect(begun).toEqual([]);
    say({ kind: "near" });
    await settle();
    expect(begun).toHaveLength(1);
    expect(begun[0]).toMatchObject({ shown: false, looked: { ticket: "t1", token: "v1", conversation: "c1" } });
    expect(drawn).toEqual([]);
  });

  it("draws a window at once when it is opened, and says that it is shown", async () => {
    answers.push(SEEN);
    connect();
    await settle();
    say({ kind: "shown", page: SITE });
    expect(drawn).toEqual(["茶"]);
    await settle();
    expect(begun.map((given) => given.shown)).toEqual([true]);
  });

  it("fetches the chat by itself for somebody who wrote here before, with the token that says so", async () => {
    localStorage.setItem("frontdesk/visitor/k/visitor", "v0");
    answers.push(SEEN);
    connect();
    await settle(5_000);
    expect(asked[0]).toMatchObject({ visitor_token: "v0" });
    expect(begun).toHaveLength(1);
  });

  it("looks again as somebody whom the site signs in later", async () => {
    answers.push({ status: 401, body: { code: "identity.required" } });
    connect();
    await settle();
    expect(posted).toEqual([{ frontdesk: 1, kind: "refused", code: "identity.required" }]);
    answers.push(SEEN);
    say({ kind: "update", settings: { language: "en", identity: `a.${btoa('{"sub":"u7"}')}.c` } });
    await settle();
    expect(asked[1]).toMatchObject({ identity_token: expect.stringContaining("a.") as string });
    expect(begun).toHaveLength(1);
  });

  it("tells a hashed identity to the server as the site gave it", async () => {
    answers.push(SEEN, SEEN);
    const identity = { identifier: "u7", identifier_hash: "ab", name: "Lin", inbox_key: "another" };
    connect({ identity: JSON.stringify(identity) });
    await settle();
    expect(asked[0]).toMatchObject({ inbox_key: "k", identity });
    expect(asked[0]).not.toHaveProperty("identity_token");
    // The same person again is no news.
    say({ kind: "update", settings: { theme: "dark", identity: JSON.stringify(identity) } });
    await settle();
    expect(asked).toHaveLength(1);
  });

  it("says that the chat may not be shown, and tries again where the server is only away", async () => {
    connect();
    await settle();
    expect(posted).toEqual([]);
    answers.push({ status: 403, body: { code: "origin.refused" } });
    await settle(30_000);
    expect(posted).toEqual([{ frontdesk: 1, kind: "refused", code: "origin.refused" }]);
    await settle(60_000);
    expect(asked).toHaveLength(2);
  });

  it("tries to fetch the chat again while somebody looks at the empty window", async () => {
    answers.push(SEEN);
    away = true;
    connect();
    await settle();
    say({ kind: "shown", page: SITE });
    await settle(1_000);
    expect(begun).toEqual([]);
    away = false;
    await settle(3_000);
    expect(begun.map((given) => given.shown)).toEqual([true]);
  });

  it("lets the chat erase what somebody left who signs out", async () => {
    answers.push(SEEN);
    let erased = 0;
    onBegin = (given) => {
      given.page.handlers = { ...given.page.handlers, reset: () => void (erased += 1) };
    };
    connect({ identity: `a.${btoa('{"sub":"u7"}')}.c` });
    say({ kind: "reset" });
    await settle();
    expect(erased).toBe(1);
  });
});
