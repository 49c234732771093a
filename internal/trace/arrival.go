package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Arriving returns how many spans arrive.
func (s *Store) Arriving(ctx context.Context, p project.ID, now time.Time) (otel.Arrival, error) {
	a, err := otel.Arriving(ctx, s.db, p, `SELECT minute, count AS n FROM red_minute
		WHERE project_id = {project:UInt32} AND minute >= {since:DateTime} AND minute < {until:DateTime}`, now)
	if err != nil {
		return a, fmt.Errorf("count arriving spans: %w", err)
	}
	return a, nil
}
