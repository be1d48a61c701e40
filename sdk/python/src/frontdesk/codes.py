"""What a close code tells a client to do (docs/protocol.md "Close codes"). The ranges are the protocol's promise: a code
this SDK has never heard of is handled right.
"""

from __future__ import annotations

from typing import Literal

AfterClose = Literal["reconnect", "new-ticket", "stop"]

NORMAL = 1000
# No close frame came.
NONE = 1006
# How a client closes a connection on which nothing arrives any more.
SILENT = 3009
OVERLOADED = 3011

# RFC 6455: what this client sent cannot be read or is too large; it would send the same again.
_OWN_FAULTS = (1002, 1003, 1007, 1009, 1010)


def after_close(code: int) -> AfterClose:
    """What a close code means."""
    if 3500 <= code <= 3999 or code in _OWN_FAULTS:
        return "stop"
    return "new-ticket" if 3400 <= code <= 3499 else "reconnect"
