// A bot against a server in memory: the feed, handlers, what it may say and do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EPOCH, entry, FakeServer, position, said, settle } from "./fake.mjs";

const BOT = { kind: "ACTOR_KIND_BOT", id: "key1", name: "Echo" };

const session = (number, version, owner, status = "SESSION_STATUS_ASSIGNED") => ({
  id: `s${number}`, number, version, status, ...(owner ? { owner: { kind: "PARTICIPANT_KIND_BOT", id: owner } } : {}),
});

const row = (conversation, seq, of) => ({ conversation, visitor: "v1", visitorName: "Li", language: "zh-CN", position: position(seq), session: of });

async function live(options = {}, who = {}) {
  const server = new FakeServer();
  const bot = server.frontdesk(options).bot({ apiKey: "fd_key", ...who });
  const got = [];
  const events = [];
  bot.onMessage((conversation, message) => {
    got.push([conversation.id, message.seq, message.text]);
  });
  bot.on("given", (conversation) => events.push(`given ${conversation.id}`));
  bot.on("released", (conversation) => events.push(`released ${conversation.id}`));
  const started = bot.start();
  await server.welcome({ self: BOT, feed: { epoch: "7", number: "12" } });
  await started;
  return { server, bot, got, events };
}

/** Gives the bot a session with these items. */
async function give({ server }, conversation, items, of = session(1, 2, "key1")) {
  const seq = items.length;
  await server.socket.push({ feed: { changes: [{ number: "13", row: row(conversation, seq, of) }] } });
  const [{ ref, open }] = server.socket.take("open");
  assert.equal(open.conversation, conversation);
  await server.socket.push({ ref, opened: { conversation, items, position: position(seq), session: of } });
}

test("a bot's ticket goes by its key, and the list says what it has already", async () => {
  const server = new FakeServer();
  const { answer } = server;
  server.answer = (request) => (request.url.includes("view=mine") ? { rows: [row("c1", 1, session(1, 2, "key1"))] } : answer(request));
  const bot = server.frontdesk().bot({ apiKey: "fd_key" });
  const started = bot.start();
  await server.welcome({ self: BOT, feed: { epoch: "7", number: "12" } });
  await started;
  await settle();
  assert.deepEqual(server.requests.map(({ headers }) => headers.authorization), ["Bearer fd_key", "Bearer fd_key"]);
  assert.deepEqual(JSON.parse(server.requests[0].body), { kind: "agent" });
  assert.equal(server.socket.take("open")[0].open.conversation, "c1");
});

test("given a session, the bot answers what nobody has answered", async () => {
  const set = await live();
  await give(set, "c1", [said(1, "old", "s0"), said(2, "asked"), entry(3, "answered"), said(4, "new"), said(5, "newer")]);
  assert.deepEqual(set.got, [["c1", 4, "new"], ["c1", 5, "newer"]]);
  assert.deepEqual(set.events, ["given c1"]);
  await set.server.socket.push({ entries: { conversation: "c1", epoch: EPOCH, items: [said(6, "more")] } });
  assert.equal(set.got.at(-1)[1], 6);
  assert.deepEqual([set.bot.conversation("c1").language, set.bot.conversations.length], ["zh-CN", 1]);
});

test("a message waits until its session is the bot's", async () => {
  const set = await live();
  await give(set, "c1", [said(1, "a")]);
  const { server } = set;
  await server.socket.push({ session: { conversation: "c1", session: session(1, 3, "key1", "SESSION_STATUS_CLOSED") } });
  assert.deepEqual(set.events, ["given c1", "released c1"]);
  assert.equal(server.socket.take("leave").length, 1);
  // Somebody else serves the second session, the bot the third: it missed both.
  await server.socket.push({ feed: { changes: [{ number: "14", row: row("c1", 5, session(3, 1, "key1")) }] } });
  const [{ ref, open }] = server.socket.take("open");
  assert.deepEqual(open.position, position(1));
  const items = [said(2, "second", "s2"), entry(3, "by Mei", { session: "s2" }), said(4, "third", "s3"), said(5, "third too", "s3")];
  await server.socket.push({ ref, opened: { conversation: "c1", recovered: true, items, position: position(5), session: session(3, 1, "key1") } });
  assert.deepEqual(set.got.map(([, seq]) => seq), [1, 4, 5]);
});

