// A visitor against a server in memory: connecting, sending, receiving, reconnecting.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EPOCH, entry, FakeServer, position, said, settle } from "./fake.mjs";

const empty = { opened: [{ position: { epoch: EPOCH } }], self: { kind: "ACTOR_KIND_VISITOR", id: "v1" } };

async function live(options = {}, who = {}) {
  const server = new FakeServer();
  const visitor = server.frontdesk(options).visitor({ inboxKey: "KEY", ...who });
  const got = [];
  visitor.on("message", (message) => got.push([message.seq, message.text]));
  const started = visitor.start();
  await settle();
  const hello = await server.welcome(empty);
  await started;
  return { server, visitor, got, hello };
}

test("a ticket, then a hello with it", async () => {
  const { server, visitor, hello } = await live();
  assert.equal(server.requests[0].url, "http://desk.example/base/api/v1/tickets");
  assert.equal(JSON.parse(server.requests[0].body).inbox_key, "KEY");
  assert.deepEqual([server.socket.url, server.socket.subprotocol], ["ws://desk.example/base/ws/v1", "frontdesk.v1.json"]);
  assert.deepEqual([hello.ticket, hello.canRejoin, visitor.token, visitor.conversationId], ["t1", true, "v1.token", "c1"]);
});

test("a message waits for its ack, and goes again with its id after a drop", async () => {
  const { server, visitor } = await live();
  const acks = [visitor.send("one"), visitor.send("two")];
  const [first, ...more] = server.socket.take("send");
  assert.deepEqual([first.send.content.text.body, more.length], ["one", 0], "the second waits for the ack of the first");
  await server.socket.end(1006);
  await server.clock.advance(500);
  const hello = await server.welcome(empty);
  assert.deepEqual([hello.resumeToken, hello.held], ["r1", [{ position: { epoch: EPOCH } }]]);
  const [again] = server.socket.take("send");
  assert.equal(again.send.clientMsgId, first.send.clientMsgId);
  await server.socket.push({ ack: { clientMsgId: again.send.clientMsgId, position: position(1), id: "e1" } });
  assert.equal((await acks[0]).seq, 1);
  // The second was stored and its ack lost: the entry says so.
  const [second] = server.socket.take("send");
  assert.ok(second.send.clientMsgId > first.send.clientMsgId, "ids rise");
  const own = said(2, "two");
  own.entry.clientMsgId = second.send.clientMsgId;
  await server.socket.push({ entries: { epoch: EPOCH, items: [own] } });
  assert.deepEqual([(await acks[1]).seq, visitor.pending, visitor.position.seq], [2, 0, "2"]);
});

test("a message refused for its rate is not passed by the next; one refused for good is rejected", async () => {
  const { server, visitor } = await live();
  const acks = [visitor.send("one"), visitor.send("two")];
  const [{ send: one }] = server.socket.take("send");
  await server.socket.push({ refusal: { code: "rate_limited", retryAfterMs: 700, clientMsgId: one.clientMsgId } });
  await server.clock.advance(699);
  assert.equal(server.socket.take("send").length, 0);
  await server.clock.advance(1);
  const [{ send: again }] = server.socket.take("send");
  assert.equal(again.clientMsgId, one.clientMsgId);
  await server.socket.push({ refusal: { code: "message.refused", clientMsgId: one.clientMsgId } });
  await assert.rejects(acks[0], { name: "Refused", code: "message.refused" });
  assert.equal(server.socket.take("send")[0].send.content.text.body, "two");
});

test("the outbox is bounded, and a message that gets no ack in time is given up", async () => {
  const server = new FakeServer();
  const visitor = server.frontdesk({ outboxMax: 2, sendTimeoutMs: 1_000 }).visitor({ inboxKey: "KEY" });
  const acks = [visitor.send("a"), visitor.send("b")];
  await assert.rejects(visitor.send("c"), { code: "outbox.full" });
  await server.clock.advance(1_000);
  for (const ack of acks) await assert.rejects(ack, { code: "timeout" });
  assert.equal(visitor.pending, 0);
});

test("what a store kept is sent first, with its id", async () => {
  const kept = { clientMsgId: "AaDELZwAAAH//v38ABAgMA==", conversation: "", content: { text: { body: "from before" } }, audience: "AUDIENCE_EVERYONE" };
  const log = [];
  const store = { load: () => [kept], put: (message) => log.push(message.content.text.body), remove: (id) => log.push(id) };
  const { server, visitor } = await live({ store });
  void visitor.send("new");
  const [{ send }] = server.socket.take("send");
  assert.deepEqual([send.clientMsgId, send.content.text.body], [kept.clientMsgId, "from before"]);
  await server.socket.push({ ack: { clientMsgId: kept.clientMsgId, position: position(1) } });
  assert.deepEqual(log, ["new", kept.clientMsgId]);
});

