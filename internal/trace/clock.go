package trace

import "slices"

// clocks puts the spans of a trace on one clock, that of the roots, as far as the
// calls between instances prove that clocks disagree. It shifts as Jaeger's
// clock skew adjuster does (a called span that is not longer than its caller
// goes into the middle of it), but on less suspicion: only what cannot be is
// shifted, never a call that its caller gave up waiting for.
type clocks struct {
	tree  *tree
	shift []int64 // ns to add to the times of a span
	found []shifted
}

// shifted is a span that begins on a clock of another instance.
type shifted struct {
	span  int
	shift int64
}

// skewWorthTelling in ns: clocks kept by NTP disagree by less.
const skewWorthTelling = 1e6

func newClocks(t *tree) *clocks {
	c := &clocks{tree: t, shift: make([]int64, len(t.spans))}
	type pair struct{ from, to instance }
	largest := map[pair]int{}
	var walk func(i int)
	walk = func(i int) {
		for _, child := range t.children[i] {
			if t.instance(child) == t.instance(i) || t.spans[i].missing {
				c.shift[child] = c.shift[i]
			} else {
				c.shift[child] = c.disagreement(i, child)
				key := pair{t.instance(i), t.instance(child)}
				// What the caller's own clock is off by says nothing new about the called one.
				if off := c.shift[child] - c.shift[i]; max(off, -off) >= skewWorthTelling && c.shift[child] != 0 {
					if at, ok := largest[key]; !ok {
						largest[key] = len(c.found)
						c.found = append(c.found, shifted{child, off})
					} else if was := c.found[at].shift; max(off, -off) > max(was, -was) {
						c.found[at] = shifted{child, off}
					}
				}
			}
			walk(child)
		}
	}
	for i, p := range t.parent {
		if p < 0 {
			walk(i)
		}
	}
	return c
}

// instance is a process: what it records is by one clock.
type instance struct{ service, name string }

func (t *tree) instance(i int) instance { return instance{t.spans[i].Service, t.spans[i].Instance} }

// disagreement returns by how much a span must be shifted to lie where its
// parent, of another instance, can have called it.
func (c *clocks) disagreement(parent, child int) int64 {
	p, s := c.at(parent), &c.tree.spans[child]
	own := s.interval()
	caller := &c.tree.spans[parent]
	early := own.from < p.from
	// The answer was there before the call arrived. A caller that failed may
	// have given up while its call still waited in a queue.
	late := own.from >= p.to && p.to > p.from && s.Kind == KindServer && caller.Kind == KindClient && !caller.failed()
	switch slack := (p.to - p.from) - s.DurationNs; {
	case !early && !late:
		return 0
	case s.Kind == KindConsumer || slack < 0:
		return p.from - own.from
	default:
		return p.from + slack/2 - own.from
	}
}

// at is the time of span i by the clock of the roots.
func (c *clocks) at(i int) interval {
	own := c.tree.spans[i].interval()
	return interval{own.from + c.shift[i], own.to + c.shift[i]}
}

// tolerance is by how much, in ns, a span may end after its parent and still be
// a part of it: the two take their times one after the other.
func tolerance(parent *Span) int64 { return min(1e6, parent.DurationNs/100) }

// outlives reports whether span i ended after its parent.
func (c *clocks) outlives(i int) bool {
	p := c.tree.parent[i]
	return p >= 0 && !c.tree.spans[p].missing && c.at(i).to > c.at(p).to+tolerance(&c.tree.spans[p])
}

// covered returns what the children of span i cover of it.
func (c *clocks) covered(i int) []interval {
	own := c.at(i)
	below := make([]interval, 0, len(c.tree.children[i]))
	for _, child := range c.tree.children[i] {
		at := c.at(child)
		if at = (interval{max(at.from, own.from), min(at.to, own.to)}); at.to > at.from {
			below = append(below, at)
		}
	}
	return below
}

// awaited reports whether the parent of span i can have waited for it: not for
// the receiver of a message, not for what its own process still did when it had
// ended. A call into another process may have been given up.
func (c *clocks) awaited(i int) bool {
	p := c.tree.parent[i]
	if c.tree.spans[i].Kind == KindConsumer || c.tree.spans[p].Kind == KindProducer {
		return false
	}
	if c.tree.spans[p].missing {
		return true
	}
	return !c.outlives(i) || c.tree.instance(i) != c.tree.instance(p)
}

// uncovered returns what spans, which it sorts, leave of whole.
func uncovered(whole interval, spans []interval) []interval {
	slices.SortFunc(spans, func(a, b interval) int { return int(min(1, max(-1, a.from-b.from))) })
	var left []interval
	until := whole.from
	for _, s := range spans {
		if s.from > until {
			left = append(left, interval{until, s.from})
		}
		until = max(until, s.to)
	}
	if whole.to > until {
		left = append(left, interval{until, whole.to})
	}
	return left
}