test("a message of the next session waits, though the end of the last one was not told yet", async () => {
  const set = await live();
  await give(set, "c1", [said(1, "a")]);
  const { socket } = set.server;
  await socket.push({ entries: { conversation: "c1", epoch: EPOCH, items: [said(2, "b", "s2")] } });
  assert.deepEqual(set.got.map(([, seq]) => seq), [1]);
  await socket.push({ session: { conversation: "c1", session: session(2, 2, "key1") } });
  assert.deepEqual(set.got.map(([, seq]) => seq), [1, 2]);
});

test("a long unanswered beginning is read back over HTTP", async () => {
  const set = await live();
  const { server } = set;
  const { answer } = server;
  server.answer = (request) => {
    if (!request.url.includes("/entries")) return answer(request);
    assert.equal(new URL(request.url).searchParams.get("before"), "4");
    return { epoch: EPOCH, items: [entry(1, "hello"), said(2, "b"), said(3, "c")] };
  };
  const of = session(1, 2, "key1");
  await server.socket.push({ feed: { changes: [{ number: "13", row: row("c1", 5, of) }] } });
  const [{ ref }] = server.socket.take("open");
  await server.socket.push(
    { ref, opened: { conversation: "c1", items: [said(4, "d"), said(5, "e")], moreBefore: true, position: position(5), session: of } },
    { entries: { conversation: "c1", epoch: EPOCH, items: [said(6, "f")] } },
  );
  assert.deepEqual(set.got.map(([, seq]) => seq), [2, 3, 4, 5, 6]);
});

test("after a reconnect the hello names what is held, and each message still comes once", async () => {
  const set = await live();
  const { server } = set;
  await give(set, "c1", [said(1, "a")]);
  await server.socket.end(3000);
  await server.clock.advance(500);
  const hello = await server.welcome({ self: BOT, feed: { epoch: "7", number: "20" }, feedRecovered: true });
  assert.deepEqual(hello.held, [{ conversation: "c1", position: position(1) }]);
  assert.deepEqual(hello.feed, { epoch: "7", number: "13" });
  const again = { conversation: "c1", recovered: true, items: [said(2, "b")], position: position(2), session: session(1, 2, "key1") };
  await server.socket.push({ opened: again }, { feed: { changes: [{ number: "14", row: row("c1", 2, session(1, 2, "key1")) }] } });
  assert.deepEqual(set.got.map(([, seq]) => seq), [1, 2]);
  assert.equal(server.requests.filter(({ url }) => url.includes("view=mine")).length, 1, "the list was not needed again");
});

test("a feed that cannot go on is read as a list", async () => {
  const set = await live();
  const { server } = set;
  const { answer } = server;
  server.answer = (request) => (request.url.includes("view=mine") ? { rows: [row("c9", 1, session(1, 2, "key1"))] } : answer(request));
  await server.socket.end(3000);
  await server.clock.advance(500);
  await server.welcome({ self: BOT, feed: { epoch: "8", number: "1" } });
  assert.equal(server.socket.take("open")[0].open.conversation, "c9");
});

test("handlers run one at a time in a conversation, in order, and beside each other in several", async () => {
  const set = await live({}, { handlersMax: 2 });
  const log = [];
  const doors = [];
  set.bot.onMessage(async (conversation, message) => {
    log.push(`${conversation.id}:${message.seq}`);
    await new Promise((resolve) => doors.push(resolve));
  });
  for (const id of ["c1", "c2", "c3"]) await give(set, id, [said(1, "a"), said(2, "b")]);
  assert.deepEqual(log, ["c1:1", "c2:1"]);
  while (doors.length > 0) {
    doors.shift()();
    await settle();
  }
  for (const id of ["c1", "c2", "c3"]) assert.deepEqual(log.filter((line) => line.startsWith(id)), [`${id}:1`, `${id}:2`]);
});

test("a handler that fails is told, and the next message comes", async () => {
  const set = await live();
  const errors = [];
  set.bot.on("error", (error) => errors.push(error.message));
  set.bot.onMessage((_, message) => {
    if (message.seq === 1) throw new Error("broken");
    set.got.push(message.seq);
  });
  await give(set, "c1", [said(1, "a"), said(2, "b")]);
  await settle();
  assert.deepEqual([errors, set.got], [["broken"], [2]]);
});

