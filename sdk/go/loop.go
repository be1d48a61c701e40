package frontdesk

import (
	"sync"
	"time"
)

// loop is where everything of one client happens, one thing at a time: what arrives, what a timer starts, what the
// program asks. What the program is told runs beside it, in order, so that it may call the client.
type loop struct {
	platform platform

	mu      sync.Mutex
	events  []func()
	telling bool
	// Called, within the loop, when what was to be told has been told.
	told func()
}

// do runs something within the loop.
func (l *loop) do(run func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	run()
}

// tell has the program told, after what it was to be told before.
func (l *loop) tell(event func()) {
	l.events = append(l.events, event)
	if !l.telling {
		l.telling = true
		l.platform.spawn(l.tellAll)
	}
}

func (l *loop) tellAll() {
	for {
		l.mu.Lock()
		if len(l.events) == 0 {
			l.telling, l.events = false, nil
			if l.told != nil {
				l.told()
			}
			l.mu.Unlock()
			return
		}
		event := l.events[0]
		l.events = l.events[1:]
		l.mu.Unlock()
		event()
	}
}

// timer runs something within the loop, later. A nil one does nothing.
type timer struct {
	inner   Timer
	stopped bool
}

func (l *loop) after(delay time.Duration, run func()) *timer {
	later := &timer{}
	later.inner = l.platform.clock.AfterFunc(delay, func() {
		l.do(func() {
			// It may have been stopped while this waited for its turn.
			if !later.stopped {
				later.stopped = true
				run()
			}
		})
	})
	return later
}

func (t *timer) stop() {
	if t != nil && !t.stopped {
		t.stopped = true
		t.inner.Stop()
	}
}

func (t *timer) runs() bool { return t != nil && !t.stopped }
