package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// The query API of Jaeger, for its UI and for Grafana's data source. It keeps
// Jaeger's conventions: names in camel case, times in microseconds, errors in
// its envelope, 400 for a parameter that is wrong.

// How far back lists of names go, a search without a start, and dependencies.
const (
	jaegerNames        = 7 * 24 * time.Hour
	jaegerLookback     = 48 * time.Hour
	jaegerDependencies = 24 * time.Hour
)

const (
	jaegerLimit = 100     // traces of a search that names no limit
	jaegerSpans = 100_000 // spans of one answer; traces beyond are named among the errors
)

// JaegerAnswer is the envelope around every answer.
type JaegerAnswer[T any] struct {
	Data   T             `json:"data"`
	Total  int           `json:"total"`
	Limit  int           `json:"limit"`
	Offset int           `json:"offset"`
	Errors []JaegerError `json:"errors"`
}

// JaegerError is one thing that went wrong.
type JaegerError struct {
	Code    int    `json:"code,omitempty"`
	Msg     string `json:"msg"`
	TraceID string `json:"traceID,omitempty"`
}

// JaegerFailure is the envelope of a request that failed.
type JaegerFailure struct {
	JaegerAnswer[*struct{}]
	header http.Header
}

// Error implements error.
func (f *JaegerFailure) Error() string { return f.Errors[0].Msg }

// GetStatus implements huma.StatusError.
func (f *JaegerFailure) GetStatus() int { return f.Errors[0].Code }

// GetHeaders implements huma.HeadersError.
func (f *JaegerFailure) GetHeaders() http.Header { return f.header }

func jaegerFailure(p *Problem) huma.StatusError {
	status := p.Status
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	f := &JaegerFailure{header: p.header}
	f.Errors = []JaegerError{{Code: status, Msg: p.Detail}}
	return f
}

// JaegerOperation is an operation with the kind of its spans.
type JaegerOperation struct {
	Name     string `json:"name"`
	SpanKind string `json:"spanKind"`
}

// JaegerDependency says how often one service called another.
type JaegerDependency struct {
	Parent    string `json:"parent"`
	Child     string `json:"child"`
	CallCount uint64 `json:"callCount"`
}

// InJaegerSearch are the parameters of a search, as texts: they are judged here,
// so that what is wrong is said in Jaeger's way.
type InJaegerSearch struct {
	InProject
	Service     string   `query:"service"`
	Operation   string   `query:"operation"`
	Tag         []string `query:"tag,explode" doc:"key:value, any number of times"`
	Tags        []string `query:"tags,explode" doc:"JSON object of texts"`
	Start       string   `query:"start" doc:"unix microseconds"`
	End         string   `query:"end" doc:"unix microseconds"`
	Lookback    string   `query:"lookback" doc:"such as 1h or 2d, when there is no start"`
	MinDuration string   `query:"minDuration" doc:"such as 1.2s, 100ms, 500us"`
	MaxDuration string   `query:"maxDuration"`
	Limit       string   `query:"limit" doc:"default 100, at most 1500"`
	TraceID     []string `query:"traceID,explode" doc:"any number of times, instead of a search"`
}

func (s *server) registerJaeger() {
	at := func(id, path, summary string) huma.Operation {
		op := get(id, "/api/v1/projects/{project}/jaeger/api/"+path, summary)
		op.Metadata = map[string]any{failureShape: jaegerFailure}
		op.Responses = map[string]*huma.Response{"default": {Description: "Failure", Content: map[string]*huma.MediaType{
			"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[JaegerFailure](), true, "JaegerFailure")},
		}}}
		return op
	}
	register(s, tenant.ProjectRead, at("jaeger-services", "services", "Jaeger: services"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[JaegerAnswer[[]string]], error) {
			names, err := s.opts.Traces.ServiceNames(ctx, in.Project, s.now().Add(-jaegerNames))
			return jaegerList(names, err)
		})
	register(s, tenant.ProjectRead, at("jaeger-service-operations", "services/{service}/operations", "Jaeger: names of a service's operations"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Service string `path:"service"`
		}) (*result[JaegerAnswer[[]string]], error) {
			operations, err := s.opts.Traces.Operations(ctx, in.Project, in.Service, 0, s.now().Add(-jaegerNames))
			names := []string{}
			for _, o := range operations {
				names = append(names, o.Name)
			}
			return jaegerList(slices.Compact(names), err)
		})
	register(s, tenant.ProjectRead, at("jaeger-operations", "operations", "Jaeger: a service's operations with their kinds"), s.jaegerOperations)
	register(s, tenant.ProjectRead, at("jaeger-find", "traces", "Jaeger: search of traces"), s.jaegerFind)
	register(s, tenant.ProjectRead, at("jaeger-trace", "traces/{trace}", "Jaeger: a trace"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Trace string `path:"trace"`
		}) (*result[JaegerAnswer[[]JaegerTrace]], error) {
			id, err := jaegerTraceID(in.Trace)
			if err != nil {
				return nil, err
			}
			t, err := s.opts.Traces.Trace(ctx, in.Project, id)
			if err != nil {
				return nil, err
			}
			return jaegerList([]JaegerTrace{jaegerTrace(t)}, nil)
		})
	register(s, tenant.ProjectRead, at("jaeger-dependencies", "dependencies", "Jaeger: which service called which"), s.jaegerDependencies)
}

