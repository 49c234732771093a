package load

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// logSink takes log records over both protocols and keeps them.
type logSink struct {
	collectorpb.UnimplementedLogsServiceServer
	mu       sync.Mutex
	services map[string]bool
	records  []*logspb.LogRecord
}

func (s *logSink) take(request *collectorpb.ExportLogsServiceRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.services == nil {
		s.services = map[string]bool{}
	}
	for _, resource := range request.ResourceLogs {
		s.services[resource.Resource.Attributes[0].Value.GetStringValue()] = true
		for _, scope := range resource.ScopeLogs {
			s.records = append(s.records, scope.LogRecords...)
		}
	}
}

func (s *logSink) Export(_ context.Context, request *collectorpb.ExportLogsServiceRequest) (*collectorpb.ExportLogsServiceResponse, error) {
	s.take(request)
	return &collectorpb.ExportLogsServiceResponse{}, nil
}

func (s *logSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collectorpb.ExportLogsServiceRequest
	if err != nil || r.URL.Path != "/v1/logs" || proto.Unmarshal(body, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.take(&request)
}

func TestTheSameLogsArriveOverHTTPAndGRPC(t *testing.T) {
	f := func(protocol, endpoint string, sink *logSink) {
		t.Run(protocol, func(t *testing.T) {
			report, err := Run(t.Context(), Options{Endpoint: endpoint, Protocol: protocol, Signal: "logs", Spans: 4000, Batch: 100, Seed: 7})
			if err != nil {
				t.Fatal(err)
			}
			if report.Accepted != 4000 || report.Traces != 0 || len(sink.records) != 4000 || len(sink.services) != 20 {
				t.Fatalf("%d records of %d services arrived, report %+v", len(sink.records), len(sink.services), report)
			}
			var out strings.Builder
			if err := report.WriteText(&out); err != nil || !strings.Contains(out.String(), "4000 log records") {
				t.Fatalf("%v\n%s", err, out.String())
			}
		})
	}
	overHTTP := &logSink{}
	server := httptest.NewServer(overHTTP)
	defer server.Close()
	f("http", server.URL, overHTTP)

	overGRPC := &logSink{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	collectorpb.RegisterLogsServiceServer(g, overGRPC)
	go func() { _ = g.Serve(listener) }()
	defer g.Stop()
	f("grpc", listener.Addr().String(), overGRPC)
}

// decodeLogs reads the requests of a run of logs.
func decodeLogs(t *testing.T, opts Options) []*logspb.LogRecord {
	t.Helper()
	opts.Signal = "logs"
	if err := opts.complete(); err != nil {
		t.Fatal(err)
	}
	var records []*logspb.LogRecord
	source := newSource(opts)
	for n := range opts.requests() {
		var request collectorpb.ExportLogsServiceRequest
		if err := proto.Unmarshal(source.request(nil, opts.Seed, n, opts.moment(n, now)), &request); err != nil {
			t.Fatal(err)
		}
		records = append(records, request.ResourceLogs[0].ScopeLogs[0].LogRecords...)
	}
	return records
}

func TestLogLinesAreFewTemplatesWithManyNumbers(t *testing.T) {
	bodies, templates, severities := map[string]bool{}, map[string]bool{}, map[logspb.SeverityNumber]int{}
	records := decodeLogs(t, Options{Spans: 20_000, Seed: 7})
	for _, r := range records {
		body := r.Body.GetStringValue()
		if strings.Contains(body, "#") {
			t.Fatalf("%q was not patched", body)
		}
		at := time.Unix(0, int64(r.TimeUnixNano))
		if at.Before(now.Add(-recent)) || at.After(now.Add(2*time.Millisecond)) || r.ObservedTimeUnixNano != r.TimeUnixNano {
			t.Fatalf("a record of %s", at)
		}
		bodies[body] = true
		templates[strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return '0'
			}
			return c
		}, body)] = true
		severities[r.SeverityNumber]++
	}
	if len(bodies) < len(records)/2 || len(templates) != 30 {
		t.Fatalf("%d bodies of %d templates", len(bodies), len(templates))
	}
	if info := severities[logspb.SeverityNumber_SEVERITY_NUMBER_INFO]; info < len(records)*7/10 || len(severities) != 4 {
		t.Fatalf("severities %v", severities)
	}
}

func TestOneRecordInAHundredThousandHasTheRareWord(t *testing.T) {
	f := func(records, batch int) {
		t.Helper()
		opts := Options{Signal: "logs", Spans: records, Batch: batch, Seed: 7}
		rare := 0
		for _, r := range decodeLogs(t, opts) {
			if strings.Contains(r.Body.GetStringValue(), RareWord) {
				rare++
			}
		}
		if rare != RareWords(opts) || rare != records/RareEvery {
			t.Fatalf("%d of %d records have the word, %d expected", rare, records, RareWords(opts))
		}
	}
	f(300_000, 1000)
	f(99_000, 1000)
	f(210_000, 300)
}

func TestTracedRecordsBelongToServerSpansOfTheSameSeed(t *testing.T) {
	opts := Options{Shape: "10x11", Spans: 10_000, Batch: 100, Seed: 7, Over: time.Hour, Until: now}
	listed, err := Transactions(opts)
	if err != nil {
		t.Fatal(err)
	}
	spans := map[uint64]Transaction{}
	for x := range listed {
		spans[x.SpanID] = x
	}
	traced := 0
	for _, r := range decodeLogs(t, opts) {
		if len(r.TraceId) == 0 {
			continue
		}
		traced++
		x, ok := spans[binary.BigEndian.Uint64(r.SpanId)]
		if !ok || x.TraceID != [16]byte(r.TraceId) {
			t.Fatalf("no server span for %v", r)
		}
		if apart := time.Duration(x.Ended - int64(r.TimeUnixNano)).Abs(); apart > 5*time.Second {
			t.Fatalf("a record is %s away from its span", apart)
		}
	}
	if traced < 2000 || traced > 5000 {
		t.Fatalf("%d of 10,000 records have a trace", traced)
	}
}
