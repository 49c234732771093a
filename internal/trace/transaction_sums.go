package trace

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// mostStretches is up to how many stretches of five minutes the spans of one
// transaction are summed: a day.
const mostStretches = 288

// addSums fills in what each transaction's instance did in its trace while the
// transaction ran, to five minutes. It reads spans and not transaction_calls,
// whose order is by ids alone: there a trace lies in any of the day's parts.
func (s *Store) addSums(ctx context.Context, p project.ID, items []Transaction) error {
	if len(items) == 0 {
		return nil
	}
	var ids []string
	var stretches []uint32
	for i := range items {
		t := &items[i]
		const length = 5 * 60
		first, last := t.Start.Unix()/length, t.Start.Add(time.Duration(t.ElapsedNs)).Unix()/length
		for at := first; at <= min(last, first+mostStretches-1); at++ {
			ids, stretches = append(ids, t.TraceID.String()), append(stretches, uint32(at*length))
		}
	}
	var rows []struct {
		TraceID   string `ch:"trace_id"`
		Service   string `ch:"service"`
		Instance  string `ch:"instance"`
		SQLCount  uint64 `ch:"sql_count"`
		SQLTime   uint64 `ch:"sql_time"`
		SQLRows   uint64 `ch:"sql_rows"`
		CallCount uint64 `ch:"call_count"`
		CallTime  uint64 `ch:"call_time"`
	}
	err := s.db.Select(ctx, p, &rows, `
		SELECT trace_id, service, instance, countIf(db_hash != 0) AS sql_count, sumIf(duration, db_hash != 0) AS sql_time, sumIf(db_rows, db_hash != 0) AS sql_rows,
			countIf(kind = 3 AND db_hash = 0) AS call_count, sumIf(duration, kind = 3 AND db_hash = 0) AS call_time
		FROM spans
		WHERE project_id = {project:UInt32} AND (toStartOfFiveMinutes(start), trace_id) IN (
			SELECT toDateTime(a.1, 'UTC'), toFixedString(unhex(a.2), 16) FROM (SELECT arrayJoin(arrayZip({stretches:Array(UInt32)}, {ids:Array(String)})) AS a))
		GROUP BY trace_id, service, instance`,
		clickhouse.P("ids", ids), clickhouse.P("stretches", stretches))
	if err != nil {
		return err
	}
	type key struct{ trace, service, instance string }
	at := make(map[key]int, len(rows))
	for i, r := range rows {
		at[key{r.TraceID, r.Service, r.Instance}] = i
	}
	for i := range items {
		t := &items[i]
		if n, ok := at[key{string(t.TraceID[:]), t.Service, t.Instance}]; ok {
			r := rows[n]
			t.SQLCount, t.SQLNs, t.SQLRows = int(r.SQLCount), int64(r.SQLTime), int64(r.SQLRows)
			t.CallCount, t.CallNs = int(r.CallCount), int64(r.CallTime)
		}
	}
	return nil
}
