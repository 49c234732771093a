package otel

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	// arrivalWindow is the time that what arrives is counted over.
	arrivalWindow = 5 * time.Minute
	// arrivalMemory is how far back the newest is looked for: as far as is cheap
	// to read of what has no rollup, on every renewal of a screen.
	arrivalMemory = time.Hour
)

// Arrival is how much of a signal arrives.
type Arrival struct {
	PerSecond float64    `json:"per_second" doc:"over the last five whole minutes"`
	Last      *time.Time `json:"last" doc:"when the newest was, to the minute; null when there was none within the last hour"`
}

// Arriving counts what a table expression has of the whole minutes before now.
// Its rows have a time as minute and how much was then as n; source reads it
// between {since} and {until}, both DateTime.
func Arriving(ctx context.Context, db *clickhouse.DB, p project.ID, source string, now time.Time) (Arrival, error) {
	until := now.UTC().Truncate(time.Minute)
	var rows []struct {
		N    uint64    `ch:"arrived"`
		Last time.Time `ch:"last"`
		Any  uint64    `ch:"any"`
	}
	err := db.Select(ctx, p, &rows, `SELECT toUInt64(sumIf(n, minute >= {from:DateTime})) AS arrived, max(minute) AS last, toUInt64(sum(n)) AS any FROM (`+source+`)`,
		clickhouse.P("from", until.Add(-arrivalWindow)), clickhouse.P("since", until.Add(-arrivalMemory)), clickhouse.P("until", until))
	if err != nil || len(rows) == 0 || rows[0].Any == 0 {
		return Arrival{}, err
	}
	last := rows[0].Last.UTC()
	return Arrival{PerSecond: float64(rows[0].N) / arrivalWindow.Seconds(), Last: &last}, nil
}
