import { jsonCodec } from "@frontdesk/protocol";
import { effect } from "@preact/signals-core";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeBrowser, FakeClock, FakeServer } from "../testing";
import { filledIn, picked } from "./asked";
import type { Identity, VisitorOptions } from "./visitor";
import { VisitorClient } from "./visitor";

let clock: FakeClock;
let server: FakeServer;
let browser: FakeBrowser;

beforeEach(() => {
  clock = new FakeClock();
  server = new FakeServer(clock);
  browser = new FakeBrowser(clock, server);
});

function visitor(at: FakeBrowser = browser, drafts: string[] = [], more: Partial<VisitorOptions> = {}): VisitorClient {
  return new VisitorClient({
    ...more,
    platform: at.tab(),
    codec: jsonCodec,
    inboxKey: "shop",
    client: "test/1",
    language: () => "en",
    surroundings: () => ({ page: "https://shop.example/tea" }),
    onInbox: () => undefined,
    onDraft: (text) => void drafts.push(text),
  });
}

async function started(...visitors: VisitorClient[]): Promise<void> {
  for (const one of visitors) one.start();
  await clock.advance(300);
}

function shown(of: VisitorClient): string[] {
  return of.conversation.lines.value.map((line) => {
    if (line.kind === "skip") return "skip";
    return line.body.kind === "text" ? line.body.text : line.body.kind;
  });
}

function roomsWithMessages(): string[] {
  return [...server.rooms.values()].filter((room) => room.items.length > 0).map((room) => room.id);
}

