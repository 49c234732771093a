package evidence

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// Operation is what a service does on request, and each of its parts that has a span.
type Operation struct{ Service, Name string }

// Step is what an execution of an operation does: it calls another operation, or it
// writes a line.
type Step struct {
	Call Operation // zero: it writes a line
	// Line is where in the program it is written or, when that is not known, its pattern.
	Line  string
	Level string // of a line
}

// shape is what the executions of each operation consist of during a time. Its unit
// is the trace: executions of one trace repeat each other, and are no independent
// observations.
type shape struct {
	traces map[Operation]int          // in which it was executed
	steps  map[Operation]map[Step]int // traces in which an execution did it
	own    map[Operation][]float64    // ms of each trace's longest execution without those below it, ascending
	apart  map[Operation][]float64    // ms between a client and what it called; by what was called
	bodies map[Step]string            // a line of each, to know it by
	shown  map[Operation]example      // where each can be seen
	all    int                        // traces
}

// example is an execution of an operation: of those that were seen, the longest.
type example struct {
	trace trace.TraceID
	span  trace.SpanID
	entry bool // with it a service was entered: lists of transactions know it
	ns    int64
}

// shapeOf adds executions, those of a trace side by side, and lines up.
func shapeOf(executions []trace.Execution, lines []logs.Line) *shape {
	s := &shape{traces: map[Operation]int{}, steps: map[Operation]map[Step]int{}, own: map[Operation][]float64{}, apart: map[Operation][]float64{}, bodies: map[Step]string{}, shown: map[Operation]example{}}
	byTrace := map[trace.TraceID][]logs.Line{}
	for _, l := range lines {
		byTrace[l.Trace] = append(byTrace[l.Trace], l)
	}
	for len(executions) > 0 {
		n := 1
		for n < len(executions) && executions[n].Trace == executions[0].Trace {
			n++
		}
		s.add(executions[:n], byTrace[executions[0].Trace])
		executions = executions[n:]
	}
	for _, times := range []map[Operation][]float64{s.own, s.apart} {
		for _, all := range times {
			slices.Sort(all)
		}
	}
	return s
}

// add adds one trace. One of which a part has not arrived is left out: what it did
// not do cannot be told.
func (s *shape) add(executions []trace.Execution, lines []logs.Line) {
	at := make(map[trace.SpanID]int, len(executions))
	for i := range executions {
		at[executions[i].Span] = i
	}
	below := make([][]int, len(executions))
	for i := range executions {
		if parent := executions[i].Parent; parent != 0 {
			above, known := at[parent]
			if !known {
				return
			}
			below[above] = append(below[above], i)
		}
	}
	s.all++
	did := map[Operation]map[Step]bool{}
	own, apart := map[Operation]float64{}, map[Operation]float64{}
	for i := range executions {
		e := &executions[i]
		op := Operation{e.Service, e.Operation}
		if longest, known := s.shown[op]; !known || e.DurationNs > longest.ns {
			s.shown[op] = example{e.Trace, e.Span, e.Kind == trace.KindServer || e.Kind == trace.KindConsumer || e.Parent == 0, e.DurationNs}
		}
		if did[op] == nil {
			did[op] = map[Step]bool{}
		}
		for _, b := range below[i] {
			did[op][Step{Call: Operation{executions[b].Service, executions[b].Operation}}] = true
		}
		alone := alone(executions, e, below[i])
		if e.Kind == trace.KindClient && len(below[i]) == 1 && executions[below[i][0]].Service != e.Service {
			callee := &executions[below[i][0]] // a client does nothing itself: what is left lies between the two
			called := Operation{callee.Service, callee.Operation}
			apart[called] = max(apart[called], alone)
			continue
		}
		own[op] = max(own[op], alone)
	}
	for _, l := range lines {
		i, known := at[trace.SpanID(l.Span)]
		if !known {
			continue
		}
		step := Step{Line: cmp.Or(l.Place, fmt.Sprintf("%016x", l.Pattern)), Level: l.Level.Level()}
		did[Operation{executions[i].Service, executions[i].Operation}][step] = true
		if _, known := s.bodies[step]; !known {
			s.bodies[step] = l.Body
		}
	}
	for op, steps := range did {
		s.traces[op]++
		if s.steps[op] == nil {
			s.steps[op] = map[Step]int{}
		}
		for step := range steps {
			s.steps[op][step]++
		}
	}
	for op, ms := range own {
		s.own[op] = append(s.own[op], ms)
	}
	for op, ms := range apart {
		s.apart[op] = append(s.apart[op], ms)
	}
}

// alone is how long nothing below an execution was going on, in ms.
func alone(all []trace.Execution, e *trace.Execution, below []int) float64 {
	slices.SortFunc(below, func(a, b int) int { return all[a].Start.Compare(all[b].Start) })
	covered, until, end := int64(0), int64(0), e.DurationNs
	for _, b := range below {
		from := max(all[b].Start.Sub(e.Start).Nanoseconds(), until)
		to := min(all[b].Start.Sub(e.Start).Nanoseconds()+all[b].DurationNs, end)
		if to > from {
			covered += to - from
			until = to
		}
	}
	return inMs(e.DurationNs - covered)
}

func inMs(ns int64) float64 { return float64(ns) / 1e6 }
