// The golden vectors that every implementation of the protocol reads.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeClient, decodeServer, encodeClient, encodeServer } from "@frontdesk/sdk";

const read = (file) => JSON.parse(readFileSync(new URL(`../../../crates/protocol/vectors/${file}.json`, import.meta.url), "utf8"));

/** One text for one value, whatever the order of its fields. */
function sorted(value) {
  return JSON.stringify(value, (_, each) =>
    typeof each === "object" && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  );
}

test("client frames are read and written byte for byte", () => {
  for (const { name, json } of read("client")) {
    assert.equal(sorted(JSON.parse(encodeClient(decodeClient(JSON.stringify(json))))), sorted(json), name);
  }
});

test("server frames are read and written byte for byte", () => {
  for (const { name, json } of read("server")) {
    const frame = decodeServer(JSON.stringify(json));
    assert.equal(sorted(frame), sorted(json), name);
    assert.equal(sorted(JSON.parse(encodeServer(frame))), sorted(json), name);
  }
});

test("a reader accepts more than a writer writes", () => {
  let seen = 0;
  for (const { name, text, means } of read("lenient")) {
    if (text === undefined) continue; // of the other encoding
    assert.equal(encodeClient(decodeClient(text)), encodeClient(means), name);
    assert.equal(sorted(decodeClient(text)), sorted(means), name);
    seen += 1;
  }
  assert.ok(seen >= 6);
});

test("base64 for URLs is read in both its characters", () => {
  assert.equal(decodeClient('{"send":{"clientMsgId":"-_-_"}}').send.clientMsgId, "+/+/");
});

test("what is malformed is refused with the code of the protocol", () => {
  let seen = 0;
  for (const { name, text, code } of read("refused")) {
    if (text === undefined) continue;
    assert.throws(() => decodeClient(text), (error) => error.code === code, name);
    seen += 1;
  }
  assert.ok(seen >= 10);
});

test("a frame of a newer server is read as far as it is known", () => {
  assert.deepEqual(decodeServer('{"juggle":{"balls":3}}'), {});
  const later = '{"presence":{"presence":"PRESENCE_ASLEEP","conversation":"c"}}';
  assert.deepEqual(decodeServer(later), { presence: { conversation: "c" } });
});
