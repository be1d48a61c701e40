package frontdesk

import "frontdesk.example/sdk/wire"

// earlyMax items may wait for a hole to be filled. More are let go: asking again brings them.
const earlyMax = 2000

type taken int

const (
	takenAll taken = iota
	// takenHole: items are missing before some that came.
	takenHole
	// takenFull: there was no room for an entry; it is not held, nor is anything after it.
	takenFull
)

// timeline is how far a conversation is held without a hole, and what came early. Pure: no clock, no connection.
type timeline struct {
	epoch uint64
	// Everything up to here has been taken.
	held  uint64
	early map[uint64]wire.TimelineItem
}

// position is where this stands; nil before anything is known.
func (t *timeline) position() *wire.Position {
	if t.epoch == 0 {
		return nil
	}
	return &wire.Position{Epoch: t.epoch, Seq: t.held}
}

// reset begins anew, with everything up to held behind it.
func (t *timeline) reset(epoch, held uint64) {
	t.epoch, t.held, t.early = epoch, held, nil
}

// take takes items in, in any order, repeated or not, and gives each entry that extends what is held to accept, once and
// in order. accept says whether there is room for it.
func (t *timeline) take(items []wire.TimelineItem, accept func(*wire.Entry) bool) taken {
	if t.early == nil {
		t.early = map[uint64]wire.TimelineItem{}
	}
	roomy := t.extend(accept)
	for _, item := range items {
		if !roomy {
			break
		}
		low, high := span(item)
		follows := low <= t.held+1
		// What closes a hole is taken however much waits behind it.
		if high <= t.held || !follows && len(t.early) >= earlyMax {
			continue
		}
		t.early[max(low, t.held+1)] = item
		if follows {
			roomy = t.extend(accept)
		}
	}
	switch {
	case !roomy:
		clear(t.early)
		return takenFull
	case len(t.early) > 0:
		return takenHole
	}
	return takenAll
}

// extend gives what follows on what is held; false where there is no room.
func (t *timeline) extend(accept func(*wire.Entry) bool) bool {
	for len(t.early) > 0 {
		at := t.held + 1
		if _, ok := t.early[at]; !ok {
			at = t.holeEnd()
		}
		if at > t.held+1 {
			break
		}
		item := t.early[at]
		delete(t.early, at)
		_, high := span(item)
		if high <= t.held {
			continue
		}
		if item.Entry != nil && !accept(item.Entry) {
			return false
		}
		t.held = high
	}
	return true
}

// holeEnd is the seq before which items are missing; 0 without a hole.
func (t *timeline) holeEnd() uint64 {
	lowest := uint64(0)
	for at := range t.early {
		if lowest == 0 || at < lowest {
			lowest = at
		}
	}
	return lowest
}

// span is the first and last seq of an item.
func span(item wire.TimelineItem) (uint64, uint64) {
	switch {
	case item.Skip != nil:
		return item.Skip.FromSeq, item.Skip.ToSeq
	case item.Entry != nil:
		return item.Entry.Seq, item.Entry.Seq
	}
	return 0, 0
}
