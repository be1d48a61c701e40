package frontdesk

import (
	"errors"
	"fmt"
	"time"
)

// Codes of the SDK's own. All others are of docs/protocol.md "Errors", said by the server; an HTTP answer without a code
// is "http.<status>".
const (
	// CodeTimeout: no answer in time; what was asked may or may not have been done.
	CodeTimeout = "timeout"
	// CodeConnectionLost: the connection went before the answer; as with CodeTimeout.
	CodeConnectionLost = "connection.lost"
	// CodeClosed: Close was called.
	CodeClosed = "client.closed"
	// CodeStopped: the server said not to come back; Detail says why.
	CodeStopped = "client.stopped"
	// CodeOutboxFull: too many messages wait for their ack already.
	CodeOutboxFull = "outbox.full"
)

// Error is what every error of this SDK is. Programs decide by Code; the text is for logs.
type Error struct {
	Code   string
	Detail string
	// The server wants the same again after this time; negative where trying again is pointless or up to the caller.
	RetryAfter time.Duration
	// Of the HTTP answer; 0 where it was none.
	Status int
	// The server refused it: nothing was changed.
	Refused bool
	cause   error
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return "frontdesk: " + e.Code
	}
	return fmt.Sprintf("frontdesk: %s: %s", e.Code, e.Detail)
}

// Unwrap gives the error it came from; nil where it came from none.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf gives the code of an error of this SDK, and "" for any other.
func CodeOf(err error) string {
	var found *Error
	if errors.As(err, &found) {
		return found.Code
	}
	return ""
}

func fail(code, detail string) *Error { return &Error{Code: code, Detail: detail, RetryAfter: -1} }

// because makes an error of another one.
func because(code string, cause error) *Error {
	return &Error{Code: code, Detail: cause.Error(), RetryAfter: -1, cause: cause}
}

// final says that the same HTTP request fails again until somebody changes something.
func (e *Error) final() bool {
	return e.Status >= 400 && e.Status < 500 && e.Status != 408 && e.Status != 429
}
