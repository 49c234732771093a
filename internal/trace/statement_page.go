package trace

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Limits of what is shown of single calls of a statement.
const (
	callSamples = 20
	// sampledMinutes is how many minutes the slowest calls are looked for in, and as many the newest.
	sampledMinutes = 10
	// sampledCalls is how many calls say which endpoints run a statement.
	sampledCalls = 500
)

// StatementPage is all about one statement in a range.
type StatementPage struct {
	StatementStats
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Raw    string    `json:"raw"` // as one of the calls sent it, with its values
	Series Series    `json:"series"`
	// Callers are the services that ran it, by time.
	Callers []Caller `json:"callers"`
	// Endpoints are the transactions that Sampled of its calls ran in, the most frequent first.
	Endpoints []CallingEndpoint `json:"endpoints"`
	Sampled   int               `json:"sampled"`
	Slowest   []StatementCall   `json:"slowest"`
	Newest    []StatementCall   `json:"newest"`
}

// Caller is a service that runs a statement.
type Caller struct {
	Service string `json:"service"`
	RED
}

// CallingEndpoint is an endpoint in which a statement runs, by a sample of its calls.
type CallingEndpoint struct {
	Service   string `json:"service"`
	Endpoint  string `json:"endpoint"` // "" when its transaction is not stored
	Calls     int    `json:"calls"`
	AverageNs int64  `json:"average_ns"`
}

// StatementCall is one run of a statement.
type StatementCall struct {
	TraceID    TraceID   `json:"trace_id"`
	SpanID     SpanID    `json:"span_id"`
	Service    string    `json:"service"`
	Instance   string    `json:"instance"`
	Start      time.Time `json:"start"`
	DurationNs int64     `json:"duration_ns"`
	Rows       uint64    `json:"rows"` // fetched, 0 when unknown
	Error      bool      `json:"error"`
	raw        string
}

// HashString and its inverse are how a statement's hash is written outside of
// the engine: 16 hex digits, since a JSON number cannot hold it.
func HashString(hash uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], hash)
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 16)
	for _, v := range b {
		out = append(out, digits[v>>4], digits[v&15])
	}
	return string(out)
}

// ParseHash reads what HashString wrote.
func ParseHash(text string) (uint64, error) {
	hash, err := strconv.ParseUint(text, 16, 64)
	if err != nil || len(text) != 16 || hash == 0 {
		return 0, fault.New(fault.Invalid, "%q is no statement: want 16 hexadecimal digits", text).WithField("hash")
	}
	return hash, nil
}

// Statement reads one statement. NotFound when it is not stored.
func (s *Store) Statement(ctx context.Context, p project.ID, hash uint64, q StatementQuery) (*StatementPage, error) {
	page := &StatementPage{From: q.From(), To: q.To(), Callers: []Caller{}, Endpoints: []CallingEndpoint{}}
	one := []StatementStats{{Hash: HashString(hash), Tables: []string{}, Services: []string{}}}
	if err := s.nameStatements(ctx, p, one); err != nil {
		return nil, err
	}
	if one[0].Text == "" {
		return nil, fault.New(fault.NotFound, "no statement with this number is stored")
	}
	if err := s.compareStatements(ctx, p, q, one); err != nil {
		return nil, err
	}
	page.StatementStats = one[0]
	filter, params := statementFilter+" AND db_hash = {hash:UInt64}", append(q.params(), clickhouse.P("hash", hash))
	var err error
	if page.Series, err = s.series(ctx, p, q.Range, byStatement, filter, params); err != nil {
		return nil, fmt.Errorf("draw statement: %w", err)
	}
	if err := s.callers(ctx, p, q, page, filter, params); err != nil {
		return nil, fmt.Errorf("list callers: %w", err)
	}
	if err := s.calls(ctx, p, q, page, params); err != nil {
		return nil, fmt.Errorf("sample statement: %w", err)
	}
	return page, nil
}

// callers fills in the services that ran the statement, the rows they fetched,
// and the share of its time of that of all statements.
func (s *Store) callers(ctx context.Context, p project.ID, q StatementQuery, page *StatementPage, filter string, params []clickhouse.Param) error {
	var rows []struct {
		Service string `ch:"service"`
		Fetched uint64 `ch:"fetched"`
		redRow
	}
	err := s.db.Select(ctx, p, &rows, `SELECT w, service, sum(rows) AS fetched, `+redSums+`
		FROM `+byStatement.over("toString(service) AS service, rows, "+redStates, filter, q.unit, q.window)+`
		GROUP BY w, service ORDER BY took DESC, service LIMIT 100`, params...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		page.Callers = append(page.Callers, Caller{Service: r.Service, RED: r.red(q.seconds(present))})
		page.Services = append(page.Services, r.Service)
		page.Rows += r.Fetched
	}
	slices.Sort(page.Services)
	var all []struct {
		Took uint64 `ch:"took"`
	}
	err = s.db.Select(ctx, p, &all, `SELECT sum(duration_sum) AS took
		FROM `+byStatement.over("duration_sum", statementFilter, q.unit, q.window), params...)
	if err == nil && all[0].Took > 0 {
		page.Share = float64(page.Now.TotalNs) / float64(all[0].Took)
	}
	return err
}

