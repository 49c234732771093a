package notify

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// How many sends may run at a time on a node. They share the queue's workers
// with everything else, so a receiver that hangs may only hold a few.
const (
	laneLimit    = 2 // to one target
	suspectLimit = 2 // to all targets whose last attempt failed, together
	totalLimit   = 8
)

const (
	firstBackoff = 5 * time.Second
	maxHold      = time.Minute
	busyWait     = time.Second
)

// gate keeps targets from delaying one another. A target whose last attempt failed is
// suspect: it is tried by one send at a time, with pauses in between, and all
// suspects together hold few of the places. So however many are down, the
// healthy ones find a place.
type gate struct {
	mu       sync.Mutex
	running  int
	suspects int // of running, those to suspect targets
	lanes    map[int64]*lane
}

type lane struct {
	running   int
	failures  int // in a row
	heldUntil time.Time
}

// pass is a place in the gate. It must be given back with leave.
type pass struct {
	target  int64
	suspect bool
}

// enter returns a pass, or how long to wait before asking again.
func (g *gate) enter(target int64, now time.Time) (*pass, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lanes[target]
	if l == nil {
		l = &lane{}
	}
	suspect := l.failures > 0
	switch {
	case now.Before(l.heldUntil):
		// Spread those who wait, so that they do not all come back at once.
		wait := l.heldUntil.Sub(now)
		return nil, wait + rand.N(wait+1)
	case g.running >= totalLimit,
		!suspect && l.running >= laneLimit,
		suspect && (l.running >= 1 || g.suspects >= suspectLimit):
		return nil, busyWait
	}
	g.running++
	l.running++
	if suspect {
		g.suspects++
	}
	g.lanes[target] = l
	return &pass{target: target, suspect: suspect}, 0
}

// leave gives the pass back and learns from how the attempt ended: nil for delivered.
func (g *gate) leave(p *pass, now time.Time, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lanes[p.target]
	g.running--
	l.running--
	if p.suspect {
		g.suspects--
	}
	if err != nil && temporary(err) {
		l.failures++
		// Never longer than the pause of the delivery that failed, which is the
		// one to find out whether the target is back.
		hold := doubled(l.failures, firstBackoff, maxHold) * 3 / 4
		if f := fault.As(err); f != nil {
			hold = max(hold, min(f.RetryAfter, maxRetryAfter))
		}
		l.heldUntil = now.Add(hold)
		return
	}
	// A message the receiver refuses says that it is alive.
	l.failures, l.heldUntil = 0, time.Time{}
	if l.running == 0 {
		delete(g.lanes, p.target)
	}
}

// backoff is the pause after the n-th failure in a row: doubled each time, and
// ±25 % so that many do not come back together.
func backoff(n int, first, limit time.Duration) time.Duration {
	return time.Duration(float64(doubled(n, first, limit)) * (0.75 + rand.Float64()/2))
}

// doubled is first, doubled n-1 times, up to limit.
func doubled(n int, first, limit time.Duration) time.Duration {
	if n > 20 {
		return limit
	}
	return min(limit, first<<(n-1))
}
