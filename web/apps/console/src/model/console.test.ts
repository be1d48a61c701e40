// The console without its looks, against a server that speaks real frames on a clock that stands
// still until told.
import { FakeBrowser, FakeClock, FakeServer } from "@frontdesk/client/testing";
import { jsonCodec } from "@frontdesk/protocol";
import type { RowJson } from "@frontdesk/protocol";
import { signal } from "@preact/signals-core";
import { describe, expect, it } from "vitest";
import type { Me } from "./api";
import { Console } from "./console";
import { DemoControl } from "./demo";
import type { Permission } from "./signals";

const visitor = { kind: "ACTOR_KIND_VISITOR", id: "v1" } as const;

const me: Me = {
  id: "agent1",
  display_name: "Lin",
  email: "lin@example.com",
  language: "en",
  account: { id: "a1", name: "Tea", language: "en" },
  rights: ["conversation.write", "conversation.note", "conversation.close"],
  teams: ["t1"],
  demo: false,
};

function row(conversation: string, more: Partial<RowJson> = {}): RowJson {
  return {
    conversation,
    visitor: "v1",
    position: { epoch: "1", seq: "1" },
    session: { id: `s-${conversation}`, number: 1, version: 1, status: "SESSION_STATUS_ASSIGNED", owner: { id: "agent1", name: "Lin" }, openedAtMs: "1" },
    ...more,
  };
}

function setUp(options: { readonly signedIn?: boolean } = {}) {
  const clock = new FakeClock();
  const server = new FakeServer(clock);
  const platform = new FakeBrowser(clock, server).tab();
  const state = { signedIn: options.signedIn ?? true, hash: "", me };
  const rung: string[] = [];
  const answer = (status: number, body: unknown) => Promise.resolve({ status, body, retryAfterMs: undefined });
  const app: Console = new Console({
    platform: {
      ...platform,
      http: (method, path, request) => {
        if (path === "api/v1/me") return state.signedIn ? answer(200, state.me) : answer(401, { code: "auth.required" });
        if (path === "api/v1/setup") return answer(200, { needed: false, demo_users: [{ email: "lin@example.com", name: "Lin", role: "agent" }] });
        if (path === "api/v1/sign-in") {
          const right = (request?.body as { password: string }).password === "right";
          state.signedIn = right;
          return right ? answer(200, {}) : answer(401, { code: "auth.failed" });
        }
        return platform.http(method, path, request);
      },
    },
    codec: jsonCodec,
    upload: () => () => undefined,
    bells: { attended: signal(false), permission: signal<Permission>("granted"), ask: () => Promise.resolve(), canSound: () => true, sound: () => rung.push("sound"), notify: (reason, known) => rung.push(`${reason} ${known.conversation}`) },
    copy: () => Promise.resolve(true),
    version: "0",
    language: () => "en",
    anonymousName: (id) => `Visitor ${id}`,
    address: {
      hash: () => state.hash,
      go: (hash) => {
        state.hash = hash;
        app.addressChanged();
      },
    },
  });
  return { app, clock, server, state, rung };
}

describe("signing in", () => {
  it("offers the demo's people, says what is wrong, and then opens the desk", async () => {
    const { app } = setUp({ signedIn: false });
    await app.start();
    expect(app.account.state.value).toMatchObject({ kind: "signed-out", expired: false, demoUsers: [{ name: "Lin" }] });
    await expect(app.account.signIn("lin@example.com", "wrong")).rejects.toMatchObject({ code: "auth.failed" });
    expect(app.desk.value).toBeNull();
    await app.account.signIn("lin@example.com", "right");
    expect(app.desk.value?.me.display_name).toBe("Lin");
    app.desk.value?.stop();
  });

  it("puts whoever was offline to work, and leaves the state alone on a reload", async () => {
    for (const signedIn of [false, true]) {
      const { app, clock, server } = setUp({ signedIn });
      server.presence = "PRESENCE_OFFLINE";
      await app.start();
      if (!signedIn) await app.account.signIn("lin@example.com", "right");
      await clock.settle();
      const chosen = server.current.frames.flatMap((frame) => (frame.presence?.presence === undefined ? [] : [frame.presence.presence]));
      expect(chosen).toEqual(signedIn ? [] : ["PRESENCE_ONLINE"]);
      app.desk.value?.stop();
    }
  });

  it("ends where the server no longer knows the login", async () => {
    const { app, clock, server, state } = setUp();
    await app.start();
    await clock.settle();
    state.signedIn = false;
    server.nextTicketAnswer = { status: 401, body: { code: "auth.required" }, retryAfterMs: undefined };
    server.current.close(3400);
    await clock.advance(30_000);
    expect(app.account.state.value.kind).toBe("signed-out");
    expect(app.desk.value).toBeNull();
  });
});

