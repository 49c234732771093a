package incident

import (
	"fmt"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/ground"
)

// input is what the evidence of the incident is collected about.
func (c *record) input(now time.Time) evidence.Input {
	in := evidence.Input{Service: c.Service, Environment: c.Phase, From: c.scope.From, To: c.scope.To,
		ThresholdMs: c.scope.ThresholdMs, Now: now}
	for _, m := range c.scope.Worst {
		in.Worst = append(in.Worst, evidence.Sample{TraceID: m.TraceID, SpanID: m.SpanID})
	}
	return in
}

// alarmOnly is the evidence when no trace can be read: what the alarm says.
func (c *record) alarmOnly() *ground.Bundle {
	const minute = "2006-01-02 15:04"
	from, to := c.scope.From.Format(minute), c.scope.To.Format(minute)
	alarm := ground.Fact{ID: "E1", Kind: ground.Alarm,
		Text: fmt.Sprintf("Alarm %q: SQL response time >= %d ms occurred %d times in %d minutes in %s (phase %s), %s to %s UTC",
			c.Rule.Name, c.scope.ThresholdMs, c.scope.Count, c.scope.WindowMinutes, c.Service, phaseName(c.Phase), from, to),
		Values: []ground.Value{
			{Name: "service", Value: c.Service}, {Name: "phase", Value: phaseName(c.Phase)}, {Name: "rule", Value: c.Rule.Name},
			{Name: "threshold", Value: strconv.Itoa(c.scope.ThresholdMs), Unit: "ms"},
			{Name: "count", Value: strconv.Itoa(c.scope.Count), Unit: "count"},
			{Name: "window", Value: strconv.Itoa(c.scope.WindowMinutes), Unit: "min"},
			{Name: "from", Value: from}, {Name: "to", Value: to},
		}}
	for _, i := range c.Instances {
		alarm.Values = append(alarm.Values, ground.Value{Name: "instance", Value: i.Name},
			ground.Value{Name: "instance_count", Value: strconv.Itoa(i.Count), Unit: "count"})
	}
	return &ground.Bundle{Title: fmt.Sprintf("SQL response time >= %d ms in %s", c.scope.ThresholdMs, c.Service),
		Facts: []ground.Fact{alarm, {ID: "E2", Kind: ground.Note, Text: "The traces of the slow calls could not be read."}}}
}
