package frontdesk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontdesk.example/sdk/wire"
)

const (
	subprotocol = wire.Subprotocol
	checkEvery  = 2500 * time.Millisecond
	// How long after the ping interval a server that says nothing counts as gone.
	silenceGrace        = 10 * time.Second
	pingIntervalDefault = 25 * time.Second
	syncEvery           = 40 * time.Second
	answerTimeout       = 15 * time.Second
	// A connection that lived shorter than this does not reset the back-off.
	stableAfter    = 10 * time.Second
	overloadedWait = 5 * time.Second
	// Frames that may wait for their answer.
	askedMax = 1024
	// What the program needs for an identity, the ticket, and dialling.
	reachTimeout = 40 * time.Second
	// The server stops whoever sends a larger frame.
	frameBytesMax = 1 << 20
)

// State is how a client is connected.
type State string

// How a client is connected.
const (
	StateIdle       State = "idle"
	StateConnecting State = "connecting"
	StateLive       State = "live"
	StateWaiting    State = "waiting"
	StateStopped    State = "stopped"
	StateClosed     State = "closed"
)

// linkUser knows how to get a ticket and what it already holds. All but ticket is called within the loop.
type linkUser interface {
	// ticket gets a ticket. It is called beside the loop.
	ticket() (ticket, error)
	// toPresent is what the hello presents.
	toPresent() []wire.Held
	feed() *wire.FeedPosition
	// toSync is what the next position check asks about.
	toSync() []wire.Held
	live(*wire.Welcome)
	frame(*wire.ServerFrame)
	gone()
	stateChanged(State, error)
	// failed tells of an error that nothing else answers for.
	failed(error)
}

// asked waits for the answer to a frame: nil, or why it was not carried out.
type asked struct {
	answer func(error)
	timer  *timer
}

// link is one long connection to /ws/v1 and everything that keeps it alive: ticket or resume token, hello, back-off,
// silence, position checks, rejoin. Knows no conversation; its user does.
//
//	idle -> connecting -> live -> (lost) waiting -> connecting ...
//	                           -> (told to) stopped
type link struct {
	loop                   *loop
	base, client, language string
	user                   linkUser

	state State
	// Ends with the client.
	ctx context.Context
	// Why it stopped, or why the last attempt to connect failed.
	err         error
	limits      wire.Limits
	backoff     backoff
	asked       map[uint32]asked
	socket      socket
	resumeToken string
	node        *int
	ref         uint32
	// Grows with every attempt, so that a late answer to an old one is told apart.
	generation                       int
	receivedAt, liveSince, notBefore time.Time
	pinged                           bool
	connectTimer, checkTimer         *timer
	syncTimer                        *timer
}

func (l *link) now() time.Time { return l.loop.platform.clock.Now() }

func (l *link) start() {
	if l.state == StateIdle {
		l.connect()
	}
}

// close closes for good.
func (l *link) close() {
	if l.state != StateClosed {
		l.drop(closeNormal)
		l.become(StateClosed, nil)
	}
}

// push sends a frame that nothing answers. False when not live.
func (l *link) push(frame *wire.ClientFrame) bool {
	if l.state == StateLive {
		l.write(frame)
	}
	return l.state == StateLive
}

// request sends a frame; answer is called within the loop, with nil when it was carried out.
func (l *link) request(frame *wire.ClientFrame, answer func(error)) {
	switch {
	case l.ended() != nil:
		answer(l.ended())
	case l.state != StateLive:
		answer(fail(CodeConnectionLost, "not connected now"))
	case len(l.asked) >= askedMax:
		answer(fail(CodeOutboxFull, "too many frames wait for their answer"))
	case tooLarge(frame) != nil:
		answer(tooLarge(frame))
	default:
		l.ref++
		if l.ref > 0x7fffffff {
			l.ref = 2
		}
		ref := l.ref
		frame.Ref = ref
		late := l.loop.after(answerTimeout, func() { l.answer(ref, fail(CodeTimeout, "")) })
		l.asked[ref] = asked{answer, late}
		l.write(frame)
	}
}

// ended says why nothing can be asked any more.
func (l *link) ended() error {
	switch {
	case l.state == StateClosed:
		return fail(CodeClosed, "")
	case l.state == StateStopped && l.err != nil:
		return l.err
	case l.state == StateStopped:
		return fail(CodeStopped, "")
	}
	return nil
}

