// What close codes tell a client to do. The ranges are the protocol's promise (docs/protocol.md
// "Close codes"): a code this client has never heard of is still handled right.

export type AfterClose = "reconnect" | "new-ticket" | "stop";

/** Sent by a server too busy to serve now: come back, but not at once. */
export const CLOSE_OVERLOADED = 3011;
/** What the user may do has changed: the next ticket brings it, and whoever shows it asks anew. */
export const CLOSE_RIGHTS = 3403;
/** How the client closes a connection on which nothing arrives any more. */
export const CLOSE_SILENT = 3009;
export const CLOSE_NORMAL = 1000;

/** RFC 6455: what this client sent cannot be read or is too large; it would send the same again. */
const OWN_FAULTS: readonly number[] = [1002, 1003, 1007, 1009, 1010];

export function afterClose(code: number): AfterClose {
  if ((code >= 3500 && code <= 3999) || OWN_FAULTS.includes(code)) return "stop";
  if (code >= 3400 && code <= 3499) return "new-ticket";
  return "reconnect";
}