func jaegerList[T any](items []T, err error) (*result[JaegerAnswer[[]T]], error) {
	return ok(JaegerAnswer[[]T]{Data: items, Total: len(items), Errors: []JaegerError{}}, err)
}

func wrongParameter(name string, format string, args ...any) error {
	return fault.New(fault.Invalid, "unable to parse param '"+name+"': "+format, args...).WithField(name)
}

// jaegerTraceID reads up to 32 hexadecimal digits; leading zeros may be missing.
func jaegerTraceID(text string) (trace.TraceID, error) {
	id, err := trace.ParseTraceID(strings.Repeat("0", max(0, 32-len(text))) + text)
	if err != nil || text == "" {
		return id, wrongParameter("traceID", "want up to 32 hexadecimal digits")
	}
	return id, nil
}

func (s *server) jaegerOperations(ctx context.Context, _ tenant.Actor, in *struct {
	InProject
	Service string `query:"service"`
	Kind    string `query:"spanKind"`
}) (*result[JaegerAnswer[[]JaegerOperation]], error) {
	operations, err := s.operations(ctx, in.Project, in.Service, in.Kind)
	return jaegerList(operations, err)
}

// operations are a service's, of all kinds where none is named.
func (s *server) operations(ctx context.Context, p project.ID, service, kindName string) ([]JaegerOperation, error) {
	if service == "" {
		return nil, fault.New(fault.Invalid, "parameter 'service' is required").WithField("service")
	}
	var kind trace.Kind
	for k := trace.KindInternal; k <= trace.KindConsumer; k++ {
		if kindName == k.String() {
			kind = k
		}
	}
	if kindName != "" && kind == 0 {
		return nil, wrongParameter("spanKind", "%q is none of internal, server, client, producer, consumer", kindName)
	}
	found, err := s.opts.Traces.Operations(ctx, p, service, kind, s.now().Add(-jaegerNames))
	operations := make([]JaegerOperation, len(found))
	for i, o := range found {
		operations[i] = JaegerOperation{o.Name, o.Kind.String()}
	}
	return operations, err
}

func (s *server) jaegerFind(ctx context.Context, _ tenant.Actor, in *InJaegerSearch) (*result[JaegerAnswer[[]JaegerTrace]], error) {
	var ids []trace.TraceID
	for _, text := range in.TraceID {
		id, err := jaegerTraceID(text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		q, err := in.query(s.now())
		if err != nil {
			return nil, err
		}
		if ids, err = s.opts.Traces.Find(ctx, in.Project, q); err != nil {
			return nil, err
		}
	}
	return s.jaegerTraces(ctx, in.Project, ids)
}

// jaegerTraces reads traces as long as their spans fit into one answer.
func (s *server) jaegerTraces(ctx context.Context, p project.ID, ids []trace.TraceID) (*result[JaegerAnswer[[]JaegerTrace]], error) {
	answer := JaegerAnswer[[]JaegerTrace]{Data: []JaegerTrace{}, Errors: []JaegerError{}}
	spans := 0
	for _, id := range ids {
		if spans >= jaegerSpans {
			answer.Errors = append(answer.Errors, JaegerError{Msg: "left out: the answer has more spans than fit; lower the limit", TraceID: id.String()})
			continue
		}
		t, err := s.opts.Traces.Trace(ctx, p, id)
		if fault.Is(err, fault.NotFound) {
			answer.Errors = append(answer.Errors, JaegerError{Msg: "trace not found", TraceID: id.String()})
			continue
		}
		if err != nil {
			return nil, err
		}
		spans += len(t.Spans)
		answer.Data = append(answer.Data, jaegerTrace(t))
	}
	answer.Total = len(answer.Data)
	return ok(answer, nil)
}

// query reads the parameters of a search.
func (in *InJaegerSearch) query(now time.Time) (q trace.FindQuery, err error) {
	q = trace.FindQuery{Service: in.Service, Operation: in.Operation, To: now, Limit: jaegerLimit}
	if q.To, err = microseconds("end", in.End, now); err != nil {
		return q, err
	}
	back := jaegerLookback
	if in.Lookback != "" && in.Lookback != "custom" { // what Jaeger's UI says when it sends both ends
		if back, err = lookback(in.Lookback); err != nil {
			return q, err
		}
	}
	if q.From, err = microseconds("start", in.Start, q.To.Add(-back)); err != nil {
		return q, err
	}
	if q.MinDuration, err = jaegerDuration("minDuration", in.MinDuration); err != nil {
		return q, err
	}
	if q.MaxDuration, err = jaegerDuration("maxDuration", in.MaxDuration); err != nil {
		return q, err
	}
	if in.Limit != "" {
		if q.Limit, err = strconv.Atoi(in.Limit); err != nil {
			return q, wrongParameter("limit", "%q is not a number", in.Limit)
		}
	}
	q.Tags, err = in.tags()
	return q, err
}

func (in *InJaegerSearch) tags() (map[string]string, error) {
	all := map[string]string{}
	for _, tag := range in.Tag {
		key, value, found := strings.Cut(tag, ":")
		if !found {
			return nil, fault.New(fault.Invalid, "malformed 'tag' parameter, expecting key:value, received: %s", tag).WithField("tag")
		}
		all[key] = value
	}
	for _, text := range in.Tags {
		if err := readTags(text, all); err != nil {
			return nil, fault.New(fault.Invalid, "malformed 'tags' parameter, cannot unmarshal JSON: it looks like {\"http.status_code\":\"500\"}").WithField("tags")
		}
	}
	return all, nil
}

// readTags adds the members of a JSON object, as texts.
func readTags(text string, to map[string]string) error {
	var some map[string]any
	if err := json.Unmarshal([]byte(text), &some); err != nil {
		return err
	}
	for key, value := range some {
		if text, ok := value.(string); ok {
			to[key] = text
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return err
		}
		to[key] = string(encoded)
	}
	return nil
}

func microseconds(name, text string, without time.Time) (time.Time, error) {
	if text == "" {
		return without, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return without, wrongParameter(name, "%q is not a number of microseconds", text)
	}
	return time.UnixMicro(n), nil
}

func jaegerDuration(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, wrongParameter(name, "%q is not a duration such as 1.2s, 100ms or 500us", text)
	}
	return d, nil
}