describe("rights that change", () => {
  it("make another desk, which comes back by itself and offers what counts now", async () => {
    const { app, clock, server, state } = setUp();
    await app.start();
    await clock.settle();
    const former = app.desk.value;
    expect(former?.rights.has("conversation.take_over")).toBe(false);
    state.me = { ...me, rights: [...me.rights, "conversation.take_over"], teams: [] };
    server.current.close(3403);
    await clock.advance(5_000);
    expect(app.desk.value).not.toBe(former);
    expect(app.desk.value?.rights.has("conversation.take_over")).toBe(true);
    expect(app.desk.value?.client.connection.value.kind).toBe("live");
    expect(former?.client.connection.value.kind).not.toBe("live");
    app.desk.value?.stop();
  });

  it("leave the desk alone where they are the same after all", async () => {
    const { app, clock, server } = setUp();
    await app.start();
    await clock.settle();
    const desk = app.desk.value;
    server.current.close(3403);
    await clock.advance(5_000);
    expect(app.desk.value).toBe(desk);
    expect(desk?.client.connection.value.kind).toBe("live");
    desk?.stop();
  });
});

describe("the desk", () => {
  it("lists, opens by address, says where the reader was, and answers", async () => {
    const { app, clock, server } = setUp();
    server.list = [row("c1", { unread: 2 }), row("c2", { session: { id: "s", number: 1, version: 1, status: "SESSION_STATUS_QUEUED", team: "t1" } })];
    for (const body of ["one", "two"]) server.say("c1", { actor: visitor, content: { text: { body } } });
    await app.start();
    await clock.settle();
    const desk = app.desk.value;
    expect(desk?.inbox.counts.value).toMatchObject({ mine: 1, queue: 1, team: 1, all: 2 });
    expect(app.title.value).toBe("(2) Frontdesk");
    app.step(1);
    await clock.settle();
    const chat = desk?.chat.value;
    expect(chat?.id).toBe("c1");
    expect(chat?.rows.value.map((known) => known.kind)).toEqual(["day", "message", "message"]);
    expect(chat?.actions.value).toMatchObject({ reply: true, close: true, takeOver: false });
    chat?.composer.setText("hello");
    chat?.composer.send();
    await clock.settle();
    expect(server.texts("c1")).toEqual(["one", "two", "hello"]);
    expect(chat?.rows.value.at(-1)).toMatchObject({ kind: "message", mine: true, delivery: "sent", seq: 3 });
    desk?.stop();
  });

  it("closes behind its own answer, but not what somebody else has meanwhile", async () => {
    const { app, clock, server } = setUp();
    server.list = [row("c1")];
    server.say("c1", { actor: visitor, content: { text: { body: "hi" } } });
    await app.start();
    app.openConversation("c1");
    await clock.settle();
    const chat = app.desk.value?.chat.value;
    const asked = () => server.current.frames.filter((frame) => frame.command).map((frame) => frame.command?.expectedVersion);
    const moved = (version: number, owner = "agent1") =>
      server.movedOn.push({ id: "s-c1", number: 1, version, status: "SESSION_STATUS_ASSIGNED", owner: { id: owner }, openedAtMs: "1" });
    moved(2);
    await chat?.close();
    expect(asked()).toEqual([1, 2]);
    expect(app.notices.list.value.map((notice) => notice.kind)).toEqual(["ok"]);
    // It tries once more, not for ever; and what a colleague has now is not closed unseen.
    moved(3);
    moved(4);
    await chat?.close();
    expect(asked()).toEqual([1, 2, 2, 3]);
    moved(5, "agent2");
    await chat?.close();
    expect(asked()).toEqual([1, 2, 2, 3, 4]);
    expect(app.notices.list.value.filter((notice) => notice.kind !== "ok")).toHaveLength(2);
    app.desk.value?.stop();
  });

  it("keeps what was written while the server was away, and sends it once when it is back", async () => {
    const { app, clock, server } = setUp();
    server.list = [row("c1")];
    server.say("c1", { actor: visitor, content: { text: { body: "hi" } } });
    await app.start();
    app.openConversation("c1");
    await clock.settle();
    server.down = true;
    server.restart();
    const chat = app.desk.value?.chat.value;
    chat?.composer.setText("kept");
    chat?.composer.send();
    await clock.advance(5_000);
    expect(chat?.rows.value.at(-1)).toMatchObject({ delivery: "sending" });
    server.down = false;
    await clock.advance(60_000);
    expect(server.texts("c1")).toEqual(["hi", "kept"]);
    expect(chat?.rows.value.at(-1)).toMatchObject({ delivery: "sent" });
    app.desk.value?.stop();
  });

  it("tells the owner quietly of what became a complaint, and not of one's own word", async () => {
    const { app, clock, server, rung } = setUp();
    const session = (version: number, intent: string, more = {}) => ({ id: "s-c1", number: 1, version, status: "SESSION_STATUS_ASSIGNED" as const, owner: { id: "agent1", name: "Lin" }, openedAtMs: "1", intent, ...more });
    server.list = [row("c1", { visitorName: "Ada" })];
    await app.start();
    await clock.settle();
    const desk = app.desk.value;
    const told = () => app.notices.list.value.map((notice) => notice.params["name"]);
    const becomes = async (number: number, intent: string, more = {}) => {
      server.current.push({ feed: { changes: [{ number: String(number), row: row("c1", { visitorName: "Ada", session: session(number + 1, intent, more) }) }] } });
      await clock.settle();
    };
    await becomes(1, "consult");
    expect(told()).toEqual([]);
    await becomes(2, "complaint", { intentSource: "INTENT_SOURCE_MODEL" });
    expect(told()).toEqual(["Ada"]);
    app.notices.list.value[0]?.action?.run();
    expect(app.route.value).toMatchObject({ page: "inbox", conversation: "c1" });
    expect(rung).toEqual([]);
    // Taken back, and said again by the person who reads it.
    await becomes(3, "", { intentSource: "INTENT_SOURCE_PERSON" });
    await desk?.command("c1", { setIntent: { intent: "complaint" } }, 4);
    await becomes(4, "complaint", { intentSource: "INTENT_SOURCE_PERSON" });
    expect(told()).toEqual(["Ada"]);
    expect(server.current.frames.filter((frame) => frame.command).map((frame) => frame.command?.setIntent)).toEqual([{ intent: "complaint" }]);
    desk?.stop();
  });

  it("holds the row under the pointer while others come in", async () => {
    const { app, clock, server } = setUp();
    server.list = [row("c1"), row("c2")];
    await app.start();
    await clock.settle();
    const inbox = app.desk.value?.inbox;
    const first = inbox?.order.value[0] ?? "";
    inbox?.hold(first);
    server.current.push({ feed: { changes: [{ number: "1", row: row("c9", { last: { seq: "1", atMs: String(clock.now()), actor: visitor, content: { text: { body: "new" } } } }) }] } });
    await clock.settle();
    expect(inbox?.order.value[0]).toBe(first);
    inbox?.hold(null);
    expect(inbox?.order.value[0]).toBe("c9");
    app.desk.value?.stop();
  });
});

