package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

var now = time.Date(2025, 6, 17, 14, 3, 0, 0, time.UTC)

// just is when the times of a request lie that is sent now.
var just = moment{from: uint64(now.Add(-recent).UnixNano())}

// decode reads requests from to (exclusive) of a run with seed 7.
func decode(t *testing.T, shape string, from, to uint64) []*tracepb.Span {
	t.Helper()
	templates := newTemplates(shapes[shape], 40)
	var spans []*tracepb.Span
	for n := from; n < to; n++ {
		var request collectorpb.ExportTraceServiceRequest
		if err := proto.Unmarshal(templates.request(nil, 7, n, just), &request); err != nil {
			t.Fatal(err)
		}
		if len(request.ResourceSpans) != 1 || len(request.ResourceSpans[0].ScopeSpans[0].Spans) != 40 {
			t.Fatalf("request %d is not one resource with 40 spans", n)
		}
		spans = append(spans, request.ResourceSpans[0].ScopeSpans[0].Spans...)
	}
	return spans
}

func TestEverySpanHasTheAttributesOfItsShapeAndARecentTime(t *testing.T) {
	f := func(shape string, attributes, operations int) {
		names := map[string]bool{}
		for _, s := range decode(t, shape, 0, 40) {
			names[s.Name] = true
			if len(s.Attributes) != attributes {
				t.Fatalf("%s: %s has %d attributes", shape, s.Name, len(s.Attributes))
			}
			start, end := time.Unix(0, int64(s.StartTimeUnixNano)), time.Unix(0, int64(s.EndTimeUnixNano))
			if end.Before(start) || start.Before(now.Add(-2*time.Second)) || end.After(now) {
				t.Fatalf("%s: %s lasts from %s to %s", shape, s.Name, start, end)
			}
			for _, e := range s.Events {
				if e.TimeUnixNano != s.EndTimeUnixNano || e.Name != "exception" || len(e.Attributes) != 3 {
					t.Fatalf("%s: event %v", shape, e)
				}
			}
			for _, kv := range s.Attributes {
				if strings.HasSuffix(kv.Value.GetStringValue(), "00000000") {
					t.Fatalf("%s: %s was not patched", shape, kv.Key)
				}
			}
		}
		if len(names) < operations {
			t.Fatalf("%s: only %d operations", shape, len(names))
		}
	}
	f("20x9", 9, 100)
	f("10x11", 11, 100)
}

// Results of bench-ingest are compared over time: what it sends must stay the same.
func TestTheFirstShapeStaysAsItWas(t *testing.T) {
	sum, templates := fnv.New64a(), newTemplates(shapes["20x9"], 40)
	for n := range uint64(100) {
		_, _ = sum.Write(templates.request(nil, 7, n, just))
	}
	if sum.Sum64() != 0x93c083887ae36af3 {
		t.Fatalf("100 requests have the sum %x", sum.Sum64())
	}
}

func TestTwentyServicesTakePart(t *testing.T) {
	services := map[string]bool{}
	templates := newTemplates(shapes["20x9"], 4)
	for n := range uint64(serviceCount) {
		var request collectorpb.ExportTraceServiceRequest
		if err := proto.Unmarshal(templates.request(nil, 7, n, just), &request); err != nil {
			t.Fatal(err)
		}
		services[request.ResourceSpans[0].Resource.Attributes[0].Value.GetStringValue()] = true
	}
	if len(services) != 20 {
		t.Fatalf("%d services", len(services))
	}
}

func TestTheRequestsOfAGroupCompleteItsTraces(t *testing.T) {
	f := func(shape string, traces, each int) {
		spans := decode(t, shape, 5, 10)
		byID, roots, perTrace := map[string]*tracepb.Span{}, 0, map[string]int{}
		for _, s := range spans {
			byID[string(s.SpanId)] = s
			perTrace[string(s.TraceId)]++
		}
		if len(byID) != len(spans) {
			t.Fatalf("%s: %d ids for %d spans", shape, len(byID), len(spans))
		}
		for _, s := range spans {
			if len(s.ParentSpanId) == 0 {
				roots++
				continue
			}
			parent := byID[string(s.ParentSpanId)]
			if parent == nil || !bytes.Equal(parent.TraceId, s.TraceId) {
				t.Fatalf("%s: the parent of %s is missing or in another trace", shape, s.Name)
			}
		}
		if roots != traces || len(perTrace) != traces {
			t.Fatalf("%s: %d roots of %d traces, want %d", shape, roots, len(perTrace), traces)
		}
		for id, n := range perTrace {
			if n != each {
				t.Fatalf("%s: trace %x has %d spans", shape, id, n)
			}
		}
	}
	f("20x9", 10, 20)
	f("10x11", 20, 10)
}

