package frontdesk

import (
	"context"
	"fmt"
	"log"
	"time"

	"frontdesk.example/sdk/wire"
)

// errNotConnected is what ends a wait of the SDK's own length.
var errNotConnected error = fail(CodeTimeout, "no answer in time")

const (
	startTimeout = 30 * time.Second
	// How long after a lost connection a command is tried again.
	commandAgain = 250 * time.Millisecond
)

// side is what a visitor and a bot do differently. All but ticket is called within the loop.
type side interface {
	ticket() (ticket, error)
	toPresent() []wire.Held
	toSync() []wire.Held
	feed() *wire.FeedPosition
	welcomed(*wire.Welcome)
	received(*wire.ServerFrame)
	// placed: an own message has its place.
	placed(conversation string, entry *wire.Entry)
	lost()
	finish(error)
	self() *wire.Actor
	// roomy: what was to be told has been told.
	roomy()
}

// client is what a visitor's client and a bot have in common: the connection, the outbox, waiting for both.
type client struct {
	loop    *loop
	side    side
	options options
	api     *api
	link    *link
	outbox  *outbox
	ids     *messageIDs
	onState func(State, error)
	onError func(error)
	// Closed and made anew when the state changes.
	changed chan struct{}
	// Closed when the client has ended.
	over chan struct{}
	// Ends what runs for the client when it ends.
	ctx    context.Context
	cancel context.CancelFunc
	// Why what a store kept could not be read.
	broken error
}

func newClient(options options, side side, onState func(State, error), onError func(error)) *client {
	loop := &loop{platform: options.platform}
	c := &client{
		loop: loop, side: side, options: options, onState: onState, onError: onError,
		api:     &api{options.base, options.platform.http, options.Headers},
		ids:     &messageIDs{platform: &loop.platform},
		changed: make(chan struct{}), over: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.link = &link{
		loop: loop, ctx: c.ctx, base: options.base, client: options.Client, language: options.Language, user: c,
		state: StateIdle, backoff: backoff{random: loop.platform.random}, asked: map[uint32]asked{}, ref: 1,
	}
	c.outbox = &outbox{
		loop: loop, max: options.OutboxMax, sendTimeout: options.SendTimeout, store: options.Store,
		transmit: func(send *wire.Send) bool { return c.link.push(&wire.ClientFrame{Send: send}) },
		failed:   c.failed,
	}
	loop.told = side.roomy
	loop.do(func() {
		if err := c.outbox.load(); err != nil {
			c.broken = fmt.Errorf("frontdesk: the store cannot be read: %w", err)
		}
	})
	return c
}

// State says how the client is connected.
func (c *client) State() State {
	c.loop.mu.Lock()
	defer c.loop.mu.Unlock()
	return c.link.state
}

// Pending counts the messages without an ack.
func (c *client) Pending() int {
	c.loop.mu.Lock()
	defer c.loop.mu.Unlock()
	return len(c.outbox.waiting)
}

// Start connects, and the client stays connected until Close. It returns with the first welcome, or when there will be
// none, or after 30 s; ctx may end the waiting earlier. It goes on trying even then: Start again waits again.
func (c *client) Start(ctx context.Context) error {
	if c.broken != nil {
		return c.broken
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errNotConnected)
	defer cancel()
	c.loop.do(c.link.start)
	return c.untilLive(ctx)
}

// Run connects as Start does, and serves until ctx or Close ends it. Its error is why it could not connect, or why the server
// stopped it.
func (c *client) Run(ctx context.Context) error {
	if err := c.Start(ctx); err != nil {
		if c.Err() != nil {
			return err
		}
		c.Close()
		if ctx.Err() != nil || CodeOf(err) == CodeClosed {
			return nil
		}
		return err
	}
	select {
	case <-ctx.Done():
		c.Close()
		return nil
	case <-c.over:
		return c.Err()
	}
}

// Err says why the server stopped the client; nil otherwise.
func (c *client) Err() error {
	c.loop.mu.Lock()
	defer c.loop.mu.Unlock()
	if c.link.state != StateStopped {
		return nil
	}
	return c.link.err
}

// Close ends the client. Messages without an ack fail with CodeClosed; a store keeps them.
func (c *client) Close() {
	c.loop.do(func() {
		if c.link.state != StateClosed {
			c.link.close()
			c.end(fail(CodeClosed, ""))
		}
	})
}

func (c *client) post(conversation string, content *wire.Content, audience wire.Audience) *Sending {
	c.loop.mu.Lock()
	defer c.loop.mu.Unlock()
	if err := c.link.ended(); err != nil {
		return failed(err)
	}
	return c.outbox.add(Pending{c.ids.next(), conversation, content, audience})
}

func (c *client) push(frame *wire.ClientFrame) {
	c.loop.do(func() { c.link.push(frame) })
}

// arrived: an entry that came counts as the ack of the message it is.
func (c *client) arrived(conversation string, entry *wire.Entry) {
	if len(entry.ClientMsgID) > 0 {
		c.outbox.acked(Ack{conversation, entry.ClientMsgID, entry.ID, entry.Seq, time.UnixMilli(entry.AtMs)})
	}
}

// command moves a session. A connection that goes meanwhile is waited for and the command given again; done is the
// refusal that then says that it was carried out the first time.
func (c *client) command(ctx context.Context, command wire.Command, done string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.SendTimeout, errNotConnected)
	defer cancel()
	for again := false; ; again = true {
		if err := c.untilLive(ctx); err != nil {
			return err
		}
		answered := make(chan error, 1)
		c.loop.do(func() {
			given := command
			c.link.request(&wire.ClientFrame{Command: &given}, func(err error) { answered <- err })
		})
		var err error
		select {
		case err = <-answered:
		case <-ctx.Done():
			return c.cause(ctx)
		}
		code := CodeOf(err)
		if err == nil || again && code == done {
			return nil
		}
		later := commandAgain
		if refused, ok := err.(*Error); ok && refused.Refused {
			later = refused.RetryAfter
		} else if code != CodeConnectionLost && code != CodeTimeout {
			return err
		}
		if later < 0 || !c.sleep(ctx, later) {
			return err
		}
	}
}

