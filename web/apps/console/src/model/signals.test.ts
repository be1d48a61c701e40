// What calls an agent: for which news, in one tab of several, and not for what is being looked at.
import type { Clock, KeyValueStore } from "@frontdesk/client";
import { AgentClient } from "@frontdesk/client";
import { FakeBrowser, FakeClock, FakeServer } from "@frontdesk/client/testing";
import { jsonCodec } from "@frontdesk/protocol";
import type { RowJson } from "@frontdesk/protocol";
import { signal } from "@preact/signals-core";
import { describe, expect, it } from "vitest";
import type { Me } from "./api";
import { Api } from "./api";
import { InboxModel } from "./inbox";
import type { Permission, SignalChoices } from "./signals";
import { Signals, defaultChoices, reasonFor, repeatMs } from "./signals";
import { toRow } from "./wire";

const me: Me = { id: "agent1", display_name: "Lin", email: "", language: "en", account: { id: "a1", name: "" }, rights: [], teams: ["t1"], demo: false };
const mine = { status: "SESSION_STATUS_ASSIGNED", owner: { id: "agent1" }, number: 1, version: 1 } as const;
const waiting = { status: "SESSION_STATUS_QUEUED", team: "t1", number: 1, version: 1 } as const;
const said = (seq: number) => ({ seq: String(seq), actor: { kind: "ACTOR_KIND_VISITOR", id: "v1" }, content: { text: { body: "hi" } } }) as const;

describe("reasons", () => {
  const reason = (row: RowJson, before?: RowJson) => reasonFor(toRow(row), before === undefined ? undefined : toRow(before), "agent1", new Set(["t1"]));

  it("are work that comes, words of a visitor, somebody in the own queue, and a mention", () => {
    expect(reason({ session: mine })).toBe("assigned");
    expect(reason({ session: mine }, { session: waiting })).toBe("assigned");
    expect(reason({ session: mine, unread: 2, last: said(2) }, { session: mine, unread: 1 })).toBe("message");
    expect(reason({ session: waiting })).toBe("queued");
    expect(reason({ session: { status: "SESSION_STATUS_CLOSED" }, mentioned: true })).toBe("mention");
  });

  it("are not what was known, read, somebody else's or over", () => {
    expect(reason({ session: mine, unread: 1, last: said(2) }, { session: mine, unread: 1 })).toBeNull();
    expect(reason({ session: mine, unread: 2, last: { seq: "2", actor: { kind: "ACTOR_KIND_AGENT" } } }, { session: mine, unread: 1 })).toBeNull();
    expect(reason({ session: { ...waiting, team: "t2" } })).toBeNull();
    expect(reason({ session: waiting }, { session: waiting })).toBeNull();
    expect(reason({ session: { ...mine, owner: { id: "you" } } })).toBeNull();
    expect(reason({ session: { status: "SESSION_STATUS_CLOSED" } })).toBeNull();
    expect(reason({ mentioned: true }, { mentioned: true })).toBeNull();
  });
});

/** What each tab sees of one store: what others wrote, it reads a moment later, as between processes of a browser. */
function lateStores(clock: Clock, lateMs: number): () => KeyValueStore {
  const writes: { readonly by: object; readonly atMs: number; readonly key: string; readonly value: string | undefined }[] = [];
  return () => {
    const self = {};
    const seen = () => new Map(writes.filter(({ by, atMs }) => by === self || atMs <= clock.now() - lateMs).map(({ key, value }) => [key, value]));
    const write = (key: string, value: string | undefined) => void writes.push({ by: self, atMs: clock.now(), key, value });
    return {
      get: (key) => seen().get(key),
      set: write,
      remove: (key) => write(key, undefined),
      keys: (prefix) => [...seen()].flatMap(([key, value]) => (key.startsWith(prefix) && value !== undefined ? [key] : [])),
    };
  };
}

async function desk(tabs = 1, choices: Partial<SignalChoices> = {}) {
  const clock = new FakeClock();
  const server = new FakeServer(clock);
  const browser = new FakeBrowser(clock, server);
  const rung: string[] = [];
  const touched = new Set(Array.from({ length: tabs }, (_, tab) => tab));
  const stored = { ...defaultChoices, ...choices };
  const store = lateStores(clock, 500);
  const made = Array.from({ length: tabs }, (_, tab) => {
    const platform = { ...browser.tab(), storage: store() };
    const client = new AgentClient({ platform, codec: jsonCodec, user: me.id, account: "a1", client: "test", language: () => "en" });
    const api = new Api((method, path, options) => {
      if (path !== "api/v1/me/preferences") return platform.http(method, path, options);
      if (method === "PUT") Object.assign(stored, options?.body);
      return Promise.resolve({ status: 200, body: { ...stored }, retryAfterMs: undefined });
    });
    const inbox = new InboxModel(client, api, me, () => "Visitor");
    const bells = {
      attended: signal(false),
      permission: signal<Permission>("unasked"),
      ask: () => Promise.resolve(),
      canSound: () => touched.has(tab),
      sound: () => void rung.push("sound"),
      notify: (reason: string, row: { readonly conversation: string }) => void rung.push(`${reason} ${row.conversation} in tab ${tab}`),
    };
    const shown = signal<string | null>(null);
    const signals = new Signals({ platform, api, inbox, bells, account: "a1", shown, open: () => undefined });
    client.start();
    return { client, inbox, bells, shown, signals };
  });
  await clock.advance(100);
  let number = 0;
  const push = async (row: RowJson) => {
    number += 1;
    for (const connection of server.connections) connection.push({ feed: { changes: [{ number: String(number), row }] } });
    await clock.settle();
  };
  const row = (more: RowJson): RowJson => ({ conversation: "c1", visitor: "v1", ...more });
  const end = () => {
    for (const tab of made) {
      tab.signals.stop();
      tab.client.stop();
    }
  };
  return { clock, server, rung, touched, tabs: made, push, row, stored, end, first: made[0] as (typeof made)[number] };
}