func TestALoadIsSpreadEvenlyOverThePast(t *testing.T) {
	opts := Options{Shape: "10x11", Spans: 40_000, Batch: 100, Seed: 7, Over: 24 * time.Hour, Until: now}
	perHour, last := [24]int{}, int64(0)
	listed, err := Transactions(opts)
	if err != nil {
		t.Fatal(err)
	}
	for x := range listed {
		ago := now.Sub(time.Unix(0, x.Ended))
		if ago < 0 || ago >= opts.Over {
			t.Fatalf("ended %s before the end", ago)
		}
		perHour[int(ago/time.Hour)]++
		last = max(last, x.Ended)
	}
	if ago := now.UnixNano() - last; ago > int64(time.Minute) {
		t.Fatalf("the last one ended %s before the end", time.Duration(ago))
	}
	for hour, n := range perHour {
		if n < 20_000/24*9/10 || n > 20_000/24*11/10 {
			t.Fatalf("%d transactions %d hours ago", n, hour)
		}
	}
}

func TestTransactionsAreTheServerSpansThatWereSent(t *testing.T) {
	f := func(shape string) {
		sink := &sink{t: t}
		server := httptest.NewServer(sink)
		defer server.Close()
		opts := Options{Endpoint: server.URL, Shape: shape, Spans: 4000, Batch: 40, Seed: 7, Over: time.Hour, Until: now}
		if _, err := Run(t.Context(), opts); err != nil {
			t.Fatal(err)
		}
		sent := map[uint64]Transaction{}
		for _, resource := range sink.resources {
			for _, s := range resource.ScopeSpans[0].Spans {
				if s.Kind != tracepb.Span_SPAN_KIND_SERVER {
					continue
				}
				x := Transaction{
					TraceID: [16]byte(s.TraceId), SpanID: binary.BigEndian.Uint64(s.SpanId), Service: resource.Resource.Attributes[0].Value.GetStringValue(), Endpoint: s.Name,
					Ended: int64(s.EndTimeUnixNano), Elapsed: time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano), Failed: s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR,
				}
				for _, kv := range s.Attributes {
					if kv.Key == "customer.id" {
						x.Customer = kv.Value.GetStringValue()
					}
				}
				sent[x.SpanID] = x
			}
		}
		listed, err := Transactions(opts)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for x := range listed {
			if n++; sent[x.SpanID] != x {
				t.Fatalf("%s: listed %+v, sent %+v", shape, x, sent[x.SpanID])
			}
		}
		if n == 0 || n != len(sent) {
			t.Fatalf("%s: %d listed, %d sent", shape, n, len(sent))
		}
	}
	f("20x9")
	f("10x11")
}

func TestTheLedgerTellsWhichSpansWereAcknowledged(t *testing.T) {
	sink := &sink{t: t}
	server := httptest.NewServer(sink)
	defer server.Close()
	sink.refuse = 3
	var ledger bytes.Buffer
	report, err := Run(context.Background(), Options{Endpoint: server.URL, Spans: 400, Batch: 40, Retries: -1, Seed: 7, Ledger: &ledger})
	if err != nil {
		t.Fatal(err)
	}
	seed, entries, err := ReadLedger(&ledger)
	if err != nil || seed != 7 || len(entries) != 7 {
		t.Fatalf("seed %d, %d entries, error %v", seed, len(entries), err)
	}
	want := map[uint64]bool{}
	for _, e := range entries {
		for id := range SpanIDs(seed, e.Request, e.Spans) {
			want[id] = true
		}
	}
	if len(want) != 280 || len(sink.ids) != 280 || report.Accepted != 280 || report.Refused() != 120 {
		t.Fatalf("%d ids by the ledger, %d arrived, report %+v", len(want), len(sink.ids), report)
	}
	for id := range want {
		if !sink.ids[id] {
			t.Fatalf("span %016x is in the ledger and did not arrive", id)
		}
	}
}

