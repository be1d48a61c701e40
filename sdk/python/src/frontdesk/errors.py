"""Everything that goes wrong is a FrontdeskError with a stable code: one of docs/protocol.md "Errors" where the server
said it, one of the SDK's own where no server did:

timeout          no answer in time; what was asked may or may not have been done
connection.lost  the connection went before the answer; as with timeout
client.closed    close() was called
client.stopped   the server said not to come back; `detail` says why
outbox.full      too many messages wait for their ack already
http.<status>    an HTTP answer without a code
"""

from __future__ import annotations


class FrontdeskError(Exception):
    """What every error of this SDK is. Programs decide by `code`; the text is for logs."""

    def __init__(self, code: str, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        # Seconds after which the server wants the same again; None where trying again is pointless or up to the caller.
        self.retry_after = retry_after


class MalformedFrame(FrontdeskError):
    """A frame that cannot be read. `code`: frame.malformed or frame.unknown."""


class Refused(FrontdeskError):
    """The server refused a frame or a message: nothing was changed."""


class HttpError(FrontdeskError):
    """An HTTP request was answered with an error. `status` is 0 where no answer came."""

    def __init__(self, code: str, status: int, retry_after: float | None = None, detail: str = "") -> None:
        super().__init__(code, detail, retry_after)
        self.status = status

    @property
    def final(self) -> bool:
        """The same request fails again until somebody changes something."""
        return 400 <= self.status < 500 and self.status not in (408, 429)


class Stopped(FrontdeskError):
    """The client has ended and does not come back by itself."""
