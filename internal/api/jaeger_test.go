package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// jaeger is the query API of one project as Grafana reads it: by a token.
type jaeger struct {
	*neighbours
	client *client
	start  time.Time
}

func newJaeger(t *testing.T) *jaeger {
	n := newNeighbours(t, metadbtest.SQLite(t))
	j := &jaeger{neighbours: n, client: n.a.login.withToken(tenant.ScopeProjectRead), start: time.Now().Add(-time.Hour).Truncate(time.Microsecond)}
	span := func(id, parent trace.SpanID, service string, kind trace.Kind, at, took time.Duration, attributes ...string) tracetest.Span {
		s := tracetest.Span{Trace: tracetest.ID(1), ID: id, Parent: parent, Service: service, Environment: "prod", Instance: "pod-1",
			Name: "span " + id.String(), Kind: kind, Start: j.start.Add(at), Duration: took, Attributes: map[string]string{}}
		for i := 0; i+1 < len(attributes); i += 2 {
			s.Attributes[attributes[i]] = attributes[i+1]
		}
		return s
	}
	call := span(2, 1, "shop", trace.KindClient, 10*time.Millisecond, 200*time.Millisecond, "http.method", "GET", "http.url", "http://stock:8080/x", "http.status_code", "503", "net.peer.name", "stock", "net.peer.port", "8080", "retry", "true", "customer", "0042")
	call.Error = true
	call.Events = []tracetest.Event{tracetest.Exception(j.start.Add(50*time.Millisecond), "Timeout", "too slow", "at x")}
	call.Links = []trace.Link{{TraceID: tracetest.ID(9), SpanID: 7}}
	tracetest.Insert(t, n.engine, project.ID(n.a.project),
		span(1, 0, "shop", trace.KindServer, 0, time.Second, "http.request.method", "GET", "http.route", "/pay"),
		call,
		span(3, 2, "stock", trace.KindServer, 5*time.Millisecond, 100*time.Millisecond), // its clock is behind
		span(4, 1, "shop", trace.KindProducer, 0, time.Millisecond, "messaging.destination.name", "paid"),
		span(5, 4, "mail", trace.KindConsumer, 0, time.Millisecond, "messaging.destination.name", "paid"))
	return j
}

// get reads one answer; it must have Jaeger's envelope whatever the status.
func (j *jaeger) get(path string, data any) (status int, errors []JaegerError) {
	j.t.Helper()
	answer := j.client.do(http.MethodGet, "/api/v1/projects/"+strconv.Itoa(int(j.a.project))+"/jaeger/api/"+path, nil, nil)
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(answer.Body.Bytes(), &envelope); err != nil {
		j.t.Fatalf("%s: %v: %s", path, err, answer.Body)
	}
	for _, name := range []string{"data", "total", "limit", "offset", "errors"} {
		if _, ok := envelope[name]; !ok {
			j.t.Errorf("%s: no %s in %s", path, name, answer.Body)
		}
	}
	if data != nil {
		j.must(json.Unmarshal(envelope["data"], data))
	}
	j.must(json.Unmarshal(envelope["errors"], &errors))
	return answer.Code, errors
}

func TestJaegersUIFindsServicesAndOperations(t *testing.T) {
	j := newJaeger(t)
	var names []string
	if _, errors := j.get("services", &names); len(errors) > 0 {
		t.Error(errors, j.log.String())
	}
	if !slices.Equal(names, []string{"alpha-canary", "mail", "shop", "stock"}) {
		t.Errorf("services: %v", names)
	}
	if j.get("services/shop/operations", &names); !slices.Equal(names, []string{"GET /pay", "span 0000000000000002", "span 0000000000000004"}) {
		t.Errorf("operations: %v", names)
	}
	var operations []JaegerOperation
	j.get("operations?service=shop&spanKind=server", &operations)
	if diff := cmp.Diff([]JaegerOperation{{"GET /pay", "server"}}, operations); diff != "" {
		t.Error(diff)
	}
}

