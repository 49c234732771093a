package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// What Jaeger calls the third version of its query API, as far as its UI asks
// for it: names of services and operations since 2.15, searches since 2.19. It
// is protobuf's JSON of jaeger.api_v3.QueryService: no envelope around
// an answer, 64 bits as texts, times in RFC 3339.
// Source: https://github.com/jaegertracing/jaeger-idl, proto/api_v3/query_service.proto

// JaegerServices are names of services.
type JaegerServices struct {
	Services []string `json:"services"`
}

// JaegerOperations are operations of a service.
type JaegerOperations struct {
	Operations []JaegerOperation `json:"operations"`
}

// JaegerSummaries are traces in little, those that began last first.
type JaegerSummaries struct {
	Summaries []JaegerSummary `json:"summaries"`
}

// JaegerSummary is a trace in little.
type JaegerSummary struct {
	TraceID           string                 `json:"traceId"`
	RootServiceName   string                 `json:"rootServiceName"`
	RootOperationName string                 `json:"rootOperationName"`
	MinStart          string                 `json:"minStartTimeUnixNano"`
	MaxEnd            string                 `json:"maxEndTimeUnixNano"`
	SpanCount         uint64                 `json:"spanCount"`
	ErrorSpanCount    uint64                 `json:"errorSpanCount"`
	OrphanSpanCount   uint64                 `json:"orphanSpanCount"` // whose parent is not stored
	Services          []JaegerServiceSummary `json:"services"`
}

// JaegerServiceSummary is what a service has in a trace.
type JaegerServiceSummary struct {
	Name           string `json:"name"`
	SpanCount      uint64 `json:"spanCount"`
	ErrorSpanCount uint64 `json:"errorSpanCount"`
}

// JaegerOTLP is a trace in the JSON encoding of OTLP.
type JaegerOTLP struct {
	Result json.RawMessage `json:"result"`
}

// JaegerRefusal is the envelope of a request that failed, that of grpc-gateway.
type JaegerRefusal struct {
	Refused JaegerRefused `json:"error"`
	header  http.Header
}

// JaegerRefused says why a request failed.
type JaegerRefused struct {
	HTTPCode int    `json:"httpCode"`
	Message  string `json:"message"`
}

// Error implements error.
func (r *JaegerRefusal) Error() string { return r.Refused.Message }

// GetStatus implements huma.StatusError.
func (r *JaegerRefusal) GetStatus() int { return r.Refused.HTTPCode }

// GetHeaders implements huma.HeadersError.
func (r *JaegerRefusal) GetHeaders() http.Header { return r.header }

func jaegerRefusal(p *Problem) huma.StatusError {
	status := p.Status
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	return &JaegerRefusal{JaegerRefused{status, p.Detail}, p.header}
}

// InJaegerSummaries are the parameters of a search. Jaeger writes them in camel
// case and understands snake case, which its UI sends.
type InJaegerSummaries struct {
	InProject
	Service     string `query:"query.serviceName" doc:"or query.service_name"`
	Operation   string `query:"query.operationName" doc:"or query.operation_name, query.span_name"`
	Attributes  string `query:"query.attributes" doc:"JSON object of texts"`
	From        string `query:"query.startTimeMin" doc:"or query.start_time_min; RFC 3339, default 48 hours ago"`
	To          string `query:"query.startTimeMax" doc:"or query.start_time_max; RFC 3339, default now"`
	MinDuration string `query:"query.durationMin" doc:"or query.duration_min; such as 1.2s, 100ms, 500us"`
	MaxDuration string `query:"query.durationMax" doc:"or query.duration_max"`
	Limit       string `query:"query.searchDepth" doc:"or query.search_depth, query.num_traces; default 100, at most 1500"`
}

// Resolve implements huma.Resolver: it reads the other spellings.
func (in *InJaegerSummaries) Resolve(hc huma.Context) []error {
	for _, p := range []struct {
		value *string
		names []string
	}{
		{&in.Service, []string{"query.service_name"}},
		{&in.Operation, []string{"query.operation_name", "query.span_name"}},
		{&in.From, []string{"query.start_time_min"}},
		{&in.To, []string{"query.start_time_max"}},
		{&in.MinDuration, []string{"query.duration_min"}},
		{&in.MaxDuration, []string{"query.duration_max"}},
		{&in.Limit, []string{"query.search_depth", "query.num_traces"}},
	} {
		for _, name := range p.names {
			*p.value = cmp.Or(*p.value, hc.Query(name))
		}
	}
	return nil
}

