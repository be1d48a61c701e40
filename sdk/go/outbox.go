package frontdesk

import (
	"context"
	"fmt"
	"time"

	"frontdesk.example/sdk/wire"
)

const (
	// No ack for so long on a live connection: the message is sent again.
	ackTimeout         = 15 * time.Second
	inFlightMaxDefault = 32
)

// Pending is a message that has no ack yet, as a store keeps it.
type Pending struct {
	ClientMsgID []byte
	// Empty for a visitor, who has one conversation.
	Conversation string
	Content      *wire.Content
	Audience     wire.Audience
}

// OutboxStore is where pending messages survive the process. Without one they live in memory. It is called by one
// goroutine at a time and calls nothing of this SDK.
type OutboxStore interface {
	// Load gives the oldest first. Its error is that of Start and Run.
	Load() ([]Pending, error)
	// Put keeps a message. With its error the message fails: it was not taken in.
	Put(message Pending) error
	// Remove lets a message go. Its error is told as an event.
	Remove(clientMsgID []byte) error
}

// Ack says that a message is on disk and has its place.
type Ack struct {
	Conversation string
	ClientMsgID  []byte
	ID           string
	Seq          uint64
	At           time.Time
}

// Sending is a message on its way.
type Sending struct {
	done chan struct{}
	ack  Ack
	err  error
}

// Done is closed when the message has its ack, or will have none.
func (s *Sending) Done() <-chan struct{} { return s.done }

// Wait gives the ack, or why there will be none. When ctx ends first the message stays on its way.
func (s *Sending) Wait(ctx context.Context) (Ack, error) {
	select {
	case <-s.done:
		return s.ack, s.err
	case <-ctx.Done():
		return Ack{}, ctx.Err()
	}
}

func failed(err error) *Sending {
	sending := &Sending{done: make(chan struct{}), err: err}
	close(sending.done)
	return sending
}

type waiting struct {
	Pending
	sending  *Sending
	deadline *timer
	sent     bool
	sentAt   time.Time
}

// outbox keeps a message from Send until its ack, and sends it again with the same id after every reconnect, so that it is
// stored once whatever happens between. In each conversation one message waits for its ack at a time: one that is refused
// for its rate is never passed by the next.
type outbox struct {
	loop        *loop
	max         int
	sendTimeout time.Duration
	store       OutboxStore
	// False when the connection is not live.
	transmit func(*wire.Send) bool
	// Tells of an error that nothing else answers for.
	failed func(error)

	// Oldest first.
	waiting     []*waiting
	inFlightMax int
	live        bool
	heldUntil   time.Time
	timer       *timer
}

func (o *outbox) load() error {
	if o.store == nil {
		return nil
	}
	kept, err := o.store.Load()
	for _, message := range kept {
		o.enter(message)
	}
	return err
}

// add takes a message in at once.
func (o *outbox) add(message Pending) *Sending {
	if len(o.waiting) >= o.max {
		return failed(fail(CodeOutboxFull, ""))
	}
	// One that cannot be sent would be in the way of all that follow, after every reconnect.
	if err := tooLarge(&wire.ClientFrame{Send: toSend(message)}); err != nil {
		return failed(err)
	}
	if o.store != nil {
		if err := o.store.Put(message); err != nil {
			return failed(fmt.Errorf("frontdesk: the store does not keep a message: %w", err))
		}
	}
	sending := o.enter(message)
	o.pump()
	return sending
}

func (o *outbox) enter(message Pending) *Sending {
	one := &waiting{Pending: message, sending: &Sending{done: make(chan struct{})}}
	one.deadline = o.loop.after(o.sendTimeout, func() {
		o.settle(o.remove(message.ClientMsgID), Ack{}, fail(CodeTimeout, "no ack in time; the message may have been stored"))
		o.pump()
	})
	o.waiting = append(o.waiting, one)
	return one.sending
}

