package frontdesk

import (
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// A draft follows the one before after so long at the earliest.
	draftEvery = 250 * time.Millisecond
	// What the server takes.
	draftBytesMax = 4096
)

// Stream is an answer that grows: each draft holds the whole text so far, at most a few a second; at the end comes the
// message that takes the draft's place. Drafts may be lost, the message is not.
type Stream struct {
	now   func() time.Time
	draft func(text string, typing bool)
	send  func(text string) *Sending

	mu      sync.Mutex
	text    []byte
	shown   bool
	shownAt time.Time
	ended   bool
	sending *Sending
}

// Text is what was written so far.
func (s *Stream) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// WriteString adds a piece. It never fails; after the end it does nothing.
func (s *Stream) WriteString(piece string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || piece == "" {
		return len(piece), nil
	}
	s.text = append(s.text, piece...)
	now := s.now()
	if !s.shown || now.Sub(s.shownAt) >= draftEvery {
		s.shown, s.shownAt = true, now
		s.draft(cut(s.text), true)
	}
	return len(piece), nil
}

// Write adds a piece, as WriteString does.
func (s *Stream) Write(piece []byte) (int, error) { return s.WriteString(string(piece)) }

// End sends the whole text as a message, once. After Abort it fails.
func (s *Stream) End() *Sending {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended && s.sending == nil {
		return failed(fail("request.invalid", "the stream was aborted"))
	}
	s.ended = true
	if s.sending == nil {
		s.sending = s.send(string(s.text))
	}
	return s.sending
}

// Abort takes the draft away; no message comes. After End it does nothing.
func (s *Stream) Abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && s.shown {
		s.draft("", false)
	}
	s.ended = true
}

// cut gives as much of the text as a draft may hold, in whole characters.
func cut(text []byte) string {
	if len(text) <= draftBytesMax {
		return string(text)
	}
	end := draftBytesMax
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return string(text[:end])
}
