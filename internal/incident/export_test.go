package incident

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/rule"
)

// AlarmText is the plain alarm.
func AlarmText(f rule.Firing, projectName string, zone *time.Location) string {
	return alarmText(f, projectName, zone)
}

// RunAnalysis runs the job of an analysis once.
func (s *Service) RunAnalysis(ctx context.Context, incident, run int64) error {
	return s.analyze(ctx, analyzeJob{Incident: incident, Run: run})
}

// RunQuiet runs the job that ends an incident once.
func (s *Service) RunQuiet(ctx context.Context, incident int64) error {
	return s.quiet(ctx, quietJob{Incident: incident})
}

// RunRelate runs the job that looks for an incident's cause once.
func (s *Service) RunRelate(ctx context.Context, incident int64) error {
	return s.relate(ctx, relateJob{Incident: incident})
}

// RunCalm runs the job that ends the holding of a flapping incident's messages once.
func (s *Service) RunCalm(ctx context.Context, incident int64) error {
	return s.calm(ctx, calmJob{Incident: incident})
}

// Actions are the signed links of a message about an incident.
func (s *Service) Actions(ctx context.Context, incident int64) []Action {
	c, err := s.own(ctx, s.opts.DB, incident)
	if err != nil {
		return nil
	}
	return s.actions(&c, "ko")
}

// Holds reports whether a time lies in the timing.
func (t *Timing) Holds(at time.Time) bool { return t.holds(at) }