func TestTheSameLoadArrivesOverHTTPAndGRPC(t *testing.T) {
	f := func(protocol string, endpoint string, sink *sink) {
		t.Run(protocol, func(t *testing.T) {
			report, err := Run(context.Background(), Options{Endpoint: endpoint, Protocol: protocol, Key: "mtx_ing_test", Spans: 2000, Batch: 100, Seed: 7})
			if err != nil {
				t.Fatal(err)
			}
			if report.Accepted != 2000 || report.Acknowledged != 20 || len(report.Rejected) != 0 || len(sink.ids) != 2000 {
				t.Fatalf("%d ids arrived, report %+v", len(sink.ids), report)
			}
			if report.Latency.P50Ns <= 0 || report.Latency.MaxNs < report.Latency.P99Ns || report.PerSec <= 0 {
				t.Fatalf("report %+v", report)
			}
		})
	}
	overHTTP := &sink{t: t, key: "mtx_ing_test"}
	server := httptest.NewServer(overHTTP)
	defer server.Close()
	f("http", server.URL, overHTTP)
	overGRPC := &sink{t: t}
	f("grpc", serveGRPC(t, overGRPC), overGRPC)
}

func TestARefusalWithATimeIsRepeatedAfterIt(t *testing.T) {
	f := func(protocol, endpoint string, sink *sink) {
		t.Run(protocol, func(t *testing.T) {
			sink.refuse = 1
			began := time.Now()
			report, err := Run(context.Background(), Options{Endpoint: endpoint, Protocol: protocol, Spans: 40, Batch: 40, Concurrency: 1})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < time.Second || report.Retried != 1 || report.Accepted != 40 {
				t.Fatalf("after %s: %+v", took, report)
			}
		})
	}
	overHTTP := &sink{t: t}
	server := httptest.NewServer(overHTTP)
	defer server.Close()
	f("http", server.URL, overHTTP)
	overGRPC := &sink{t: t}
	f("grpc", serveGRPC(t, overGRPC), overGRPC)
}

func TestRejectionsAreCountedByReason(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer server.Close()
	report, err := Run(context.Background(), Options{Endpoint: server.URL, Spans: 80, Batch: 40})
	if err != nil {
		t.Fatal(err)
	}
	if report.Rejected["HTTP 401"] != 80 || report.Retried != 0 {
		t.Fatalf("report %+v", report)
	}
	var out strings.Builder
	if err := report.WriteText(&out); err != nil || !strings.Contains(out.String(), "80: HTTP 401") {
		t.Fatalf("%v\n%s", err, out.String())
	}
}

func TestPartialSuccessIsNotCountedAsAccepted(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer, _ := proto.Marshal(&collectorpb.ExportTraceServiceResponse{PartialSuccess: &collectorpb.ExportTracePartialSuccess{RejectedSpans: 3, ErrorMessage: "3 too old"}})
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	report, err := Run(context.Background(), Options{Endpoint: server.URL, Spans: 40, Batch: 40})
	if err != nil {
		t.Fatal(err)
	}
	if report.Accepted != 37 || report.Rejected["partial success: 3 too old"] != 3 {
		t.Fatalf("report %+v", report)
	}
}

