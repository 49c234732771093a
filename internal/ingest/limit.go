package ingest

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// memory bounds the bytes that all requests hold together while they are read
// and decoded. Spans that wait to be stored are bounded by the batcher instead.
type memory struct {
	sem *semaphore.Weighted
	max int64
}

// maxMemoryWait is how long a request waits for room before its caller is told
// to come back.
const maxMemoryWait = 2 * time.Second

func newMemory(maxBytes int64) *memory {
	return &memory{sem: semaphore.NewWeighted(maxBytes), max: maxBytes}
}

// acquire takes n bytes, and all there is when n is more. What it returns is to
// be released.
func (m *memory) acquire(ctx context.Context, n int64) (int64, error) {
	n = min(n, m.max)
	if m.sem.TryAcquire(n) {
		return n, nil
	}
	waitCtx, cancel := context.WithTimeout(ctx, maxMemoryWait)
	defer cancel()
	if err := m.sem.Acquire(waitCtx, n); err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, fault.New(fault.Unavailable, "the receiver is busy with other requests").WithRetryAfter(time.Second)
	}
	return n, nil
}

func (m *memory) release(n int64) { m.sem.Release(n) }

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
