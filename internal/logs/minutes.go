package logs

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// CountMinutes counts the records of a query per service and minute; its range must
// be of whole minutes.
func (s *Store) CountMinutes(ctx context.Context, p project.ID, q Query) ([]otel.MinuteCount, error) {
	c, err := q.compile()
	if err != nil {
		return nil, err
	}
	source := `toStartOfMinute(time) AS minute, count() AS n` + where
	if c.coarse {
		source = `minute, sum(count) AS n FROM log_minute
			WHERE project_id = {project:UInt32} AND minute >= {from:DateTime64(9)} AND minute < {to:DateTime64(9)} AND `
	}
	var rows []otel.MinuteCount
	err = s.db.Select(ctx, p, &rows, `SELECT service, environment, `+source+c.sql.String()+` GROUP BY service, environment, minute`, q.params(c)...)
	if err != nil {
		return nil, fmt.Errorf("count logs: %w", err)
	}
	return rows, nil
}

// Heard returns in which minutes services wrote records, as otel.HeardIn does.
func (s *Store) Heard(ctx context.Context, projects []project.ID, from, to time.Time, lastOnly bool) ([]otel.Heard, error) {
	return otel.HeardIn(ctx, s.db, "log_minute", projects, from, to, lastOnly)
}
