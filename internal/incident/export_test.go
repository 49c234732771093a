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
