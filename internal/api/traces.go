package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// spanKind and spanStatus describe the words that trace.Kind and trace.Status
// marshal to.
type (
	spanKind   string
	spanStatus string
)

// Schema implements huma.SchemaProvider.
func (spanKind) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{"internal", "server", "client", "producer", "consumer"}}
}

// Schema implements huma.SchemaProvider.
func (spanStatus) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{"unset", "ok", "error"}}
}

// InTrace names a trace in the path.
type InTrace struct {
	InProject
	Trace string `path:"trace" pattern:"^[0-9a-f]{32}$" doc:"trace id, 32 hex digits"`
}

// InFilter selects transactions, by the time they ended.
type InFilter struct {
	InProject
	InRange
	Service     string `query:"service" maxLength:"256"`
	Environment string `query:"environment" maxLength:"256"`
	Endpoint    string `query:"endpoint" maxLength:"1024"`
	Instance    string `query:"instance" maxLength:"256"`
	MinElapsed  int64  `query:"min_elapsed_ns" minimum:"0"`
	MaxElapsed  int64  `query:"max_elapsed_ns" minimum:"0" doc:"0 = no limit"`
	Errors      bool   `query:"errors" doc:"only those that failed"`
	Q           string `query:"q" maxLength:"8000" doc:"a search, e.g. service:order-api duration>2s attr.customer.id=42; see the user guide"`
}

func (in *InFilter) query(now time.Time) trace.TransactionQuery {
	from, to := in.between(now)
	return trace.TransactionQuery{
		Service: in.Service, Environment: in.Environment, Endpoint: in.Endpoint, Instance: in.Instance,
		From: from, To: to, MinElapsed: time.Duration(in.MinElapsed), MaxElapsed: time.Duration(in.MaxElapsed),
		ErrorsOnly: in.Errors, Search: in.Q,
	}
}

// InTransactions asks for a page of transactions.
type InTransactions struct {
	InFilter
	Order  string `query:"order" enum:"newest,slowest" default:"newest"`
	Cursor string `query:"cursor" maxLength:"1024"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (s *server) registerTraces() {
	register(s, tenant.ProjectRead, get("list-transactions", "/api/v1/projects/{project}/transactions", "Transactions, newest or slowest first"), s.transactions)
	s.registerScatter()
	register(s, tenant.ProjectRead, get("get-trace", "/api/v1/projects/{project}/traces/{trace}", "Every span of a trace"),
		func(ctx context.Context, _ tenant.Actor, in *InTrace) (*result[*trace.Trace], error) {
			id, err := trace.ParseTraceID(in.Trace)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Traces.Trace(ctx, in.Project, id))
		})
	register(s, tenant.ProjectRead, get("get-profile", "/api/v1/projects/{project}/traces/{trace}/profile", "A transaction in numbered steps"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InTrace
			Span string `query:"span" pattern:"^[0-9a-f]{16}$" doc:"any span of the transaction; default the trace's longest transaction"`
		}) (*result[*trace.Profile], error) {
			id, err := trace.ParseTraceID(in.Trace)
			if err != nil {
				return nil, err
			}
			var span trace.SpanID
			if in.Span != "" {
				if span, err = trace.ParseSpanID(in.Span); err != nil {
					return nil, err
				}
			}
			return ok(s.opts.Traces.Profile(ctx, in.Project, id, span))
		})
}

func (s *server) transactions(ctx context.Context, _ tenant.Actor, in *InTransactions) (*result[trace.Page[trace.Transaction]], error) {
	q := in.query(s.now())
	q.Order, q.Cursor, q.Limit = trace.Order(in.Order), in.Cursor, in.Limit
	return ok(s.opts.Traces.Transactions(ctx, in.Project, q))
}

// counted answers how many transactions ended within the last d.
func (s *server) counted(ctx context.Context, p project.ID, d time.Duration, errors bool) (uint64, error) {
	now := s.now()
	page, err := s.opts.Traces.Transactions(ctx, p, trace.TransactionQuery{From: now.Add(-d), To: now, ErrorsOnly: errors, Limit: 1})
	if fault.Is(err, fault.NotFound) {
		return 0, nil
	}
	return page.Total, err
}
