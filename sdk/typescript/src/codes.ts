// What a close code tells a client to do (docs/protocol.md "Close codes"). The ranges are the protocol's promise: a
// code this SDK has never heard of is handled right.

/** What a close code tells a client to do. */
export type AfterClose = "reconnect" | "new-ticket" | "stop";

export const CLOSE_NORMAL = 1000;
/** No close frame came. */
export const CLOSE_NONE = 1006;
/** How a client closes a connection on which nothing arrives any more. */
export const CLOSE_SILENT = 3009;
export const CLOSE_OVERLOADED = 3011;

/** RFC 6455: what this client sent cannot be read or is too large; it would send the same again. */
const OWN_FAULTS: readonly number[] = [1002, 1003, 1007, 1009, 1010];

/** What a close code means. */
export function afterClose(code: number): AfterClose {
  if ((code >= 3500 && code <= 3999) || OWN_FAULTS.includes(code)) return "stop";
  if (code >= 3400 && code <= 3499) return "new-ticket";
  return "reconnect";
}
