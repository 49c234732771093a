package trace

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// The steps on the way to a call.
const (
	AcquireStep = "acquire" // of a database connection
	ConnectStep = "connect" // to a peer: DNS, TCP, TLS
)

// Notable is a span that a rule may be about.
type Notable struct {
	Project          project.ID
	Arrived          time.Time // ms precision, the engine's clock
	Service          string
	Environment      string
	Instance         string
	TraceID          TraceID
	SpanID           SpanID
	Start            time.Time
	DurationNs       int64
	Kind             Kind
	Name             string
	Step             string // AcquireStep, ConnectStep, "" for a call or a transaction
	Callee           string // of a call: the peer, else what was called
	Database         bool
	Failed           bool
	HTTPStatus       int
	ExceptionType    string
	ExceptionMessage string // its first 500 characters
}

// Arrivals select what arrived in a time, of several projects.
type Arrivals struct {
	Projects []project.ID // at least one
	After    time.Time    // arrived later than this
	Until    time.Time    // or at this time at the latest
	Newest   bool         // of more than Limit return the newest, not the oldest
	Limit    int          // rows that arrived in the same millisecond as the last one come in addition
}

// params returns the parameters projects, after, until and limit, and the order.
func (a *Arrivals) params() ([]clickhouse.Param, string, error) {
	if len(a.Projects) == 0 {
		return nil, "", fault.New(fault.Internal, "a read by arrival names no project")
	}
	projects := make([]uint32, len(a.Projects))
	for i, p := range a.Projects {
		projects[i] = uint32(p)
	}
	order := "ASC"
	if a.Newest {
		order = "DESC"
	}
	return []clickhouse.Param{clickhouse.P("projects", projects), clickhouse.P("after", a.After.UTC()),
		clickhouse.P("until", a.Until.UTC()), clickhouse.P("limit", cmp.Or(a.Limit, 1000))}, order, nil
}

// arrivedIn is the condition that Arrivals.params fills in.
const arrivedIn = ` project_id IN {projects:Array(UInt32)} AND arrived > {after:DateTime64(3)} AND arrived <= {until:DateTime64(3)} `

// NotableWhat selects among notable spans.
type NotableWhat string

// What rules ask for; the spans of a kind of rule are few among all.
const (
	SlowSteps      NotableWhat = "step = 'acquire'"
	SlowWays       NotableWhat = "duration >= 100000000 AND (step = 'connect' OR (kind = 3 AND NOT database AND step = ''))"
	SlowCalls      NotableWhat = "duration >= 100000000 AND kind = 3 AND NOT database AND step = ''"
	FailedCalls    NotableWhat = "failed AND kind = 3 AND NOT database AND step = ''"
	WithExceptions NotableWhat = "exception_type != ''"
)

// Notable returns notable spans of several projects in the order they arrived
// (the reverse of it for Newest), one that was delivered twice twice. It is for
// the evaluation of rules only: it crosses projects.
func (s *Store) Notable(ctx context.Context, q Arrivals, what NotableWhat) ([]Notable, error) {
	params, order, err := q.params()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Project          uint32    `ch:"project_id"`
		Arrived          time.Time `ch:"arrived"`
		Service          string    `ch:"service"`
		Environment      string    `ch:"environment"`
		Instance         string    `ch:"instance"`
		TraceID          string    `ch:"trace_id"`
		SpanID           uint64    `ch:"span_id"`
		Start            time.Time `ch:"start"`
		Duration         uint64    `ch:"duration"`
		Kind             uint8     `ch:"kind"`
		Name             string    `ch:"name"`
		Step             string    `ch:"step"`
		Callee           string    `ch:"callee"`
		Database         bool      `ch:"database"`
		Failed           bool      `ch:"failed"`
		HTTPStatus       uint16    `ch:"http_status"`
		ExceptionType    string    `ch:"exception_type"`
		ExceptionMessage string    `ch:"exception_message"`
	}
	err = s.db.SystemSelect(ctx, &rows, `
		SELECT project_id, arrived, service, environment, instance, trace_id, span_id, start, duration, kind, name, step, callee, database,
			failed, http_status, exception_type, exception_message
		FROM notable_spans WHERE`+arrivedIn+`AND `+string(what)+` ORDER BY arrived `+order+` LIMIT {limit:UInt32} WITH TIES`, params...)
	if err != nil {
		return nil, fmt.Errorf("read notable spans: %w", err)
	}
	spans := make([]Notable, len(rows))
	for i, r := range rows {
		spans[i] = Notable{
			Project: project.ID(r.Project), Arrived: r.Arrived.UTC(), Service: r.Service, Environment: r.Environment, Instance: r.Instance,
			SpanID: SpanID(r.SpanID), Start: r.Start.UTC(), DurationNs: int64(r.Duration), Kind: Kind(r.Kind), Name: r.Name, Step: r.Step,
			Callee: r.Callee, Database: r.Database, Failed: r.Failed, HTTPStatus: int(r.HTTPStatus),
			ExceptionType: r.ExceptionType, ExceptionMessage: r.ExceptionMessage,
		}
		copy(spans[i].TraceID[:], r.TraceID)
	}
	return spans, nil
}

