// The real binary, in a directory and on a port of its own. Whatever a test does to it, the directory
// and the process are gone afterwards, and a line of level ERROR in its log fails the test.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How long a start may take on a machine that does other things too. */
const START_MS = 120_000;
const STOP_MS = 10_000;

function binary() {
  const path = process.env.FRONTDESK_BIN;
  if (!path) throw new Error("FRONTDESK_BIN must name the binary; `make e2e` does it.");
  return path;
}

export class Server {
  /**
   * `demo`: an account to sign in to, `life`: with seeded conversations and visitors who come by;
   * `flags`: more of them; `prefix`: command and arguments to run the binary under.
   */
  constructor({ demo = true, life = false, flags = [], env = {}, listen = "127.0.0.1:0", prefix = [] } = {}) {
    const demoFlags = demo ? ["--demo", "--json", ...(life ? [] : ["--quiet-demo"])] : [];
    this.options = { flags: [...demoFlags, ...flags], env, listen, prefix };
    this.dataDir = mkdtempSync(join(tmpdir(), "frontdesk-e2e-"));
    this.log = [];
    /** Printed on standard output: how to enter, or the link to set up. */
    this.said = "";
    this.process = undefined;
    this.address = "";
  }

  static async start(options) {
    const server = new Server(options);
    try {
      await server.start();
    } catch (failure) {
      await server.stop().catch(() => undefined);
      throw failure;
    }
    return server;
  }

  get url() {
    return `http://${this.address}/`;
  }

  get port() {
    return Number(this.address.split(":").pop());
  }

  /** Starts, or starts again on the same port. */
  async start() {
    const { flags, env, listen, prefix } = this.options;
    const where = this.address === "" ? listen : this.address;
    const [command, ...args] = [...prefix, binary(), "serve", "--data-dir", this.dataDir, "--listen", where, ...flags];
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.process = child;
    this.exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    child.stdout.setEncoding("utf8").on("data", (text) => (this.said += text));
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no start within ${START_MS} ms:\n${this.log.join("\n")}`)), START_MS);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the server left with ${code}:\n${this.log.join("\n")}`)));
      createInterface({ input: child.stderr }).on("line", (line) => {
        this.log.push(line);
        const ready = /frontdesk is ready.*address=(\S+)/.exec(line);
        if (!ready) return;
        clearTimeout(late);
        this.address = ready[1];
        resolve();
      });
    });
  }

  /** Takes in nothing and says nothing until `goOn`; its sockets stay. */
  hold() {
    this.process.kill("SIGSTOP");
  }

  goOn() {
    this.process.kill("SIGCONT");
  }

  /** No goodbye, no flush: what a power cut looks like to the clients. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.exited;
  }

  async stop() {
    const child = this.process;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await this.exited;
      clearTimeout(late);
    }
    rmSync(this.dataDir, { recursive: true, force: true });
    const errors = this.log.filter((line) => / ERROR /.test(line));
    if (errors.length > 0) throw new Error(`the server logged errors:\n${errors.join("\n")}`);
  }

  /** What the demo printed: e-mail address and password of a role. */
  async credentials(role) {
    await this.until(() => this.said.includes("\n"));
    const user = JSON.parse(this.said.split("\n")[0]).users[role];
    if (!user) throw new Error(`nobody is ${role} in:\n${this.said}`);
    return user;
  }

  /** The one-time link of a server without an account. */
  async setUpLink() {
    await this.until(() => /#\/setup\?token=\S+\s/.test(this.said));
    return /\S+#\/setup\?token=\S+/.exec(this.said)[0];
  }

  /** Waits for more output until `holds`. */
  async until(holds) {
    while (!holds()) await new Promise((resolve) => this.process.stdout.once("data", resolve));
  }

  async inboxKey() {
    const answer = await fetch(new URL("demo/config.json", this.url));
    return (await answer.json()).inbox_key;
  }

  /** A program's view over HTTP, signed in as somebody of the demo. */
  async api(role = "admin") {
    const { email, password } = await this.credentials(role);
    const answer = await fetch(new URL("api/v1/sign-in", this.url), {
      method: "POST",
      headers: { "content-type": "application/json", "x-frontdesk": "1" },
      body: JSON.stringify({ email, password }),
    });
    if (!answer.ok) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`);
    const cookie = answer.headers.getSetCookie()[0].split(";")[0];
    return async (method, path, body) => {
      const response = await fetch(new URL(`api/v1/${path}`, this.url), {
        method,
        headers: { cookie, "x-frontdesk": "1", ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === "" ? undefined : JSON.parse(text);
    };
  }
}

/** Texts of a conversation in their order, as the server stores them. */
export async function storedTexts(api, conversation) {
  return (await storedMessages(api, conversation)).map(({ text }) => text);
}

/** The same with the id of each, and whether it is a note. */
export async function storedMessages(api, conversation) {
  const messages = [];
  let after = 0;
  for (;;) {
    const page = await api("GET", `conversations/${conversation}/entries?after=${after}&limit=100`);
    if (page.items.length === 0) return messages;
    for (const { entry, skip } of page.items) {
      after = Number(entry?.seq ?? skip?.toSeq);
      const text = entry?.content?.text?.body;
      if (text !== undefined) messages.push({ id: entry.id, text, team: entry.audience === "AUDIENCE_TEAM" });
    }
  }
}