// sleep says whether the time passed before ctx ended.
func (c *client) sleep(ctx context.Context, delay time.Duration) bool {
	passed := make(chan struct{})
	var later *timer
	c.loop.do(func() { later = c.loop.after(delay, func() { close(passed) }) })
	defer c.loop.do(func() { later.stop() })
	select {
	case <-passed:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *client) untilLive(ctx context.Context) error {
	for {
		c.loop.mu.Lock()
		state, err, changed := c.link.state, c.link.ended(), c.changed
		c.loop.mu.Unlock()
		if state == StateLive || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return c.cause(ctx)
		}
	}
}

// cause says why a wait ended: what the caller's context says, or that the time was over and why there is no connection.
func (c *client) cause(ctx context.Context) error {
	err := context.Cause(ctx)
	c.loop.mu.Lock()
	defer c.loop.mu.Unlock()
	if err == errNotConnected && c.link.err != nil {
		return because(CodeTimeout, fmt.Errorf("not connected in time: %w", c.link.err))
	}
	return err
}

// failed tells of an error that nothing else answers for. Within the loop.
func (c *client) failed(err error) {
	told := c.onError
	if told == nil {
		told = func(err error) { log.Print(err) }
	}
	c.loop.tell(func() { told(err) })
}

// What the link asks and tells.

func (c *client) ticket() (ticket, error)  { return c.side.ticket() }
func (c *client) toPresent() []wire.Held   { return c.side.toPresent() }
func (c *client) toSync() []wire.Held      { return c.side.toSync() }
func (c *client) feed() *wire.FeedPosition { return c.side.feed() }

func (c *client) live(welcome *wire.Welcome) {
	c.side.welcomed(welcome)
	c.outbox.resume(c.link.limits.InFlightMax)
}

func (c *client) gone() {
	c.outbox.pause()
	c.side.lost()
}

func (c *client) frame(frame *wire.ServerFrame) {
	if frame.Ack == nil {
		if frame.Refusal == nil || !c.outbox.refused(frame.Refusal) {
			c.side.received(frame)
		}
		return
	}
	told := frame.Ack
	ack := Ack{Conversation: told.Conversation, ClientMsgID: told.ClientMsgID, ID: told.ID, At: time.UnixMilli(told.AtMs)}
	if told.Position != nil {
		ack.Seq = told.Position.Seq
	}
	entry := &wire.Entry{Seq: ack.Seq, ID: told.ID, AtMs: told.AtMs, ClientMsgID: told.ClientMsgID, Actor: c.side.self()}
	// One whose sender waits no longer still has its place.
	if message := c.outbox.acked(ack); message != nil {
		entry.Content, entry.Audience = message.Content, message.Audience
	}
	c.side.placed(told.Conversation, entry)
}

func (c *client) stateChanged(state State, err error) {
	if state == StateStopped {
		c.end(err)
	}
	close(c.changed)
	c.changed = make(chan struct{})
	if c.onState != nil {
		c.loop.tell(func() { c.onState(state, err) })
	}
}

func (c *client) end(err error) {
	c.outbox.close(err)
	c.side.finish(err)
	c.cancel()
	select {
	case <-c.over:
	default:
		close(c.over)
	}
}
