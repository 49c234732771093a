package trace

import (
	"context"
	"fmt"
	"time"
	"unique"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Execution is one execution of an operation: a span without its details.
type Execution struct {
	Trace        TraceID
	Span, Parent SpanID
	Service      string
	Operation    string
	Kind         Kind
	Start        time.Time
	DurationNs   int64
}

// maxExecutions bounds the spans of one reading.
const maxExecutions = 300_000

// Executions returns the spans of at most so many traces of which a root began in
// [from, to), those of a trace side by side. Of more traces it takes always the same
// ones, by a hash of their ids: a sample that knows nothing of services or times.
// Beyond 300,000 spans it takes fewer traces, each as a whole. Spans that began up to
// five minutes after the last of the roots ended belong to their traces, an hour after
// to at most.
func (s *Store) Executions(ctx context.Context, p project.ID, from, to time.Time, traces int) ([]Execution, error) {
	rows, err := s.db.Query(ctx, p, `WITH sampled AS (
			SELECT trace_id, max(addNanoseconds(start, duration)) AS ended FROM spans WHERE project_id = {project:UInt32} AND start >= {from:DateTime64(9)} AND start < {to:DateTime64(9)} AND parent_id = 0
			GROUP BY trace_id ORDER BY cityHash64(trace_id) LIMIT {traces:UInt32})
		SELECT trace_id, span_id, parent_id, service, operation, kind, start, duration FROM spans
		WHERE project_id = {project:UInt32} AND start >= {from:DateTime64(9)} AND start < {to:DateTime64(9)} + INTERVAL 1 HOUR
			AND start < (SELECT max(ended) FROM sampled) + INTERVAL 5 MINUTE AND trace_id IN (SELECT trace_id FROM sampled)
		ORDER BY trace_id, start, span_id LIMIT 1 BY trace_id, span_id, service LIMIT {limit:UInt32}`,
		clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()), clickhouse.P("traces", uint32(max(traces, 1))), clickhouse.P("limit", uint32(maxExecutions)))
	if err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below carries what matters
	var all []Execution
	for rows.Next() {
		var (
			id                 string
			span, parent       uint64
			service, operation string
			kind               uint8
			start              time.Time
			duration           uint64
		)
		if err := rows.Scan(&id, &span, &parent, &service, &operation, &kind, &start, &duration); err != nil {
			return nil, fmt.Errorf("read executions: %w", err)
		}
		// The rows repeat a few names, which are kept once.
		e := Execution{Span: SpanID(span), Parent: SpanID(parent), Service: unique.Make(service).Value(), Operation: unique.Make(operation).Value(), Kind: Kind(kind), Start: start.UTC(), DurationNs: int64(duration)}
		copy(e.Trace[:], id)
		all = append(all, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read executions: %w", err)
	}
	if len(all) == maxExecutions { // of the last trace a part may be missing, as if it did less
		last := all[len(all)-1].Trace
		for len(all) > 0 && all[len(all)-1].Trace == last {
			all = all[:len(all)-1]
		}
	}
	return all, nil
}
