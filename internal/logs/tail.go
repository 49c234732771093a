package logs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// LogTail is what has arrived since a moment.
type LogTail struct {
	Items []LogRecord `json:"items" doc:"in the order they arrived"`
	// Next is to be sent with the next question. It stands a little back, because
	// a record is readable only after its block was stored: a record may come
	// twice, and is told by its id.
	Next    string `json:"next"`
	Skipped uint64 `json:"skipped" doc:"new ones that no answer held, because there are too many to read"`
}

// tailOverlap is how long a record may take from its arrival until it is readable.
const tailOverlap = 10 * time.Second

// place is where a tail stands: behind the records that arrived until Since, and
// Seen later ones have been told of already.
type place struct {
	Since int64 // unix ns
	Seen  uint64
}

func (p place) String() string { return fmt.Sprintf("%d-%d", p.Since, p.Seen) }

// parsePlace reads what String wrote.
func parsePlace(text string) (place, error) {
	id, err := ParseID(text)
	if err != nil || id.Number > 1<<40 {
		return place{}, fault.New(fault.Invalid, "after is not what a former answer called next").WithField("after")
	}
	return place{id.Time.UnixNano(), id.Number}, nil
}

// Tail returns the newest records that arrived behind the place that a former
// answer's Next names; with "" the newest of the last minutes. The query's time
// range bounds the records' own time.
func (s *Store) Tail(ctx context.Context, p project.ID, q Query, after string, limit int, now time.Time) (LogTail, error) {
	tail := LogTail{Items: []LogRecord{}}
	c, err := q.compile()
	if err != nil {
		return tail, err
	}
	from := place{Since: now.Add(-5 * time.Minute).UnixNano()}
	if after != "" {
		if from, err = parsePlace(after); err != nil {
			return tail, err
		}
	}
	next := place{Since: max(now.Add(-tailOverlap).UnixNano(), from.Since)}
	// One look counts and reads, so that nothing arrives between the two.
	limit = min(max(limit, 1), MaxPage)
	params := append(q.params(c), clickhouse.P("since", from.Since), clickhouse.P("next", next.Since), clickhouse.P("limit", limit))
	var rows []struct {
		row
		Arrived uint64 `ch:"arrived"`
		Later   uint64 `ch:"later"`
	}
	sql := "SELECT " + columns + ", count() OVER () AS arrived, countIf(id > {next:UInt64}) OVER () AS later" + where + c.sql.String() +
		" AND id > {since:UInt64} ORDER BY id DESC LIMIT {limit:UInt32}"
	if err := s.db.Select(ctx, p, &rows, sql, params...); err != nil {
		return tail, fmt.Errorf("tail logs: %w", err)
	}
	if len(rows) > 0 {
		next.Seen = rows[0].Later
		if fresh := rows[0].Arrived - min(from.Seen, rows[0].Arrived); after != "" {
			tail.Skipped = max(fresh, uint64(len(rows))) - uint64(len(rows))
		}
	}
	slices.Reverse(rows)
	for i := range rows {
		tail.Items = append(tail.Items, rows[i].record())
	}
	tail.Next = next.String()
	return tail, nil
}