func (s *server) registerJaegerV3() {
	at := func(id, path, summary string) huma.Operation {
		op := get("jaeger-v3-"+id, "/api/v1/projects/{project}/jaeger/api/v3/"+path, summary)
		op.Metadata = map[string]any{failureShape: jaegerRefusal}
		op.Responses = map[string]*huma.Response{"default": {Description: "Failure", Content: map[string]*huma.MediaType{
			"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[JaegerRefusal](), true, "JaegerRefusal")},
		}}}
		return op
	}
	register(s, tenant.ProjectRead, at("services", "services", "Jaeger v3: services"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[JaegerServices], error) {
			names, err := s.opts.Traces.ServiceNames(ctx, in.Project, s.now().Add(-jaegerNames))
			return ok(JaegerServices{names}, err)
		})
	register(s, tenant.ProjectRead, at("operations", "operations", "Jaeger v3: a service's operations with their kinds"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Service string `query:"service"`
			Kind    string `query:"spanKind" doc:"or span_kind"`
			OldKind string `query:"span_kind" hidden:"true"`
		}) (*result[JaegerOperations], error) {
			operations, err := s.operations(ctx, in.Project, in.Service, cmp.Or(in.Kind, in.OldKind))
			return ok(JaegerOperations{operations}, err)
		})
	register(s, tenant.ProjectRead, at("find", "trace-summaries", "Jaeger v3: search of traces"), s.jaegerSummaries)
	register(s, tenant.ProjectRead, at("trace", "traces/{trace}", "Jaeger v3: a trace"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Trace string `path:"trace"`
		}) (*result[JaegerOTLP], error) {
			id, err := jaegerTraceID(in.Trace)
			if err != nil {
				return nil, err
			}
			text, err := s.otlp(ctx, in.Project, id)
			return ok(JaegerOTLP{text}, err)
		})
}

func (s *server) jaegerSummaries(ctx context.Context, _ tenant.Actor, in *InJaegerSummaries) (*result[JaegerSummaries], error) {
	q, err := in.query(s.now())
	if err != nil {
		return nil, err
	}
	ids, err := s.opts.Traces.Find(ctx, in.Project, q)
	if err != nil {
		return nil, err
	}
	found, err := s.opts.Traces.Summaries(ctx, in.Project, ids)
	out := JaegerSummaries{Summaries: make([]JaegerSummary, len(found))}
	for i, t := range found {
		out.Summaries[i] = JaegerSummary{
			TraceID: t.TraceID.String(), RootServiceName: t.RootService, RootOperationName: t.RootName,
			MinStart: strconv.FormatInt(t.Start.UnixNano(), 10), MaxEnd: strconv.FormatInt(t.End.UnixNano(), 10),
			SpanCount: t.Spans, ErrorSpanCount: t.Errors, OrphanSpanCount: t.Orphans, Services: make([]JaegerServiceSummary, len(t.Services)),
		}
		for j, share := range t.Services {
			out.Summaries[i].Services[j] = JaegerServiceSummary{share.Service, share.Spans, share.Errors}
		}
	}
	return ok(out, err)
}

// query reads the parameters of a search.
func (in *InJaegerSummaries) query(now time.Time) (q trace.FindQuery, err error) {
	q = trace.FindQuery{Service: in.Service, Operation: in.Operation, Limit: jaegerLimit}
	if q.To, err = rfc3339("query.startTimeMax", in.To, now); err != nil {
		return q, err
	}
	if q.From, err = rfc3339("query.startTimeMin", in.From, q.To.Add(-jaegerLookback)); err != nil {
		return q, err
	}
	if q.MinDuration, err = jaegerDuration("query.durationMin", in.MinDuration); err != nil {
		return q, err
	}
	if q.MaxDuration, err = jaegerDuration("query.durationMax", in.MaxDuration); err != nil {
		return q, err
	}
	if in.Limit != "" {
		if q.Limit, err = strconv.Atoi(in.Limit); err != nil {
			return q, wrongParameter("query.searchDepth", "%q is not a number", in.Limit)
		}
	}
	if in.Attributes != "" {
		q.Tags = map[string]string{}
		if err := readTags(in.Attributes, q.Tags); err != nil {
			return q, fault.New(fault.Invalid, "malformed parameter query.attributes: it looks like {\"http.status_code\":\"500\"}").WithField("query.attributes")
		}
	}
	return q, nil
}

func rfc3339(name, text string, without time.Time) (time.Time, error) {
	if text == "" {
		return without, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return without, wrongParameter(name, "%q is not a time such as 2026-07-01T09:30:00Z", text)
	}
	return t, nil
}