test("close codes: a resume token, a new ticket at once, a stop", async () => {
  const { server, visitor } = await live();
  const states = [];
  visitor.on("state", (state, error) => states.push(error ? `${state} ${error.detail}` : state));
  await server.socket.end(3000);
  await server.clock.advance(500);
  server.socket.onOpen();
  assert.equal(server.socket.take("hello")[0].hello.resumeToken, "r1");
  await server.socket.end(3400);
  await settle();
  assert.equal(server.requests.length, 2, "a token the server knows no more costs no wait");
  assert.equal((await server.welcome(empty)).ticket, "t2");
  const waiting = visitor.send("never");
  await server.socket.end(3500);
  assert.equal(states.at(-1), "stopped closed with 3500");
  await assert.rejects(waiting, { name: "Stopped" });
  await assert.rejects(visitor.send("later"), { code: "client.stopped" });
  await server.clock.advance(120_000);
  assert.equal(server.sockets.length, 3);
});

test("a live connection that needs a new ticket waits a random time for it", async () => {
  const { server, visitor } = await live();
  await server.socket.end(3403);
  assert.deepEqual([visitor.state, server.requests.length], ["waiting", 1]);
  await server.clock.advance(500);
  assert.equal((await server.welcome(empty)).ticket, "t2");
});

test("before the welcome a close drops the resume token", async () => {
  const { server } = await live();
  await server.socket.end(1006);
  await server.clock.advance(500);
  server.socket.onOpen();
  assert.equal(server.socket.take("hello")[0].hello.resumeToken, "r1");
  await server.socket.end(1011);
  await server.clock.advance(1_000);
  assert.equal((await server.welcome(empty)).ticket, "t2");
});

test("a server that is too busy is waited for as long as it says, and a random time", async () => {
  const server = new FakeServer();
  const answer = server.answer;
  server.answer = () => ({ status: 503, body: { code: "overloaded" }, retryAfterMs: 3_000 });
  const visitor = server.frontdesk().visitor({ inboxKey: "KEY" });
  const started = visitor.start();
  await settle();
  server.answer = answer;
  await server.clock.advance(3_249);
  assert.equal(server.sockets.length, 0);
  await server.clock.advance(1);
  await server.socket.end(1006, 2_000); // the handshake's answer
  await server.clock.advance(2_499);
  assert.equal(server.sockets.length, 1);
  await server.clock.advance(1);
  await server.welcome(empty);
  await started;
  // Nothing is left of the attempts that failed.
  for (let times = 0; times < 4; times++) {
    await server.clock.advance(20_000);
    await server.socket.push({ ping: {} });
  }
  assert.equal(visitor.state, "live");
});

test("a request that can only fail again stops the client", async () => {
  const server = new FakeServer();
  server.answer = () => ({ status: 404, body: { code: "inbox.unknown" }, retryAfterMs: undefined });
  await assert.rejects(server.frontdesk().visitor({ inboxKey: "KEY" }).start(), { name: "HttpError", code: "inbox.unknown", status: 404 });
});

test("goAway says when to come back", async () => {
  const { server } = await live();
  await server.socket.push({ goAway: { reconnectAfterMs: 1_500 } });
  await server.socket.end(3000);
  await server.clock.advance(1_749);
  assert.equal(server.sockets.length, 1);
  await server.clock.advance(1);
  assert.equal(server.sockets.length, 2);
});

test("rejoin: hello again on the same socket, then what had no ack", async () => {
  const { server, visitor } = await live();
  const ack = visitor.send("one");
  const [{ send: first }] = server.socket.take("send");
  await server.socket.push({ rejoin: { afterMs: 350 } });
  void visitor.send("two");
  await server.clock.advance(349);
  assert.deepEqual(server.socket.sent, [], "nothing is said meanwhile");
  await server.clock.advance(1);
  const hello = await server.welcome(empty);
  assert.deepEqual([hello.resumeToken, hello.ticket, server.sockets.length], ["r1", undefined, 1]);
  const [{ send: again }] = server.socket.take("send");
  assert.equal(again.clientMsgId, first.clientMsgId);
  await server.socket.push({ ack: { clientMsgId: first.clientMsgId, position: position(1) } });
  await ack;
});