test("a handler that is far behind is bounded and misses nothing", async () => {
  const set = await live({ inboxMax: 4 });
  const { server } = set;
  const read = [];
  let open = () => {};
  set.bot.onMessage(async (_, message) => {
    read.push(message.seq);
    await new Promise((resolve) => (open = resolve));
  });
  await give(set, "c1", [said(1, "1")]);
  const items = Array.from({ length: 12 }, (_, at) => said(at + 1, String(at + 1)));
  await server.socket.push({ entries: { conversation: "c1", epoch: EPOCH, items } });
  for (let turn = 0; turn < 12; turn++) {
    open();
    await settle();
    for (const { ref, sync } of server.socket.take("sync")) {
      await server.socket.push({ entries: { conversation: "c1", epoch: EPOCH, items: items.slice(Number(sync.held[0].position.seq)) } }, { ref, done: {} });
    }
  }
  assert.deepEqual(read, items.map((_, at) => at + 1));
});

test("replies, choices, forms and notes go to their conversation", async () => {
  const set = await live();
  const { server, bot } = set;
  await give(set, "c1", [said(1, "a")]);
  const conversation = bot.conversation("c1");
  const sources = [{ article: "a1", title: "Returns", path: "help/KEY/en/returns" }];
  const said_ = [
    [() => conversation.reply("hi", { quoteSeq: 1, sources }), { text: { body: "hi" }, quoteSeq: "1", sources }],
    [() => conversation.choices("Which?", ["a", { id: "b", label: "B" }]), { choices: { body: "Which?", choices: [{ id: "a", label: "a" }, { id: "b", label: "B" }] } }],
    [
      () => conversation.form("Who?", [{ id: "m", label: "Mail", kind: "email", required: true }], "Go"),
      { form: { title: "Who?", fields: [{ id: "m", label: "Mail", kind: "FORM_FIELD_KIND_EMAIL", required: true }], submit: "Go" } },
    ],
    [() => conversation.note("hm"), { text: { body: "hm" } }, "AUDIENCE_TEAM"],
  ];
  let seq = 2;
  for (const [say, content, audience = "AUDIENCE_EVERYONE"] of said_) {
    const ack = say();
    const [{ send }] = server.socket.take("send");
    assert.deepEqual([send.conversation, send.content, send.audience], ["c1", content, audience]);
    await server.socket.push({ ack: { conversation: "c1", clientMsgId: send.clientMsgId, position: position(seq) } });
    assert.equal((await ack).seq, seq++);
  }
});

test("a form that was filled in comes as values", async () => {
  const set = await live();
  let values;
  set.bot.onMessage((_, message) => (values = [message.kind, { ...message.values }, message.quoteSeq]));
  const content = { formReply: { values: [{ id: "order", label: "Order", value: "A-17" }] }, quoteSeq: "3" };
  await give(set, "c1", [entry(1, "", { actor: { kind: "ACTOR_KIND_VISITOR" }, content })]);
  assert.deepEqual(values, ["form_reply", { order: "A-17" }, 3]);
});

test("a stream sends drafts, then the message", async () => {
  const set = await live();
  const { server, bot } = set;
  await give(set, "c1", [said(1, "a")]);
  const stream = bot.conversation("c1").stream();
  stream.write("Hel");
  stream.write("lo");
  await server.clock.advance(250);
  stream.write(" you");
  void stream.end();
  assert.deepEqual(server.socket.take("draft").map(({ draft }) => draft.text), ["Hel", "Hello you"]);
  assert.equal(server.socket.take("send")[0].send.content.text.body, "Hello you");
});

test("hand over: to a team with a note, or a note and back to the queue", async () => {
  const set = await live();
  const { server, bot } = set;
  await give(set, "c1", [said(1, "a")]);
  const toTeam = bot.conversation("c1").handOver({ team: "t1", note: "angry" });
  await settle();
  const [first] = server.socket.take("command");
  assert.deepEqual(first.command, { conversation: "c1", transfer: { toTeam: "t1", note: "angry" } });
  await server.socket.push({ ref: first.ref, done: {} });
  await toTeam;
  const back = bot.conversation("c1").handOver({ note: "stuck" });
  const [{ send }] = server.socket.take("send");
  assert.equal(send.audience, "AUDIENCE_TEAM");
  await server.socket.push({ ack: { conversation: "c1", clientMsgId: send.clientMsgId, position: position(2) } });
  const [second] = server.socket.take("command");
  assert.deepEqual(second.command, { conversation: "c1", requeue: {} });
  // The connection goes before the answer; the server has done it.
  await server.socket.end(1006);
  await server.clock.advance(500);
  await server.welcome({ self: BOT, feed: { epoch: "7", number: "13" }, feedRecovered: true });
  const [third] = server.socket.take("command");
  await server.socket.push({ ref: third.ref, refusal: { code: "session.not_owner" } });
  await back;
});

