package ingest

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// memory accounts for the bytes that requests hold while they are read and
// decoded, in all and by project. Spans that wait to be stored are bounded by
// the batcher instead. Nobody waits for room: who did, holding some, could wait
// for others who wait for him.
type memory struct {
	max   int64 // bytes of all requests
	share int64 // bytes of the requests of one project

	mu        sync.Mutex
	used      int64
	byProject map[project.ID]int64
}

// newMemory lets one project use half: what it does, or its slow clients do,
// leaves the other half to the others.
func newMemory(maxBytes int64) *memory {
	return &memory{max: maxBytes, share: maxBytes / 2, byProject: map[project.ID]int64{}}
}

// take takes n bytes for a request of the project, which gives them back, or
// returns fault.Unavailable when they are not there.
func (m *memory) take(p project.ID, n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used+n > m.max || m.byProject[p]+n > m.share {
		return fault.New(fault.Unavailable, "the receiver is busy with other requests").WithRetryAfter(time.Second)
	}
	m.used += n
	m.byProject[p] += n
	return nil
}

func (m *memory) give(p project.ID, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= n
	if m.byProject[p] -= n; m.byProject[p] == 0 {
		delete(m.byProject, p)
	}
}

// rates holds the token bucket of every project that has a limit.
type rates struct {
	now func() time.Time

	mu       sync.Mutex
	limiters map[project.ID]*rate.Limiter
}

func newRates(now func() time.Time) *rates {
	return &rates{now: now, limiters: map[project.ID]*rate.Limiter{}}
}

// minBurst lets a slow project still send an exporter's usual batch at once.
const minBurst = 1000

// take takes n spans out of the tenant's bucket, or says when they would fit. A
// request bigger than the bucket takes all of it.
func (r *rates) take(t Tenant, n int) error {
	if t.SpanRate <= 0 || n == 0 {
		return nil
	}
	now := r.now()
	limit, burst := rate.Limit(t.SpanRate), max(t.SpanRate, minBurst)
	r.mu.Lock()
	l, ok := r.limiters[t.Project]
	if !ok {
		l = rate.NewLimiter(limit, burst)
		r.limiters[t.Project] = l
	}
	r.mu.Unlock()
	if l.Limit() != limit {
		l.SetLimitAt(now, limit)
		l.SetBurstAt(now, burst)
	}
	take := l.ReserveN(now, min(n, burst))
	delay := take.DelayFrom(now)
	if delay == 0 {
		return nil
	}
	take.CancelAt(now)
	return fault.New(fault.RateLimited, "over the project's rate of %d spans/s", t.SpanRate).WithRetryAfter(delay)
}
