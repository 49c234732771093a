package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

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

// InTransaction names a transaction of a trace.
type InTransaction struct {
	InTrace
	Span string `query:"span" pattern:"^[0-9a-f]{16}$" doc:"any span of the transaction; default the trace's longest transaction"`
}

func (in *InTransaction) ids() (id trace.TraceID, span trace.SpanID, err error) {
	if id, err = trace.ParseTraceID(in.Trace); err == nil && in.Span != "" {
		span, err = trace.ParseSpanID(in.Span)
	}
	return id, span, err
}

// FoundSpans is the spans that a search found, by start.
type FoundSpans struct {
	SpanIDs []trace.SpanID `json:"span_ids"`
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

// TransactionCount says how many transactions are selected.
type TransactionCount struct {
	Total uint64 `json:"total" doc:"above 100,000 what was delivered twice may count twice"`
}

func (s *server) registerTraces() {
	register(s, tenant.ProjectRead, get("list-transactions", "/api/v1/projects/{project}/transactions", "Transactions, newest or slowest first"), s.transactions)
	register(s, tenant.ProjectRead, get("count-transactions", "/api/v1/projects/{project}/transactions/count", "How many transactions a list has"),
		func(ctx context.Context, _ tenant.Actor, in *InFilter) (*result[TransactionCount], error) {
			total, err := s.opts.Traces.CountTransactions(ctx, in.Project, in.query(s.now()))
			return ok(TransactionCount{total}, err)
		})
	s.registerScatter()
	register(s, tenant.ProjectRead, get("get-trace", "/api/v1/projects/{project}/traces/{trace}", "A trace as it is drawn: its tree, its critical path and what stands out"),
		func(ctx context.Context, _ tenant.Actor, in *InTrace) (*result[*trace.Outline], error) {
			id, err := trace.ParseTraceID(in.Trace)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Traces.Outline(ctx, in.Project, id))
		})
	register(s, tenant.ProjectRead, get("get-span", "/api/v1/projects/{project}/traces/{trace}/spans/{span}", "All that is stored of one span"), s.span)
	register(s, tenant.ProjectRead, get("search-trace", "/api/v1/projects/{project}/traces/{trace}/search", "The spans of a trace that hold a text"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InTrace
			Text string `query:"text" maxLength:"256" doc:"in whatever a span says of itself, in either case; key=value is found in attributes"`
		}) (*result[FoundSpans], error) {
			id, err := trace.ParseTraceID(in.Trace)
			if err != nil {
				return nil, err
			}
			found, err := s.opts.Traces.Search(ctx, in.Project, id, in.Text)
			return ok(FoundSpans{found}, err)
		})
	register(s, tenant.ProjectRead, get("download-trace", "/api/v1/projects/{project}/traces/{trace}/otlp", "A trace in the JSON encoding of OTLP"), s.download)
	register(s, tenant.ProjectRead, get("get-profile", "/api/v1/projects/{project}/traces/{trace}/profile", "A transaction in numbered steps"),
		func(ctx context.Context, _ tenant.Actor, in *InTransaction) (*result[*trace.Profile], error) {
			id, span, err := in.ids()
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Traces.Profile(ctx, in.Project, id, span))
		})
	register(s, tenant.ProjectRead, get("compare-trace", "/api/v1/projects/{project}/traces/{trace}/usual", "A transaction against what such transactions usually spend, step by step"),
		func(ctx context.Context, _ tenant.Actor, in *InTransaction) (*result[*trace.Comparison], error) {
			id, span, err := in.ids()
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Traces.Compare(ctx, in.Project, id, span))
		})
}

// spanKinds are the words of spanKind.
var spanKinds = map[string]trace.Kind{
	"internal": trace.KindInternal, "server": trace.KindServer, "client": trace.KindClient, "producer": trace.KindProducer, "consumer": trace.KindConsumer,
}

func (s *server) span(ctx context.Context, _ tenant.Actor, in *struct {
	InTrace
	Span string `path:"span" pattern:"^[0-9a-f]{16}$" doc:"span id, 16 hex digits"`
	Kind string `query:"kind" enum:"internal,server,client,producer,consumer" doc:"which of two spans that share the id, as both sides of a call do in traces from Zipkin; default either"`
}) (*result[*trace.Span], error) {
	id, err := trace.ParseTraceID(in.Trace)
	if err != nil {
		return nil, err
	}
	span, err := trace.ParseSpanID(in.Span)
	if err != nil {
		return nil, err
	}
	return ok(s.opts.Traces.Span(ctx, in.Project, id, span, spanKinds[in.Kind]))
}

// jsonFile is a download.
type jsonFile struct {
	Disposition string `header:"Content-Disposition"`
	Body        json.RawMessage
}

// otlp is a trace in the JSON encoding of OTLP.
func (s *server) otlp(ctx context.Context, p project.ID, id trace.TraceID) (json.RawMessage, error) {
	t, err := s.opts.Traces.Trace(ctx, p, id)
	if err != nil {
		return nil, err
	}
	return t.OTLP()
}

func (s *server) download(ctx context.Context, _ tenant.Actor, in *InTrace) (*jsonFile, error) {
	id, err := trace.ParseTraceID(in.Trace)
	if err != nil {
		return nil, err
	}
	text, err := s.otlp(ctx, in.Project, id)
	return &jsonFile{Disposition: `attachment; filename="trace-` + in.Trace + `.json"`, Body: text}, err
}

func (s *server) transactions(ctx context.Context, _ tenant.Actor, in *InTransactions) (*result[trace.Page[trace.Transaction]], error) {
	q := in.query(s.now())
	q.Order, q.Cursor, q.Limit = trace.Order(in.Order), in.Cursor, in.Limit
	return ok(s.opts.Traces.Transactions(ctx, in.Project, q))
}
