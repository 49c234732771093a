package evidence

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// How an operation deviates from its usual.
const (
	StepMore  = "step_more" // it does something more often, or that it never does
	StepLess  = "step_less" // it does something less often, or no more
	Slower    = "slower"    // it takes longer itself, without what it calls
	Apart     = "apart"     // between its callers and itself more time goes by
	Saturated = "saturated" // its service has used up a resource
)

// Deviation is what is not as usual about an operation. Strength is the logarithm
// of how much better two rates, or two times, explain what was seen than one: in
// nats, so 3 happens by chance once in a hundred times or so.
type Deviation struct {
	Kind      string
	Operation Operation
	Step      Step   // of StepMore and StepLess
	Line      string // a line of the step, "" for a call
	Resource  string // of Saturated
	// Usual and Now are shares of traces for steps, milliseconds (medians) for times
	// and shares of the limit for resources.
	Usual, Now float64
	Traces     int // now
	Strength   float64
}

const (
	leastStrength = 1.0 // of a deviation that is worth a look
	leastTimes    = 4   // traces, for times to be compared
	slowFactor    = 2   // by which a median grows
	slowMs        = 5   // and by how much
)

// compare returns how now deviates from what is usual, the strongest first. Each
// earlier time is compared by itself, and what counts is the lower quartile: a step
// whose rate moves with the load or with the data has moved before, and a time that
// was not usual itself does not hide what is not usual now.
func compare(now *shape, usual []*shape) []Deviation {
	var all []Deviation
	for op, n := range now.traces {
		steps := map[Step]bool{}
		for step := range now.steps[op] {
			steps[step] = true
		}
		for _, u := range usual {
			for step := range u.steps[op] {
				steps[step] = true
			}
		}
		for step := range steps {
			if d, ok := compareStep(now, usual, op, step, n); ok {
				all = append(all, d)
			}
		}
		if d, ok := compareTimes(Slower, op, now.own[op], usual, func(u *shape) []float64 { return u.own[op] }); ok {
			all = append(all, d)
		}
	}
	for op, times := range now.apart {
		if d, ok := compareTimes(Apart, op, times, usual, func(u *shape) []float64 { return u.apart[op] }); ok {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, byStrength)
	return all
}

func byStrength(a, b Deviation) int {
	return cmp.Or(cmp.Compare(b.Strength, a.Strength), cmp.Compare(a.Kind, b.Kind), a.Operation.compare(b.Operation), a.Step.Call.compare(b.Step.Call),
		cmp.Compare(a.Step.Line, b.Step.Line), cmp.Compare(a.Step.Level, b.Step.Level))
}

func (o Operation) compare(other Operation) int {
	return cmp.Or(cmp.Compare(o.Service, other.Service), cmp.Compare(o.Name, other.Name))
}

// against is a comparison with one earlier time.
type against struct{ strength, usual float64 }

// typical is the lower quartile of comparisons, by strength.
func typical(all []against) against {
	slices.SortFunc(all, func(a, b against) int { return cmp.Compare(a.strength, b.strength) })
	return all[len(all)/4]
}

func compareStep(now *shape, usual []*shape, op Operation, step Step, n int) (Deviation, bool) {
	k := now.steps[op][step]
	var all []against
	line := now.bodies[step]
	for _, u := range usual {
		if before := u.traces[op]; before > 0 {
			all = append(all, against{ratesDiffer(u.steps[op][step], before, k, n), float64(u.steps[op][step]) / float64(before)})
			line = cmp.Or(line, u.bodies[step])
		}
	}
	if len(all) == 0 {
		return Deviation{}, false
	}
	t := typical(all)
	d := Deviation{Kind: StepMore, Operation: op, Step: step, Line: line, Usual: t.usual, Now: float64(k) / float64(n), Traces: n, Strength: t.strength}
	if d.Now < d.Usual {
		d.Kind = StepLess
	}
	return d, d.Strength >= leastStrength
}

func compareTimes(kind string, op Operation, now []float64, usual []*shape, of func(*shape) []float64) (Deviation, bool) {
	var all []against
	for _, u := range usual {
		before := of(u)
		if len(before) < leastTimes || len(now) < leastTimes {
			continue
		}
		a := against{usual: median(before)}
		if m := median(now); m > slowFactor*a.usual && m-a.usual > slowMs {
			a.strength = largerRanks(before, now)
		}
		all = append(all, a)
	}
	if len(all) == 0 {
		return Deviation{}, false
	}
	t := typical(all)
	d := Deviation{Kind: kind, Operation: op, Usual: t.usual, Now: median(now), Traces: len(now), Strength: t.strength}
	return d, d.Strength >= leastStrength
}

// ratesDiffer is the logarithm of the likelihood ratio of k0 of n0 and k1 of n1
// having two rates rather than one, each with half an observation of either kind
// more, so that few observations prove little (Dunning, Accurate Methods for the
// Statistics of Surprise and Coincidence, 1993).
func ratesDiffer(k0, n0, k1, n1 int) float64 {
	const more = 0.5
	rate := func(k, n int) float64 { return (float64(k) + more) / (float64(n) + 2*more) }
	one := (float64(k0+k1) + more) / (float64(n0+n1) + 2*more)
	return likelihood(k0, n0, rate(k0, n0)) + likelihood(k1, n1, rate(k1, n1)) - likelihood(k0, n0, one) - likelihood(k1, n1, one)
}

func likelihood(k, n int, p float64) float64 {
	return float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p)
}