func (l *link) answer(ref uint32, err error) {
	if one, ok := l.asked[ref]; ok {
		delete(l.asked, ref)
		one.timer.stop()
		one.answer(err)
	}
}

func (l *link) write(frame *wire.ClientFrame) {
	if l.socket != nil {
		l.socket.send(written(frame))
	}
}

func written(frame *wire.ClientFrame) []byte {
	text, err := wire.Encode(frame)
	if err != nil {
		panic("a frame is plain values: " + err.Error())
	}
	return text
}

// tooLarge says why the server would stop this client for a frame; nil where it would not.
func tooLarge(frame *wire.ClientFrame) error {
	if len(written(frame)) > frameBytesMax {
		return fail("frame.too_large", fmt.Sprintf("a frame holds %d bytes", frameBytesMax))
	}
	return nil
}

func (l *link) connect() {
	l.clearTimers()
	l.generation++
	l.become(StateConnecting, nil)
	l.connectTimer = l.loop.after(reachTimeout, func() { l.fail("no ticket or no answer in time") })
	generation, resumes, node := l.generation, l.resumeToken != "", l.node
	l.loop.platform.spawn(func() { l.reach(generation, resumes, node) })
}

// reach gets a ticket and dials, beside the loop.
func (l *link) reach(generation int, resumes bool, node *int) {
	// Says whether this attempt is still the one that counts.
	current := func(run func()) {
		l.loop.do(func() {
			if generation == l.generation {
				run()
			}
		})
	}
	given := ticket{Node: node}
	var err error
	if !resumes {
		if given, err = l.user.ticket(); err != nil {
			current(func() { l.notConnected(err) })
			return
		}
	}
	address := "ws" + strings.TrimPrefix(l.base, "http") + "/ws/v1"
	if given.Node != nil {
		address = fmt.Sprintf("%s?node=%d", address, *given.Node)
	}
	opened, err := l.loop.platform.dial(l.ctx, l.loop.platform.http, address,
		func(text []byte) { current(func() { l.received(text) }) },
		func(code int) { current(func() { l.closed(code) }) })
	if err != nil {
		current(func() { l.notConnected(err) })
		return
	}
	kept := false
	current(func() {
		kept = true
		l.node, l.socket = given.Node, opened
		l.greet(given.Ticket)
	})
	if !kept {
		opened.close(closeNormal)
	}
}

func (l *link) notConnected(err error) {
	l.clearTimers()
	var known *Error
	if errors.As(err, &known) {
		if known.final() {
			l.halt(err)
			return
		}
		l.postpone(known.RetryAfter)
	} else {
		// No network did this: the program, when it was asked who the visitor is.
		l.user.failed(err)
	}
	l.err = err
	l.retry()
}

func (l *link) greet(ticket string) {
	l.clearTimers()
	l.connectTimer = l.loop.after(connectTimeout, func() { l.fail("no welcome in time") })
	hello := &wire.Hello{Ticket: ticket, Held: l.user.toPresent(), Feed: l.user.feed(), Client: l.client, Language: l.language, CanRejoin: true}
	if ticket == "" {
		hello.ResumeToken = l.resumeToken
	}
	l.write(&wire.ClientFrame{Ref: 1, Hello: hello})
}

// rejoin: somebody else serves this client from now on. Hello again on the same socket.
func (l *link) rejoin(after time.Duration) {
	l.suspend()
	l.become(StateConnecting, nil)
	l.connectTimer = l.loop.after(after, func() {
		if l.resumeToken == "" {
			l.fail("there is nothing to say hello with")
		} else {
			l.greet("")
		}
	})
}

func (l *link) received(text []byte) {
	l.receivedAt, l.pinged = l.now(), false
	frame, err := wire.DecodeServer(text)
	switch {
	case err != nil:
		// A captive portal, a broken proxy.
		l.fail("what speaks there is no Frontdesk server")
	case frame.Welcome != nil:
		l.welcomed(frame.Welcome)
	case frame.Ping != nil:
		l.write(&wire.ClientFrame{Pong: &wire.Pong{}})
	case frame.GoAway != nil:
		l.postpone(millis(frame.GoAway.ReconnectAfterMs))
	case frame.Rejoin != nil:
		l.rejoin(millis(frame.Rejoin.AfterMs))
	case frame.Pong == nil && l.state == StateLive:
		if frame.Refusal != nil {
			l.answer(frame.Ref, toError(frame.Refusal))
		} else if frame.Done != nil || frame.Opened != nil {
			l.answer(frame.Ref, nil)
		}
		// In the order of arrival, whoever asked: what follows an answer builds on it.
		l.user.frame(frame)
	}
}