describe("a visitor", () => {
  it("keeps nothing on the device before the first message", async () => {
    const one = visitor();
    await started(one);
    expect(one.connection.value.kind).toBe("live");
    expect([...browser.stored.keys()]).toEqual([]);
    expect(one.known).toBe(false);
    one.conversation.sendText("hello");
    await clock.advance(100);
    expect(one.known).toBe(true);
    expect(browser.stored.get("frontdesk/visitor/shop/visitor")).toBe("v1.1");
    expect(server.texts("room-v1.1")).toEqual(["hello"]);
  });

  it("shows a message at once, then sent, delivered and read", async () => {
    const one = visitor();
    await started(one);
    one.conversation.sendText("hello");
    expect(one.conversation.lines.value[0]).toMatchObject({ kind: "outgoing", state: { kind: "sending" } });
    const key = one.conversation.lines.value[0]?.key;
    await clock.advance(100);
    const line = one.conversation.lines.value[0];
    if (line?.kind !== "entry") throw new Error("no entry");
    expect(line.key).toBe(key);
    expect(one.conversation.deliveryOf(line)).toBe("sent");
    const agent = { kind: "ACTOR_KIND_AGENT" as const, id: "agent1" };
    server.current.push({ cursor: { cursor: { actor: agent, deliveredSeq: "1" } } });
    expect(one.conversation.deliveryOf(line)).toBe("delivered");
    server.current.push({ cursor: { cursor: { actor: agent, deliveredSeq: "1", readSeq: "1" } } });
    expect(one.conversation.deliveryOf(line)).toBe("read");
  });

  it("sends everything again after a server died between writing and acknowledging, once each", async () => {
    const one = visitor();
    await started(one);
    one.conversation.sendText("first");
    await clock.advance(100);
    server.losesAcks = true;
    for (let at = 0; at < 100; at++) one.conversation.sendText(`m${at}`);
    await clock.advance(100);
    expect(server.current.frames.filter((frame) => frame.send).length).toBe(1 + 64);
    server.losesAcks = false;
    server.restart();
    await clock.advance(2_000);
    expect(server.texts("room-v1.1")).toEqual(["first", ...Array.from({ length: 100 }, (_, at) => `m${at}`)]);
    expect(shown(one)).toEqual(server.texts("room-v1.1"));
    expect(one.outbox.messages.value).toEqual([]);
    expect([...browser.stored.keys()]).toEqual(["frontdesk/visitor/shop/visitor"]);
  });

  it("sends everything again, once each and in order, where somebody else serves it from now on", async () => {
    const one = visitor();
    await started(one);
    one.conversation.sendText("first");
    await clock.advance(100);
    server.losesAcks = true;
    for (let at = 0; at < 5; at++) one.conversation.sendText(`m${at}`);
    await clock.advance(100);
    server.losesAcks = false;
    server.current.rejoin(300);
    // Written while nobody serves it.
    one.conversation.sendText("m5");
    await clock.advance(400);
    expect(server.texts("room-v1.1")).toEqual(["first", "m0", "m1", "m2", "m3", "m4", "m5"]);
    expect(shown(one)).toEqual(server.texts("room-v1.1"));
    expect(one.outbox.messages.value).toEqual([]);
    expect(server.connections).toHaveLength(1);
  });

  it("finds unsent messages again after a reload", async () => {
    const one = visitor();
    await started(one);
    one.conversation.sendText("before");
    await clock.advance(100);
    server.down = true;
    server.restart();
    one.conversation.sendText("written offline");
    one.stop();
    const again = visitor();
    again.start();
    await clock.advance(1_000);
    expect(again.outbox.messages.value.map((message) => message.state.kind)).toEqual(["sending"]);
    server.down = false;
    await clock.advance(35_000);
    expect(shown(again)).toEqual(["before", "written offline"]);
  });

  it("keeps the order when the server asks to slow down, and offers a refused one again", async () => {
    const one = visitor();
    await started(one);
    one.conversation.sendText("zero");
    await clock.advance(100);
    server.nextRefusal = { code: "rate_limited", retryAfterMs: 5_000 };
    one.conversation.sendText("a");
    await clock.advance(100);
    one.conversation.sendText("b");
    await clock.advance(4_000);
    expect(server.texts("room-v1.1")).toEqual(["zero"]);
    await clock.advance(2_000);
    expect(server.texts("room-v1.1")).toEqual(["zero", "a", "b"]);

    server.nextRefusal = { code: "message.refused" };
    one.conversation.sendText("bad");
    await clock.advance(100);
    const refused = one.conversation.outgoing.value[0];
    expect(refused?.state).toEqual({ kind: "refused", code: "message.refused" });
    one.conversation.retry(refused?.clientMsgId ?? "");
    await clock.advance(100);
    expect(server.texts("room-v1.1")).toEqual(["zero", "a", "b", "bad"]);
  });

  it("reads on from where it was after a drop, and begins anew after a restore", async () => {
    const one = visitor();
    await started(one);
    one.conversation.sendText("hello");
    await clock.advance(100);
    server.current.closed = true;
    server.say("room-v1.1", { content: { text: { body: "missed" } } });
    server.current.socket.onClose(1006);
    await clock.advance(600);
    expect(shown(one)).toEqual(["hello", "missed"]);
    expect(server.current.frames[0]?.hello?.held).toEqual([{ position: { epoch: server.epoch, seq: "1" } }]);

    server.epoch = "77";
    server.room("room-v1.1").items.pop();
    server.restart();
    await clock.advance(2_000);
    expect(shown(one)).toEqual(["hello"]);
  });

  it("asks for what is missing when a push was lost", async () => {
    const one = visitor();
    await started(one);
    one.conversation.sendText("hello");
    await clock.advance(100);
    server.say("room-v1.1", { content: { text: { body: "lost" } } }, { deliver: false });
    server.say("room-v1.1", { content: { text: { body: "seen" } } });
    expect(shown(one)).toEqual(["hello"]);
    await clock.advance(1_600);
    expect(shown(one)).toEqual(["hello", "lost", "seen"]);
    server.say("room-v1.1", { content: { text: { body: "last, lost" } } }, { deliver: false });
    await clock.advance(40_000);
    expect(shown(one)).toEqual(["hello", "lost", "seen", "last, lost"]);
  });

  it("loads older pages", async () => {
    browser.stored.set("frontdesk/visitor/shop/visitor", "v1.old");
    for (let at = 1; at <= 120; at++) server.say("room-v1.old", { content: { text: { body: `m${at}` } } });
    const one = visitor();
    await started(one);
    expect(shown(one)).toHaveLength(50);
    await Promise.all([one.conversation.loadOlder(), one.conversation.loadOlder()]);
    expect(shown(one)).toHaveLength(100);
    await one.conversation.loadOlder();
    await one.conversation.loadOlder();
    expect(shown(one)[0]).toBe("m1");
    expect(shown(one)).toHaveLength(120);
  });

  it("tells once a second how far it got, and counts what is unread", async () => {
    const one = visitor();
    await started(one);
    one.conversation.sendText("hello");
    await clock.advance(1_500);
    const before = server.current.frames.length;
    for (let at = 0; at < 20; at++) server.say("room-v1.1", { content: { text: { body: `a${at}` } } });
    expect(one.conversation.unread.value).toBe(20);
    await clock.advance(3_000);
    one.conversation.read(21);
    expect(one.conversation.unread.value).toBe(0);
    await clock.advance(3_000);
    const cursors = server.current.frames.slice(before).map((frame) => frame.cursor);
    expect(cursors).toHaveLength(3);
    expect(cursors[2]).toMatchObject({ deliveredSeq: "21", readSeq: "21" });
  });

  it("shows who types until they stop, write, or fall silent", async () => {
    const one = visitor();
    await started(one);
    const lin = { kind: "ACTOR_KIND_AGENT" as const, id: "agent1", name: "Lin" };
    server.current.push({ draft: { actor: lin, typing: true } });
    expect(one.conversation.typing.value?.actor.name).toBe("Lin");
    await clock.advance(7_000);
    expect(one.conversation.typing.value).toBeUndefined();
    server.current.push({ draft: { actor: lin, typing: true } });
    server.say("room-v1.1", { content: { text: { body: "hi" } } });
    expect(one.conversation.typing.value).toBeUndefined();
    const hidden = { kind: "ACTOR_KIND_AGENT" as const, name: "Lin" };
    server.current.push({ draft: { actor: hidden, typing: true } });
    server.say("room-v1.1", { actor: hidden, content: { text: { body: "hi again" } } });
    expect(one.conversation.typing.value).toBeUndefined();
  });

  it("tells what is being written now and then, and what stands there in the end", async () => {
    const one = visitor();
    await started(one);
    const told = (): unknown[] => server.current.frames.flatMap((frame) => (frame.draft ? [frame.draft.text ?? ""] : []));
    for (const text of ["I", "I w", "I wo", "I would"]) one.conversation.draft(text, true);
    expect(told()).toEqual(["I"]);
    await clock.advance(1_000);
    expect(told()).toEqual(["I", "I would"]);
    one.conversation.draft("I would like", true);
    one.conversation.sendText("I would like tea");
    await clock.advance(1_000);
    expect(told()).toEqual(["I", "I would"]);
  });

  it("does not tell that it types where nobody may see it, unless the text itself is looked at", async () => {
    const told = (): unknown[] => server.current.frames.flatMap((frame) => (frame.draft ? [frame.draft.text ?? ""] : []));
    const one = visitor();
    await started(one);
    for (const text of ["I", "I would", ""]) one.saveDraft(text, false);
    await clock.advance(3_000);
    expect(told()).toEqual([]);
    one.saveDraft("I", true);
    expect(told()).toEqual([""]);
    expect(one.draft).toBe("I");
    server.drafts = true;
    const looked = visitor(new FakeBrowser(clock, server));
    await started(looked);
    looked.saveDraft("I would", false);
    expect(told()).toEqual(["I would"]);
  });

  it("begins as somebody new where the installation does not know its token", async () => {
    browser.stored.set("frontdesk/visitor/shop/visitor", "v1.stale");
    server.nextTicketAnswer = { status: 401, body: { code: "visitor.token_invalid" }, retryAfterMs: undefined };
    const one = visitor();
    await started(one);
    expect(one.connection.value.kind).toBe("live");
    expect(one.known).toBe(false);
    one.conversation.sendText("hello");
    await clock.advance(100);
    expect(roomsWithMessages()).toEqual(["room-v1.1"]);
  });
});

