package trace

import (
	"cmp"
	"slices"
)

// RepeatedCall is one call that a span made again and again: the same statement, or
// the same call to the same address.
type RepeatedCall struct {
	Parent    int   `json:"parent"` // the span that made them, itself or through a span around each
	Operation int   `json:"operation"`
	Count     int   `json:"count"`
	TotalNs   int64 `json:"total_ns"`   // added up
	CoveredNs int64 `json:"covered_ns"` // less than total_ns when some ran at once
	First     int   `json:"first"`      // the earliest of the spans
	NPlusOne  bool  `json:"n_plus_one"` // it is a SQL statement: most likely one could have fetched all
}

// repeatedCalls is from how many on a call is repeated.
const repeatedCalls = 5

// TraceGap is time of a span that no span below it accounts for.
type TraceGap struct {
	Span    int   `json:"span"`
	FromNs  int64 `json:"from_ns"`
	ToNs    int64 `json:"to_ns"`
	Network bool  `json:"network"` // of a call whose other side is in the trace: on the way, or waiting to be taken up
}

// A gap is told from this share of the trace's duration on, and from this many ns.
const (
	gapShare = 20
	minGap   = 1e6
)

// gaps looks at spans that have others below them: of one without, nothing says
// what it ought to have shown.
func (b *outliner) gaps() {
	all := []TraceGap{}
	long := max(minGap, b.out.DurationNs/gapShare)
	for i := range b.spans {
		if len(b.children[i]) == 0 || b.spans[i].missing || b.spans[i].DurationNs < long {
			continue
		}
		network := b.spans[i].Kind == KindClient && slices.ContainsFunc(b.children[i], func(c int) bool { return b.spans[c].Kind == KindServer })
		for _, left := range uncovered(b.at(i), b.covered(i)) {
			if left.to-left.from >= long {
				all = append(all, TraceGap{Span: b.place[i], FromNs: left.from - b.start, ToNs: left.to - b.start, Network: network})
			}
		}
	}
	slices.SortFunc(all, func(x, y TraceGap) int {
		return cmp.Or(cmp.Compare(y.ToNs-y.FromNs, x.ToNs-x.FromNs), cmp.Compare(x.Span, y.Span), cmp.Compare(x.FromNs, y.FromNs))
	})
	b.out.Gaps = all[:min(len(all), maxGaps)]
}

// repeats finds calls that are made again and again.
func (b *outliner) repeats() {
	type call struct {
		parent  int
		service string
		what    string // the statement's hash, else the operation's name and address
	}
	calls := map[call][]int{}
	for i := range b.spans {
		s := &b.spans[i]
		if s.DB == nil && s.Kind != KindClient && s.Kind != KindProducer || b.wrapsStatement(i) {
			continue
		}
		key := call{parent: b.caller(i), service: s.Service, what: s.title() + "\x00" + s.Peer}
		if s.DB != nil && s.DB.Hash != "" {
			key.what = s.DB.Hash
		}
		if key.parent >= 0 {
			calls[key] = append(calls[key], i)
		}
	}
	type found struct {
		RepeatedCall
		spans []int
	}
	all := []found{}
	for key, spans := range calls {
		if len(spans) < repeatedCalls {
			continue
		}
		first := &b.spans[spans[0]]
		r := found{spans: spans, RepeatedCall: RepeatedCall{
			Parent: b.place[key.parent], Operation: b.out.Spans[b.place[spans[0]]].Operation, Count: len(spans), First: b.place[spans[0]],
			NPlusOne: first.DB != nil && first.DB.Hash != "",
		}}
		at := make([]interval, len(spans))
		for k, i := range spans {
			r.TotalNs += b.spans[i].DurationNs
			at[k] = b.at(i)
		}
		r.CoveredNs = union(at)
		all = append(all, r)
	}
	slices.SortFunc(all, func(x, y found) int {
		return cmp.Or(cmp.Compare(y.CoveredNs, x.CoveredNs), cmp.Compare(x.First, y.First))
	})
	b.out.Repeats = []RepeatedCall{}
	for n, r := range all[:min(len(all), maxRepeats)] {
		b.out.Repeats = append(b.out.Repeats, r.RepeatedCall)
		for _, i := range r.spans {
			b.out.Spans[b.place[i]].Repeat = n + 1
		}
	}
}

// caller returns the span that made a call: its parent, or the first above it
// that did more than make this one call. -1: none.
func (b *outliner) caller(i int) int {
	p := b.parent[i]
	for p >= 0 && len(b.children[p]) == 1 && b.parent[p] >= 0 && !b.opens(p) && b.spans[b.parent[p]].Service == b.spans[i].Service {
		p = b.parent[p]
	}
	return p
}

// wrapsStatement reports whether span i is a mapper's own record of the
// statement that the span below it, the driver's, ran.
func (b *outliner) wrapsStatement(i int) bool {
	s := &b.spans[i]
	return s.DB != nil && s.DB.Hash != "" && slices.ContainsFunc(b.children[i], func(c int) bool {
		db := b.spans[c].DB
		return db != nil && db.Hash == s.DB.Hash
	})
}
