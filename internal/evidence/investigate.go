package evidence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// Period is a time of which telemetry is read, [From, To).
type Period struct{ From, To time.Time }

// Investigator looks for the cause of what happened in a time. It is safe for
// concurrent use.
type Investigator struct {
	traces  *trace.Store
	logs    *logs.Store
	metrics *metric.Engine
}

// NewInvestigator returns an Investigator that reads from these.
func NewInvestigator(traces *trace.Store, logs *logs.Store, metrics *metric.Engine) *Investigator {
	return &Investigator{traces: traces, logs: logs, metrics: metrics}
}

const (
	maxTracesRead = 1000            // of a period
	late          = 2 * time.Minute // that a line of a trace may be written after its period
)

// Observed is what was seen of a project in a time: what executions of its
// operations consist of, and how much of their resources services used.
type Observed struct {
	shape *shape
	used  map[string]map[string]float64 // by resource and service
}

// Observe reads a time, of many traces a sample.
func (v *Investigator) Observe(ctx context.Context, p project.ID, of Period) (*Observed, error) {
	executions, err := v.traces.Executions(ctx, p, of.From, of.To, maxTracesRead)
	if err != nil {
		return nil, fmt.Errorf("observe traces: %w", err)
	}
	var ids [][16]byte
	for i := range executions {
		if i == 0 || executions[i].Trace != executions[i-1].Trace {
			ids = append(ids, executions[i].Trace)
		}
	}
	lines, read, err := v.logs.Lines(ctx, p, of.From, of.To.Add(late), ids)
	if err != nil {
		return nil, fmt.Errorf("observe logs: %w", err)
	}
	executions = slices.DeleteFunc(executions, func(e trace.Execution) bool { return !read(e.Trace) })
	o := &Observed{shape: shapeOf(executions, lines), used: map[string]map[string]float64{}}
	resources, err := v.sent(ctx, p, of)
	if err != nil {
		return nil, fmt.Errorf("observe resources: %w", err)
	}
	for _, resource := range resources {
		if o.used[resource], err = v.used(ctx, p, resource, of); err != nil {
			return nil, fmt.Errorf("observe resources: %w", err)
		}
	}
	return o, nil
}

// Traces is how many traces were looked at.
func (o *Observed) Traces() int { return o.shape.all }

// Below returns the services that a service called, itself and all they called.
func (o *Observed) Below(service string) map[string]bool {
	below := calls([]*shape{o.shape})
	services := map[string]bool{service: true}
	for op := range o.shape.traces {
		if op.Service == service {
			for called := range below.reach(op) {
				services[called.Service] = true
			}
		}
	}
	return services
}

// Causes ranks the services that may be why something was not as usual in a time,
// the most likely first: those of which an operation does what it does not do
// usually, does no more what it does, takes longer itself, or has used up a
// resource. Each of the usual times is compared by itself; without one there is
// nothing to compare with, and no cause. It asks no model and knows nothing of names.
func Causes(now *Observed, usual []*Observed) []Cause {
	before := make([]*shape, len(usual))
	for i, o := range usual {
		before[i] = o.shape
	}
	deviations := append(compare(now.shape, before), saturated(now, usual)...)
	slices.SortStableFunc(deviations, byStrength)
	return causes(deviations, now.shape, before)
}
