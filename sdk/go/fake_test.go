package frontdesk

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontdesk.example/sdk/wire"
)

const epoch = 10312465081116569670

// fakeServer is a server in memory with a clock that a test moves: what a client sends is seen frame by frame. Everything
// runs in the test's own goroutine.
type fakeServer struct {
	t          *testing.T
	clock      *fakeClock
	spawned    []func()
	sockets    []*fakeSocket
	requests   []*http.Request
	bodies     []map[string]any
	refuseDial error
	// Answers of HTTP; nil gives the usual one.
	answer func(*http.Request) any
}

type httpAnswer struct {
	status     int
	retryAfter string
	body       any
}

type fakeClock struct {
	server *fakeServer
	now    time.Time
	timers []*fakeTimer
}

type fakeTimer struct {
	clock *fakeClock
	at    time.Time
	run   func()
}

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) AfterFunc(delay time.Duration, run func()) Timer {
	timer := &fakeTimer{c, c.now.Add(delay), run}
	c.timers = append(c.timers, timer)
	return timer
}

func (t *fakeTimer) Stop() bool {
	before := len(t.clock.timers)
	t.clock.timers = slices.DeleteFunc(t.clock.timers, func(other *fakeTimer) bool { return other == t })
	return len(t.clock.timers) < before
}

func (c *fakeClock) advance(delay time.Duration) {
	end := c.now.Add(delay)
	for {
		c.server.settle()
		var first *fakeTimer
		for _, timer := range c.timers {
			if !timer.at.After(end) && (first == nil || timer.at.Before(first.at)) {
				first = timer
			}
		}
		if first == nil {
			break
		}
		first.Stop()
		if first.at.After(c.now) {
			c.now = first.at
		}
		first.run()
	}
	c.now = end
	c.server.settle()
}

// fakeSocket is one socket as the server sees it.
type fakeSocket struct {
	server    *fakeServer
	url       string
	onMessage func([]byte)
	onClose   func(int)
	sent      []*wire.ClientFrame
	closed    int
}

func (s *fakeSocket) send(text []byte) {
	frame, err := wire.DecodeClient(text)
	if err != nil {
		s.server.t.Errorf("%s: %v", text, err)
		return
	}
	s.sent = append(s.sent, frame)
}

func (s *fakeSocket) close(code int) { s.closed = code }

// take gives the frames that came and are of a kind, and forgets them.
func take[Kind any](s *fakeSocket, kind func(*wire.ClientFrame) *Kind) (found []*Kind, refs []uint32) {
	s.sent = slices.DeleteFunc(s.sent, func(frame *wire.ClientFrame) bool {
		one := kind(frame)
		if one != nil {
			found, refs = append(found, one), append(refs, frame.Ref)
		}
		return one != nil
	})
	return found, refs
}

func sends(s *fakeSocket) []*wire.Send {
	found, _ := take(s, func(frame *wire.ClientFrame) *wire.Send { return frame.Send })
	return found
}

func opens(s *fakeSocket) ([]*wire.Open, []uint32) {
	return take(s, func(frame *wire.ClientFrame) *wire.Open { return frame.Open })
}

func syncs(s *fakeSocket) ([]*wire.Sync, []uint32) {
	return take(s, func(frame *wire.ClientFrame) *wire.Sync { return frame.Sync })
}

func commands(s *fakeSocket) ([]*wire.Command, []uint32) {
	return take(s, func(frame *wire.ClientFrame) *wire.Command { return frame.Command })
}

func (s *fakeSocket) push(frames ...*wire.ServerFrame) {
	for _, frame := range frames {
		text, err := wire.Encode(frame)
		if err != nil {
			s.server.t.Fatal(err)
		}
		s.onMessage(text)
	}
	s.server.settle()
}

func (s *fakeSocket) end(code int) {
	s.onClose(code)
	s.server.settle()
}

func newServer(t *testing.T) *fakeServer {
	server := &fakeServer{t: t}
	server.clock = &fakeClock{server: server, now: time.UnixMilli(1_790_000_000_000)}
	return server
}

