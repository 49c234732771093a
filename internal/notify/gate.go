package notify

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// How many of the queue's workers a receiver that hangs may hold.
const (
	laneLimit    = 2           // sends to one target at a time
	suspectLimit = Workers / 4 // to all targets whose last attempt failed, together
)

const (
	firstBackoff = 5 * time.Second
	maxHold      = time.Minute
	busyWait     = time.Second
	maxBusyWait  = 30 * time.Second
)

// gate keeps targets from delaying one another. A target whose last attempt
// failed is suspect: it is tried by one send at a time, with pauses in between,
// and all suspects together hold few of the workers. So however many are down,
// the healthy ones find a worker.
type gate struct {
	mu       sync.Mutex
	suspects int // sends under way to suspect targets
	lanes    map[int64]*lane
}

type lane struct {
	running   int
	refused   int // since the last send ended
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
	case !suspect && l.running >= laneLimit,
		suspect && (l.running >= 1 || g.suspects >= suspectLimit):
		// The longer the line, the later its end asks again: a thousand messages
		// that wait must not keep the database busy.
		l.refused++
		return nil, min(maxBusyWait, busyWait*time.Duration(1+l.refused/10))
	}
	l.running++
	if suspect {
		g.suspects++
	}
	g.lanes[target] = l
	return &pass{target: target, suspect: suspect}, 0
}

// leave gives the pass back and learns from how the attempt ended: nil for delivered,
// errNotAttempted when there was none.
func (g *gate) leave(p *pass, now time.Time, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lanes[p.target]
	l.running--
	l.refused = 0
	if p.suspect {
		g.suspects--
	}
	if errors.Is(err, errNotAttempted) {
		if l.running == 0 && l.failures == 0 {
			delete(g.lanes, p.target)
		}
		return
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
