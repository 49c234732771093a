package incident

import (
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// input is what the evidence of the incident is collected about.
func (c *record) input(now time.Time, zone *time.Location) evidence.Input {
	about := c.scope
	in := evidence.Input{Rule: c.Rule.Name, Service: c.Service, Environment: c.Phase, Subject: c.Subject, Condition: about.String(),
		Threshold: about.Threshold, Unit: about.Unit, Minutes: about.Minutes, Count: about.Count, WindowMinutes: about.WindowMinutes, From: about.From, To: about.To, Now: now, Location: zone}
	for _, i := range about.Instances {
		in.Instances = append(in.Instances, evidence.Instance{Name: i.Name, Count: i.Count})
	}
	for _, m := range about.Worst {
		in.Worst = append(in.Worst, evidence.Sample{TraceID: m.TraceID, SpanID: m.SpanID})
	}
	return in
}

// arrived reports whether the bundle tells of the worst transaction as a whole.
// While its entry span is still on the way, a slow call looks like a transaction
// of its own.
func (c *record) arrived(b *ground.Bundle) bool {
	isMatch := func(span string) bool {
		return slices.ContainsFunc(c.scope.Worst, func(m rule.Match) bool { return m.SpanID.String() == span })
	}
	return len(c.scope.Worst) == 0 || slices.ContainsFunc(b.Facts, func(f ground.Fact) bool {
		return f.Kind == ground.Transaction && f.TraceID == c.scope.Worst[0].TraceID.String() && !isMatch(f.SpanID)
	})
}

// alarmOnly is the evidence when no trace can be read: what the alarm says.
func (c *record) alarmOnly(now time.Time, zone *time.Location) *ground.Bundle {
	alarm := evidence.AlarmFact(c.input(now, zone))
	alarm.ID = "E1"
	return &ground.Bundle{Title: c.Title, Facts: []ground.Fact{alarm,
		{ID: "E2", Kind: ground.Note, Text: "The traces of the alarm could not be read: the telemetry engine did not answer."}}}
}
