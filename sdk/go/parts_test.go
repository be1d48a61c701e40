package frontdesk

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"frontdesk.example/sdk/wire"
)

func TestCloseCodesTellByTheirRange(t *testing.T) {
	for what, codes := range map[AfterClose][]int{
		Reconnect: {1000, 1001, 1006, 1011, 1012, 3000, 3001, 3399, 4000},
		Stop:      {1002, 1003, 1007, 1009, 1010, 3500, 3999},
		NewTicket: {3400, 3499},
	} {
		for _, code := range codes {
			equal(t, WhatAfter(code), what, time.Duration(code).String())
		}
	}
}

func TestTheBackoffDoublesTo30sRandomOverTheWholeRange(t *testing.T) {
	highest := backoff{random: func() float64 { return 1 }}
	var waits []float64
	for range 9 {
		waits = append(waits, highest.next().Seconds())
	}
	equal(t, waits, []float64{0.5, 1, 2, 4, 8, 16, 30, 30, 30}, "waits")
	highest.reset()
	equal(t, highest.next(), 500*time.Millisecond, "after a reset")
	lowest := backoff{random: func() float64 { return 0 }}
	equal(t, lowest.next(), 0, "the lowest")
}

func TestATimelineGivesEachEntryOnceAndInOrderHoweverTheyCome(t *testing.T) {
	items := []wire.TimelineItem{entry(1, "a"), {Skip: &wire.Skip{FromSeq: 2, ToSeq: 3}}, entry(4, "b"), entry(5, "c")}
	for order := range 256 {
		var held timeline
		held.reset(epoch, 0)
		var given []uint64
		accept := func(one *wire.Entry) bool {
			given = append(given, one.Seq)
			return true
		}
		for rest, step := order, 0; step < 4; rest, step = rest/4, step+1 {
			held.take(items[rest%4:rest%4+1], accept)
		}
		if held.take(items, accept) != takenAll {
			t.Fatal("not all was taken")
		}
		equal(t, given, []uint64{1, 4, 5}, "given")
		equal(t, held.held, 5, "held")
	}
}

func TestAnEntryThatASkipCoversAfterItCameEarlyIsNotGiven(t *testing.T) {
	var held timeline
	held.reset(epoch, 1)
	var given []uint64
	accept := func(one *wire.Entry) bool {
		given = append(given, one.Seq)
		return true
	}
	held.take([]wire.TimelineItem{entry(5, "early")}, accept)
	if held.take([]wire.TimelineItem{{Skip: &wire.Skip{FromSeq: 2, ToSeq: 6}}, entry(7, "x")}, accept) != takenAll {
		t.Error("not all was taken")
	}
	equal(t, given, []uint64{7}, "given")
}

func TestAnEntryWithoutRoomIsNotHeldNorIsWhatFollows(t *testing.T) {
	var held timeline
	held.reset(epoch, 0)
	got := held.take([]wire.TimelineItem{entry(1, "a"), entry(2, "b"), entry(3, "c")}, func(one *wire.Entry) bool { return one.Seq != 2 })
	if got != takenFull || held.held != 1 || held.holeEnd() != 0 {
		t.Error(got, held.held, held.holeEnd())
	}
}

func TestAHoleIsClosedHoweverMuchWaitsBehindIt(t *testing.T) {
	var held timeline
	held.reset(epoch, 0)
	var given []uint64
	accept := func(one *wire.Entry) bool {
		given = append(given, one.Seq)
		return true
	}
	var behind, missing, want = []wire.TimelineItem{}, []wire.TimelineItem{}, []uint64{}
	for seq := range uint64(3_200) {
		if seq < 200 {
			missing = append(missing, entry(seq+1, "x"))
		} else {
			behind = append(behind, entry(seq+1, "x"))
		}
		// What found no room is asked for by the next position check.
		if seq < 2_200 {
			want = append(want, seq+1)
		}
	}
	equal(t, held.take(behind, accept), takenHole, "behind")
	equal(t, held.take(missing, accept), takenAll, "missing")
	equal(t, given, want, "given")
	equal(t, held.held, 2_200, "held")
}

func TestAStreamThatWasTakenAwaySendsNoMessage(t *testing.T) {
	stream := &Stream{
		now:   time.Now,
		draft: func(string, bool) {},
		send:  func(text string) *Sending { t.Error("sent ", text); return failed(nil) },
	}
	_, _ = stream.WriteString("a")
	stream.Abort()
	_, err := settled(t, stream.End())
	equal(t, CodeOf(err), "request.invalid", "code")
}

func TestAHoleIsToldAndClosedByASkipThatOverlaps(t *testing.T) {
	var held timeline
	held.reset(epoch, 3)
	all := func(*wire.Entry) bool { return true }
	if got := held.take([]wire.TimelineItem{entry(7, "x")}, all); got != takenHole || held.holeEnd() != 7 {
		t.Error(got, held.holeEnd())
	}
	if got := held.take([]wire.TimelineItem{{Skip: &wire.Skip{FromSeq: 2, ToSeq: 6}}}, all); got != takenAll || held.held != 7 {
		t.Error(got, held.held)
	}
}

func TestAStreamShowsTheTextSoFarAtMostFourTimesASecond(t *testing.T) {
	now := time.UnixMilli(0)
	var lengths []int
	var last string
	var sent []string
	stream := &Stream{
		now: func() time.Time { return now },
		draft: func(text string, _ bool) {
			lengths = append(lengths, utf8.RuneCountInString(text))
			last = text
		},
		send: func(text string) *Sending {
			sent = append(sent, text)
			return failed(nil)
		},
	}
	for range 100 {
		_, _ = stream.WriteString("梅")
		now = now.Add(10 * time.Millisecond)
	}
	equal(t, lengths, []int{1, 26, 51, 76}, "drafts")
	_, _ = stream.WriteString(strings.Repeat("🙂", 1100))
	if len(last) > draftBytesMax || len(last) < draftBytesMax-6 || !utf8.ValidString(last) {
		t.Errorf("%d bytes, whole: %v", len(last), utf8.ValidString(last))
	}
	stream.End()
	stream.End()
	equal(t, sent, []string{stream.Text()}, "sent")
	_, _ = stream.WriteString("more")
	stream.Abort()
	equal(t, len(lengths), 5, "nothing is shown after the end")
}
