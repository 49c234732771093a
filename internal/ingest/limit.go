package ingest

import (
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// memory accounts for the bytes that requests hold while they are read and
// decoded, in all and by project. Rows that wait to be stored are bounded by
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

// rates holds the token buckets of every project that has a limit. It is of this
// node: over several nodes, a project's rate is that of each.
type rates struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

// bucketKey names a bucket: a project's spans do not wait for its logs.
type bucketKey struct {
	project project.ID
	signal  string
}

type bucket struct {
	items float64 // that may come now; below zero after a request larger than the bucket
	at    time.Time
}

func newRates(now func() time.Time) *rates {
	return &rates{now: now, buckets: map[bucketKey]*bucket{}}
}

// minBurst lets a slow project still send an exporter's usual batch at once.
const minBurst = 1000

func burst(rate int) float64 { return float64(max(rate, minBurst)) }

// take takes n items out of the tenant's bucket, or says when they would fit. A
// request bigger than the bucket waits for a full one, and leaves a debt: the
// requests after it wait until the rate has made up for it.
func (r *rates) take(t Tenant, s *signal, n int) error {
	rate := t.Rate.Of(s.rate)
	if rate <= 0 || n == 0 {
		return nil
	}
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	b, ok := r.buckets[bucketKey{t.Project, s.name}]
	if !ok {
		b = &bucket{items: burst(rate), at: now}
		r.buckets[bucketKey{t.Project, s.name}] = b
	}
	b.items = min(b.items+now.Sub(b.at).Seconds()*float64(rate), burst(rate))
	b.at = now
	if missing := min(float64(n), burst(rate)) - b.items; missing > 0 {
		wait := time.Duration(missing / float64(rate) * float64(time.Second))
		return fault.New(fault.RateLimited, "over the project's rate of %d %s/s", rate, s.items).WithRetryAfter(wait)
	}
	b.items -= float64(n)
	return nil
}

// pay takes n items out of the tenant's rate. What it returns is called with what
// became of them: those that are to come again were not taken.
func (s *Server) pay(t Tenant, of *signal, n int) (settle func(error), err error) {
	if err := s.rates.take(t, of, n); err != nil {
		return nil, err
	}
	return func(err error) {
		if fault.Is(err, fault.Unavailable) {
			s.rates.refund(t, of, n)
		}
	}, nil
}

// refund gives back what take took for a request that is to come again.
func (r *rates) refund(t Tenant, s *signal, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b, ok := r.buckets[bucketKey{t.Project, s.name}]; ok {
		b.items = min(b.items+float64(n), burst(t.Rate.Of(s.rate)))
	}
}