func TestJaegersUIReadsATrace(t *testing.T) {
	j := newJaeger(t)
	var traces []JaegerTrace
	if status, _ := j.get("traces/"+tracetest.ID(1).String(), &traces); status != http.StatusOK || len(traces) != 1 || len(traces[0].Spans) != 5 {
		t.Fatalf("%d: %+v", status, traces)
	}
	at := slices.IndexFunc(traces[0].Spans, func(s JaegerSpan) bool { return s.SpanID == "0000000000000002" })
	call, id := traces[0].Spans[at], tracetest.ID(1).String()
	started := float64(j.start.Add(10 * time.Millisecond).UnixMicro())
	want := JaegerSpan{
		TraceID: id, SpanID: "0000000000000002", Flags: 1, OperationName: "span 0000000000000002", StartTime: int64(started), Duration: 200_000, ProcessID: call.ProcessID,
		References: []JaegerReference{{"CHILD_OF", id, "0000000000000001"}, {"FOLLOWS_FROM", tracetest.ID(9).String(), "0000000000000007"}},
		Tags: []JaegerTag{
			{"customer", "string", "0042"}, {"http.request.method", "string", "GET"}, {"http.response.status_code", "int64", float64(503)},
			{"retry", "bool", true}, {"server.address", "string", "stock"}, {"server.port", "int64", float64(8080)},
			{"url.full", "string", "http://stock:8080/x"}, {"span.kind", "string", "client"}, {"otel.status_code", "string", "ERROR"}, {"error", "bool", true},
		},
		Warnings: []string{},
		Logs: []JaegerLog{{Timestamp: int64(started) + 40_000, Fields: []JaegerTag{
			{"event", "string", "exception"}, {"exception.message", "string", "too slow"}, {"exception.stacktrace", "string", "at x"}, {"exception.type", "string", "Timeout"},
		}}},
	}
	if diff := cmp.Diff(want, call); diff != "" {
		t.Error(diff)
	}
	process := traces[0].Processes[call.ProcessID]
	if diff := cmp.Diff(JaegerProcess{"shop", []JaegerTag{{"deployment.environment.name", "string", "prod"}, {"service.instance.id", "string", "pod-1"}}}, process); diff != "" {
		t.Error(diff)
	}
	if len(traces[0].Processes) != 3 {
		t.Errorf("processes: %v", traces[0].Processes)
	}
	at = slices.IndexFunc(traces[0].Spans, func(s JaegerSpan) bool { return s.SpanID == "0000000000000003" })
	if warnings := traces[0].Spans[at].Warnings; len(warnings) != 1 || !strings.Contains(warnings[0], "5ms") {
		t.Errorf("warnings of the span whose clock is behind: %v", warnings)
	}
}

func TestJaegersUISearchesTraces(t *testing.T) {
	j := newJaeger(t)
	f := func(want int, query string) {
		t.Helper()
		var traces []JaegerTrace
		status, errors := j.get("traces?"+query, &traces)
		if status != http.StatusOK || len(traces) != want {
			t.Errorf("%s: %d, %d traces, want %d, %v", query, status, len(traces), want, errors)
		}
	}
	f(1, "service=shop")
	f(0, "service=nobody")
	f(1, "service=shop&operation="+url.QueryEscape("GET /pay"))
	f(0, "service=shop&operation=other")
	f(1, "service=shop&minDuration=900ms&maxDuration=1.5s")
	f(0, "service=shop&minDuration=1100ms")
	f(1, "service=shop&tag=error:true")
	f(0, "service=stock&tag=error:true")
	f(1, "service=shop&tags="+url.QueryEscape(`{"http.status_code":"503","error":"true"}`))
	f(1, "service=shop&tags="+url.QueryEscape(`{"http.response.status_code":503,"retry":true}`))
	f(0, "service=shop&tag=http.status_code:503&tag=span.kind:server")
	f(1, "service=shop&tag=service.instance.id:pod-1&tag=server.address:stock")
	f(0, "service=shop&tag=customer:42")
	f(1, "service=shop&lookback=2h")
	f(0, "service=shop&lookback=30m")
	end := j.start.Add(time.Minute).UnixMicro()
	f(1, "service=shop&start="+strconv.FormatInt(end-120e6, 10)+"&end="+strconv.FormatInt(end, 10)+"&lookback=custom")
	f(0, "service=shop&end="+strconv.FormatInt(end-120e6, 10))
	f(1, "traceID="+tracetest.ID(1).String()+"&traceID=1f")
	_, errors := j.get("traces?traceID=1f", nil)
	if len(errors) != 1 || errors[0].TraceID != strings.Repeat("0", 30)+"1f" {
		t.Errorf("a trace that is not there: %v", errors)
	}
}