test("pings are answered; silence is asked about, then ends the connection", async () => {
  const { server } = await live();
  await server.socket.push({ ping: {} });
  assert.equal(server.socket.take("pong").length, 1);
  await server.clock.advance(25_000);
  assert.equal(server.socket.take("ping").length, 1);
  await server.socket.push({ pong: {} });
  await server.clock.advance(34_000);
  const [socket] = server.sockets;
  assert.equal(socket.closedWith, undefined);
  await server.clock.advance(3_500);
  assert.equal(socket.closedWith, 3009);
});

test("every 40 s the position is checked", async () => {
  const { server } = await live();
  await server.socket.push({ entries: { epoch: EPOCH, items: [entry(1, "a")] } });
  for (let round = 0; round < 3; round++) {
    for (let part = 0; part < 2; part++) {
      await server.clock.advance(20_000);
      await server.socket.push({ ping: {} });
    }
    const asked = server.socket.take("sync");
    assert.deepEqual(asked.map(({ sync }) => sync.held), [[{ position: position(1) }]]);
    await server.socket.push({ ref: asked[0].ref, done: {} });
  }
});

test("a hole is asked about, repeats are dropped, order is kept", async () => {
  const { server, got } = await live();
  await server.socket.push({ entries: { epoch: EPOCH, items: [entry(1, "a"), entry(1, "a")] } });
  await server.socket.push({ entries: { epoch: EPOCH, items: [entry(4, "d")] } });
  await server.clock.advance(500);
  assert.deepEqual(server.socket.take("sync")[0].sync.held, [{ position: position(1) }]);
  await server.socket.push({ entries: { epoch: EPOCH, items: [entry(2, "b"), entry(3, "c"), entry(4, "d")] } });
  assert.deepEqual(got, [[1, "a"], [2, "b"], [3, "c"], [4, "d"]]);
});