// Served is how long a call took in the service that was called.
type Served struct {
	Service    string
	DurationNs int64
}

// SpanKey names a span among all projects.
type SpanKey struct {
	Project project.ID
	Trace   TraceID
	Span    SpanID
}

// Served returns what the callees recorded of calls: the longest entry span below
// each, of whatever has arrived. Calls without one are missing. Only lengths are
// compared with it, so that clocks of machines that differ do not matter. It is
// for the evaluation of rules only: it crosses projects.
func (s *Store) Served(ctx context.Context, calls []Notable) (map[SpanKey]Served, error) {
	if len(calls) == 0 {
		return map[SpanKey]Served{}, nil
	}
	projects, traces, spans := make([]uint32, len(calls)), make([]string, len(calls)), make([]uint64, len(calls))
	from, to := calls[0].Start, calls[0].Start
	for i := range calls {
		c := &calls[i]
		projects[i], traces[i], spans[i] = uint32(c.Project), string(c.TraceID[:]), uint64(c.SpanID)
		if c.Start.Before(from) {
			from = c.Start
		}
		if end := c.Start.Add(time.Duration(c.DurationNs)); end.After(to) {
			to = end
		}
	}
	var rows []struct {
		Project  uint32 `ch:"project_id"`
		TraceID  string `ch:"trace_id"`
		Parent   uint64 `ch:"parent_id"`
		Service  string `ch:"callee"`
		Duration uint64 `ch:"longest"`
	}
	err := s.db.SystemSelect(ctx, &rows, `
		SELECT project_id, trace_id, parent_id, argMax(service, duration) AS callee, max(duration) AS longest
		FROM spans
		WHERE project_id IN {projects:Array(UInt32)} AND start >= {from:DateTime64(9)} AND start <= {to:DateTime64(9)} AND entry
			AND (project_id, trace_id, parent_id) IN (SELECT arrayJoin(arrayZip({projects:Array(UInt32)}, {traces:Array(FixedString(16))}, {spans:Array(UInt64)})))
		GROUP BY project_id, trace_id, parent_id`,
		clickhouse.P("projects", projects), clickhouse.P("traces", traces), clickhouse.P("spans", spans),
		clickhouse.P("from", from.Add(-skew).UTC()), clickhouse.P("to", to.Add(skew).UTC()))
	if err != nil {
		return nil, fmt.Errorf("read what callees recorded: %w", err)
	}
	served := make(map[SpanKey]Served, len(rows))
	for _, r := range rows {
		key := SpanKey{Project: project.ID(r.Project), Span: SpanID(r.Parent)}
		copy(key.Trace[:], r.TraceID)
		served[key] = Served{Service: r.Service, DurationNs: int64(r.Duration)}
	}
	return served, nil
}

// skew is by how much the clocks of machines may differ.
const skew = 5 * time.Minute
