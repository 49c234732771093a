package logs

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Arriving returns how many records arrive.
func (s *Store) Arriving(ctx context.Context, p project.ID, now time.Time) (otel.Arrival, error) {
	a, err := otel.Arriving(ctx, s.db, p, `SELECT minute, count AS n FROM log_minute
		WHERE project_id = {project:UInt32} AND minute >= {since:DateTime} AND minute < {until:DateTime}`, now)
	if err != nil {
		return a, fmt.Errorf("count arriving logs: %w", err)
	}
	return a, nil
}