describe("two tabs", () => {
  it("share the identity of the tab that came first", async () => {
    const one = visitor();
    await started(one);
    const two = visitor();
    await started(two);
    two.conversation.sendText("from two");
    await clock.advance(500);
    one.conversation.sendText("from one");
    await clock.advance(500);
    expect(roomsWithMessages()).toEqual(["room-v1.1"]);
    expect(shown(one)).toEqual(["from two", "from one"]);
    expect(shown(two)).toEqual(["from two", "from one"]);
  });

  it("make one conversation even when both began and wrote at the same moment", async () => {
    const [one, two] = [visitor(), visitor()];
    await started(one, two);
    expect(server.ticketRequests.filter((request) => request.visitor_token === undefined)).toHaveLength(2);
    one.conversation.sendText("from one");
    two.conversation.sendText("from two");
    await clock.advance(5_000);
    expect(roomsWithMessages()).toHaveLength(1);
    expect(shown(one).sort()).toEqual(["from one", "from two"]);
    expect(shown(two)).toEqual(server.texts(roomsWithMessages()[0] ?? ""));
  });

  it("make one conversation when both wrote over a kill -9 before any ack", async () => {
    const [one, two] = [visitor(), visitor()];
    await started(one, two);
    server.losesAcks = true;
    one.conversation.sendText("from one");
    two.conversation.sendText("from two");
    await clock.advance(200);
    server.down = true;
    server.restart();
    await clock.advance(20_000);
    server.losesAcks = false;
    server.down = false;
    await clock.advance(60_000);
    expect(roomsWithMessages()).toHaveLength(1);
    expect(shown(one).sort()).toEqual(["from one", "from two"]);
    expect(shown(two)).toEqual(shown(one));
  });

  it("show a message of the other one once, though nobody was told that it is stored", async () => {
    const [one, two] = [visitor(), visitor()];
    await started(one, two);
    one.conversation.sendText("hello");
    await clock.advance(500);
    server.losesAcks = true;
    one.conversation.sendText("unacknowledged");
    await clock.advance(200);
    server.restart();
    await clock.advance(20_000);
    expect(shown(two)).toEqual(["hello", "unacknowledged"]);
    expect(two.outbox.messages.value).toEqual([]);
  });

  it("share the draft, and forget together", async () => {
    const heard: string[] = [];
    const [one, two] = [visitor(), visitor(browser, heard)];
    await started(one, two);
    one.conversation.sendText("hello");
    await clock.advance(500);
    one.saveDraft("half a sen", true);
    await clock.advance(10);
    expect(heard).toEqual(["half a sen"]);
    expect(two.draft).toBe("half a sen");
    one.forget();
    await clock.advance(1_000);
    expect([...browser.stored.keys()]).toEqual([]);
    expect([shown(one), shown(two)]).toEqual([[], []]);
    expect(two.known).toBe(false);
  });
});