test("too much missed: the page is told, what lies between is read over HTTP, each once", async () => {
  const { server, visitor, got } = await live();
  const reloads = [];
  visitor.on("reload", (messages, missed) => reloads.push([messages.map(({ seq }) => seq), missed]));
  await server.socket.push({ entries: { epoch: EPOCH, items: [entry(1, "1")] } });
  const answer = server.answer;
  server.answer = (request) => {
    if (!request.url.includes("/entries")) return answer(request);
    assert.equal(request.headers.authorization, "Visitor v1.token");
    const after = Number(new URL(request.url).searchParams.get("after"));
    return { epoch: EPOCH, items: [entry(after + 1, String(after + 1)), entry(after + 2, String(after + 2))] };
  };
  await server.socket.end(1006);
  await server.clock.advance(500);
  await server.welcome({ ...empty, opened: [{ position: position(7), items: [entry(6, "6"), entry(7, "7")], moreBefore: true }] });
  assert.deepEqual(got.map(([seq]) => seq), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(reloads, [[[6, 7], false]]);
});

test("another epoch: everything held is dropped and told", async () => {
  const { server, visitor } = await live();
  const reloads = [];
  visitor.on("reload", (messages, missed) => reloads.push([messages.length, missed]));
  await server.socket.push({ entries: { epoch: EPOCH, items: [entry(1, "a")] } });
  await server.socket.push({ entries: { epoch: "77", items: [entry(2, "b")] } });
  await server.clock.advance(500);
  const hello = await server.welcome({ ...empty, opened: [{ position: { epoch: "77", seq: "1" }, items: [entry(1, "restored")] }] });
  assert.equal(hello.held, undefined);
  assert.deepEqual([reloads, visitor.position], [[[1, true]], { epoch: "77", seq: "1" }]);
});

test("a reader that is far behind is bounded and misses nothing", async () => {
  const { server, visitor } = await live({ inboxMax: 4 });
  const messages = visitor.messages();
  const items = Array.from({ length: 10 }, (_, at) => entry(at + 1, String(at + 1)));
  await server.socket.push({ entries: { epoch: EPOCH, items } });
  const read = [];
  while (read.length < 10) {
    assert.equal(visitor.position.seq, String(read.length), "what was not read was not given");
    read.push((await messages.next()).value.seq);
    await settle();
    for (const { ref, sync } of server.socket.take("sync")) {
      const from = Number(sync.held[0].position.seq ?? 0);
      await server.socket.push({ entries: { epoch: EPOCH, items: items.slice(from) } }, { ref, done: {} });
    }
  }
  assert.deepEqual(read, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  visitor.close();
  assert.equal((await messages.next()).done, true);
});

test("choices and forms are answered as the protocol wants it", async () => {
  const { server, visitor } = await live();
  const seen = [];
  visitor.on("message", (message) => seen.push(message));
  const choices = { choices: { body: "Which?", choices: [{ id: "a", label: "Apples" }] } };
  const form = { form: { title: "Who?", fields: [{ id: "n", label: "Name", kind: "FORM_FIELD_KIND_TEXT" }, { id: "x", label: "X" }] } };
  await server.socket.push({ entries: { epoch: EPOCH, items: [entry(1, "", { content: choices }), entry(2, "", { content: form })] } });
  void visitor.choose(seen[0], "a");
  const [{ send: picked }] = server.socket.take("send");
  assert.deepEqual(picked.content, { text: { body: "Apples" }, quoteSeq: "1", choice: "a" });
  await server.socket.push({ ack: { clientMsgId: picked.clientMsgId, position: position(3) } });
  void visitor.submit(seen[1], { n: "Li Na" });
  const [{ send: filled }] = server.socket.take("send");
  assert.deepEqual(filled.content, { formReply: { values: [{ id: "n", label: "Name", value: "Li Na" }] }, quoteSeq: "2" });
  await assert.rejects(visitor.choose(seen[0], "b"), { code: "request.invalid" });
});

test("a command whose answer was lost with the connection is given again", async () => {
  const { server, visitor } = await live();
  const ended = visitor.endSession();
  await settle();
  assert.equal(server.socket.take("command").length, 1);
  await server.socket.end(1006);
  await server.clock.advance(500);
  await server.welcome(empty);
  const [{ ref }] = server.socket.take("command");
  await server.socket.push({ ref, refusal: { code: "session.closed" } });
  await ended;
});

test("close ends everything at once", async () => {
  const { server, visitor } = await live();
  const ack = visitor.send("one");
  visitor.close();
  assert.equal(server.socket.closedWith, 1000);
  await assert.rejects(ack, { code: "client.closed" });
  await assert.rejects(visitor.send("two"), { code: "client.closed" });
  assert.equal(server.clock.timers.size, 0, "no timer is left");
});

test("what no server takes is rejected at once, and is not in the way of the next message", async () => {
  const { server, visitor } = await live();
  await assert.rejects(visitor.send(42), { name: "MalformedFrame", code: "frame.malformed" });
  await assert.rejects(visitor.send("x".repeat(1_100_000)), { code: "frame.too_large" });
  assert.equal(visitor.pending, 0);
  void visitor.send("cut in the middle of \ud83d");
  assert.equal(server.socket.take("send")[0].send.content.text.body, "cut in the middle of \ufffd");
});

test("messages() goes on after a loop that was left, and ends where the client has ended", async () => {
  const { server, visitor } = await live();
  const items = [entry(1, "a"), entry(2, "b"), entry(3, "c")];
  const read = [];
  const loop = async () => {
    for await (const { seq } of visitor.messages()) {
      read.push(seq);
      if (seq === 1) break;
    }
  };
  const first = loop();
  await server.socket.push({ entries: { epoch: EPOCH, items } });
  await first;
  assert.deepEqual([read, visitor.position.seq], [[1], "1"]);
  visitor.close();
  await loop();
  assert.deepEqual([read, visitor.position.seq], [[1, 2, 3], "3"]);
  const other = server.frontdesk().visitor({ inboxKey: "KEY" });
  other.close();
  assert.equal((await other.messages().next()).done, true, "a loop that begins after the end");
});

test("a listener that fails, at once or later, is told and ends nothing", async () => {
  const { server, visitor, got } = await live();
  const errors = [];
  visitor.on("error", (error) => errors.push(error.message));
  visitor.on("entry", () => {
    throw new Error("at once");
  });
  visitor.on("entry", async () => {
    throw new Error("later");
  });
  await server.socket.push({ entries: { epoch: EPOCH, items: [entry(1, "a")] } });
  assert.deepEqual([got, errors.sort()], [[[1, "a"]], ["at once", "later"]]);
});

test("a store that fails: the message is rejected, or the error told", async () => {
  const store = {
    load: () => [],
    put: ({ content }) => {
      if (content.text.body === "full") throw new Error("no room");
    },
    remove: () => {
      throw new Error("no disk");
    },
  };
  const { server, visitor } = await live({ store });
  const errors = [];
  visitor.on("error", (error) => errors.push(error.message));
  await assert.rejects(visitor.send("full"), { message: "no room" });
  const ack = visitor.send("a");
  const [{ send }] = server.socket.take("send");
  await server.socket.push({ ack: { clientMsgId: send.clientMsgId, position: position(1) } });
  assert.deepEqual([(await ack).seq, errors], [1, ["no disk"]]);
});

test("unsent text goes only to an inbox that wants to see it", async () => {
  const { server, visitor } = await live();
  visitor.typing(true, "I would li");
  assert.deepEqual(server.socket.take("draft").map(({ draft }) => draft), [{ typing: true }]);
  await server.socket.end(1006);
  await server.clock.advance(500);
  await server.welcome({ ...empty, drafts: true });
  visitor.typing(true, "I would like");
  assert.deepEqual(server.socket.take("draft").map(({ draft }) => draft), [{ typing: true, text: "I would like" }]);
  // Neither text nor typing is wanted.
  const { answer } = server;
  server.answer = (request) => ({ ...answer(request), inbox: { typing: false } });
  await server.socket.end(3400);
  await server.clock.advance(1_000);
  await server.welcome(empty);
  visitor.typing();
  assert.deepEqual(server.socket.take("draft"), []);
});

test("who cannot connect is told why: by start, the state and, for the program's own error, the event", async () => {
  const server = new FakeServer();
  const { answer } = server;
  server.answer = () => {
    throw new TypeError("fetch failed", { cause: new Error("refused by 127.0.0.1") });
  };
  let proof = () => "jwt";
  const visitor = server.frontdesk().visitor({ inboxKey: "KEY", identityToken: () => proof() });
  const [states, errors] = [[], []];
  visitor.on("state", (state, error) => states.push([state, error?.code]));
  visitor.on("error", (error) => errors.push(error.message));
  const started = visitor.start(100);
  const late = assert.rejects(started, { code: "timeout", message: /connection\.lost: refused by 127\.0\.0\.1/ });
  await server.clock.advance(100);
  await late;
  assert.deepEqual(states, [["connecting", undefined], ["waiting", "connection.lost"]]);
  // Later the program fails, and then does not answer at all.
  server.answer = answer;
  proof = () => {
    throw new Error("no session");
  };
  await server.clock.advance(1_000);
  assert.deepEqual(new Set(errors), new Set(["no session"]));
  proof = () => new Promise(() => {});
  await server.clock.advance(1_000);
  assert.equal(visitor.state, "connecting");
  proof = () => "jwt";
  await server.clock.advance(40_000);
  assert.equal(JSON.parse(server.requests.at(-1).body).identity_token, "jwt");
});

test("run() serves until close, and rejects with why it was stopped", async () => {
  const { server, visitor } = await live();
  const stopped = assert.rejects(visitor.run(), { name: "Stopped", detail: "closed with 3500" });
  await server.socket.end(3500);
  await stopped;
  const other = (await live()).visitor;
  const served = other.run();
  await settle();
  other.close();
  await served;
  const alone = new FakeServer();
  alone.answer = () => ({ status: 502, body: undefined, retryAfterMs: undefined });
  const never = alone.frontdesk().visitor({ inboxKey: "KEY" });
  const late = assert.rejects(never.run(), { code: "timeout", message: /http\.502/ });
  await alone.clock.advance(30_000);
  await late;
  assert.deepEqual([never.state, alone.clock.timers.size], ["closed", 0]);
});

test("a wait that no clock can count is cut", async () => {
  const server = new FakeServer();
  const { answer } = server;
  server.answer = () => ({ status: 503, body: {}, retryAfterMs: 1e15 });
  server.frontdesk().visitor({ inboxKey: "KEY" }).start().catch(() => undefined);
  await settle();
  server.answer = answer;
  await server.clock.advance(3_600_000 + 500);
  await server.welcome(empty);
});

test("an address that is none is refused", () => {
  const server = new FakeServer();
  for (const address of ["", "desk.example", "localhost:8080", "ftp://desk.example"]) {
    assert.throws(() => server.frontdesk({}, address), TypeError, address);
  }
});

test("a listener to the state may close the client", async () => {
  for (const [when, code] of [["waiting", 1006], ["connecting", 1006], ["live", 1006], ["stopped", 3500]]) {
    const { server, visitor } = await live();
    visitor.on("state", (state) => state === when && visitor.close());
    await server.socket.end(code);
    await server.clock.advance(500);
    if (when === "live") await server.welcome(empty);
    await server.clock.advance(120_000);
    assert.deepEqual([visitor.state, server.clock.timers.size, server.sockets.length], ["closed", 0, when === "live" ? 2 : 1], when);
  }
});
