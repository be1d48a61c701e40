// Package frontdesk is the SDK of Frontdesk, the self-hosted customer chat: visitors and bots over the protocol
// frontdesk.v1.json. See README.md.
//
// A client may be used by several goroutines. Functions of the program that tell of events are called one at a time and in
// order, and may call the client.
package frontdesk

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options of all clients. The zero value is good.
type Options struct {
	// BCP 47; "en" where empty.
	Language string
	// Names the program in the server's records, for example "shop-bot/2.1"; at most 64 bytes.
	Client string
	// Sent with every HTTP request, for example for a proxy on the way.
	Headers map[string]string
	// How long a message waits for its ack, reconnects included. 5 minutes where 0.
	SendTimeout time.Duration
	// Messages that may wait for their ack. 1,000 where 0.
	OutboxMax int
	// Messages that may wait for a reader or a handler. 1,000 where 0.
	InboxMax int
	// Where pending messages survive the process; one for each client.
	Store OutboxStore
	// For requests; a plain one where nil. Of an *http.Transport the WebSocket takes the TLS configuration, the proxy and
	// DialContext.
	HTTPClient *http.Client
	// The system's where nil.
	Clock Clock
	// At least 0, less than 1: how much of the longest wait a reconnect waits. math/rand where nil.
	Random func() float64
}

type options struct {
	Options
	base     string
	platform platform
}

// Frontdesk is a server.
type Frontdesk struct{ options options }

// New names a server by where it is reached, with its path prefix if it has one.
func New(baseURL string, given Options) (*Frontdesk, error) {
	return newFrontdesk(baseURL, given, systemPlatform())
}

func newFrontdesk(baseURL string, given Options, platform platform) (*Frontdesk, error) {
	address, err := url.Parse(baseURL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, fmt.Errorf("frontdesk: not an address of a server: %q", baseURL)
	}
	if given.Language == "" {
		given.Language = "en"
	}
	if given.Client == "" {
		given.Client = "frontdesk-sdk-go/0.1.0"
	}
	if given.SendTimeout == 0 {
		given.SendTimeout = 5 * time.Minute
	}
	if given.OutboxMax == 0 {
		given.OutboxMax = 1000
	}
	if given.InboxMax == 0 {
		given.InboxMax = 1000
	}
	if given.HTTPClient != nil {
		platform.http = given.HTTPClient
	}
	if given.Clock != nil {
		platform.clock = given.Clock
	}
	if given.Random != nil {
		platform.random = given.Random
	}
	return &Frontdesk{options{given, strings.TrimRight(baseURL, "/"), platform}}, nil
}
