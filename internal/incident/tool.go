package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/investigate"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// pastTool answers with earlier incidents of the services of the scope.
func (s *Service) pastTool(ctx context.Context, of investigate.Scope, arguments json.RawMessage) ([]ground.Fact, error) {
	var in struct{ Service string }
	if err := json.Unmarshal(arguments, &in); err != nil {
		return nil, fault.New(fault.Invalid, "the arguments cannot be read: %v", err)
	}
	names := of.Names()
	if in.Service != "" {
		name, err := of.Of(in.Service)
		if err != nil {
			return nil, err
		}
		names = []string{name}
	}
	query := `SELECT ` + recordColumns + ` FROM incident WHERE project_id = $1 AND id <> $2 AND opened_at >= $3 AND opened_at < $4`
	args := []any{of.Project, of.Incident, metadb.Micros(of.From.Add(-pastSince)), metadb.Micros(of.To)}
	if len(names) > 0 {
		places := make([]string, len(names))
		for i, name := range names {
			args = append(args, name)
			places[i] = fmt.Sprintf("$%d", len(args))
		}
		query += ` AND service IN (` + strings.Join(places, ", ") + `)`
	}
	args = append(args, investigate.MaxRows+1)
	rows, err := s.opts.DB.Query(ctx, query+fmt.Sprintf(` ORDER BY opened_at DESC, id DESC LIMIT $%d`, len(args)), args...)
	found, err := metadb.Collect(rows, err, scanRecord)
	if err != nil {
		return nil, fmt.Errorf("find past incidents: %w", err)
	}
	var facts []ground.Fact
	for i := range found {
		facts = append(facts, s.pastFact(&found[i]))
	}
	return facts, nil
}

// pastFact tells of an incident and what its report said. Who did something about
// it stays in the house.
func (s *Service) pastFact(c *record) ground.Fact {
	opened := c.OpenedAt.In(s.opts.Location).Format("2006-01-02 15:04")
	said := fmt.Sprintf("Incident %d of %s, rule %q, opened %s", c.ID, c.Service, c.Rule.Name, opened)
	values := []ground.Value{{Name: "incident", Value: fmt.Sprint(c.ID)}, {Name: "rule", Value: c.Rule.Name}, {Name: "started", Value: opened}}
	if c.Service != "" {
		values = append(values, ground.Value{Name: "service", Value: c.Service, Class: mask.Name})
	}
	if c.ResolvedAt != nil {
		minutes := fmt.Sprint(int(c.ResolvedAt.Sub(c.OpenedAt).Round(time.Minute).Minutes()))
		said += ", ended after " + minutes + " min"
		values = append(values, ground.Value{Name: "lasted", Value: minutes, Unit: "min"})
		if c.ResolvedBy == "" {
			said += " by itself"
		}
	} else {
		said += ", goes on"
	}
	if c.report != nil {
		said += fmt.Sprintf("; its report said %q", c.report.Summary.Text)
		// What was masked for that report is to be masked again.
		for _, f := range c.evidence {
			for _, v := range f.Values {
				if v.Class != "" && strings.Contains(c.report.Summary.Text, v.Value) {
					values = append(values, v)
				}
			}
		}
	}
	return ground.Fact{Kind: ground.Finding, Text: ground.Line(said + "."), Values: values}
}

// profileTool answers with what evidence says of one transaction.
func (s *Service) profileTool(ctx context.Context, of investigate.Scope, arguments json.RawMessage) ([]ground.Fact, error) {
	var in struct {
		TraceID string `json:"trace_id"`
	}
	if err := json.Unmarshal(arguments, &in); err != nil {
		return nil, fault.New(fault.Invalid, "the arguments cannot be read: %v", err)
	}
	span, known := of.Known(in.TraceID)
	if !known {
		return nil, fault.New(fault.Invalid, "no fact tells of a transaction of this trace: take one that transactions found").WithField("trace_id")
	}
	sample, err := sampleOf(in.TraceID, span)
	if err != nil {
		return nil, err
	}
	bundle, err := s.opts.Collect(ctx, of.Project, evidence.Input{Environment: of.Environment, From: of.From, To: of.To, Now: of.Now, Location: of.Location,
		Worst: []evidence.Sample{sample}})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(bundle.Facts, func(f ground.Fact) bool { return f.Kind == ground.Alarm }), nil
}

func sampleOf(id, span string) (sample evidence.Sample, err error) {
	if sample.TraceID, err = trace.ParseTraceID(id); err != nil {
		return sample, err
	}
	return sample, sample.SpanID.UnmarshalText([]byte(span))
}