// lookback reads a duration that may be in days.
func lookback(text string) (time.Duration, error) {
	if days, found := strings.CutSuffix(text, "d"); found {
		if n, err := strconv.Atoi(days); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	return jaegerDuration("lookback", text)
}

func (s *server) jaegerDependencies(ctx context.Context, _ tenant.Actor, in *struct {
	InProject
	End      string `query:"endTs" doc:"unix milliseconds"`
	Lookback string `query:"lookback" doc:"milliseconds, default a day"`
	Service  string `query:"service"`
}) (*result[JaegerAnswer[[]JaegerDependency]], error) {
	milliseconds := func(name, text string, without int64) (int64, error) {
		if text == "" {
			return without, nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, wrongParameter(name, "%q is not a number of milliseconds", text)
		}
		return n, nil
	}
	end, err := milliseconds("endTs", in.End, s.now().UnixMilli())
	if err != nil {
		return nil, err
	}
	back, err := milliseconds("lookback", in.Lookback, jaegerDependencies.Milliseconds())
	if err != nil {
		return nil, err
	}
	g, err := s.opts.Traces.Graph(ctx, in.Project, trace.GraphQuery{From: time.UnixMilli(end - back), To: time.UnixMilli(end)})
	if err != nil {
		return nil, err
	}
	links := dependencies(g)
	if in.Service != "" {
		links = slices.DeleteFunc(links, func(d JaegerDependency) bool { return d.Parent != in.Service && d.Child != in.Service })
	}
	return jaegerList(links, nil)
}

// dependencies are the edges between services. A queue is a node of ours and
// none of Jaeger's: who writes into it calls who reads from it.
func dependencies(g *trace.Graph) []JaegerDependency {
	counts := map[[2]string]uint64{}
	for i := range g.Edges {
		e := &g.Edges[i]
		from, _ := g.Node(e.From)
		to, _ := g.Node(e.To)
		switch {
		case from.Kind == trace.NodeService && to.Kind == trace.NodeService:
			counts[[2]string{from.Name, to.Name}] += e.Count
		case from.Kind == trace.NodeService && to.Kind == trace.NodeQueue:
			for _, read := range g.Callees(e.To) {
				reader, _ := g.Node(read.To)
				counts[[2]string{from.Name, reader.Name}] += min(e.Count, read.Count)
			}
		}
	}
	links := make([]JaegerDependency, 0, len(counts))
	for pair, n := range counts {
		links = append(links, JaegerDependency{pair[0], pair[1], n})
	}
	slices.SortFunc(links, func(a, b JaegerDependency) int {
		return cmp.Or(cmp.Compare(b.CallCount, a.CallCount), cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.Child, b.Child))
	})
	return links
}
