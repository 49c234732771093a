package emit_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	traces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metric "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/emit"
	"github.com/matrix-aiops/matrix/internal/project"
)

// sink keeps what an emitter stores.
type sink struct {
	t       testing.TB
	mu      sync.Mutex
	spans   map[project.ID][]*trace.Span
	metrics []*metrics.ExportMetricsServiceRequest
	fails   error
	block   chan struct{}
}

func (s *sink) store(ctx context.Context, p project.ID, signal string, request []byte) error {
	if s.block != nil {
		select {
		case <-s.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	switch signal {
	case emit.Traces:
		var r traces.ExportTraceServiceRequest
		if err := proto.Unmarshal(request, &r); err != nil {
			s.t.Error(err)
		}
		for _, resource := range r.ResourceSpans {
			if got := values(resource.Resource.Attributes); got["service.name"] != "matrix-ai" || got["service.instance.id"] != "node-1" {
				s.t.Errorf("resource %v", got)
			}
			for _, scope := range resource.ScopeSpans {
				s.spans[p] = append(s.spans[p], scope.Spans...)
			}
		}
	case emit.Metrics:
		r := &metrics.ExportMetricsServiceRequest{}
		if err := proto.Unmarshal(request, r); err != nil {
			s.t.Error(err)
		}
		s.metrics = append(s.metrics, r)
	}
	return nil
}

func values(list []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range list {
		switch v := kv.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			out[kv.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			out[kv.Key] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_DoubleValue:
			out[kv.Key] = fmt.Sprint(v.DoubleValue)
		default:
			out[kv.Key] = kv.Value.String()
		}
	}
	return out
}

func call() *ai.Call {
	at := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	cost := 0.5
	return &ai.Call{Project: 7, CallID: "0af7651916cd43dd8448eb211c80319c", Operation: ai.OperationChat, At: at, CallerKind: "api", CallerName: "kim", Role: "writer", RoleVersion: 3,
		Status: ai.CallOK, Provider: "backup", Model: "local", Finish: "stop", System: "secret words", Message: "secret words", Answer: "secret words",
		LatencyMs: 700, FirstTokenMs: 450, OverheadUs: 900, Usage: ai.Usage{InputTokens: 10, OutputTokens: 20, CostUSD: &cost},
		Attempts: []ai.Attempt{
			{At: at.Add(time.Millisecond), Provider: "gone", Model: "x", Status: ai.AttemptSkipped},
			{At: at.Add(time.Millisecond), Provider: "openai", Model: "gpt-5", Status: ai.AttemptError, Class: ai.Overloaded, Error: "busy", LatencyMs: 100},
			{At: at.Add(200 * time.Millisecond), Provider: "backup", Model: "local", ServedModel: "local-7b", Status: ai.AttemptOK, Answer: "secret words",
				LatencyMs: 500, FirstTokenMs: 250, Usage: ai.Usage{InputTokens: 10, OutputTokens: 20, CostUSD: &cost}},
		}}
}

func newSink(t testing.TB) *sink { return &sink{t: t, spans: map[project.ID][]*trace.Span{}} }

func end(t testing.TB, e *emit.Emitter) {
	t.Helper()
	if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestACallIsASpanWithOneForEachQuestionBelowIt(t *testing.T) {
	s := newSink(t)
	e := emit.New(emit.Options{Instance: "node-1"})
	e.Start(s.store)
	c := call()
	e.Note(t.Context(), c)
	end(t, e)
	spans := s.spans[7]
	if len(spans) != 3 { // nothing was sent to the one that was skipped
		t.Fatalf("%d spans", len(spans))
	}
	root, first, second := spans[0], spans[1], spans[2]
	if hex.EncodeToString(root.TraceId) != c.CallID || len(root.ParentSpanId) != 0 || root.Name != "chat writer" || root.Kind != trace.Span_SPAN_KIND_SERVER || root.Status.Code != trace.Status_STATUS_CODE_UNSET {
		t.Errorf("root %v", root)
	}
	if got := time.Duration(root.EndTimeUnixNano - root.StartTimeUnixNano); got != 700*time.Millisecond {
		t.Errorf("root took %s", got)
	}
	for _, s := range []*trace.Span{first, second} {
		if string(s.TraceId) != string(root.TraceId) || string(s.ParentSpanId) != string(root.SpanId) || s.Kind != trace.Span_SPAN_KIND_CLIENT || string(s.SpanId) == string(root.SpanId) {
			t.Errorf("attempt %v", s)
		}
	}
	if got := values(first.Attributes); first.Name != "chat gpt-5" || first.Status.Code != trace.Status_STATUS_CODE_ERROR || first.Status.Message != "busy" || got["error.type"] != "overloaded" || got["gen_ai.provider.name"] != "openai" {
		t.Errorf("first %v", first)
	}
	got := values(second.Attributes)
	for name, want := range map[string]string{
		"gen_ai.operation.name": "chat", "gen_ai.request.model": "local", "gen_ai.response.model": "local-7b", "gen_ai.usage.input_tokens": "10",
		"gen_ai.usage.output_tokens": "20", "server.address": "backup", "matrix.cost_usd": "0.5", "matrix.first_token_ms": "250",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	for _, s := range spans {
		if strings.Contains(s.String(), "secret words") {
			t.Errorf("a text left with %s", s.Name)
		}
	}
	if c.Answer == "" || c.Attempts[2].Answer == "" {
		t.Error("the record was changed")
	}
}

func TestACallJoinsTheTraceOfItsCaller(t *testing.T) {
	s := newSink(t)
	e := emit.New(emit.Options{Instance: "node-1"})
	e.Start(s.store)
	parent := ai.TraceContext{TraceID: [16]byte{1, 2}, SpanID: [8]byte{3, 4}}
	e.Note(ai.WithTrace(t.Context(), parent), call())
	end(t, e)
	for i, span := range s.spans[7] {
		if [16]byte(span.TraceId) != parent.TraceID {
			t.Errorf("span %d is in trace %x", i, span.TraceId)
		}
	}
	if root := s.spans[7][0]; [8]byte(root.ParentSpanId) != parent.SpanID {
		t.Errorf("below %x", root.ParentSpanId)
	}
}

func TestMetricsAddUpByWhatTheConventionsSay(t *testing.T) {
	s := newSink(t)
	e := emit.New(emit.Options{Instance: "node-1"})
	e.Start(s.store)
	for range 3 {
		e.Note(t.Context(), call())
	}
	e.Shipped(7, 5, 1)
	end(t, e)
	if len(s.metrics) != 1 {
		t.Fatalf("%d requests", len(s.metrics))
	}
	got := map[string]string{}
	for _, m := range s.metrics[0].ResourceMetrics[0].ScopeMetrics[0].Metrics {
		switch d := m.Data.(type) {
		case *metric.Metric_Histogram:
			for _, p := range d.Histogram.DataPoints {
				v := values(p.Attributes)
				key := strings.Join([]string{m.Name, v["gen_ai.provider.name"], v["gen_ai.token.type"], v["error.type"]}, "|")
				got[key] = fmt.Sprintf("%d %g", p.Count, *p.Sum)
				var all uint64
				for _, n := range p.BucketCounts {
					all += n
				}
				if all != p.Count || len(p.BucketCounts) != len(p.ExplicitBounds)+1 || p.StartTimeUnixNano >= p.TimeUnixNano {
					t.Errorf("%s: %v", key, p)
				}
			}
		case *metric.Metric_Sum:
			for _, p := range d.Sum.DataPoints {
				got[m.Name+"|"+values(p.Attributes)["outcome"]] = fmt.Sprint(p.GetAsDouble())
			}
		}
	}
	want := map[string]string{
		"gen_ai.client.operation.duration|openai||overloaded": "3 0.30000000000000004", "gen_ai.client.operation.duration|backup||": "3 1.5",
		"gen_ai.client.token.usage|backup|input|": "3 30", "gen_ai.client.token.usage|backup|output|": "3 60",
		"gen_ai.server.request.duration|backup||": "3 2.0999999999999996", "gen_ai.server.time_to_first_token|backup||": "3 1.35",
		"matrix.ai.ship.documents|shipped": "5", "matrix.ai.ship.documents|refused": "1",
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s = %q, want %q", key, got[key], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

func TestACallNeverWaitsForTelemetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(t)
		s.block = make(chan struct{})
		e := emit.New(emit.Options{Instance: "node-1", Queue: 10})
		e.Start(s.store)
		began := time.Now()
		for range 25 {
			e.Note(t.Context(), call())
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %s", took)
		}
		if calls, _ := e.Dropped(); calls != 15 {
			t.Errorf("%d calls were left out of 25 with room for 10", calls)
		}
		close(s.block)
		time.Sleep(2 * time.Second)
		if got := len(s.spans[7]); got != 30 {
			t.Errorf("%d spans", got)
		}
		end(t, e)
	})
}

func TestTelemetryThatIsNotTakenIsCountedAndNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(t)
		s.fails = errors.New("away")
		e := emit.New(emit.Options{Instance: "node-1"})
		e.Start(s.store)
		e.Note(t.Context(), call())
		time.Sleep(2 * time.Second)
		if _, requests := e.Dropped(); requests != 1 {
			t.Errorf("%d requests", requests)
		}
		s.mu.Lock()
		s.fails = nil
		s.mu.Unlock()
		time.Sleep(15 * time.Second)
		if len(s.spans[7]) != 0 || len(s.metrics) != 1 { // metrics add up: nothing of them is lost
			t.Errorf("%d spans, %d metrics", len(s.spans[7]), len(s.metrics))
		}
		end(t, e)
	})
}

