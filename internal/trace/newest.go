package trace

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// spare is how many rows newest reads beyond those asked for, for what was
// delivered twice and for what ended at the same moment as the last of them.
const spare = 20

// newest reads the n newest transactions, or fewer when there are no more. The
// engine stops reading early only while it is asked for no more than the order
// of the table, which is by time. So it is here that those which ended at the
// same nanosecond get an order, and that what was delivered twice becomes one.
func (s *Store) newest(ctx context.Context, p project.ID, where string, params []clickhouse.Param, n int) ([]transactionRow, error) {
	for limit := n + spare; ; limit *= 4 {
		var rows []transactionRow
		err := s.db.Select(ctx, p, &rows, `SELECT `+transactionColumns+` FROM transactions WHERE `+where+` ORDER BY ended DESC LIMIT {limit:UInt32}`,
			append(params[:len(params):len(params)], clickhouse.P("limit", limit))...)
		if err != nil {
			return nil, err
		}
		all := len(rows) < limit
		if !all {
			// Others that ended with the last one may be cut off.
			last := rows[limit-1].Ended
			rows = slices.DeleteFunc(rows, func(r transactionRow) bool { return r.Ended.Equal(last) })
		}
		slices.SortFunc(rows, func(a, b transactionRow) int {
			return cmp.Or(b.Ended.Compare(a.Ended), cmp.Compare(b.TraceID, a.TraceID), cmp.Compare(b.SpanID, a.SpanID))
		})
		rows = slices.CompactFunc(rows, func(a, b transactionRow) bool { return a.TraceID == b.TraceID && a.SpanID == b.SpanID })
		if all || len(rows) >= n {
			return rows[:min(n, len(rows))], nil
		}
	}
}

// newestBackwards is newest that reads stretches of time, from the latest back
// and each longer than the one before: the last minute is in one or two of the
// parts of the table, the day in all of them. q is what where was made of.
func (s *Store) newestBackwards(ctx context.Context, p project.ID, q *TransactionQuery, where string, params []clickhouse.Param, n int) ([]transactionRow, error) {
	where += " AND ended >= {after:DateTime64(9)} AND ended < {before:DateTime64(9)}"
	var all []transactionRow
	before, after := q.To, time.Now()
	if q.To.Before(after) {
		after = q.To
	}
	for length := firstStretch; ; length = nextStretch(length, len(all), n) {
		if after = after.Add(-length); after.Before(q.From) {
			after = q.From
		}
		rows, err := s.newest(ctx, p, where,
			append(params[:len(params):len(params)], clickhouse.P("after", after.UTC()), clickhouse.P("before", before.UTC())), n-len(all))
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); len(all) == n || !after.After(q.From) {
			return all, nil
		}
		before = after
	}
}

const firstStretch = time.Minute

// nextStretch returns how far back to look for the rest of n rows after found of
// them were in a stretch: twice as far as they need when they are as frequent as
// in it, but 4 to 64 times as far as before, and 8 times where there were none.
func nextStretch(length time.Duration, found, n int) time.Duration {
	const least, most = 4, 64
	if found == 0 {
		return 8 * length
	}
	return length * time.Duration(min(max(2*(n-found)/found, least), most))
}
