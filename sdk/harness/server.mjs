// A real server for the tests of the SDKs, with an account, an inbox and a bot, on a port of its own and a directory
// that is removed at the end. Usage: node sdk/harness/server.mjs path/to/frontdesk
//
// Prints one JSON object a line. First what a test needs:
//   {"event":"ready","url","inbox_key","inbox","api_key","bot_key","bot_id","llm_url"}
// Reads commands from standard input, one a line: `kill` ends the server with -9 and starts it again on its port
// (answer: {"event":"restarted"}); the end of the input stops it well (exit code 0 if it stopped as it should).
//
// `llm_url` is an OpenAI-compatible endpoint that streams back what the user said, a few characters at a time.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const START_MS = 60_000;

// So that a test's messages are not waiting for the rate a visitor or a program may have.
const FAST = Object.fromEntries(
  ["VISITOR", "IP", "AGENT"].flatMap((who) => ["RATE_PER_S", "BURST"].map((what) => [`FRONTDESK__LIMITS__${who}_${what}`, "100000"])),
);

const [bin] = process.argv.slice(2);
const root = mkdtempSync(join(tmpdir(), "frontdesk-sdk-"));
const dataDir = join(root, "data");
let server;
let stopping = false;

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

/** Starts the server and waits until it says where it serves. */
async function serve(listen) {
  const child = spawn(bin, ["serve", "--data-dir", dataDir, "--listen", listen], {
    env: { ...process.env, ...FAST },
    stdio: ["ignore", "pipe", "pipe"],
  });
  server = child;
  child.errors = "";
  child.stderr.on("data", (data) => (child.errors = (child.errors + data).slice(-10_000)));
  child.ended = new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  let timer;
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = line.match(/https?:\/\/127\.0\.0\.1:\d+/);
      if (said) resolve(said[0]);
    });
    child.ended.then(() => reject(new Error(`the server ended:\n${child.errors}`)));
    timer = setTimeout(() => reject(new Error("the server did not start in time")), START_MS);
  }).finally(() => clearTimeout(timer));
  return url;
}

async function request(url, key, method, path, body) {
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** Makes a bot and gives it the sessions of the inbox. */
async function makeBot(url, key) {
  const rights = ["conversation.read.own", "conversation.write", "conversation.note", "conversation.assign", "conversation.close"];
  const bot = await request(url, key, "POST", "api-keys", { name: "Echo", rights, bot: true });
  const { inboxes } = await request(url, key, "GET", "inboxes");
  const inbox = inboxes[0].id;
  const settings = await request(url, key, "GET", "bot");
  settings.inboxes = { [inbox]: { mode: "answer", who: bot.id, flow: "" } };
  await request(url, key, "PUT", "bot", settings);
  return { bot_key: bot.key, bot_id: bot.id, inbox };
}

/** What the user said last, streamed back as a language model would. */
const llm = createServer((asked, answer) => {
  let body = "";
  asked.setEncoding("utf8").on("data", (piece) => (body += piece));
  asked.on("end", () => {
    const { messages, stream } = JSON.parse(body);
    const said = [...messages.filter(({ role }) => role === "user").at(-1).content];
    assert.ok(asked.url.endsWith("/chat/completions") && stream === true, "not a streamed completion");
    answer.writeHead(200, { "content-type": "text/event-stream" });
    for (let at = 0; at < said.length; at += 7) {
      const delta = { content: said.slice(at, at + 7).join("") };
      // Cut anywhere, as a network does.
      const line = Buffer.from(`data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`);
      answer.write(line.subarray(0, 11));
      answer.write(line.subarray(11));
    }
    answer.end("data: [DONE]\n\n");
  });
});

async function main() {
  const password = join(root, "password");
  writeFileSync(password, "correct horse battery staple 7\n", { mode: 0o600 });
  const words = ["--account", "SDK", "--admin-email", "admin@sdk.example", "--admin-password-file", password, "--json"];
  const made = JSON.parse(execFileSync(bin, ["init", "--data-dir", dataDir, ...words], { encoding: "utf8" }));
  const url = await serve("127.0.0.1:0");
  const bot = process.argv.includes("--no-bot") ? {} : await makeBot(url, made.api_key);
  await new Promise((resolve) => llm.listen(0, "127.0.0.1", resolve));
  const { inbox_key, api_key } = made;
  say({ event: "ready", url, inbox_key, api_key, ...bot, llm_url: `http://127.0.0.1:${llm.address().port}/v1` });
  for await (const line of createInterface({ input: process.stdin })) {
    assert.equal(line.trim(), "kill", "there is one command: kill");
    server.kill("SIGKILL");
    await server.ended;
    await serve(new URL(url).host);
    say({ event: "restarted" });
  }
  stopping = true;
  server.kill("SIGTERM");
  assert.equal(await server.ended, 0, `the server did not stop well:\n${server.errors}`);
}

try {
  await main();
} finally {
  if (!stopping) server?.kill("SIGKILL");
  llm.close();
  llm.closeAllConnections();
  rmSync(root, { recursive: true, force: true });
}