describe("signals", () => {
  it("ring once, however many tabs there are", async () => {
    const { rung, push, row, clock, end } = await desk(3);
    await push(row({ session: mine, unread: 1, last: said(1), position: { seq: "1" } }));
    expect(rung).toEqual(["sound", "assigned c1 in tab 0"]);
    await push(row({ session: mine, unread: 2, last: said(2), position: { seq: "2" } }));
    await clock.advance(10_000);
    expect(rung.filter((one) => one === "sound")).toHaveLength(2);
    expect(rung).toHaveLength(4);
    end();
  });

  it("sound in a tab that can be heard, once", async () => {
    const { rung, touched, push, row, clock, end } = await desk(3, { repeat_until_answered: true });
    touched.delete(0);
    await push(row({ session: { ...mine, waitingSinceMs: "1" }, unread: 1, last: said(1), position: { seq: "1" } }));
    expect([...rung].sort()).toEqual(["assigned c1 in tab 0", "sound"]);
    rung.length = 0;
    await clock.advance(repeatMs);
    expect(rung).toEqual(["sound"]);
    touched.clear();
    await clock.advance(repeatMs);
    expect(rung).toEqual(["sound"]);
    end();
  });

  it("are silent about what some tab shows to somebody, and make no window pop up while somebody is there", async () => {
    const { rung, push, row, tabs, clock, end } = await desk(2);
    const other = tabs[1];
    if (other === undefined) throw new Error("no second tab");
    other.shown.value = "c1";
    other.bells.attended.value = true;
    await clock.advance(1_000);
    await push(row({ session: mine, unread: 1, last: said(1), position: { seq: "1" } }));
    expect(rung).toEqual([]);
    other.shown.value = null;
    await clock.advance(1_000);
    await push(row({ session: mine, unread: 2, last: said(2), position: { seq: "2" } }));
    expect(rung).toEqual(["sound"]);
    other.bells.attended.value = false;
    await clock.advance(1_000);
    await push(row({ session: mine, unread: 3, last: said(3), position: { seq: "3" } }));
    expect(rung.slice(1)).toEqual(["sound", "message c1 in tab 0"]);
    end();
  });

  it("say nothing of what oneself has just done", async () => {
    const { rung, push, row, first, end } = await desk();
    await push(row({ session: waiting }));
    rung.length = 0;
    first.signals.expect("c1");
    await push(row({ session: { ...mine, version: 2 } }));
    expect(rung).toEqual([]);
    end();
  });

  it("do what was chosen, and keep a choice on the server", async () => {
    const { rung, push, row, first, stored, end } = await desk();
    await first.signals.choose({ sound: false, title: false });
    expect(stored).toMatchObject({ sound: false, title: false, desktop: true });
    await push(row({ session: mine, unread: 4, last: said(1), position: { seq: "1" } }));
    expect(rung).toEqual(["assigned c1 in tab 0"]);
    expect([first.inbox.unread.value, first.signals.count.value]).toEqual([4, 0]);
    end();
  });

  it("repeat until it is answered, where that was chosen", async () => {
    const { rung, push, row, clock, end } = await desk(2, { repeat_until_answered: true });
    await push(row({ session: { ...mine, waitingSinceMs: "1" }, unread: 1, last: said(1), position: { seq: "1" } }));
    rung.length = 0;
    await clock.advance(repeatMs * 3);
    expect(rung).toEqual(["sound", "sound", "sound"]);
    await push(row({ session: mine, unread: 0, last: said(1), position: { seq: "2" } }));
    await clock.advance(repeatMs * 2);
    expect(rung).toHaveLength(3);
    end();
  });

  it("ask for notifications until somebody says later", async () => {
    const { first, end } = await desk();
    expect(first.signals.askable.value).toBe(true);
    first.signals.askLater();
    expect(first.signals.askable.value).toBe(false);
    end();
  });
});
