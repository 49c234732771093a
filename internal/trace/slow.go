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

// SlowFloor is the duration from which SQL calls are kept for rules. A rule's
// threshold cannot be below it.
const SlowFloor = 100 * time.Millisecond

// SlowCall is a SQL call of at least SlowFloor.
type SlowCall struct {
	Project     project.ID
	Arrived     time.Time // ms precision, the engine's clock
	Service     string
	Environment string
	Instance    string
	TraceID     TraceID
	SpanID      SpanID
	Start       time.Time
	DurationNs  int64
	Hash        uint64 // of the statement
}

// End returns when the call ended.
func (c *SlowCall) End() time.Time { return c.Start.Add(time.Duration(c.DurationNs)) }

// SlowQuery selects slow calls by the time they arrived.
type SlowQuery struct {
	Projects []project.ID // at least one
	After    time.Time    // arrived later than this
	Until    time.Time    // or at this time at the latest
	Floor    time.Duration
	Newest   bool // of more than Limit return the newest, not the oldest
	Limit    int  // calls that arrived in the same millisecond as the last one come in addition
}

// nesting is how far apart a call and the call that wraps it may arrive.
const nesting = time.Minute

// SlowSQL returns slow calls of several projects in the order they arrived (the
// reverse of it for Newest), a call that was delivered twice twice. A call that
// only wraps another of the same statement, as a mapper's does its driver's, is
// left out. It is for the evaluation of rules only: it crosses projects.
func (s *Store) SlowSQL(ctx context.Context, q SlowQuery) ([]SlowCall, error) {
	if len(q.Projects) == 0 {
		return nil, fault.New(fault.Internal, "a read of slow calls names no project")
	}
	direction := "ASC"
	if q.Newest {
		direction = "DESC"
	}
	projects := make([]uint32, len(q.Projects))
	for i, p := range q.Projects {
		projects[i] = uint32(p)
	}
	var rows []struct {
		Project     uint32    `ch:"project_id"`
		Arrived     time.Time `ch:"arrived"`
		Service     string    `ch:"service"`
		Environment string    `ch:"environment"`
		Instance    string    `ch:"instance"`
		TraceID     string    `ch:"trace_id"`
		SpanID      uint64    `ch:"span_id"`
		Start       time.Time `ch:"start"`
		Duration    uint64    `ch:"duration"`
		Hash        uint64    `ch:"db_hash"`
	}
	err := s.db.SystemSelect(ctx, &rows, `
		SELECT project_id, arrived, service, environment, instance, trace_id, span_id, start, duration, db_hash
		FROM sql_slow
		WHERE project_id IN {projects:Array(UInt32)} AND arrived > {after:DateTime64(3)} AND arrived <= {until:DateTime64(3)}
			AND duration >= {floor:UInt64}
			AND (project_id, trace_id, span_id, db_hash) NOT IN (
				SELECT project_id, trace_id, parent_id, db_hash FROM sql_slow
				WHERE project_id IN {projects:Array(UInt32)} AND arrived > {after:DateTime64(3)} - toIntervalMillisecond({nesting:UInt64})
					AND arrived <= {until:DateTime64(3)} + toIntervalMillisecond({nesting:UInt64}))
		ORDER BY arrived `+direction+` LIMIT {limit:UInt32} WITH TIES`,
		clickhouse.P("projects", projects), clickhouse.P("after", q.After.UTC()), clickhouse.P("until", q.Until.UTC()),
		clickhouse.P("floor", uint64(max(q.Floor, 0))), clickhouse.P("limit", cmp.Or(q.Limit, 1000)),
		clickhouse.P("nesting", uint64(nesting.Milliseconds())))
	if err != nil {
		return nil, fmt.Errorf("read slow calls: %w", err)
	}
	calls := make([]SlowCall, len(rows))
	for i, r := range rows {
		calls[i] = SlowCall{
			Project: project.ID(r.Project), Arrived: r.Arrived.UTC(), Service: r.Service, Environment: r.Environment, Instance: r.Instance,
			SpanID: SpanID(r.SpanID), Start: r.Start.UTC(), DurationNs: int64(r.Duration), Hash: r.Hash,
		}
		copy(calls[i].TraceID[:], r.TraceID)
	}
	return calls, nil
}
