package trace

import (
	"cmp"
	"slices"
)

// PathPart is a part of a trace's critical path: time in which the request
// waited for this span itself. Making it shorter would have made the trace
// shorter, by as much at most.
type PathPart struct {
	Span   int   `json:"span"`
	FromNs int64 `json:"from_ns"`
	ToNs   int64 `json:"to_ns"`
}

// PathShare is how much of the critical path the spans of one operation are.
type PathShare struct {
	Operation int   `json:"operation"`
	Spans     int   `json:"spans"`
	TotalNs   int64 `json:"total_ns"`
	Longest   int   `json:"longest"` // the span with the most of it
}

// criticalPath finds the critical path of the longest root as CRISP does (Zhang
// et al., "CRISP: Critical Path Analysis of Large-Scale Microservice
// Architectures", USENIX ATC 2022; Jaeger draws the same): from the end back
// along the child that ended last, then from that child's start. It differs in
// two ways. A child that overlaps the one after it counts up to that one's
// start, where CRISP leaves it out altogether: siblings that run in turn overlap
// by the microseconds their clocks tick in. And a child that its parent did not
// wait for (awaited) is left out, where CRISP cuts it at its parent's end.
func (b *outliner) criticalPath() {
	b.out.CriticalPath = []PathPart{}
	root := -1
	for i, p := range b.parent {
		if p < 0 && (root < 0 || b.spans[i].DurationNs > b.spans[root].DurationNs) {
			root = i
		}
	}
	if root >= 0 {
		b.walkBack(root, b.at(root))
	}
	slices.Reverse(b.out.CriticalPath)
	b.shares()
}

// walkBack appends, last first, the critical path of span i within a window.
func (b *outliner) walkBack(i int, window interval) {
	own := b.at(i)
	from, until := max(own.from, window.from), min(own.to, window.to)
	var waited []int
	for _, c := range b.children[i] {
		if b.awaited(c) {
			waited = append(waited, c)
		}
	}
	slices.SortStableFunc(waited, func(x, y int) int { return cmp.Compare(b.at(y).to, b.at(x).to) })
	for _, c := range waited {
		child := b.at(c)
		if child.from >= until || child.to <= from {
			continue // until only falls: nothing of it will be before it
		}
		b.part(i, child.to, until)
		until = min(until, child.to)
		b.walkBack(c, interval{from, until})
		until = max(from, child.from)
	}
	b.part(i, from, until)
}

// part appends time of span i.
func (b *outliner) part(i int, from, to int64) {
	if to > from {
		b.out.CriticalPath = append(b.out.CriticalPath, PathPart{Span: b.place[i], FromNs: from - b.start, ToNs: to - b.start})
	}
}

func (b *outliner) shares() {
	of := make(map[int]int64, len(b.out.CriticalPath)) // ns by span
	for _, p := range b.out.CriticalPath {
		of[p.Span] += p.ToNs - p.FromNs
	}
	byOperation := map[int]*PathShare{}
	for span, ns := range of {
		op := b.out.Spans[span].Operation
		s := byOperation[op]
		if s == nil {
			s = &PathShare{Operation: op, Longest: span}
			byOperation[op] = s
		}
		s.Spans++
		s.TotalNs += ns
		if ns > of[s.Longest] || ns == of[s.Longest] && span < s.Longest {
			s.Longest = span
		}
	}
	all := make([]PathShare, 0, len(byOperation))
	for _, s := range byOperation {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(x, y PathShare) int {
		return cmp.Or(cmp.Compare(y.TotalNs, x.TotalNs), cmp.Compare(x.Operation, y.Operation))
	})
	b.out.Shares = all[:min(len(all), maxShares)]
}