func TestJaegersAPIIsAskedAsGrafanasDataSourceAsks(t *testing.T) {
	j := newJaeger(t)
	f := func(path string, want int) {
		t.Helper()
		var data []json.RawMessage
		if status, errors := j.get(path, &data); status != http.StatusOK || len(errors) > 0 || len(data) != want {
			t.Errorf("%s: %d, %d items, want %d, %v", path, status, len(data), want, errors)
		}
	}
	from, to := j.start.Add(-time.Hour), j.start.Add(time.Hour)
	span := func(start, end int64) string {
		return url.Values{"start": {strconv.FormatInt(start, 10)}, "end": {strconv.FormatInt(end, 10)}}.Encode()
	}
	f("services", 4)
	f("services/shop/operations", 3)
	f("traces/"+tracetest.ID(1).String()+"?"+span(from.UnixMilli(), to.UnixMilli()), 1) // it is asked to say when
	f("traces?"+span(from.UnixMicro(), to.UnixMicro())+"&limit=20&minDuration=100us&service=shop&tags="+url.QueryEscape(`{"error":"true"}`), 1)
	f("dependencies?endTs="+strconv.FormatInt(to.UnixMilli(), 10)+"&lookback="+strconv.FormatInt(to.Sub(from).Milliseconds(), 10), 2)
}

func TestJaegersUIIsToldWhatIsWrongInItsOwnWay(t *testing.T) {
	j := newJaeger(t)
	f := func(status int, path, says string) {
		t.Helper()
		got, errors := j.get(path, nil)
		if got != status || len(errors) != 1 || errors[0].Code != status || !strings.Contains(errors[0].Msg, says) {
			t.Errorf("%s: %d, %v", path, got, errors)
		}
	}
	f(404, "traces/"+tracetest.ID(77).String(), "not stored")
	f(400, "traces/xyz", "hexadecimal")
	f(400, "traces", "'service' is required")
	f(400, "operations", "'service' is required")
	f(400, "traces?service=shop&start=yesterday", "'start'")
	f(400, "traces?service=shop&minDuration=5", "'minDuration'")
	f(400, "traces?service=shop&minDuration=2s&maxDuration=1s", "'maxDuration'")
	f(400, "traces?service=shop&limit=many", "'limit'")
	f(400, "traces?service=shop&limit=5000", "1500")
	f(400, "traces?service=shop&tag=error", "key:value")
	f(400, "traces?service=shop&tags=error%3Dtrue", "JSON")
	f(400, "dependencies?endTs=now", "'endTs'")
	j.client = j.anonymous()
	f(401, "services", "")
}

func TestJaegersUISeesDependenciesThroughQueues(t *testing.T) {
	j := newJaeger(t)
	var links []JaegerDependency
	j.get("dependencies?lookback=7200000", &links)
	if diff := cmp.Diff([]JaegerDependency{{"shop", "mail", 1}, {"shop", "stock", 1}}, links); diff != "" {
		t.Error(diff)
	}
	if j.get("dependencies?service=stock", &links); len(links) != 1 {
		t.Errorf("of stock: %v", links)
	}
}
