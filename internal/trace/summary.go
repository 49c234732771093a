package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Summary is a trace in little.
type Summary struct {
	TraceID TraceID
	// RootService and RootName are of its root, or of its earliest span while no root is stored.
	RootService, RootName string
	Start, End            time.Time // of the earliest span, and to the end of the latest
	Spans, Errors         uint64
	Orphans               uint64         // spans whose parent is not stored
	Services              []SummaryShare // by name
}

// SummaryShare is what a service has in a trace.
type SummaryShare struct {
	Service       string
	Spans, Errors uint64
}

// Summaries returns traces in little, in the order of ids. Those that are not
// stored are left out.
func (s *Store) Summaries(ctx context.Context, p project.ID, ids []TraceID) ([]Summary, error) {
	if len(ids) == 0 {
		return []Summary{}, nil
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	shares, err := s.shares(ctx, p, texts)
	if err != nil {
		return nil, fmt.Errorf("read what services have in traces: %w", err)
	}
	if err := s.roots(ctx, p, texts, shares); err != nil {
		return nil, fmt.Errorf("read the roots of traces: %w", err)
	}
	found := make([]Summary, 0, len(shares))
	for _, id := range ids {
		if sum := shares[id]; sum != nil {
			found = append(found, *sum)
			delete(shares, id) // an id may be named twice
		}
	}
	return found, nil
}

// idsOf selects the traces whose ids are the parameter ids, in hexadecimal digits.
const idsOf = `trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))`

// shares reads all of summaries but their roots and orphans, from the rollup.
func (s *Store) shares(ctx context.Context, p project.ID, ids []string) (map[TraceID]*Summary, error) {
	var rows []struct {
		TraceID string    `ch:"trace_id"`
		Service string    `ch:"service"`
		From    time.Time `ch:"from"`
		To      time.Time `ch:"to"`
		Spans   uint64    `ch:"n"`
		Errors  uint64    `ch:"failed"`
	}
	err := s.db.Select(ctx, p, &rows, `
		SELECT trace_id, service, min(start_min) AS from, max(end_max) AS to, sum(spans) AS n, sum(errors) AS failed
		FROM transaction_calls WHERE project_id = {project:UInt32} AND `+idsOf+`
		GROUP BY trace_id, service ORDER BY trace_id, service`, clickhouse.P("ids", ids))
	if err != nil {
		return nil, err
	}
	found := map[TraceID]*Summary{}
	for _, r := range rows {
		var id TraceID
		copy(id[:], r.TraceID)
		sum := found[id]
		if sum == nil {
			sum = &Summary{TraceID: id, Start: r.From, End: r.To}
			found[id] = sum
		}
		if r.From.Before(sum.Start) {
			sum.Start = r.From
		}
		if r.To.After(sum.End) {
			sum.End = r.To
		}
		sum.Spans += r.Spans
		sum.Errors += r.Errors
		sum.Services = append(sum.Services, SummaryShare{r.Service, r.Spans, r.Errors})
	}
	return found, nil
}

// roots reads the roots and orphans of the traces.
func (s *Store) roots(ctx context.Context, p project.ID, ids []string, of map[TraceID]*Summary) error {
	if len(of) == 0 {
		return nil
	}
	var from, to time.Time
	for _, sum := range of {
		if from.IsZero() || sum.Start.Before(from) {
			from = sum.Start
		}
		if sum.End.After(to) {
			to = sum.End
		}
	}
	var rows []struct {
		TraceID string `ch:"trace_id"`
		Service string `ch:"root_service"`
		Name    string `ch:"root_name"`
		Orphans uint64 `ch:"orphans"`
	}
	const spans = `FROM spans WHERE project_id = {project:UInt32} AND start >= {from:DateTime64(9)} AND start <= {to:DateTime64(9)}
		AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes({from:DateTime64(9)})
		AND toStartOfFiveMinutes(start) <= toStartOfFiveMinutes({to:DateTime64(9)}) AND ` + idsOf
	err := s.db.Select(ctx, p, &rows, `
		SELECT trace_id, argMin(service, (parent_id != 0, start, span_id)) AS root_service, argMin(name, (parent_id != 0, start, span_id)) AS root_name,
			countIf(parent_id != 0 AND (trace_id, parent_id) NOT IN (SELECT trace_id, span_id `+spans+`)) AS orphans
		`+spans+` GROUP BY trace_id`,
		clickhouse.P("ids", ids), clickhouse.P("from", from), clickhouse.P("to", to))
	if err != nil {
		return err
	}
	for _, r := range rows {
		var id TraceID
		copy(id[:], r.TraceID)
		if sum := of[id]; sum != nil {
			sum.RootService, sum.RootName, sum.Orphans = r.Service, r.Name, r.Orphans
		}
	}
	return nil
}