// largerRanks is how surprising it is that the ranks of b among both are as large
// as they are: half the square of the normal score of the rank sum (Mann and
// Whitney 1947), which is in nats as ratesDiffer is; 0 when they are not larger.
// Both ascend.
func largerRanks(a, b []float64) float64 {
	n, m := float64(len(a)), float64(len(b))
	sum := 0.0
	for i, j := 0, 0; i < len(a) || j < len(b); {
		v := math.Inf(1)
		if i < len(a) {
			v = a[i]
		}
		if j < len(b) {
			v = min(v, b[j])
		}
		before, ofB := i+j, j
		for i < len(a) && a[i] == v {
			i++
		}
		for j < len(b) && b[j] == v {
			j++
		}
		sum += float64(j-ofB) * float64(before+1+i+j) / 2 // the mean rank of what is equal
	}
	z := (sum - m*(m+1)/2 - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	return z * max(z, 0) / 2
}

// median of ascending values.
func median(values []float64) float64 {
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// Cause is a service that may be why. Deviations are its own, the strongest first.
type Cause struct {
	Service    string
	Strength   float64
	Deviations []Deviation
	// By is the service whose change explains that of this one, which calls it; "" for none.
	By string
}

const (
	explains      = 0.3 // of its caller's strength, that a change has at least
	explained     = 0.3 // of that is left for the caller
	maxDeviations = 8   // of a cause
)

// causes ranks the services that deviate, the most likely cause first. A service
// that calls another, of which an operation below the one that deviates has changed
// as well, is mostly the one that noticed.
func causes(all []Deviation, now *shape, usual []*shape) []Cause {
	best := map[Operation]float64{}
	by := map[string]*Cause{}
	for _, d := range all { // the strongest first
		best[d.Operation] = max(best[d.Operation], d.Strength)
		c := by[d.Operation.Service]
		if c == nil {
			c = &Cause{Service: d.Operation.Service, Strength: d.Strength}
			by[c.Service] = c
		}
		if len(c.Deviations) < maxDeviations {
			c.Deviations = append(c.Deviations, d)
		}
	}
	below := calls(append([]*shape{now}, usual...))
	ranked := make([]Cause, 0, len(by))
	for _, c := range by {
		if first := c.Deviations[0]; first.Kind != Saturated {
			strongest := 0.0
			for op := range below.reach(first.Operation) {
				if s := best[op]; op.Service != c.Service && s >= explains*c.Strength && (s > strongest || s == strongest && op.Service < c.By) {
					c.By, strongest = op.Service, s
				}
			}
			if c.By != "" {
				c.Strength = min(c.Strength, explained*strongest)
			}
		}
		ranked = append(ranked, *c)
	}
	slices.SortFunc(ranked, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Strength, a.Strength), cmp.Compare(a.Service, b.Service))
	})
	return ranked
}

// callees are the operations that an operation calls.
type callees map[Operation]map[Operation]bool

func calls(shapes []*shape) callees {
	all := callees{}
	for _, s := range shapes {
		for op, steps := range s.steps {
			for step := range steps {
				if step.Call == (Operation{}) {
					continue
				}
				if all[op] == nil {
					all[op] = map[Operation]bool{}
				}
				all[op][step.Call] = true
			}
		}
	}
	return all
}

// reach returns the operations that may be called below one.
func (c callees) reach(op Operation) map[Operation]bool {
	seen := map[Operation]bool{}
	next := []Operation{op}
	for len(next) > 0 {
		op, next = next[len(next)-1], next[:len(next)-1]
		for called := range maps.Keys(c[op]) {
			if !seen[called] {
				seen[called] = true
				next = append(next, called)
			}
		}
	}
	return seen
}