func TestSeriesThatDoNotChangeAreToldRarelyAndThenForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(t)
		e := emit.New(emit.Options{Instance: "node-1"})
		e.Start(s.store)
		e.Note(t.Context(), call())
		time.Sleep(3 * time.Hour)
		if got := len(s.metrics); got < 50 || got > 65 { // an hour, once a minute
			t.Errorf("%d requests in three hours after one call", got)
		}
		end(t, e)
	})
}

func TestAClientThatInventsModelsIsBounded(t *testing.T) {
	s := newSink(t)
	e := emit.New(emit.Options{Instance: "node-1"})
	e.Start(s.store)
	for i := range 3000 {
		c := call()
		c.Model = fmt.Sprint("model-", i)
		e.Note(t.Context(), c)
	}
	end(t, e)
	points := 0
	for _, m := range s.metrics[0].ResourceMetrics[0].ScopeMetrics[0].Metrics {
		points += len(m.GetHistogram().GetDataPoints())
	}
	if points > 1000 || points < 900 {
		t.Errorf("%d series", points)
	}
}

// What a call pays.
func BenchmarkNote(b *testing.B) {
	e := emit.New(emit.Options{Instance: "node-1", Queue: 1 << 20, SpansEvery: time.Hour, MetricsEvery: time.Hour})
	c := call()
	ctx := ai.WithTrace(b.Context(), ai.TraceContext{TraceID: [16]byte{1}, SpanID: [8]byte{2}})
	b.ReportAllocs()
	for b.Loop() {
		e.Note(ctx, c)
	}
}

// What a call costs beside it: spans, metrics, and the requests, without storing them.
func BenchmarkEmit(b *testing.B) {
	store := func(context.Context, project.ID, string, []byte) error { return nil }
	e := emit.New(emit.Options{Instance: "node-1", Queue: b.N})
	c := call()
	for range b.N {
		e.Note(b.Context(), c)
	}
	b.ReportAllocs()
	b.ResetTimer()
	e.Start(store)
	if err := e.Close(context.WithoutCancel(b.Context())); err != nil {
		b.Fatal(err)
	}
}
