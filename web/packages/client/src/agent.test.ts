import { jsonCodec } from "@frontdesk/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeBrowser, FakeClock, FakeServer } from "../testing";
import { AgentClient } from "./agent";

let clock: FakeClock;
let server: FakeServer;
let agent: AgentClient;
let withdrawn: string[];

beforeEach(async () => {
  clock = new FakeClock();
  server = new FakeServer(clock);
  withdrawn = [];
  agent = new AgentClient({
    onWithdrawn: (conversation) => void withdrawn.push(conversation),
    platform: new FakeBrowser(clock, server).tab(),
    codec: jsonCodec,
    user: "agent1",
    account: "acc",
    client: "test/1",
    language: () => "en",
  });
  agent.start();
  await clock.advance(100);
});

function shown(id: string): string[] {
  return agent.open(id).lines.value.map((line) => (line.kind !== "skip" && line.body.kind === "text" ? line.body.text : line.kind));
}

describe("an agent", () => {
  const row = (conversation: string, unread: number) => ({ conversation, unread, visitorName: conversation });

  it("reads the list, and what the feed says meanwhile is newer", async () => {
    expect([agent.listed.value, server.listReads]).toEqual([true, 1]);
    server.list = [row("a", 1), row("b", 1), row("c", 1)];
    server.onList = () => server.current.push({ feed: { changes: [{ number: "9", row: row("b", 7) }, { number: "10", removed: "c" }] } });
    server.current.close(1006);
    await clock.advance(600);
    expect([...agent.rows.value.values()]).toEqual([row("a", 1), row("b", 7)]);
  });

  it("goes on from the feed where the server can, and asks again for a list that did not come", async () => {
    server.recoversFeed = true;
    server.current.close(1006);
    await clock.advance(600);
    expect(server.listReads).toBe(1);
    server.recoversFeed = false;
    const http = server.http.bind(server);
    server.http = () => Promise.reject(new Error("unreachable"));
    server.list = [row("a", 1)];
    server.current.close(1006);
    await clock.advance(2_000);
    server.http = http;
    await clock.advance(3_500);
    expect([...agent.rows.value.keys()]).toEqual(["a"]);
  });

  it("keeps the list as the feed tells it", async () => {
    server.current.push({ feed: { changes: [{ number: "1", row: row("a", 1) }, { number: "2", row: row("b", 2) }] } });
    expect([...agent.rows.value.keys()]).toEqual(["a", "b"]);
    server.current.push({ feed: { changes: [{ number: "3", removed: "a" }, { number: "4", row: row("b", 0) }] } });
    expect([...agent.rows.value.values()]).toEqual([row("b", 0)]);
    server.current.close(1006);
    await clock.advance(600);
    expect(server.current.frames[0]?.hello?.feed).toEqual({ epoch: server.epoch, number: "4" });
  });

  it("opens conversations, writes in them, and holds them over a reconnect", async () => {
    server.say("a", { content: { text: { body: "hi" } } });
    const open = agent.open("a");
    await clock.settle();
    expect(open.loaded.value).toBe(true);
    open.sendText("hello");
    open.sendText("a note", { team: true });
    await clock.advance(100);
    expect(server.texts("a")).toEqual(["hi", "hello", "a note"]);
    expect(open.lines.value[2]).toMatchObject({ kind: "entry", team: true });

    server.current.closed = true;
    server.say("a", { content: { text: { body: "missed" } } });
    server.current.socket.onClose(1006);
    await clock.advance(600);
    expect(server.current.frames[0]?.hello?.held).toEqual([{ conversation: "a", position: { epoch: server.epoch, seq: "3" } }]);
    expect(shown("a")).toEqual(["hi", "hello", "a note", "missed"]);
  });

  it("sends again what nobody answered when a conversation is served by another node", async () => {
    const open = agent.open("a");
    await clock.settle();
    server.current.blackholed = true;
    open.sendText("hello");
    await clock.advance(100);
    server.current.blackholed = false;
    server.current.push({ opened: { conversation: "b", position: { epoch: server.epoch, seq: "0" } } });
    await clock.advance(100);
    expect(server.texts("a")).toEqual([]);
    server.current.push({ opened: { conversation: "a", position: { epoch: server.epoch, seq: "0" } } });
    await clock.advance(100);
    expect(server.texts("a")).toEqual(["hello"]);
    expect(shown("a")).toEqual(["hello"]);
  });

  it("asks for what is missing where a resume begins behind what it holds", async () => {
    const open = agent.open("a");
    await clock.settle();
    for (const text of ["one", "two", "three"]) server.say("a", { content: { text: { body: text } } });
    expect(shown("a")).toEqual(["one", "two", "three"]);
    // A node that has not heard of the last ones shows an older page in between.
    const position = (seq: string) => ({ epoch: server.epoch, seq });
    const entry = (seq: string, body: string) => ({ entry: { seq, actor: { id: "v" }, content: { text: { body } } } });
    server.current.push({ opened: { conversation: "a", position: position("1"), items: [entry("1", "one")] } });
    server.current.push({ opened: { conversation: "a", recovered: true, position: position("3"), items: [entry("3", "three")] } });
    expect(shown("a")).toEqual(["one"]);
    await clock.advance(5_000);
    expect(shown("a")).toEqual(["one", "two", "three"]);
    expect(open.loaded.value).toBe(true);
  });

  it("asks again for a conversation that cannot be read now, as long as it is shown", async () => {
    server.say("a", { content: { text: { body: "hi" } } });
    server.unreadable.add("a");
    const open = agent.open("a");
    await clock.advance(2_500);
    expect(open.loaded.value).toBe(false);
    server.unreadable.clear();
    await clock.advance(1_000);
    expect(shown("a")).toEqual(["hi"]);
    // One that a resume was to bring back: what is shown stays, and what it missed comes later.
    server.say("a", { content: { text: { body: "missed" } } });
    const asked = (): number => server.current.frames.filter((frame) => frame.open).length;
    const before = asked();
    server.current.push({ refusal: { code: "storage.unavailable", retryAfterMs: 1_000, conversation: "a" } });
    await clock.advance(900);
    expect(asked()).toBe(before);
    await clock.advance(200);
    expect(shown("a")).toEqual(["hi", "missed"]);
    server.current.push({ refusal: { code: "storage.unavailable", retryAfterMs: 1_000, conversation: "a" } });
    agent.leave("a");
    agent.leave("a");
    agent.leave("a");
    const left = asked();
    await clock.advance(5_000);
    expect(asked()).toBe(left);
  });

  it("shares one open conversation between its views and leaves with the last", async () => {
    const first = agent.open("a");
    expect(agent.open("a")).toBe(first);
    await clock.settle();
    agent.leave("a");
    expect(server.current.frames.some((frame) => frame.leave)).toBe(false);
    agent.leave("a");
    expect(server.current.frames.some((frame) => frame.leave)).toBe(true);
  });

  it("hears that a conversation it looks at is no longer its to read", async () => {
    agent.open("a");
    await clock.settle();
    server.current.push({ refusal: { code: "conversation.unknown", conversation: "b" } });
    server.current.push({ refusal: { code: "conversation.unknown", conversation: "a" } });
    expect(withdrawn).toEqual(["a"]);
  });

  it("keeps a newer session when updates come out of order", async () => {
    const open = agent.open("a");
    await clock.settle();
    server.current.push({ session: { conversation: "a", session: { id: "s", number: 1, version: 3, status: "SESSION_STATUS_ASSIGNED" } } });
    server.current.push({ session: { conversation: "a", session: { id: "s", number: 1, version: 2, status: "SESSION_STATUS_QUEUED" } } });
    expect(open.session.value?.version).toBe(3);
    server.current.push({ session: { conversation: "a", session: { id: "t", number: 2, version: 1, status: "SESSION_STATUS_QUEUED" } } });
    expect(open.session.value?.id).toBe("t");
  });

  it("shows a chosen state at once and takes it back where it is refused", async () => {
    await agent.setPresence("PRESENCE_AWAY");
    expect(agent.presence.value).toBe("PRESENCE_AWAY");
    server.current.blackholed = true;
    const failed = agent.setPresence("PRESENCE_OFFLINE").catch((error: unknown) => error);
    expect(agent.presence.value).toBe("PRESENCE_OFFLINE");
    await clock.advance(16_000);
    expect(await failed).toHaveProperty("code", "timeout");
    expect(agent.presence.value).toBe("PRESENCE_AWAY");
  });
});
