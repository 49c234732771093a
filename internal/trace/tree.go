package trace

import (
	"cmp"
	"slices"
	"time"
)

// tree is the parentage of a trace's spans, made whole: whatever the spans
// claim, every span has one place in it and there are no cycles.
type tree struct {
	spans    []Span
	parent   []int   // -1: none
	children [][]int // by start
	top      []int   // the span that begins the transaction a span belongs to
}

// spanKey tells a repeated delivery of one span from two spans that share an
// id, as client and server do in traces that came from Zipkin.
type spanKey struct {
	id      SpanID
	service string
	kind    Kind
}

// distinct sorts spans by start and drops repeated deliveries; of those the
// first by start, then the longest, stays.
func distinct(spans []Span) []Span {
	slices.SortStableFunc(spans, func(a, b Span) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(b.DurationNs, a.DurationNs), cmp.Compare(a.SpanID, b.SpanID))
	})
	seen := make(map[spanKey]bool, len(spans))
	return slices.DeleteFunc(spans, func(s Span) bool {
		key := spanKey{s.SpanID, s.Service, s.Kind}
		repeated := seen[key]
		seen[key] = true
		return repeated
	})
}

func newTree(spans []Span) *tree {
	t := &tree{spans: distinct(slices.Clone(spans))}
	t.parent = make([]int, len(t.spans))
	t.findParents()
	t.breakCycles()
	t.adoptOrphans()
	t.children = make([][]int, len(t.spans))
	for i, p := range t.parent {
		if p >= 0 {
			t.children[p] = append(t.children[p], i)
		}
	}
	t.findTops()
	return t
}

// findParents prefers, of several spans with the parent's id, the one of the
// same service.
func (t *tree) findParents() {
	byID := make(map[SpanID][]int, len(t.spans))
	for i := range t.spans {
		byID[t.spans[i].SpanID] = append(byID[t.spans[i].SpanID], i)
	}
	for i := range t.spans {
		s := &t.spans[i]
		t.parent[i] = -1
		if s.ParentID == 0 {
			continue
		}
		for _, j := range byID[s.ParentID] {
			if j == i {
				continue
			}
			if t.parent[i] < 0 || t.spans[j].Service == s.Service {
				t.parent[i] = j
			}
			if t.spans[j].Service == s.Service {
				break
			}
		}
	}
}

// breakCycles takes its parent from the span of a cycle that started first.
func (t *tree) breakCycles() {
	visit := make([]int, len(t.spans)) // the walk, counted from 1, that came here first
	for i := range t.spans {
		for j := i; j >= 0 && visit[j] == 0; j = t.parent[j] {
			visit[j] = i + 1
			if p := t.parent[j]; p >= 0 && visit[p] == i+1 {
				first := p
				for k := t.parent[p]; k != p; k = t.parent[k] {
					first = min(first, k)
				}
				t.parent[first] = -1
				break
			}
		}
	}
}

// opens reports whether span i begins a transaction whatever its parent is.
func (t *tree) opens(i int) bool {
	s := &t.spans[i]
	return s.Kind == KindServer || s.Kind == KindConsumer || s.Entry && s.ParentID == 0
}

// adoptOrphans gives a span whose parent is missing, and which begins nothing
// itself, to the transaction of its instance that ran when it started: the last
// to start of those, else the last to start before it, else the first.
func (t *tree) adoptOrphans() {
	entries := map[instance][]int{}
	for i := range t.spans {
		if t.opens(i) {
			entries[t.instance(i)] = append(entries[t.instance(i)], i)
		}
	}
	for i := range t.spans {
		if t.parent[i] < 0 && !t.opens(i) {
			t.parent[i] = t.running(entries[t.instance(i)], i)
		}
	}
}

// lookBack bounds how many transactions are looked at for one that still ran.
const lookBack = 500

// running returns the entry that span i is taken to belong to, -1 when there is
// none. The entries are in the order of the spans, by start.
func (t *tree) running(entries []int, i int) int {
	s := &t.spans[i]
	after, _ := slices.BinarySearchFunc(entries, s.Start, func(e int, start time.Time) int {
		if t.spans[e].Start.After(start) {
			return 1
		}
		return -1
	})
	before := -1
	for _, e := range slices.Backward(entries[max(0, after-lookBack):after]) {
		switch {
		case t.descends(e, i):
		case !t.spans[e].End().Before(s.Start):
			return e
		case before < 0:
			before = e
		}
	}
	for _, e := range entries[after:] {
		if before >= 0 {
			break
		}
		if !t.descends(e, i) {
			before = e
		}
	}
	return before
}

// descends reports whether span i is ancestor or one of its descendants.
func (t *tree) descends(i, ancestor int) bool {
	for ; i >= 0; i = t.parent[i] {
		if i == ancestor {
			return true
		}
	}
	return false
}

// findTops cuts the tree at the borders of transactions: an entry span, a span
// of another service than its parent's, a span without any parent.
func (t *tree) findTops() {
	t.top = make([]int, len(t.spans))
	var walk func(i, top int)
	walk = func(i, top int) {
		t.top[i] = top
		for _, c := range t.children[i] {
			if t.opens(c) || t.spans[c].Service != t.spans[i].Service {
				walk(c, c)
			} else {
				walk(c, top)
			}
		}
	}
	for i, p := range t.parent {
		if p < 0 {
			walk(i, i)
		}
	}
}

// find returns the span with that id, preferring one that begins a
// transaction; for 0 the longest that does, else the first. -1: none.
func (t *tree) find(id SpanID) int {
	best := -1
	for i := range t.spans {
		switch {
		case id != 0 && t.spans[i].SpanID != id, id == 0 && t.top[i] != i:
		case best < 0:
			best = i
		case id != 0 && t.top[i] == i && t.top[best] != best:
			best = i
		case id == 0 && t.spans[i].DurationNs > t.spans[best].DurationNs:
			best = i
		}
	}
	return best
}
