package incident

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// input is what the evidence of the incident is collected about.
func (c *record) input(now time.Time, zone *time.Location) evidence.Input {
	about := c.scope
	in := evidence.Input{Rule: c.Rule.Name, Service: c.Service, Environment: c.Phase, Subject: c.Subject, Condition: about.String(),
		Threshold: about.Threshold, Unit: about.Unit, Minutes: about.Minutes, Count: about.Count, WindowMinutes: about.WindowMinutes, From: about.From, To: about.To, Now: now, Location: zone}
	in.Failed, in.AboutSQL = slices.Contains(aboutFailures, c.Rule.Kind), slices.Contains(aboutSQL, c.Rule.Kind)
	for _, i := range about.Instances {
		in.Instances = append(in.Instances, evidence.Instance{Name: i.Name, Count: i.Count})
	}
	for _, m := range about.Worst {
		in.Worst = append(in.Worst, evidence.Sample{TraceID: m.TraceID, SpanID: m.SpanID})
	}
	return in
}

// disturbed returns the times of the last days in which the project had other
// incidents: nothing of them is usual.
func (s *Service) disturbed(ctx context.Context, c *record) ([]evidence.Period, error) {
	rows, err := s.opts.DB.Query(ctx, `SELECT opened_at, CASE WHEN resolved_at = 0 THEN last_match_at ELSE resolved_at END FROM incident
		WHERE project_id = $1 AND id <> $2 AND opened_at >= $3 ORDER BY opened_at DESC LIMIT 1000`,
		c.Project, c.ID, metadb.Micros(c.OpenedAt.Add(-disturbedSince)))
	periods, err := metadb.Collect(rows, err, func(r *metadb.Rows) (evidence.Period, error) {
		var from, to int64
		err := r.Scan(&from, &to)
		return evidence.Period{From: metadb.FromMicros(from).Add(-beforeAlarm), To: metadb.FromMicros(max(from, to))}, err
	})
	if err != nil {
		return nil, fmt.Errorf("find times of other incidents: %w", err)
	}
	return periods, nil
}

const (
	disturbedSince = 8 * 24 * time.Hour
	beforeAlarm    = 10 * time.Minute // something was wrong before an alarm says so
)

// aboutSQL are the kinds of rules that count how much SQL a transaction runs, however
// long it takes.
var aboutSQL = []string{"many_sql", "repeated_sql"}

// aboutFailures are the kinds of rules of which transactions that failed tell more
// than slow ones.
var aboutFailures = []string{"error_rate", "exception", "failed_external_call", "issue", "slo_burn"}

// arrived reports whether the bundle tells of the worst transaction as a whole.
func (c *record) arrived(b *ground.Bundle) bool {
	return len(c.scope.Worst) == 0 || slices.ContainsFunc(b.Facts, func(f ground.Fact) bool {
		return f.Kind == ground.Transaction && f.TraceID == c.scope.Worst[0].TraceID.String() && !f.Partial
	})
}

// alarmOnly is the evidence when no trace can be read: what the alarm says.
func (c *record) alarmOnly(now time.Time, zone *time.Location) *ground.Bundle {
	alarm := evidence.AlarmFact(c.Project, c.input(now, zone))
	alarm.ID = "E1"
	return &ground.Bundle{Title: c.Title, Facts: []ground.Fact{alarm,
		{ID: "E2", Kind: ground.Note, Text: "The traces of the alarm could not be read: the telemetry engine did not answer."}}}
}
