package frontdesk

import (
	"time"

	"frontdesk.example/sdk/wire"
)

const (
	// A hole this old is not just frames out of order.
	holeWait  = 500 * time.Millisecond
	holeAgain = 5 * time.Second
	fillAgain = 3 * time.Second
	// Items read back at most when a conversation is opened for the first time.
	backMax = 1000
)

// threadHost is what a thread needs from the client it belongs to. All but page is called within the loop.
type threadHost interface {
	// givesPast says whether what a conversation held before it was opened for the first time is given to accept.
	givesPast() bool
	// accept takes an entry; false where there is no room for it now.
	accept(*wire.Entry) bool
	// reaches says whether these items reach back as far as the host wants a conversation it did not know.
	reaches([]wire.TimelineItem) bool
	// loaded: what an opened brought is taken in.
	loaded(*wire.OpenedFrame)
	// reloaded: the newest page came in place of what was held. missed: some entries before it will never be given.
	reloaded(items []wire.TimelineItem, missed bool)
	// page reads a page "after" or "before" a seq. It is called beside the loop.
	page(which string, seq uint64) ([]wire.TimelineItem, uint64, error)
	// sync asks whether held() is where it stands.
	sync()
	// otherEpoch: what is held belongs to another life of the installation.
	otherEpoch()
	failed(error)
}

// thread is one conversation as far as this client follows it: every entry once and in order, over drops, resumes and
// pages that the server gives in place of what is missing.
type thread struct {
	// Empty for a visitor.
	id   string
	loop *loop
	host threadHost
	timeline
	// An entry found no room: nothing more is taken until drained.
	behind bool
	// Older pages are being read; meanwhile is what came since.
	loading   bool
	meanwhile []wire.TimelineItem
	// Grows with every beginning, so that pages that were read for an older one are told apart.
	reading int
	filling bool
	// What was held belonged to another life of the installation.
	forgotten bool
	ended     bool
	holeTimer *timer
}

// presents is how the thread is named in a hello and a position check.
func (t *thread) presents() wire.Held { return wire.Held{Conversation: t.id, Position: t.position()} }

func (t *thread) opened(frame *wire.OpenedFrame) {
	known := t.epoch != 0
	t.behind = false
	t.stopReading()
	switch {
	case frame.Recovered && known:
		t.takeIn(frame.Items)
	case known && epochOf(frame) == t.epoch:
		// Too much is missing to be sent at once. The page is the end of it; the rest is read over HTTP.
		t.host.reloaded(frame.Items, false)
		t.takeIn(frame.Items)
		t.fill()
	case t.host.reaches(frame.Items) || !frame.MoreBefore:
		t.begin(frame, frame.Items)
	default:
		t.loading = true
		reading := t.reading
		t.loop.platform.spawn(func() { t.readBack(frame, reading) })
		return
	}
	t.host.loaded(frame)
}

func (t *thread) entries(frame *wire.Entries) {
	switch {
	case t.epoch != 0 && frame.Epoch != 0 && frame.Epoch != t.epoch:
		t.reset(0, 0)
		t.forgotten = true
		t.host.otherEpoch()
	case t.loading:
		t.meanwhile = append(t.meanwhile, frame.Items...)
	case t.epoch != 0:
		t.takeIn(frame.Items)
	}
}

// place puts an own message in its place as soon as its ack tells it.
func (t *thread) place(entry *wire.Entry) {
	t.entries(&wire.Entries{Items: []wire.TimelineItem{{Entry: entry}}})
}

// drained: there is room again.
func (t *thread) drained() {
	if t.behind {
		t.behind = false
		t.host.sync()
	}
}

func (t *thread) lost() {
	t.stopReading()
	t.holeTimer.stop()
}

func (t *thread) close() {
	t.ended = true
	t.lost()
}

// stopReading: what was being read belongs to a beginning that the next opened takes the place of.
func (t *thread) stopReading() {
	t.reading++
	t.loading, t.meanwhile = false, nil
}

func epochOf(frame *wire.OpenedFrame) uint64 {
	if frame.Position == nil {
		return 0
	}
	return frame.Position.Epoch
}

func (t *thread) begin(frame *wire.OpenedFrame, items []wire.TimelineItem) {
	again := t.epoch != 0 || t.forgotten
	t.forgotten = false
	start := uint64(0)
	if len(items) > 0 && t.host.givesPast() {
		start, _ = span(items[0])
		start--
	} else if frame.Position != nil {
		start = frame.Position.Seq
	}
	t.reset(epochOf(frame), start)
	t.host.reloaded(items, again)
	t.takeIn(items)
}

// readBack reads older pages until they reach far enough, beside the loop.
func (t *thread) readBack(frame *wire.OpenedFrame, reading int) {
	items := frame.Items
	var failure error
	for len(items) > 0 && len(items) < backMax {
		first, _ := span(items[0])
		older, _, err := t.host.page("before", first)
		if err != nil || len(older) == 0 {
			// What is there is taken: better the end of it than nothing.
			failure = err
			break
		}
		items = append(append([]wire.TimelineItem{}, older...), items...)
		enough := false
		t.loop.do(func() { enough = t.host.reaches(items) || reading != t.reading })
		if enough {
			break
		}
	}
	t.loop.do(func() {
		if reading != t.reading {
			return
		}
		meanwhile := t.meanwhile
		t.loading, t.meanwhile = false, nil
		if failure != nil {
			t.host.failed(failure)
		}
		t.begin(frame, items)
		t.takeIn(meanwhile)
		t.host.loaded(frame)
	})
}

func (t *thread) takeIn(items []wire.TimelineItem) {
	if t.behind {
		return
	}
	switch t.take(items, t.host.accept) {
	case takenHole:
		t.watchHole(holeWait)
	case takenFull:
		t.behind = true
		t.holeTimer.stop()
	case takenAll:
		t.holeTimer.stop()
	}
}

// fill reads what lies between what is held and the page that came.
func (t *thread) fill() {
	if t.filling || t.ended || t.holeEnd() == 0 {
		return
	}
	t.holeTimer.stop()
	t.filling = true
	held, epoch := t.held, t.epoch
	t.loop.platform.spawn(func() {
		items, of, err := t.host.page("after", held)
		t.loop.do(func() {
			t.filling = false
			if t.ended {
				return
			}
			if err != nil {
				t.host.failed(err)
				t.holeTimer = t.loop.after(fillAgain, t.fill)
				return
			}
			if of != epoch || t.epoch != epoch {
				return
			}
			t.takeIn(items)
			if end := t.holeEnd(); t.held == held && end != 0 && !t.behind {
				// The server does not have it any more.
				t.held = end - 1
				t.host.reloaded(nil, true)
				t.takeIn(nil)
			}
			t.fill()
		})
	})
}

func (t *thread) watchHole(delay time.Duration) {
	if t.filling || t.holeTimer.runs() {
		return
	}
	t.holeTimer = t.loop.after(delay, func() {
		if t.holeEnd() != 0 && !t.ended {
			t.host.sync()
			t.watchHole(holeAgain)
		}
	})
}
