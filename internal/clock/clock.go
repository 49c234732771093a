// Package clock tells whether the machine's clock has run evenly.
//
// It owns one question: may what is concluded from time that has passed, and from
// nothing else, be believed? Silence is such a conclusion. A clock that is set,
// or a machine that slept, must raise and end no alarm.
package clock

import (
	"sync"
	"time"
)

// tolerance is by how much the clock of the wall may run apart from the
// monotonic one between two looks before that is a jump: time daemons slew by
// 500 ppm at most, which is 0.3 s in ten minutes.
const tolerance = 2 * time.Second

// Watch compares the wall's clock with the monotonic one. It looks whenever it is
// asked, so it must be asked now and then. It is safe for concurrent use.
type Watch struct {
	now func() (wall, monotonic time.Duration)

	mu        sync.Mutex
	apart     time.Duration
	sinceJump time.Duration // monotonic time of the last jump, or of the start
}

// New returns a Watch over the machine's clock, which begins to run evenly now.
func New() *Watch {
	start := time.Now()
	return NewOf(func() (wall, monotonic time.Duration) {
		now := time.Now()
		return now.Round(0).Sub(start.Round(0)), now.Sub(start) // Round strips the monotonic reading
	})
}

// NewOf returns a Watch over other clocks, each as the time that has passed since
// some moment of its own.
func NewOf(now func() (wall, monotonic time.Duration)) *Watch {
	w := &Watch{now: now}
	wall, monotonic := now()
	w.apart, w.sinceJump = wall-monotonic, monotonic
	return w
}

// Even reports whether the clock has run evenly, and this process been there, for
// at least d.
func (w *Watch) Even(d time.Duration) bool {
	wall, monotonic := w.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	apart := wall - monotonic
	if (apart - w.apart).Abs() > tolerance {
		w.sinceJump = monotonic
	}
	w.apart = apart
	return monotonic-w.sinceJump >= d
}
