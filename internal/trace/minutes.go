package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// CountMinutes counts the transactions that q selects per service and minute of
// their end. What was delivered twice counts twice.
func (s *Store) CountMinutes(ctx context.Context, p project.ID, q TransactionQuery) ([]otel.MinuteCount, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	where, params, err := s.filter(ctx, p, &q)
	if err != nil {
		return nil, err
	}
	var rows []otel.MinuteCount
	err = s.db.Select(ctx, p, &rows, `SELECT service, environment, toStartOfMinute(ended) AS minute, count() AS n
		FROM transactions WHERE `+where+` GROUP BY service, environment, minute`, params...)
	if err != nil {
		return nil, fmt.Errorf("count transactions: %w", err)
	}
	return rows, nil
}

// Heard returns in which minutes services began transactions, as otel.HeardIn does.
func (s *Store) Heard(ctx context.Context, projects []project.ID, from, to time.Time, lastOnly bool) ([]otel.Heard, error) {
	return otel.HeardIn(ctx, s.db, "service_minute", projects, from, to, lastOnly)
}
