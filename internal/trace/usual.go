package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// usualSample is how many traces, picked by their id and so as good as at
// random, give the SQL side of Usual.
const usualSample = 500

// UsualQuery selects the transactions that say what is usual.
type UsualQuery struct {
	Service, Environment, Endpoint string
	From, To                       time.Time // by the time they ended; To is exclusive
}

// Usual is what a transaction is like over a time range. All but Count is 0
// when there was none.
type Usual struct {
	Count      int     // transactions
	P50Ns      int64   // elapsed
	P95Ns      int64   // elapsed
	ErrorShare float64 // 0 to 1
	Sample     int     // transactions, of at most 500 traces, that the SQL below is of
	SQLNs      int64   // average per transaction of the durations added up: two at once count twice
	SQLCount   float64 // average per transaction
	// Statements are the averages per statement, of the sample.
	Statements map[uint64]UsualStatement
}

// UsualStatement is what one statement is like within a transaction.
type UsualStatement struct {
	PerTransaction float64 // how often it runs
	AverageNs      int64   // of one run
	Runs           int     // in the sample
}

// The transactions that Usual and Compare take for usual, and a sample of their
// traces. A statement or call belongs to the transaction of its instance that it
// ran in; of several within each other, to the innermost. A span may start before
// its transaction ended, by as much as that took: begin is before the first of them.
// A statement that a mapper and, right below it, the driver recorded is the driver's.
const (
	usualFilter = `project_id = {project:UInt32} AND ended >= {from:DateTime64(9)} AND ended < {to:DateTime64(9)}
		AND service = {service:String} AND environment = {environment:String} AND endpoint = {endpoint:String}`
	usualSampled = `WITH sample AS (
			SELECT trace_id FROM transactions WHERE ` + usualFilter + `
			GROUP BY trace_id ORDER BY cityHash64(trace_id) LIMIT {sample:UInt32})`
	usualSpans = `project_id = {project:UInt32} AND start >= {begin:DateTime64(9)} AND start < {to:DateTime64(9)}
		AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes({begin:DateTime64(9)})
		AND toStartOfFiveMinutes(start) <= toStartOfFiveMinutes({to:DateTime64(9)})
		AND trace_id IN (SELECT trace_id FROM sample) AND service = {service:String}`
	notWrapping    = `(trace_id, span_id, db_hash) NOT IN (SELECT trace_id, parent_id, db_hash FROM spans WHERE ` + usualSpans + ` AND db_hash != 0 AND parent_id != 0)`
	innermostEntry = `argMax(e.operation, (q.start < addNanoseconds(e.start, e.duration), e.start))`
)

// usualBegin is from when on the spans of transactions that ended in a range may have
// begun: as long before as the longest of them took and, for what a longer one around
// them did, five minutes more; an hour is taken to be enough.
func usualBegin(from time.Time, longest uint64) clickhouse.Param {
	return clickhouse.P("begin", from.Add(-min(time.Duration(min(longest, uint64(time.Hour)))+5*time.Minute, time.Hour)).UTC())
}

// Usual reads what a transaction is like over a time range.
func (s *Store) Usual(ctx context.Context, p project.ID, q UsualQuery) (*Usual, error) {
	params := []clickhouse.Param{
		clickhouse.P("service", q.Service), clickhouse.P("environment", q.Environment), clickhouse.P("endpoint", q.Endpoint),
		clickhouse.P("from", q.From.UTC()), clickhouse.P("to", q.To.UTC()), clickhouse.P("sample", usualSample),
	}
	var rows []struct {
		Count   uint64  `ch:"n"`
		P50     float64 `ch:"p50"`
		P95     float64 `ch:"p95"`
		Longest uint64  `ch:"longest"`
		Errors  uint64  `ch:"errors"`
		Sample  uint64  `ch:"sampled"`
	}
	err := s.db.Select(ctx, p, &rows, usualSampled+`
		SELECT count() AS n, toFloat64(quantileExact(0.5)(elapsed)) AS p50, toFloat64(quantileExact(0.95)(elapsed)) AS p95, max(elapsed) AS longest, countIf(error) AS errors,
			uniqExactIf((trace_id, span_id), trace_id IN (SELECT trace_id FROM sample)) AS sampled
		FROM transactions WHERE `+usualFilter, params...)
	if err != nil {
		return nil, fmt.Errorf("read usual times: %w", err)
	}
	u := &Usual{Count: int(rows[0].Count), Sample: int(rows[0].Sample), Statements: map[uint64]UsualStatement{}}
	if u.Count == 0 {
		return u, nil
	}
	u.P50Ns, u.P95Ns = int64(rows[0].P50), int64(rows[0].P95)
	u.ErrorShare = float64(rows[0].Errors) / float64(rows[0].Count)

	var statements []struct {
		Hash uint64 `ch:"db_hash"`
		Runs uint64 `ch:"runs"`
		Time uint64 `ch:"time"`
	}
	params = append(params, usualBegin(q.From, rows[0].Longest))
	err = s.db.Select(ctx, p, &statements, usualSampled+`
		SELECT db_hash, count() AS runs, sum(took) AS time
		FROM (
			SELECT any(q.db_hash) AS db_hash, any(q.duration) AS took,
				`+innermostEntry+` AS own
			FROM (SELECT trace_id, instance, span_id, db_hash, start, duration FROM spans WHERE `+usualSpans+` AND db_hash != 0 AND `+notWrapping+`) AS q
			JOIN (SELECT trace_id, instance, operation, start, duration FROM spans WHERE `+usualSpans+` AND entry) AS e
				ON q.trace_id = e.trace_id AND q.instance = e.instance
			WHERE e.start <= q.start
			GROUP BY q.trace_id, q.span_id)
		WHERE own = {endpoint:String}
		GROUP BY db_hash`, params...)
	if err != nil {
		return nil, fmt.Errorf("read usual statements: %w", err)
	}
	n := float64(u.Sample)
	for _, st := range statements {
		u.Statements[st.Hash] = UsualStatement{
			PerTransaction: float64(st.Runs) / n, AverageNs: int64(st.Time / st.Runs), Runs: int(st.Runs),
		}
		u.SQLNs += int64(float64(st.Time) / n)
		u.SQLCount += float64(st.Runs) / n
	}
	return u, nil
}