describe("a visitor whom the site signed in", () => {
  let who: Identity | undefined;
  const signed = (drafts: string[] = []): VisitorClient => visitor(browser, drafts, { identity: () => who });

  beforeEach(() => {
    who = { subject: "u/7", proof: { identity_token: "jwt-7" } };
  });

  it("is told to the server with every ticket, and never kept on the device", async () => {
    const one = signed();
    expect(one.known).toBe(true);
    await started(one);
    expect(server.ticketRequests[0]).toMatchObject({ identity_token: "jwt-7" });
    one.conversation.sendText("hello");
    await clock.advance(100);
    expect(server.texts("room-v1.1")).toEqual(["hello"]);
    expect([...browser.stored.values()].some((value) => value.includes("v1.1"))).toBe(false);
  });

  it("takes along what was written before", async () => {
    browser.stored.set("frontdesk/visitor/shop/visitor", "v1.before");
    await started(signed());
    expect(server.ticketRequests[0]).toMatchObject({ identity_token: "jwt-7", visitor_token: "v1.before" });
  });

  it("has a draft and unsent messages apart from the device's own visitor", async () => {
    who = undefined;
    const drafts: string[] = [];
    const one = signed(drafts);
    one.saveDraft("mine", true);
    who = { subject: "u/7", proof: { identity_token: "jwt-7" } };
    one.identified();
    expect(drafts).toEqual([""]);
    one.saveDraft("theirs", true);
    who = undefined;
    one.identified();
    expect(drafts).toEqual(["", "mine"]);
    expect([...browser.stored.keys()]).toEqual(["frontdesk/visitor/shop/draft"]);
  });

  it("leaves nothing on the device when they sign out", async () => {
    const one = signed();
    await started(one);
    server.down = true;
    one.conversation.sendText("unsent");
    one.saveDraft("half a sen", true);
    expect(browser.stored.size).toBeGreaterThan(0);
    one.forget();
    expect([...browser.stored.keys()]).toEqual([]);
  });

  it("goes on with a new signature after the old one had run out", async () => {
    const one = signed();
    server.nextTicketAnswer = { status: 401, body: { code: "identity.expired" }, retryAfterMs: undefined };
    await started(one);
    expect(one.connection.value).toMatchObject({ kind: "stopped", code: "identity.expired" });
    who = { subject: "u/7", proof: { identity_token: "jwt-8" } };
    one.identified();
    await clock.advance(300);
    expect(one.connection.value.kind).toBe("live");
    expect(server.ticketRequests[1]).toMatchObject({ identity_token: "jwt-8" });
  });

  it("does not read on where the server says that the device's visitor is somebody's now", async () => {
    who = undefined;
    browser.stored.set("frontdesk/visitor/shop/visitor", "v1.bound");
    server.nextTicketAnswer = { status: 200, body: { ticket: "x", visitor_token: "v1.fresh", conversation_id: "c" }, retryAfterMs: undefined };
    const one = signed();
    await started(one);
    expect(one.known).toBe(false);
    expect(browser.stored.has("frontdesk/visitor/shop/visitor")).toBe(false);
  });

  it("begins with the ticket that the first look brought", async () => {
    who = undefined;
    const answer = server.http("POST", "api/v1/tickets", { kind: "visitor" });
    const { ticket, visitor_token: token, conversation_id: conversation } = (await answer).body as Record<string, string>;
    const looked = { ticket: ticket ?? "", token: token ?? "", conversation: conversation ?? "", atMs: clock.now() };
    const one = visitor(browser, [], { looked });
    await started(one);
    expect(one.connection.value.kind).toBe("live");
    expect(server.ticketRequests).toHaveLength(1);
  });
});

