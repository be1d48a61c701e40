// Fills a server over HTTP: thousands of conversations, or one with thousands of messages, within
// seconds. For tests of what a long list or a long timeline costs.
import { Agent as Keeper, request } from "node:http";
import { URL } from "node:url";

/** Requests at a time; the log takes them in groups. */
const AT_ONCE = 64;

/** For a server that is filled: no limit in the way, and nothing waits for the disk. */
export const FOR_FILLING = {
  ...Object.fromEntries(
    ["VISITOR_RATE_PER_S", "VISITOR_BURST", "AGENT_RATE_PER_S", "AGENT_BURST", "IP_RATE_PER_S", "IP_BURST", "HTTP_PER_ADDRESS_PER_MINUTE", "HTTP_PER_CALLER_PER_MINUTE", "HTTP_PER_ACCOUNT_PER_MINUTE"].map((name) => [`FRONTDESK__LIMITS__${name}`, "1000000"]),
  ),
  FRONTDESK__STORAGE__EMBEDDED__DURABILITY: "async",
};

export class Filler {
  constructor(server, inboxKey) {
    this.url = server.url;
    this.inboxKey = inboxKey;
    this.keeper = new Keeper({ keepAlive: true, maxSockets: AT_ONCE });
  }

  static async of(server) {
    return new Filler(server, await server.inboxKey());
  }

  close() {
    this.keeper.destroy();
  }

  /** So many visitors, each with one message: `text(at)`. Returns who they are. */
  async conversations(count, text) {
    return this.all(count, async (at) => {
      const ticket = await this.post("tickets", { kind: "visitor", inbox_key: this.inboxKey, language: "en" });
      const visitor = { conversation: ticket.conversation_id, token: ticket.visitor_token };
      await this.say(visitor, text(at));
      return visitor;
    });
  }

  /** So many messages of one visitor, in the order of their numbers. */
  async messages(visitor, count, text) {
    for (let at = 0; at < count; at++) await this.say(visitor, text(at));
  }

  say(visitor, text) {
    return this.post(`conversations/${visitor.conversation}/messages`, { text }, { authorization: `Visitor ${visitor.token}` });
  }

  /** `work(0)` to `work(count - 1)`, many at a time; the results in their order. */
  async all(count, work) {
    const results = new Array(count);
    let next = 0;
    const worker = async () => {
      for (let at = next++; at < count; at = next++) results[at] = await work(at);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return results;
  }

  post(path, body, headers = {}) {
    return new Promise((resolve, reject) => {
      const asked = request(new URL(`api/v1/${path}`, this.url), { method: "POST", agent: this.keeper, headers: { "content-type": "application/json", ...headers } }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (part) => (text += part));
        answer.on("end", () => {
          if (answer.statusCode < 300) resolve(text === "" ? undefined : JSON.parse(text));
          else reject(new Error(`${path}: ${answer.statusCode} ${text}`));
        });
      });
      asked.on("error", reject);
      asked.end(JSON.stringify(body));
    });
  }
}
