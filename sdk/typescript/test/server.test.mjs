// Against the real server, which is killed with -9 and restarted in the middle: nothing is lost, doubled or out of
// order. FRONTDESK_BIN names the binary.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Frontdesk } from "@frontdesk/sdk";

const COUNT = 200;
const STEP_MS = 120_000;
const bin = process.env.FRONTDESK_BIN;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took too long`)), STEP_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A program whose standard output is read line by line. */
function start(words, env = {}) {
  const child = spawn(process.execPath, words, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.line = async () => {
    const { value, done } = await within(words[0], lines.next());
    assert.ok(!done, `${words[0]} ended`);
    return value;
  };
  return child;
}

/** What a text may hold: quotes, other scripts, characters beyond 16 bits, controls, nothing but space. */
const text = (number) => `${number}: ${["你好", "\"quoted\" \\ back", "🙂‍↔️👋", "line\nline\ttab", "e\u0301\u0000\u2028", "   ", "<b>&amp;"][number % 7]} ${"x".repeat(number)}`;

describe("against the real server", { skip: bin === undefined && "FRONTDESK_BIN is not set" }, () => {
  let harness;
  let made;
  before(async () => {
    harness = start([here("../../harness/server.mjs"), bin]);
    made = JSON.parse(await harness.line());
  });
  after(async () => {
    harness.stdin.end();
    const [code] = await within("the end of the server", once(harness, "exit"));
    assert.equal(code, 0);
  });

  const kill = async () => {
    harness.stdin.write("kill\n");
    assert.deepEqual(JSON.parse(await harness.line()), { event: "restarted" });
  };

  /** Runs an example, lets `talk` speak with it as a visitor, and ends both. */
  async function withExample(name, talk) {
    const { url, bot_key, llm_url } = made;
    const example = start([here(`../examples/${name}.mjs`)], { FRONTDESK_URL: url, FRONTDESK_BOT_KEY: bot_key, LLM_BASE_URL: llm_url, LLM_MODEL: "echo" });
    try {
      assert.equal(await example.line(), "ready");
      const visitor = new Frontdesk(url).visitor({ inboxKey: made.inbox_key });
      const entries = [];
      visitor.on("entry", (message) => entries.push(message));
      await visitor.start();
      await talk(visitor, entries);
      const seqs = entries.map(({ seq }) => seq);
      assert.ok(seqs.every((seq, index) => index === 0 || seq > seqs[index - 1]), "seqs rise");
      visitor.close();
    } finally {
      example.kill();
      await once(example, "exit");
    }
  }

  /** Sends COUNT texts; gives the answers, and kills the server amid them. */
  async function echoed(visitor, entries) {
    const messages = visitor.messages();
    const acks = Array.from({ length: COUNT }, (_, number) => visitor.send(text(number)));
    const answers = [];
    while (answers.length < COUNT) {
      const { value } = await within(`answer ${answers.length}`, messages.next());
      answers.push(value.text);
      if (answers.length === 60) await kill();
    }
    const seqs = (await Promise.all(acks)).map(({ seq }) => seq);
    const texts = Array.from({ length: COUNT }, (_, number) => text(number));
    assert.deepEqual(answers, texts, "the answers, in order, once");
    const own = entries.filter(({ own }) => own);
    assert.deepEqual(own.map((message) => message.text), texts, "the own messages, in order, once");
    assert.deepEqual(own.map(({ seq }) => seq), seqs, "acks and entries agree");
  }

  test("r28 the echo bot: 200 messages each way over a kill -9", () => withExample("echo-bot", echoed));

  test("r28 the bot with a language model: 200 messages each way over a kill -9, with drafts", () =>
    withExample("llm-bot", async (visitor, entries) => {
      let drafts = 0;
      visitor.on("draft", (draft) => (drafts += draft.text === "" ? 0 : 1));
      await echoed(visitor, entries);
      assert.ok(drafts > 0, "answers grow");
    }));

  test("r28 the order bot: 200 messages each way over a kill -9, by forms", () =>
    withExample("order-bot", async (visitor) => {
      const messages = visitor.messages();
      const next = async () => (await within("the bot", messages.next())).value;
      for (let number = 0; number < COUNT / 2; number++) {
        if (number === 30) await kill();
        void visitor.send(text(number));
        const form = await next();
        assert.deepEqual([form.kind, form.fields[0].id], ["form", "order"]);
        const ack = visitor.submit(form, { order: `A-${1_000 + number}` });
        const answer = await next();
        const status = ["is being packed", "is on its way", "has arrived"][(1_000 + number) % 3];
        assert.equal(answer.text, `Order A-${1_000 + number} ${status}.`);
        assert.equal(answer.quoteSeq, (await ack).seq);
      }
    }));

  test("the order bot hands over to people whom it cannot help", () =>
    withExample("order-bot", async (visitor) => {
      const messages = visitor.messages();
      const next = async () => (await within("the bot", messages.next())).value;
      void visitor.send("hello");
      void visitor.submit(await next(), { order: "ABC" });
      const queued = new Promise((resolve) => visitor.on("session", ({ status }) => status === "SESSION_STATUS_QUEUED" && resolve()));
      void visitor.choose(await next(), "person");
      await within("the hand over", queued);
    }));

  test("a second run goes on where the first one was", async () => {
    const frontdesk = new Frontdesk(made.url);
    const first = frontdesk.visitor({ inboxKey: made.inbox_key });
    await first.start();
    await first.send("one");
    const { token, position, conversationId } = first;
    first.close();
    const answered = await fetch(`${made.url}/api/v1/conversations/${conversationId}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${made.api_key}`, "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
      body: JSON.stringify({ text: "meanwhile" }),
    });
    assert.equal(answered.status, 201);
    const second = frontdesk.visitor({ inboxKey: made.inbox_key, token, position });
    const messages = second.messages();
    await second.start();
    assert.equal((await within("the answer", messages.next())).value.text, "meanwhile");
    second.close();
  });

  test("errors of the real server have their codes", async () => {
    const frontdesk = new Frontdesk(made.url);
    await assert.rejects(frontdesk.visitor({ inboxKey: "nobody" }).start(), { name: "HttpError", code: "inbox.unknown" });
    await assert.rejects(frontdesk.bot({ apiKey: "fd_wrong" }).start(), { name: "HttpError", code: "auth.required" });
    const visitor = frontdesk.visitor({ inboxKey: made.inbox_key });
    await visitor.start();
    await assert.rejects(visitor.send("x".repeat(70_000)), { name: "Refused", code: "message.too_large" });
    await assert.rejects(visitor.rate(5), { name: "Refused", code: "conversation.unknown" });
    // The server would stop a client that sent half a character, or a megabyte.
    assert.equal((await visitor.send("half \ud83d")).seq, 1);
    await assert.rejects(visitor.send("x".repeat(2_000_000)), { code: "frame.too_large" });
    assert.equal(visitor.state, "live");
    visitor.close();
  });
});
