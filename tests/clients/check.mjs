// What tests/clients/run checks: clients on two stacks, each a visitor, send through a server that is
// killed with -9 in the middle and restarted on the same port. Afterwards every message is there
// once, in order, and all ways of reading agree: the acks, what each client holds, what the other
// stack reads with the same visitor token, and the HTTP API.
//
// With FRONTDESK_CLUSTER, as JSON {"url", "inbox_key", "api_key", "victims"}, the same against nodes that run
// already: of those processes one is killed for each client, and nobody starts it again.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

// So many that the kill comes amid them, however fast a client is.
const MESSAGES = 2_000;
const KILL_AFTER_ACKS = 30;
const WINDOW = 8;
const STEP_MS = 60_000;

const [bin, ...named] = process.argv.slice(2);
const stacks = named.map((text) => {
  const [name, command] = text.split("=");
  return { name, command: command.split(" ") };
});

// Several messages in flight keep their order only while none is refused for its rate.
const FAST = {
  FRONTDESK__LIMITS__VISITOR_RATE_PER_S: "100000",
  FRONTDESK__LIMITS__VISITOR_BURST: "100000",
  FRONTDESK__LIMITS__IP_RATE_PER_S: "100000",
  FRONTDESK__LIMITS__IP_BURST: "100000",
};

const root = mkdtempSync(join(tmpdir(), "frontdesk-clients-"));
const dataDir = join(root, "data");
const running = new Set();

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${STEP_MS} ms`)), STEP_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function start(command, env) {
  const [program, ...words] = command;
  const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  child.errors = "";
  child.stderr.on("data", (data) => (child.errors += data));
  child.lines = createInterface({ input: child.stdout });
  child.ended = new Promise((resolve) => {
    child.on("exit", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return child;
}

/** Starts the server and waits until it says where it serves. */
async function serve(listen, env) {
  const server = start([bin, "serve", "--data-dir", dataDir, "--listen", listen], env);
  const url = new Promise((resolve, reject) => {
    server.lines.on("line", (line) => {
      const said = line.match(/https?:\/\/127\.0\.0\.1:\d+/);
      if (said) resolve(said[0]);
    });
    server.ended.then(() => reject(new Error(`the server ended:\n${server.errors}`)));
  });
  server.url = await within("the start of the server", url);
  return server;
}

/** Runs a client; `acked(count)` resolves when so many messages are acked. */
function run(stack, words) {
  const client = start([...stack.command, ...words], {});
  const waiting = [];
  client.name = stack.name;
  client.events = [];
  let acks = 0;
  client.lines.on("line", (line) => {
    const event = JSON.parse(line);
    client.events.push(event);
    if (event.event === "ack") acks += 1;
    for (const one of waiting) if (acks >= one.count) one.resolve();
  });
  const linesEnded = new Promise((resolve) => client.lines.on("close", resolve));
  client.acked = (count) =>
    within(`${count} acks of ${stack.name}`, new Promise((resolve) => waiting.push({ count, resolve })));
  client.done = within(
    `the ${stack.name} client`,
    Promise.all([client.ended, linesEnded]).then(([{ code }]) => {
      assert.equal(code, 0, `the ${stack.name} client failed:\n${client.errors}`);
      return client.events.find((event) => event.event === "done");
    }),
  );
  return client;
}

const own = (entries) => entries.filter((entry) => entry.kind === "ACTOR_KIND_VISITOR");

/** A system entry has no text; one language says so with null, the other with an empty one. */
function plain(entries) {
  return entries.map((entry) => ({ ...entry, text: entry.text || null }));
}

/** Nothing lost, doubled or out of order, in what one client holds. */
function check(name, done, texts) {
  const mine = own(done.entries);
  assert.deepEqual(mine.map((entry) => entry.text), texts, `${name}: lost, doubled or out of order`);
  const acked = mine.map((entry) => entry.seq).slice(-done.acks.length);
  assert.deepEqual(done.acks, acked, `${name}: acks and entries disagree`);
  const seqs = done.entries.map((entry) => entry.seq);
  assert.ok(seqs.every((seq, index) => index === 0 || seq > seqs[index - 1]), `${name}: seqs do not rise`);
  assert.equal(done.held, seqs.at(-1), `${name}: does not hold the newest`);
}

/** Writes as the team: through the API, with the account's key. Who is told to come later asks again, by the same key. */
async function answer(url, key, conversation, message) {
  const again = randomUUID();
  for (;;) {
    const sent = await fetch(`${url}/api/v1/conversations/${conversation}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": again },
      body: JSON.stringify(message),
    });
    const body = await sent.json();
    const later = sent.headers.get("retry-after");
    if (sent.status === 503 && later !== null) {
      await wait(Number(later) * 1_000);
      continue;
    }
    assert.equal(sent.status, 201, JSON.stringify(body));
    return body.seq;
  }
}

