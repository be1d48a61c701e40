package frontdesk

import (
	"math"
	"time"
)

const (
	backoffBase = 500 * time.Millisecond
	backoffCap  = 30 * time.Second
)

// backoff says how long to wait before the next attempt: random over a range that doubles, so that thousands cut off at
// once do not come back at once.
type backoff struct {
	random  func() float64
	attempt int
}

func (b *backoff) next() time.Duration {
	ceiling := min(float64(backoffCap), float64(backoffBase)*math.Pow(2, float64(min(b.attempt, 16))))
	b.attempt++
	return time.Duration(b.random() * ceiling)
}

func (b *backoff) reset() { b.attempt = 0 }
