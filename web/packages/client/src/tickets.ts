// The HTTP half of the client: tickets, pages of history, the list the feed then keeps up to date. Everything else of the HTTP API is in
// @frontdesk/api-client; the widget does without that.
import type { RowJson, TimelineItemJson } from "@frontdesk/protocol";
import type { Ticket } from "./connection";
import { TicketRefused } from "./connection";
import type { OlderPage } from "./conversation";
import type { HttpAnswer, Platform } from "./platform";

const PAGE_LIMIT = 50;
const LIST_LIMIT = 200;

/** The `code` of a problem document, or one made of the status. */
export function problemCode(answer: HttpAnswer): string {
  const body = answer.body as { readonly code?: unknown } | null | undefined;
  return typeof body?.code === "string" ? body.code : `http.${answer.status}`;
}

/** Asks for a ticket; rejects with TicketRefused where the server says no. */
export async function requestTicket(
  platform: Platform,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown> & Ticket> {
  const answer = await platform.http("POST", "api/v1/tickets", { body, headers });
  const given = answer.body as (Record<string, unknown> & Ticket) | null | undefined;
  if (answer.status >= 200 && answer.status < 300 && typeof given?.ticket === "string") return given;
  // 4xx but for "too many requests" and "too slow": the same request fails again.
  const stop = answer.status >= 400 && answer.status < 500 && answer.status !== 429 && answer.status !== 408;
  throw new TicketRefused(problemCode(answer), stop, answer.retryAfterMs);
}

/** Reads the page of entries before `beforeSeq`. */
export async function requestOlder(
  platform: Platform,
  conversation: string,
  beforeSeq: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<OlderPage> {
  const path = `api/v1/conversations/${conversation}/entries?before=${beforeSeq}&limit=${PAGE_LIMIT}`;
  const answer = await platform.http("GET", path, { headers });
  if (answer.status !== 200) throw new TicketRefused(problemCode(answer), false, answer.retryAfterMs);
  const body = answer.body as { items?: readonly TimelineItemJson[]; more_before?: boolean };
  const items = body.items ?? [];
  return { items, moreBefore: body.more_before ?? items.length >= PAGE_LIMIT };
}

/** Reads the whole list of open conversations the caller may see. */
export async function requestRows(platform: Platform, headers: Readonly<Record<string, string>> = {}): Promise<RowJson[]> {
  const rows: RowJson[] = [];
  let cursor = "";
  do {
    const more = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await platform.http("GET", `api/v1/conversations?view=open&limit=${LIST_LIMIT}${more}`, { headers });
    if (answer.status !== 200) throw new TicketRefused(problemCode(answer), false, answer.retryAfterMs);
    const page = answer.body as { rows?: readonly RowJson[]; next?: string };
    rows.push(...(page.rows ?? []));
    cursor = page.next ?? "";
  } while (cursor !== "");
  return rows;
}
