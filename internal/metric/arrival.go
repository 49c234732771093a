package metric

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Arriving returns how many samples arrive. A part says between which times its
// samples are: of a day only the parts written lately are read.
func (e *Engine) Arriving(ctx context.Context, p project.ID, now time.Time) (otel.Arrival, error) {
	const of = `SELECT toStartOfMinute(time) AS minute, 1 AS n FROM %s
		WHERE project_id = {project:UInt32} AND time >= {since:DateTime} AND time < {until:DateTime}`
	a, err := otel.Arriving(ctx, e.store.db, p, fmt.Sprintf(of+" UNION ALL "+of, "metric_samples", "metric_histograms"), now)
	if err != nil {
		return a, fmt.Errorf("count arriving samples: %w", err)
	}
	return a, nil
}
