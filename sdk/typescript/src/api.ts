// The HTTP half: tickets, pages of entries, the list of conversations.
import { HttpError } from "./errors.js";
import type { Platform } from "./platform.js";
import type { Row, TimelineItem } from "./wire.js";

const TIMEOUT_MS = 15_000;
const PAGE_LIMIT = 200;
/** Pages of a list that are read at most. */
const PAGES_MAX = 100;

export type Ticket = { readonly ticket: string; readonly node: number | undefined };

export type EntriesPage = { readonly items: readonly TimelineItem[]; readonly epoch: string };

export class Api {
  constructor(
    readonly base: string,
    private readonly platform: Platform,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  /** One request below /api/v1; rejects with HttpError. */
  async request(method: "GET" | "POST", path: string, authorization: string, body?: unknown): Promise<Record<string, unknown>> {
    const headers: Record<string, string> = { accept: "application/json", ...this.headers };
    if (authorization !== "") headers["authorization"] = authorization;
    if (body !== undefined) headers["content-type"] = "application/json";
    let answer;
    try {
      answer = await this.platform.http({
        method,
        url: `${this.base}/api/v1/${path}`,
        headers,
        timeoutMs: TIMEOUT_MS,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      const code = error instanceof Error && error.name === "TimeoutError" ? "timeout" : "connection.lost";
      throw new HttpError(code, 0, undefined, reasonOf(error), { cause: error });
    }
    const found = (typeof answer.body === "object" && answer.body !== null ? answer.body : {}) as Record<string, unknown>;
    if (answer.status >= 200 && answer.status < 300) return found;
    const code = typeof found["code"] === "string" ? found["code"] : `http.${answer.status}`;
    throw new HttpError(code, answer.status, answer.retryAfterMs, typeof found["detail"] === "string" ? found["detail"] : "");
  }

  /** One page of a conversation, oldest first. */
  async entries(conversation: string, authorization: string, range: { readonly after: number } | { readonly before: number }): Promise<EntriesPage> {
    const [name, seq] = "after" in range ? ["after", range.after] : ["before", range.before];
    const path = `conversations/${encodeURIComponent(conversation)}/entries?limit=${PAGE_LIMIT}&${name}=${seq}`;
    const page = await this.request("GET", path, authorization);
    return { items: (page["items"] ?? []) as readonly TimelineItem[], epoch: String(page["epoch"] ?? "") };
  }

  /** All conversations the caller owns a session of. */
  async mine(authorization: string): Promise<Row[]> {
    const rows: Row[] = [];
    let cursor = "";
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const more = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await this.request("GET", `conversations?view=mine&limit=${PAGE_LIMIT}${more}`, authorization);
      rows.push(...((page["rows"] ?? []) as readonly Row[]));
      cursor = typeof page["next"] === "string" ? page["next"] : "";
      if (cursor === "") break;
    }
    return rows;
  }
}

/** fetch says only that it failed; what it failed of is the cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message : String(inner);
}