describe("a visitor whom a bot serves", () => {
  const bot = { kind: "ACTOR_KIND_BOT" as const, name: "Spruce" };
  const question = { choices: { body: "Which one?", choices: [{ id: "a", label: "This" }, { id: "b", label: "That" }] } };

  async function served(): Promise<VisitorClient> {
    const one = visitor();
    await started(one);
    one.conversation.sendText("hello");
    await clock.advance(100);
    server.say("room-v1.1", { actor: bot, content: question });
    return one;
  }

  it("picks a button and fills in a form, over a reload and a reconnect, once each", async () => {
    const before = await served();
    server.say("room-v1.1", { actor: bot, content: { form: { title: "Your order", fields: [{ id: "no", label: "Order" }] } } });
    server.losesAcks = true;
    before.conversation.send(picked({ id: "b", label: "That" }), { quoteSeq: 2 });
    server.down = true;
    server.restart();
    before.conversation.send(filledIn([{ id: "no", label: "Order", value: "A-17" }]), { quoteSeq: 3 });
    expect(before.conversation.outgoing.value.map(({ body }) => body)).toEqual([
      { kind: "text", text: "That", quoteSeq: 2, choice: "b" },
      { kind: "formReply", values: [{ id: "no", label: "Order", value: "A-17" }], quoteSeq: 3 },
    ]);
    before.stop();
    server.down = false;
    server.losesAcks = false;

    const after = visitor();
    // From the store, before anything is connected.
    expect(after.conversation.outgoing.value.map(({ body }) => body.kind)).toEqual(["text", "formReply"]);
    await started(after);
    const said = server.room("room-v1.1").items.slice(3).map((item) => item.entry?.content);
    expect(said).toEqual([
      { text: { body: "That" }, choice: "b", quoteSeq: "2" },
      { formReply: { values: [{ id: "no", label: "Order", value: "A-17" }] }, quoteSeq: "3" },
    ]);
    expect(after.outbox.messages.value).toEqual([]);
    expect(shown(after)).toEqual(["hello", "Which one?", "form", "That", "formReply"]);
    expect(after.conversation.lines.value[3]).toMatchObject({ body: { choice: "b", quoteSeq: 2 } });
  });

  it("sees the answer grow until it stands there, in one step", async () => {
    const one = await served();
    const draft = (text: string): void => server.current.push({ draft: { actor: bot, typing: true, text } });
    draft("Our shop");
    draft("Our shop opens");
    expect(one.conversation.typing.value).toMatchObject({ actor: { kind: "bot", name: "Spruce" }, text: "Our shop opens" });
    const steps: [number, string | undefined][] = [];
    const stop = effect(() => void steps.push([one.conversation.lines.value.length, one.conversation.typing.value?.text]));
    server.say("room-v1.1", { actor: bot, content: { text: { body: "Our shop opens at 9." } } });
    stop();
    expect(steps).toEqual([
      [2, "Our shop opens"],
      [3, undefined],
    ]);
  });

  it("lets a growing answer go when the bot gives up, or says nothing for 15 seconds", async () => {
    const one = await served();
    const draft = (text: string, typing = true): void => server.current.push({ draft: { actor: bot, typing, text } });
    draft("Our");
    draft("", false);
    expect(one.conversation.typing.value).toBeUndefined();
    draft("Our");
    await clock.advance(10_000);
    draft("Our shop");
    await clock.advance(14_999);
    expect(one.conversation.typing.value?.text).toBe("Our shop");
    await clock.advance(1);
    expect(one.conversation.typing.value).toBeUndefined();
  });

  it("asks for a person, and learns why not", async () => {
    const one = await served();
    await one.command({ askForPerson: {} });
    expect(server.current.frames.at(-1)?.command).toEqual({ askForPerson: {} });
    server.movedOn.push({ id: "s1", number: 1, version: 9 });
    await expect(one.command({ askForPerson: {} })).rejects.toMatchObject({ code: "session.version" });
  });
});