test("more conversations than may be open: the longest unused is left, and after a reconnect all are caught up", async () => {
  const set = await live();
  const { server } = set;
  for (let at = 0; at < 70; at++) await give(set, `c${at}`, [said(1, "a")]);
  assert.deepEqual(server.socket.take("leave").map(({ leave }) => leave.conversation), Array.from({ length: 10 }, (_, at) => `c${at}`));
  await server.socket.push({ entries: { conversation: "c0", epoch: EPOCH, items: [said(2, "to the owner")] } });
  assert.deepEqual(set.got.at(-1), ["c0", 2, "to the owner"]);
  await server.socket.end(3000);
  await server.clock.advance(500);
  const hello = await server.welcome({ self: BOT, feed: { epoch: "7", number: "14" }, feedRecovered: true });
  const opened = server.socket.take("open").map(({ open }) => open.conversation);
  assert.equal(new Set([...hello.held.map(({ conversation }) => conversation), ...opened]).size, 70);
});

test("a conversation that may be read no longer is released", async () => {
  const set = await live();
  await give(set, "c1", [said(1, "a")]);
  await set.server.socket.push({ refusal: { code: "conversation.unknown", conversation: "c1" } });
  assert.deepEqual(set.events, ["given c1", "released c1"]);
  await give(set, "c2", [said(1, "a")]);
  await set.server.socket.push({ feed: { changes: [{ number: "15", removed: "c2" }] } });
  assert.equal(set.events.at(-1), "released c2");
});

test("a session whose open was lost with the connection is opened again", async () => {
  const set = await live();
  const { server } = set;
  const of = session(1, 2, "key1");
  await server.socket.push({ feed: { changes: [{ number: "13", row: row("c1", 1, of) }] } });
  assert.equal(server.socket.take("open").length, 1);
  await server.socket.end(1006);
  await server.clock.advance(500);
  // The feed told of it already.
  await server.welcome({ self: BOT, feed: { epoch: "7", number: "13" }, feedRecovered: true });
  const [{ ref }] = server.socket.take("open");
  await server.socket.push({ ref, opened: { conversation: "c1", items: [said(1, "a")], position: position(1), session: of } });
  assert.deepEqual(set.got, [["c1", 1, "a"]]);
});

test("an open that is not answered is given again", async () => {
  const set = await live();
  const { server } = set;
  await server.socket.push({ feed: { changes: [{ number: "13", row: row("c1", 1, session(1, 2, "key1")) }] } });
  assert.equal(server.socket.take("open").length, 1);
  await server.clock.advance(16_000);
  assert.equal(server.socket.take("open").length, 1);
});

test("pages that were read for a connection that is gone are not given a second time", async () => {
  const set = await live();
  const { server } = set;
  const { answer } = server;
  const doors = [];
  server.answer = (request) =>
    request.url.includes("/entries")
      ? new Promise((resolve) => doors.push(() => resolve({ status: 200, body: { epoch: EPOCH, items: [entry(1, "hello"), said(2, "b")] } })))
      : answer(request);
  const of = session(1, 2, "key1");
  const opened = { conversation: "c1", items: [said(3, "c")], moreBefore: true, position: position(3), session: of };
  await server.socket.push({ feed: { changes: [{ number: "13", row: row("c1", 3, of) }] } });
  await server.socket.push({ ref: server.socket.take("open")[0].ref, opened });
  await server.socket.end(1006);
  await server.clock.advance(500);
  await server.welcome({ self: BOT, feed: { epoch: "7", number: "13" }, feedRecovered: true });
  await server.socket.push({ ref: server.socket.take("open")[0].ref, opened });
  assert.equal(doors.length, 2);
  for (const answered of doors) {
    answered();
    await settle();
  }
  assert.deepEqual(set.got.map(([, seq]) => seq), [2, 3]);
});

test("messages wait for a handler that comes later", async () => {
  const server = new FakeServer();
  const bot = server.frontdesk().bot({ apiKey: "fd_key" });
  const started = bot.start();
  await server.welcome({ self: BOT, feed: { epoch: "7", number: "12" } });
  await started;
  await give({ server }, "c1", [said(1, "a")]);
  const got = [];
  bot.onMessage((_, message) => void got.push(message.seq));
  await settle();
  assert.deepEqual(got, [1]);
});
