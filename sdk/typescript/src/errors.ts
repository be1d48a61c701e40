// Everything that goes wrong is a FrontdeskError with a stable code: one of docs/protocol.md "Errors" where the server
// said it, one of the SDK's own (below) where no server did.
//
//   timeout          no answer in time; what was asked may or may not have been done
//   connection.lost  the connection went before the answer; as with timeout
//   client.closed    close() was called
//   client.stopped   the server said not to come back; `detail` says why
//   outbox.full      too many messages wait for their ack already
//   http.<status>    an HTTP answer without a code

/** What every error of this SDK is. Programs decide by `code`; the message is for logs. */
export class FrontdeskError extends Error {
  override readonly name: string = "FrontdeskError";

  constructor(
    readonly code: string,
    readonly detail = "",
    /** The server wants the same again after this time; undefined where trying again is pointless or up to the caller. */
    readonly retryAfterMs: number | undefined = undefined,
    /** `cause`: the error it came from. */
    options: ErrorOptions = {},
  ) {
    super(detail === "" ? code : `${code}: ${detail}`, options);
  }
}

/** The server refused a frame or a message: nothing was changed. */
export class Refused extends FrontdeskError {
  override readonly name = "Refused";
}

/** An HTTP request was answered with an error. */
export class HttpError extends FrontdeskError {
  override readonly name = "HttpError";

  constructor(
    code: string,
    /** 0 where no answer came. */
    readonly status: number,
    retryAfterMs: number | undefined,
    detail = "",
    options: ErrorOptions = {},
  ) {
    super(code, detail, retryAfterMs, options);
  }

  /** The same request fails again until somebody changes something. */
  get final(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

/** The client has ended and does not come back by itself. */
export class Stopped extends FrontdeskError {
  override readonly name = "Stopped";
}
