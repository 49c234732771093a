package ingest

import (
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
)

// Stats is what the receivers have done since they started.
type Stats struct {
	Requests int64            `json:"requests"`
	Failed   map[string]int64 `json:"failed"`   // requests refused as a whole, by gRPC code
	Accepted map[string]int64 `json:"accepted"` // items stored, by signal: "traces" counts spans
	Rejected map[string]int64 `json:"rejected"` // items refused one by one, by reason
	Waiting  int              `json:"waiting"`  // rows not stored yet
	Bytes    int64            `json:"bytes"`    // of stored requests, decompressed
}

type counters struct {
	requests, bytes atomic.Int64
	accepted        sync.Map // signal → *atomic.Int64
	rejected        [reasonCount]atomic.Int64
	failed          [codes.Unauthenticated + 1]atomic.Int64
}

func (c *counters) stored(signal string, accepted int64, rejected *rejections, size int) {
	count, _ := c.accepted.LoadOrStore(signal, new(atomic.Int64))
	count.(*atomic.Int64).Add(accepted)
	c.bytes.Add(int64(size))
	for i, n := range rejected {
		if n > 0 {
			c.rejected[i].Add(n)
		}
	}
}

func (c *counters) refused(code codes.Code) {
	if int(code) < len(c.failed) {
		c.failed[code].Add(1)
	}
}

// Stats returns a snapshot of the counters.
func (s *Server) Stats() Stats {
	out := Stats{
		Requests: s.stats.requests.Load(), Accepted: map[string]int64{}, Bytes: s.stats.bytes.Load(),
		Failed: map[string]int64{}, Rejected: map[string]int64{},
	}
	s.stats.accepted.Range(func(signal, count any) bool {
		out.Accepted[signal.(string)] = count.(*atomic.Int64).Load()
		return true
	})
	for i := range s.ports {
		out.Waiting += s.ports[i].waiting()
	}
	for i := range s.stats.rejected {
		out.Rejected[reasonNames[i]] = s.stats.rejected[i].Load()
	}
	for i := range s.stats.failed {
		if n := s.stats.failed[i].Load(); n > 0 {
			out.Failed[codes.Code(i).String()] = n
		}
	}
	return out
}