async function overHttp(url, key, conversation) {
  const entries = [];
  for (let after = 0, more = true; more; ) {
    const path = `/api/v1/conversations/${conversation}/entries?limit=200&after=${after}`;
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${key}` } });
    assert.equal(answer.status, 200, `${path}: ${answer.status}`);
    const page = await answer.json();
    for (const { entry } of page.items) {
      entries.push({ seq: Number(entry.seq), kind: entry.actor.kind, text: entry.content?.text?.body });
    }
    after = entries.at(-1)?.seq ?? 0;
    more = page.more_after;
  }
  return entries;
}

const texts = (label, count) => Array.from({ length: count }, (_, number) => `${label}-${number}`);

/** A server of its own: `kill` ends it and starts it again on its port, `stop` ends it well. */
async function alone() {
  const password = join(root, "password");
  writeFileSync(password, "correct horse battery staple 7\n", { mode: 0o600 });
  const made = JSON.parse(
    execFileSync(bin, [
      "init", "--data-dir", dataDir, "--account", "Clients", "--admin-email", "admin@clients.example",
      "--admin-password-file", password, "--json",
    ], { encoding: "utf8" }),
  );
  let server = await serve("127.0.0.1:0", FAST);
  const { url } = server;
  return {
    ...made,
    url,
    async kill() {
      server.kill("SIGKILL");
      await server.ended;
      server = await serve(new URL(url).host, FAST);
    },
    async stop() {
      server.kill("SIGTERM");
      assert.equal((await within("the stop of the server", server.ended)).code, 0, server.errors);
    },
  };
}

/** Nodes that somebody else started and will stop. */
function nodes(cluster) {
  const victims = [...cluster.victims];
  return { ...cluster, kill: () => process.kill(victims.shift(), "SIGKILL") };
}

async function main() {
  const cluster = process.env.FRONTDESK_CLUSTER;
  const made = cluster ? nodes(JSON.parse(cluster)) : await alone();
  const names = ["-window", "-send", "-label", "-token"];
  const flags = (stack, values) =>
    names.flatMap((word, index) =>
      values[index] === undefined ? [] : [stack.name === "go" ? word : `-${word}`, String(values[index])],
    );
  const done = [];
  for (const stack of stacks) {
    const words = flags(stack, [WINDOW, MESSAGES, stack.name]);
    const client = run(stack, [...words, made.url, made.inbox_key]);
    await client.acked(KILL_AFTER_ACKS);
    await made.kill();
    const result = await client.done;
    done.push(result);
    check(stack.name, result, texts(stack.name, MESSAGES));
    assert.equal(result.acks.length, MESSAGES, `${stack.name}: not every message was acked`);
    const losses = client.events.filter((event) => event.event === "lost").length;
    // Of several nodes another one may have had it.
    assert.ok(losses > 0 || cluster, `${stack.name}: the kill did not reach it`);
    const resumed = client.events.filter((event) => event.event === "welcome").at(-1);
    assert.ok(resumed.recovered || losses === 0, `${stack.name}: was not resumed`);
    console.log(`ok: ${stack.name}: ${MESSAGES} messages over a kill -9, ${losses} times lost, resumed`);
  }

  // The other stack, as the same visitor; and the API as the team reads it. A note of the team has its
  // place for both, and content for the team alone.
  for (const [index, stack] of [...stacks].reverse().entries()) {
    const first = done[index];
    const note = { text: "a note", audience: "team" };
    const noted = await answer(made.url, made.api_key, first.conversation, note);
    const seq = await answer(made.url, made.api_key, first.conversation, { text: "an answer" });
    assert.deepEqual([noted, seq], [first.held + 1, first.held + 2]);
    first.entries.push({ seq, kind: "ACTOR_KIND_API", text: "an answer" });
    const reader = run(stack, [...flags(stack, [1, 0, "none", first.token]), made.url, made.inbox_key]);
    const read = await reader.done;
    assert.deepEqual(plain(read.entries), plain(first.entries), `${stack.name} reads something else`);
    assert.equal(read.held, seq, `${stack.name}: the note is not counted as held`);
    const team = await overHttp(made.url, made.api_key, first.conversation);
    assert.deepEqual(own(team), own(first.entries), "the API reads something else");
    assert.ok(team.some((entry) => entry.seq === noted && entry.text === "a note"), "the note is gone");
    console.log(`ok: ${stack.name} and the API read what ${stacks[index].name} wrote`);
  }

  if (!cluster) await atDeliveredLimits(made, flags);
}

/** Refused for a moment, and still all there and in order. */
async function atDeliveredLimits(made, flags) {
  await made.stop();
  const server = await serve("127.0.0.1:0", {});
  for (const stack of stacks) {
    const client = run(stack, [...flags(stack, [1, 50, "slow"]), server.url, made.inbox_key]);
    check(stack.name, await client.done, texts("slow", 50));
    console.log(`ok: ${stack.name}: 50 messages at the rate a visitor may have`);
  }
  server.kill("SIGTERM");
  assert.equal((await within("the stop of the server", server.ended)).code, 0, server.errors);
}

try {
  await main();
} finally {
  for (const child of running) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
}