describe("what is not saved", () => {
  it("holds the reader back until they decide", async () => {
    const { app, state } = setUp();
    await app.start();
    app.go({ page: "settings", section: "inboxes", item: null });
    const saved = app.holdUnsaved();
    state.hash = "#/waiting";
    app.addressChanged();
    expect(app.route.value).toMatchObject({ page: "settings" });
    expect(state.hash).toBe("#/settings/inboxes");
    expect(app.leaving.value).toMatchObject({ page: "waiting" });
    app.leave(false);
    expect(app.leaving.value).toBeNull();
    expect(app.route.value).toMatchObject({ page: "settings" });
    state.hash = "#/waiting";
    app.addressChanged();
    app.leave(true);
    expect(app.route.value).toMatchObject({ page: "waiting" });
    saved();
    const again = app.holdUnsaved();
    again();
    app.go({ page: "settings", section: "profile", item: null });
    expect(app.route.value).toMatchObject({ page: "settings", section: "profile" });
    app.desk.value?.stop();
  });

  it("shows what is quoted from far back, and goes there page by page", async () => {
    const { app, clock, server } = setUp();
    server.list = [row("c1")];
    for (let seq = 1; seq <= 130; seq++) server.say("c1", { actor: visitor, content: { text: { body: `m${seq}` } } });
    await app.start();
    app.openConversation("c1");
    await clock.settle();
    const chat = app.desk.value?.chat.value;
    const { timeline } = chat?.conversation ?? {};
    expect(timeline?.firstSeq).toBeGreaterThan(2);
    expect(chat?.entry(2)).toBeNull();
    await clock.settle();
    expect(chat?.entry(2)).toMatchObject({ body: { text: "m2" } });
    // Taken back meanwhile, the quote says so as well.
    server.say("c1", { actor: visitor, retraction: { seq: "2" } });
    await clock.settle();
    expect(chat?.entry(2)).toMatchObject({ body: { kind: "tombstone" } });
    await chat?.reach(3);
    expect(timeline?.firstSeq).toBeLessThanOrEqual(3);
    expect(chat?.sought.value?.seq).toBe(3);
    const shownAt = chat?.sought.value;
    await chat?.reach(500);
    expect(chat?.sought.value).toBe(shownAt);
    expect(app.notices.list.value.map((notice) => notice.text)).toEqual([{ key: "quote.too_far" }]);
    app.desk.value?.stop();
  });

  it("takes a refused message back into the composer, before what stands there", async () => {
    const { app, clock, server } = setUp();
    server.list = [row("c1")];
    await app.start();
    app.openConversation("c1");
    await clock.settle();
    const chat = app.desk.value?.chat.value;
    server.nextRefusal = { code: "message.mention" };
    chat?.composer.setMode("note");
    chat?.composer.setText("@Mei look");
    chat?.composer.send();
    await clock.settle();
    chat?.composer.setText("and more");
    const refused = chat?.conversation.outgoing.value[0];
    expect(refused?.state).toEqual({ kind: "refused", code: "message.mention" });
    if (refused !== undefined) chat?.rewrite(refused);
    expect([chat?.composer.text.value, chat?.composer.mode.value]).toEqual(["@Mei look\nand more", "note"]);
    expect(chat?.conversation.outgoing.value).toEqual([]);
    app.desk.value?.stop();
  });

  it("asks before it takes back or gives up, and does nothing without a yes", async () => {
    const { app, clock, server } = setUp();
    server.list = [row("c1")];
    server.say("c1", { actor: visitor, content: { text: { body: "hi" } } });
    await app.start();
    app.openConversation("c1");
    await clock.settle();
    const chat = app.desk.value?.chat.value;
    const asked = () => server.current.frames.filter((frame) => frame.command?.requeue !== undefined || frame.retract !== undefined).length;
    chat?.ask({ kind: "requeue" });
    chat?.ask(null);
    await chat?.confirmed();
    expect(asked()).toBe(0);
    chat?.ask({ kind: "requeue" });
    void chat?.confirmed();
    await clock.settle();
    expect([asked(), chat?.question.value]).toEqual([1, null]);
    chat?.ask({ kind: "retract", seq: 1 });
    void chat?.confirmed();
    await clock.settle();
    expect(asked()).toBe(2);
    app.desk.value?.stop();
  });
});

describe("the demo's visitors", () => {
  it("are paused and let go on, and are no subject where there are none", async () => {
    const state = { paused: false, visitors: 2 };
    const api = { demo: () => Promise.resolve({ ...state }), pauseDemo: (paused: boolean) => Promise.resolve(Object.assign(state, { paused })) };
    const demo = new DemoControl(api, true);
    await Promise.resolve();
    await demo.toggle();
    expect(demo.state.value).toEqual({ paused: true, visitors: 2 });
    await demo.toggle();
    expect(demo.state.value?.paused).toBe(false);
    const none = new DemoControl({ ...api, demo: () => Promise.reject(new Error("not found")) }, true);
    await Promise.resolve();
    await none.toggle();
    expect(none.state.value).toBeNull();
    expect(state.paused).toBe(false);
  });
});
