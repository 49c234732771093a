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

	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// v3 gets an answer of the third version of the API, which has no envelope.
func (j *jaeger) v3(path string, status int, out any) {
	j.t.Helper()
	answer := j.client.do(http.MethodGet, "/api/v1/projects/"+strconv.Itoa(int(j.a.project))+"/jaeger/api/v3/"+path, nil, nil)
	if answer.Code != status {
		j.t.Fatalf("%s: %d %s", path, answer.Code, answer.Body)
	}
	j.must(json.Unmarshal(answer.Body.Bytes(), out))
}

func TestJaegersUIOfTodayFindsServicesAndOperations(t *testing.T) {
	j := newJaeger(t)
	var services JaegerServices
	if j.v3("services", http.StatusOK, &services); !slices.Equal(services.Services, []string{"alpha-canary", "mail", "shop", "stock"}) {
		t.Errorf("services: %v", services)
	}
	var operations JaegerOperations
	j.v3("operations?service=shop&span_kind=server", http.StatusOK, &operations)
	if diff := cmp.Diff([]JaegerOperation{{"GET /pay", "server"}}, operations.Operations); diff != "" {
		t.Error(diff)
	}
	if j.v3("operations?service=shop", http.StatusOK, &operations); len(operations.Operations) != 3 {
		t.Errorf("operations of all kinds: %v", operations)
	}
}

func TestJaegersUIOfTodaySearchesSummariesOfTraces(t *testing.T) {
	j := newJaeger(t)
	tracetest.Insert(t, j.engine, project.ID(j.a.project), tracetest.Span{ // whose parent never came
		Trace: tracetest.ID(2), ID: 8, Parent: 99, Service: "stock", Name: "late", Kind: trace.KindServer, Start: j.start.Add(time.Minute), Duration: time.Millisecond,
	})
	var found JaegerSummaries
	j.v3("trace-summaries?query.service_name=stock", http.StatusOK, &found)
	nano := func(after time.Duration) string { return strconv.FormatInt(j.start.Add(after).UnixNano(), 10) }
	want := []JaegerSummary{{
		TraceID: tracetest.ID(2).String(), RootServiceName: "stock", RootOperationName: "late", MinStart: nano(time.Minute), MaxEnd: nano(time.Minute + time.Millisecond),
		SpanCount: 1, OrphanSpanCount: 1, Services: []JaegerServiceSummary{{"stock", 1, 0}},
	}, {
		TraceID: tracetest.ID(1).String(), RootServiceName: "shop", RootOperationName: "span 0000000000000001", MinStart: nano(0), MaxEnd: nano(time.Second),
		SpanCount: 5, ErrorSpanCount: 1, Services: []JaegerServiceSummary{{"mail", 1, 0}, {"shop", 3, 1}, {"stock", 1, 0}},
	}}
	if diff := cmp.Diff(want, found.Summaries); diff != "" {
		t.Error(diff)
	}

	f := func(want int, query string) {
		t.Helper()
		if j.v3("trace-summaries?"+query, http.StatusOK, &found); len(found.Summaries) != want {
			t.Errorf("%s: %d traces, want %d", query, len(found.Summaries), want)
		}
	}
	at := func(after time.Duration) string {
		return url.QueryEscape(j.start.Add(after).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	f(0, "query.service_name=nobody")
	f(1, "query.service_name=shop&query.span_name="+url.QueryEscape("GET /pay"))
	f(0, "query.serviceName=shop&query.operationName=other")
	f(1, "query.service_name=shop&query.start_time_min="+at(-time.Second)+"&query.start_time_max="+at(time.Minute)+"&query.num_traces=20")
	f(0, "query.service_name=shop&query.startTimeMax="+at(-time.Second))
	f(1, "query.service_name=stock&query.searchDepth=1")
	f(1, "query.service_name=shop&query.duration_min=900ms&query.duration_max=1.5s")
	f(0, "query.service_name=shop&query.durationMin=1100ms")
	f(1, "query.service_name=shop&query.attributes="+url.QueryEscape(`{"http.status_code":"503","error":"true"}`))
}

func TestJaegersAPIOfTodayTellsATraceAsOTLP(t *testing.T) {
	j := newJaeger(t)
	var got struct {
		Result struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []struct {
						TraceID string  `json:"traceId"`
						Parent  *string `json:"parentSpanId"`
					} `json:"spans"`
				} `json:"scopeSpans"`
			} `json:"resourceSpans"`
		} `json:"result"`
	}
	j.v3("traces/"+tracetest.ID(1).String()+"?start_time=2026-07-01T09:30:00Z", http.StatusOK, &got)
	spans, roots := 0, 0
	for _, r := range got.Result.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, span := range s.Spans {
				if spans++; span.Parent == nil {
					roots++
				}
				if span.TraceID != tracetest.ID(1).String() {
					t.Errorf("trace id %s", span.TraceID)
				}
			}
		}
	}
	if spans != 5 || roots != 1 {
		t.Errorf("%d spans, %d roots", spans, roots)
	}
}

func TestJaegersUIOfTodayIsToldWhatIsWrongInItsOwnWay(t *testing.T) {
	j := newJaeger(t)
	f := func(status int, path, says string) {
		t.Helper()
		var got JaegerRefusal
		j.v3(path, status, &got)
		if got.Refused.HTTPCode != status || !strings.Contains(got.Refused.Message, says) {
			t.Errorf("%s: %+v", path, got.Refused)
		}
	}
	f(404, "traces/"+tracetest.ID(77).String(), "not stored")
	f(400, "traces/xyz", "hexadecimal")
	f(400, "operations", "'service' is required")
	f(400, "trace-summaries", "'service' is required")
	f(400, "trace-summaries?query.service_name=shop&query.start_time_min=yesterday", "startTimeMin")
	f(400, "trace-summaries?query.service_name=shop&query.duration_min=5", "durationMin")
	f(400, "trace-summaries?query.service_name=shop&query.num_traces=many", "searchDepth")
	f(400, "trace-summaries?query.service_name=shop&query.attributes=error", "query.attributes")
	j.client = j.anonymous()
	f(401, "services", "")
}