func (l *link) welcomed(welcome *wire.Welcome) {
	l.clearTimers()
	l.resumeToken = welcome.ResumeToken
	if welcome.Limits != nil {
		l.limits = *welcome.Limits
	}
	l.err = nil
	l.liveSince, l.notBefore, l.state = l.now(), time.Time{}, StateLive
	l.checkTimer = l.loop.after(checkEvery, l.check)
	l.syncTimer = l.loop.after(syncEvery, l.sync)
	l.user.live(welcome)
	l.user.stateChanged(StateLive, nil)
}

// check: nothing heard for the ping interval asks, nothing heard after that either means that the connection is dead.
func (l *link) check() {
	interval := millis(l.limits.PingIntervalMs)
	if interval == 0 {
		interval = pingIntervalDefault
	}
	silent := l.now().Sub(l.receivedAt)
	if silent >= interval+silenceGrace {
		l.fail("the server says nothing")
		return
	}
	if silent >= interval && !l.pinged {
		l.pinged = true
		l.write(&wire.ClientFrame{Ping: &wire.Ping{}})
	}
	l.checkTimer = l.loop.after(checkEvery, l.check)
}

// sync asks whether what is held is still where it stands: repairs a push that was lost between nodes.
func (l *link) sync() {
	if held := l.user.toSync(); len(held) > 0 {
		// What is refused now is asked again with the next check.
		l.request(&wire.ClientFrame{Sync: &wire.Sync{Held: held}}, func(error) {})
	}
	l.syncTimer = l.loop.after(syncEvery, l.sync)
}

// fail closes from this side because the connection is of no use, and tries again.
func (l *link) fail(why string) {
	l.drop(closeSilent)
	l.err = fail(CodeConnectionLost, why)
	l.retry()
}

func (l *link) closed(code int) {
	wasLive := l.state == StateLive
	l.drop(0)
	l.err = fail(CodeConnectionLost, fmt.Sprintf("closed with %d", code))
	switch WhatAfter(code) {
	case Stop:
		l.halt(fail(CodeStopped, fmt.Sprintf("closed with %d", code)))
		return
	case NewTicket:
		refused := !wasLive && l.resumeToken != ""
		l.resumeToken = ""
		if refused {
			// A resume token the server no longer knows costs one round trip, not a back-off.
			l.connect()
			return
		}
	case Reconnect:
		// Refused before Welcome: the token may be the cause, a ticket is the safe way.
		if !wasLive {
			l.resumeToken = ""
		}
		if code == closeOverloaded {
			l.postpone(overloadedWait)
		}
	}
	l.retry()
}

func (l *link) drop(code int) {
	l.generation++
	opened := l.socket
	l.socket = nil
	if code != 0 && opened != nil {
		opened.close(code)
	}
	if l.state == StateLive && l.now().Sub(l.liveSince) >= stableAfter {
		l.backoff.reset()
	}
	l.suspend()
}

// suspend: nothing that was asked will be answered, and nothing more is asked.
func (l *link) suspend() {
	wasLive := l.state == StateLive
	l.clearTimers()
	if wasLive {
		l.state = StateConnecting
	}
	for ref := range l.asked {
		l.answer(ref, fail(CodeConnectionLost, ""))
	}
	if wasLive {
		l.user.gone()
	}
}

func (l *link) halt(err error) {
	l.resumeToken, l.err = "", err
	l.become(StateStopped, err)
}

func (l *link) postpone(delay time.Duration) {
	if until := l.now().Add(min(delay, postponeMax)); until.After(l.notBefore) {
		l.notBefore = until
	}
}

func (l *link) retry() {
	delay := l.backoff.next() + max(0, l.notBefore.Sub(l.now()))
	l.become(StateWaiting, l.err)
	l.connectTimer = l.loop.after(delay, l.connect)
}

func (l *link) become(state State, err error) {
	l.state = state
	l.user.stateChanged(state, err)
}

func (l *link) clearTimers() {
	l.connectTimer.stop()
	l.checkTimer.stop()
	l.syncTimer.stop()
}
