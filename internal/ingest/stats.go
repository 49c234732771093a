package ingest

import (
	"sync/atomic"

	"google.golang.org/grpc/codes"
)

// Stats is what the receivers have done since they started.
type Stats struct {
	Requests int64            `json:"requests"`
	Failed   map[string]int64 `json:"failed"`   // requests refused as a whole, by gRPC code
	Accepted int64            `json:"accepted"` // spans stored
	Rejected map[string]int64 `json:"rejected"` // spans refused one by one, by reason
	Bytes    int64            `json:"bytes"`    // of stored requests, decompressed
}

type counters struct {
	requests, accepted, bytes atomic.Int64
	rejected                  [reasonCount]atomic.Int64
	failed                    [codes.Unauthenticated + 1]atomic.Int64
}

func (c *counters) stored(accepted int64, rejected *rejections, size int) {
	c.accepted.Add(accepted)
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
		Requests: s.stats.requests.Load(), Accepted: s.stats.accepted.Load(), Bytes: s.stats.bytes.Load(),
		Failed: map[string]int64{}, Rejected: map[string]int64{},
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