func TestALoadKeepsItsRate(t *testing.T) {
	sink := &sink{t: t}
	server := httptest.NewServer(sink)
	defer server.Close()
	report, err := Run(context.Background(), Options{Endpoint: server.URL, Spans: 400, Batch: 40, Rate: 800})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Duration(report.ElapsedNs); took < 450*time.Millisecond || took > 5*time.Second {
		t.Fatalf("400 spans at 800 a second took %s", took)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	f := func(opts Options, want string) {
		t.Helper()
		if _, err := Run(context.Background(), opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	f(Options{Endpoint: "x", Protocol: "udp"}, "udp")
	f(Options{Endpoint: "x", Batch: 30}, "multiple of 4")
	f(Options{Endpoint: "x", Batch: 31, Shape: "10x11"}, "multiple of 2")
	f(Options{Endpoint: "x", Rate: -1}, "negative")
	f(Options{Endpoint: "x", Signal: "smoke"}, "neither traces nor logs")
	f(Options{Endpoint: "x", Shape: "3x3"}, "10x11")
	f(Options{Endpoint: "x", Over: time.Millisecond}, "shorter than 2s")
}

// sink takes requests over both protocols and remembers the ids of their spans.
type sink struct {
	collectorpb.UnimplementedTraceServiceServer
	t   *testing.T
	key string

	mu        sync.Mutex
	ids       map[uint64]bool
	resources []*tracepb.ResourceSpans
	refuse    int // requests to refuse before taking one
}

func (s *sink) take(request *collectorpb.ExportTraceServiceRequest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse > 0 {
		s.refuse--
		return false
	}
	if s.ids == nil {
		s.ids = map[uint64]bool{}
	}
	s.resources = append(s.resources, request.ResourceSpans...)
	for _, span := range request.ResourceSpans[0].ScopeSpans[0].Spans {
		s.ids[binary.BigEndian.Uint64(span.SpanId)] = true
	}
	return true
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if got := r.Header.Get("Authorization"); s.key != "" && got != "Bearer "+s.key {
		s.t.Errorf("key %q", got)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	var request collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil {
		s.t.Error(err)
	}
	if !s.take(&request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (s *sink) Export(_ context.Context, request *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	if !s.take(request) {
		st, _ := status.New(codes.ResourceExhausted, "slow down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
		return nil, st.Err()
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

func serveGRPC(t *testing.T, s *sink) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collectorpb.RegisterTraceServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// The generator must be cheap beside what it measures.
func BenchmarkRequest(b *testing.B) {
	f := func(name string, source source) {
		b.Run(name, func(b *testing.B) {
			var body []byte
			for n := 0; b.Loop(); n++ {
				body = source.request(body[:0], 7, uint64(n), just)
			}
			b.SetBytes(int64(len(body)))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/item")
		})
	}
	f("20x9", newTemplates(shapes["20x9"], 1000))
	f("10x11", newTemplates(shapes["10x11"], 1000))
	f("logs", newLogTemplates(1000))
}

func TestALatencyCountsFromWhenTheRequestWasDue(t *testing.T) {
	var mu sync.Mutex
	at, stalled := now, false
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		if !stalled {
			stalled, at = true, at.Add(time.Second)
		}
	}))
	defer server.Close()
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return at
	}
	// One is due every 100 ms; nine wait behind the first, which takes a second.
	report, err := Run(t.Context(), Options{Endpoint: server.URL, Spans: 400, Batch: 40, Rate: 400, Concurrency: 1, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Latency; got.MaxNs != int64(time.Second) || got.P50Ns != int64(500*time.Millisecond) {
		t.Errorf("%+v", got)
	}
}

func TestAPercentileIsTheNearestRank(t *testing.T) {
	f := func(n, p int, want time.Duration) {
		t.Helper()
		sorted := make([]time.Duration, n)
		for i := range sorted {
			sorted[i] = time.Duration(i + 1)
		}
		if got := percentile(sorted, p); got != want {
			t.Errorf("p%d of 1…%d is %d, want %d", p, n, got, want)
		}
	}
	f(0, 50, 0)
	f(1, 50, 1)
	f(1, 99, 1)
	f(2, 50, 1)
	f(2, 90, 2)
	f(3, 50, 2)
	f(10, 90, 9)
	f(10, 99, 10)
	f(100, 99, 99)
	f(101, 99, 100)
	f(100, 100, 100)
}

func TestEachProtocolHasItsOwnPort(t *testing.T) {
	f := func(protocol, want string) {
		t.Helper()
		o := Options{Protocol: protocol}
		if err := o.complete(); err != nil || o.Endpoint != want {
			t.Errorf("%s: %q, %v", protocol, o.Endpoint, err)
		}
	}
	f("", "http://127.0.0.1:4318")
	f("http", "http://127.0.0.1:4318")
	f("grpc", "127.0.0.1:4317")
}
