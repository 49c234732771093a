package flame

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Arriving returns how many profiles arrive: a process, a time and a kind each.
func (s *Store) Arriving(ctx context.Context, p project.ID, now time.Time) (otel.Arrival, error) {
	a, err := otel.Arriving(ctx, s.db, p, `SELECT toStartOfMinute(time) AS minute, uniqExact(service, environment, instance, kind, time) AS n FROM flame_samples
		WHERE project_id = {project:UInt32} AND time >= {since:DateTime} AND time < {until:DateTime} GROUP BY minute`, now)
	if err != nil {
		return a, fmt.Errorf("count arriving profiles: %w", err)
	}
	return a, nil
}