// resume: the connection is live. Everything without an ack goes out, in order.
func (o *outbox) resume(inFlightMax uint32) {
	o.inFlightMax = int(inFlightMax)
	if inFlightMax == 0 {
		o.inFlightMax = inFlightMaxDefault
	}
	o.live, o.heldUntil = true, time.Time{}
	for _, one := range o.waiting {
		one.sent = false
	}
	o.pump()
}

func (o *outbox) pause() {
	o.live = false
	o.timer.stop()
}

// acked takes the ack, or the entry that says the same. It gives the message back, for its place in the conversation.
func (o *outbox) acked(ack Ack) *waiting {
	one := o.remove(ack.ClientMsgID)
	o.settle(one, ack, nil)
	o.pump()
	return one
}

// refused says whether the refusal was about a message of this outbox.
func (o *outbox) refused(refusal *wire.Refusal) bool {
	var one *waiting
	for _, each := range o.waiting {
		if string(each.ClientMsgID) == string(refusal.ClientMsgID) {
			one = each
		}
	}
	if one == nil {
		return false
	}
	one.sent = false
	if refusal.RetryAfterMs != nil {
		until := o.loop.platform.clock.Now().Add(millis(*refusal.RetryAfterMs))
		if until.After(o.heldUntil) {
			o.heldUntil = until
		}
	} else {
		o.settle(o.remove(one.ClientMsgID), Ack{}, toError(refusal))
	}
	o.pump()
	return true
}

// close: nothing more will be sent. What a store keeps stays there for the next process.
func (o *outbox) close(err error) {
	o.pause()
	for _, one := range o.waiting {
		one.deadline.stop()
		o.settle(one, Ack{}, err)
	}
	o.waiting = nil
}

func (o *outbox) settle(one *waiting, ack Ack, err error) {
	if one != nil {
		one.sending.ack, one.sending.err = ack, err
		close(one.sending.done)
	}
}

func (o *outbox) remove(clientMsgID []byte) *waiting {
	for index, one := range o.waiting {
		if string(one.ClientMsgID) != string(clientMsgID) {
			continue
		}
		one.deadline.stop()
		o.waiting = append(o.waiting[:index:index], o.waiting[index+1:]...)
		if o.store != nil {
			if err := o.store.Remove(clientMsgID); err != nil {
				o.failed(fmt.Errorf("frontdesk: the store does not let a message go: %w", err))
			}
		}
		return one
	}
	return nil
}

func (o *outbox) pump() {
	o.timer.stop()
	if !o.live || len(o.waiting) == 0 {
		return
	}
	now := o.loop.platform.clock.Now()
	if o.heldUntil.After(now) {
		o.timer = o.loop.after(o.heldUntil.Sub(now), o.pump)
		return
	}
	flies := func(one *waiting) bool { return one.sent && now.Sub(one.sentAt) < ackTimeout }
	inFlight := 0
	for _, one := range o.waiting {
		if flies(one) {
			inFlight++
		}
	}
	busy := map[string]bool{}
	for _, one := range o.waiting {
		if busy[one.Conversation] {
			continue
		}
		busy[one.Conversation] = true
		if flies(one) {
			continue
		}
		if inFlight >= o.inFlightMax {
			break
		}
		inFlight++
		one.sent, one.sentAt = true, now
		if !o.transmit(toSend(one.Pending)) {
			return
		}
	}
	o.timer = o.loop.after(ackTimeout, o.pump)
}

func toSend(message Pending) *wire.Send {
	return &wire.Send{
		Conversation: message.Conversation, ClientMsgID: message.ClientMsgID, Content: message.Content, Audience: message.Audience,
	}
}

func millis[Number uint32 | int64](count Number) time.Duration {
	return time.Duration(count) * time.Millisecond
}

func toError(refusal *wire.Refusal) *Error {
	refused := &Error{Code: refusal.Code, Detail: refusal.Detail, RetryAfter: -1, Refused: true}
	if refusal.RetryAfterMs != nil {
		refused.RetryAfter = millis(*refusal.RetryAfterMs)
	}
	return refused
}