func (f *fakeServer) frontdesk(options Options) *Frontdesk {
	made, err := newFrontdesk("http://desk.example/base/", options, platform{
		clock:  f.clock,
		random: func() float64 { return 0.5 },
		randomBytes: func(into []byte) {
			for at := range into {
				into[at] = 7
			}
		},
		http: &http.Client{Transport: f},
		dial: func(_ context.Context, _ *http.Client, url string, onMessage func([]byte), onClose func(int)) (socket, error) {
			if err := f.refuseDial; err != nil {
				f.refuseDial = nil
				return nil, err
			}
			made := &fakeSocket{server: f, url: url, onMessage: onMessage, onClose: onClose}
			f.sockets = append(f.sockets, made)
			return made, nil
		},
		spawn: func(run func()) { f.spawned = append(f.spawned, run) },
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return made
}

// settle lets everything that waits for no timer run.
func (f *fakeServer) settle() {
	for len(f.spawned) > 0 {
		run := f.spawned[0]
		f.spawned = f.spawned[1:]
		run()
	}
}

func (f *fakeServer) RoundTrip(request *http.Request) (*http.Response, error) {
	f.requests = append(f.requests, request)
	var body map[string]any
	if request.Body != nil {
		_ = json.NewDecoder(request.Body).Decode(&body)
	}
	f.bodies = append(f.bodies, body)
	var answer any
	if f.answer != nil {
		answer = f.answer(request)
	}
	if answer == nil {
		answer = f.usual(request)
	}
	full, ok := answer.(httpAnswer)
	if !ok {
		full = httpAnswer{200, "", answer}
	}
	text, err := json.Marshal(full.body)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if full.retryAfter != "" {
		header.Set("Retry-After", full.retryAfter)
	}
	return &http.Response{StatusCode: full.status, Header: header, Body: io.NopCloser(strings.NewReader(string(text))), Request: request}, nil
}

func (f *fakeServer) usual(request *http.Request) any {
	if strings.HasSuffix(request.URL.Path, "/tickets") {
		count := 0
		for _, one := range f.requests {
			if strings.HasSuffix(one.URL.Path, "/tickets") {
				count++
			}
		}
		return map[string]any{"ticket": "t" + strconv.Itoa(count), "visitor_token": "v1.token", "conversation_id": "c1", "inbox": map[string]any{"name": "Shop"}}
	}
	return map[string]any{"items": []any{}, "epoch": "10312465081116569670", "rows": []any{}}
}

func (f *fakeServer) socket() *fakeSocket { return f.sockets[len(f.sockets)-1] }

// welcome answers the hello of the newest socket.
func (f *fakeServer) welcome(welcome wire.Welcome) *wire.Hello {
	f.t.Helper()
	f.settle()
	hellos, refs := take(f.socket(), func(frame *wire.ClientFrame) *wire.Hello { return frame.Hello })
	if len(hellos) != 1 {
		f.t.Fatalf("%d hellos", len(hellos))
	}
	welcome.ResumeToken = "r" + strconv.Itoa(len(f.sockets))
	welcome.Limits = &wire.Limits{InFlightMax: 8, PingIntervalMs: 25_000}
	f.socket().push(&wire.ServerFrame{Ref: refs[0], Welcome: &welcome})
	return hellos[0]
}

func at(seq uint64) *wire.Position { return &wire.Position{Epoch: epoch, Seq: seq} }

func text(body string) *wire.Content { return &wire.Content{Text: &wire.Text{Body: body}} }

// entry is something the team said.
func entry(seq uint64, body string) wire.TimelineItem {
	return wire.TimelineItem{Entry: &wire.Entry{
		Seq: seq, ID: "e", Actor: &wire.Actor{Kind: wire.ActorKindAgent, Name: "Mei"}, Audience: wire.AudienceEveryone,
		AtMs: 1, Session: "s1", Content: text(body),
	}}
}

// said is something the visitor said in a session.
func said(seq uint64, body, session string) wire.TimelineItem {
	item := entry(seq, body)
	item.Entry.Actor, item.Entry.Session = &wire.Actor{Kind: wire.ActorKindVisitor, ID: "v1"}, session
	return item
}

func pushed(conversation string, items ...wire.TimelineItem) *wire.ServerFrame {
	return &wire.ServerFrame{Entries: &wire.Entries{Conversation: conversation, Epoch: epoch, Items: items}}
}

func equal[Value any](t *testing.T, got, want Value, what string) {
	t.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("%s:\n got %s\nwant %s", what, a, b)
	}
}

// settled gives what a message came to.
func settled(t *testing.T, sending *Sending) (Ack, error) {
	t.Helper()
	select {
	case <-sending.Done():
		return sending.ack, sending.err
	default:
		t.Fatal("the message is still on its way")
		return Ack{}, nil
	}
}