// calls fills in single calls. They are looked for in the minutes that the
// rollup says hold the slowest and the newest, and nowhere else: the rest of a
// long range is not read.
func (s *Store) calls(ctx context.Context, p project.ID, q StatementQuery, page *StatementPage, params []clickhouse.Param) error {
	minutes := func(order string) ([]uint32, error) {
		var rows []struct {
			Minute uint32 `ch:"at"`
		}
		err := s.db.Select(ctx, p, &rows, `SELECT toUnixTimestamp(minute) AS at FROM sql_minute
			WHERE project_id = {project:UInt32} AND `+between("minute", q.window)+` AND db_hash = {hash:UInt64} AND `+statementFilter+`
			GROUP BY minute ORDER BY `+order+` LIMIT {minutes:UInt32}`, append(params, clickhouse.P("minutes", sampledMinutes))...)
		at := make([]uint32, len(rows))
		for i, r := range rows {
			at[i] = r.Minute
		}
		return at, err
	}
	slow, err := minutes("max(duration_max) DESC, minute DESC")
	if err != nil {
		return err
	}
	late, err := minutes("minute DESC")
	if err != nil {
		return err
	}
	if page.Slowest, err = s.callsWithin(ctx, p, slow, "duration DESC", params); err != nil {
		return err
	}
	if page.Newest, err = s.callsWithin(ctx, p, late, "start DESC", params); err != nil {
		return err
	}
	if len(page.Slowest) > 0 {
		page.Raw = page.Slowest[0].raw
	}
	return s.callingEndpoints(ctx, p, slices.Concat(slow, late), page, params)
}

// spansOfMinutes selects the calls of {hash} in {minutes}; the first condition is what the key can use.
const spansOfMinutes = `project_id = {project:UInt32}
	AND toStartOfFiveMinutes(start) IN (SELECT toStartOfFiveMinutes(toDateTime(arrayJoin({at:Array(UInt32)}), 'UTC')))
	AND toStartOfMinute(start) IN (SELECT toDateTime(arrayJoin({at:Array(UInt32)}), 'UTC'))
	AND db_hash = {hash:UInt64} AND ` + statementFilter

func (s *Store) callsWithin(ctx context.Context, p project.ID, minutes []uint32, order string, params []clickhouse.Param) ([]StatementCall, error) {
	var rows []struct {
		TraceID  string    `ch:"trace_id"`
		SpanID   uint64    `ch:"span_id"`
		Service  string    `ch:"service"`
		Instance string    `ch:"instance"`
		Start    time.Time `ch:"start"`
		Duration uint64    `ch:"duration"`
		Rows     uint64    `ch:"db_rows"`
		Error    bool      `ch:"error"`
		Raw      string    `ch:"db_statement"`
	}
	err := s.db.Select(ctx, p, &rows, `SELECT trace_id, span_id, service, instance, start, duration, db_rows, status = 2 AS error, db_statement
		FROM spans WHERE `+spansOfMinutes+` ORDER BY `+order+` LIMIT 1 BY trace_id, span_id LIMIT {samples:UInt32}`,
		append(params, clickhouse.P("at", minutes), clickhouse.P("samples", callSamples))...)
	calls := make([]StatementCall, len(rows))
	for i, r := range rows {
		calls[i] = StatementCall{
			SpanID: SpanID(r.SpanID), Service: r.Service, Instance: r.Instance, Start: r.Start.UTC(), DurationNs: int64(r.Duration),
			Rows: r.Rows, Error: r.Error, raw: r.Raw,
		}
		copy(calls[i].TraceID[:], r.TraceID)
	}
	return calls, err
}

// callingEndpoints fills in the endpoints of a sample of the calls. A call
// belongs to the innermost transaction of its instance that was running, as in Usual.
func (s *Store) callingEndpoints(ctx context.Context, p project.ID, minutes []uint32, page *StatementPage, params []clickhouse.Param) error {
	if len(minutes) == 0 {
		return nil
	}
	var rows []struct {
		Service string `ch:"service"`
		Own     string `ch:"own"`
		Calls   uint64 `ch:"calls"`
		Took    uint64 `ch:"took"`
	}
	err := s.db.Select(ctx, p, &rows, `
		WITH sample AS (
			SELECT trace_id, service, instance, span_id, start, duration FROM spans WHERE `+spansOfMinutes+`
			ORDER BY cityHash64(trace_id, span_id) LIMIT 1 BY trace_id, span_id LIMIT {samples:UInt32})
		SELECT service, own, count() AS calls, sum(took) AS took FROM (
			SELECT any(q.service) AS service, any(q.duration) AS took,
				argMax(e.operation, (e.start <= q.start, q.start < addNanoseconds(e.start, e.duration), e.start)) AS own
			FROM sample AS q
			LEFT JOIN (
				SELECT trace_id, service, instance, operation, start, duration FROM spans
				WHERE project_id = {project:UInt32} AND start >= subtractHours(toDateTime({first:UInt32}, 'UTC'), 1) AND start < toDateTime({last:UInt32}, 'UTC')
					AND trace_id IN (SELECT trace_id FROM sample) AND entry) AS e
				ON q.trace_id = e.trace_id AND q.service = e.service AND q.instance = e.instance
			GROUP BY q.trace_id, q.span_id)
		GROUP BY service, own ORDER BY calls DESC, service, own LIMIT 50`,
		append(params, clickhouse.P("at", minutes), clickhouse.P("samples", sampledCalls),
			clickhouse.P("first", slices.Min(minutes)), clickhouse.P("last", slices.Max(minutes)+60))...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		page.Sampled += int(r.Calls)
		page.Endpoints = append(page.Endpoints, CallingEndpoint{Service: r.Service, Endpoint: r.Own, Calls: int(r.Calls), AverageNs: int64(r.Took / r.Calls)})
	}
	return nil
}
