package frontdesk

// AfterClose is what a close code tells a client to do.
type AfterClose string

// What a close code tells a client to do.
const (
	Reconnect AfterClose = "reconnect"
	NewTicket AfterClose = "new-ticket"
	Stop      AfterClose = "stop"
)

const (
	closeNormal = 1000
	// closeNone: no close frame came.
	closeNone = 1006
	// closeSilent is how a client closes a connection on which nothing arrives any more.
	closeSilent     = 3009
	closeOverloaded = 3011
)

// WhatAfter tells what a close code means (docs/protocol.md "Close codes"). The ranges are the protocol's promise: a code
// this SDK has never heard of is handled right.
func WhatAfter(code int) AfterClose {
	switch {
	case code >= 3500 && code <= 3999:
		return Stop
	// RFC 6455: what this client sent cannot be read or is too large; it would send the same again.
	case code == 1002, code == 1003, code == 1007, code == 1009, code == 1010:
		return Stop
	case code >= 3400 && code <= 3499:
		return NewTicket
	}
	return Reconnect
}
