// The parts that know no connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { afterClose, Backoff, Frontdesk, Stream, Timeline } from "@frontdesk/sdk";
import { EPOCH, entry } from "./fake.mjs";

test("close codes tell by their range", () => {
  const table = [
    [1000, "reconnect"], [1001, "reconnect"], [1006, "reconnect"], [1011, "reconnect"], [1012, "reconnect"],
    [1002, "stop"], [1003, "stop"], [1007, "stop"], [1009, "stop"], [1010, "stop"],
    [3000, "reconnect"], [3001, "reconnect"], [3399, "reconnect"], [3400, "new-ticket"], [3499, "new-ticket"],
    [3500, "stop"], [3999, "stop"], [4000, "reconnect"],
  ];
  for (const [code, what] of table) assert.equal(afterClose(code), what, String(code));
});

test("the back-off doubles to 30 s, random over the whole range", () => {
  const highest = new Backoff(() => 0.999999);
  const waits = Array.from({ length: 9 }, () => Math.round(highest.next() / 100) / 10);
  assert.deepEqual(waits, [0.5, 1, 2, 4, 8, 16, 30, 30, 30]);
  highest.reset();
  assert.equal(highest.next(), 499);
  assert.equal(new Backoff(() => 0).next(), 0);
});

test("a timeline gives each entry once and in order, however they come", () => {
  // Every order of four items, one of them twice, one a skip over two seqs.
  const items = [entry(1, "a"), { skip: { fromSeq: "2", toSeq: "3" } }, entry(4, "b"), entry(5, "c")];
  const orders = items.flatMap((a) => items.flatMap((b) => items.flatMap((c) => items.map((d) => [a, b, c, d]))));
  for (const order of orders) {
    const timeline = new Timeline();
    timeline.reset(EPOCH, 0);
    const given = [];
    const accept = (one) => given.push(one.seq) > 0;
    for (const item of order) timeline.take([item], accept);
    assert.equal(timeline.take(items, accept), "ok");
    assert.deepEqual([given, timeline.held], [["1", "4", "5"], 5]);
  }
});

test("an entry that a skip covers after it came early is not given", () => {
  const timeline = new Timeline();
  timeline.reset(EPOCH, 1);
  const given = [];
  const accept = (one) => given.push(one.seq) > 0;
  timeline.take([entry(5, "early")], accept);
  assert.equal(timeline.take([{ skip: { fromSeq: "2", toSeq: "6" } }, entry(7, "x")], accept), "ok");
  assert.deepEqual([given, timeline.held], [["7"], 7]);
});

test("an entry without room is not held, nor is what follows", () => {
  const timeline = new Timeline();
  timeline.reset(EPOCH, 0);
  assert.equal(timeline.take([entry(1, "a"), entry(2, "b"), entry(3, "c")], (one) => one.seq !== "2"), "full");
  assert.deepEqual([timeline.held, timeline.holeEnd], [1, undefined]);
});

test("a hole is closed however much waits behind it", () => {
  const timeline = new Timeline();
  timeline.reset(EPOCH, 0);
  const given = [];
  const accept = (one) => given.push(Number(one.seq)) > 0;
  const behind = Array.from({ length: 3_000 }, (_, at) => entry(at + 201, "x"));
  assert.equal(timeline.take(behind, accept), "hole");
  assert.equal(timeline.take(Array.from({ length: 200 }, (_, at) => entry(at + 1, "x")), accept), "ok");
  // What found no room is asked for by the next position check.
  assert.deepEqual([given.length, timeline.held], [2_200, 2_200]);
  assert.ok(given.every((seq, at) => seq === at + 1));
});

test("a hole is told, and closed by a skip that overlaps", () => {
  const timeline = new Timeline();
  timeline.reset(EPOCH, 3);
  assert.equal(timeline.take([entry(7, "x")], () => true), "hole");
  assert.equal(timeline.holeEnd, 7);
  assert.equal(timeline.take([{ skip: { fromSeq: "2", toSeq: "6" } }], () => true), "ok");
  assert.equal(timeline.held, 7);
});

test("a stream shows the text so far at most four times a second, in whole characters of 4 KiB", async () => {
  let now = 0;
  const drafts = [];
  const sent = [];
  const stream = new Stream({ now: () => now, draft: (text, typing) => drafts.push([text, typing]), send: (text) => Promise.resolve(sent.push(text)) });
  for (let piece = 0; piece < 100; piece++) {
    stream.write("梅");
    now += 10;
  }
  assert.deepEqual(drafts.map(([text]) => [...text].length), [1, 26, 51, 76]);
  stream.write("🙂".repeat(1_100));
  const last = drafts.at(-1)[0];
  assert.ok(Buffer.byteLength(last) <= 4_096 && Buffer.byteLength(last) > 4_090 && !last.includes("\ufffd"));
  await Promise.all([stream.end(), stream.end()]);
  assert.deepEqual(sent, [stream.text], "the message is sent once");
  stream.write("more");
  stream.abort();
  assert.equal(drafts.length, 5, "nothing is shown after the end");
});

test("a stream that was taken away sends no message", async () => {
  const sent = [];
  const stream = new Stream({ now: () => 0, draft: () => undefined, send: (text) => Promise.resolve(sent.push(text)) });
  stream.write("a");
  stream.abort();
  await assert.rejects(stream.end(), { code: "request.invalid" });
  assert.deepEqual(sent, []);
});

test("a timeout longer than a timer counts does not end at once", async () => {
  const visitor = new Frontdesk("http://127.0.0.1:9", { sendTimeoutMs: Infinity }).visitor({ inboxKey: "KEY" });
  const ack = visitor.send("a");
  // A timer that runs over ends after one millisecond.
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(visitor.pending, 1);
  visitor.close();
  await assert.rejects(ack, { code: "client.closed" });
});
