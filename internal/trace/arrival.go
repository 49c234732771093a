package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
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

// Began returns how many transactions began since the minute of a time.
func (s *Store) Began(ctx context.Context, p project.ID, since time.Time) (uint64, error) {
	var rows []struct {
		N uint64 `ch:"n"`
	}
	err := s.db.Select(ctx, p, &rows, `SELECT sum(count) AS n FROM service_minute
		WHERE project_id = {project:UInt32} AND minute >= toStartOfMinute({since:DateTime})`, clickhouse.P("since", since.UTC().Truncate(time.Second)))
	if err != nil {
		return 0, fmt.Errorf("count transactions: %w", err)
	}
	return rows[0].N, nil
}
