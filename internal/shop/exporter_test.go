package shop_test

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	collectorlogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectormetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/matrix-aiops/matrix/internal/shop"
)

// receiver is a small OTLP endpoint, strict about what it takes.
type receiver struct {
	collectorpb.UnimplementedTraceServiceServer
	*httptest.Server
	t        *testing.T
	mu       sync.Mutex
	taken    []proto.Message
	profiles []taken
	keys     []string
	refuse   []int // statuses of the next answers
	times    []time.Time
	first    chan struct{} // closed when the first request is taken
}

// take keeps a request; the lock is held.
func (r *receiver) take(request proto.Message, keys ...string) {
	r.keys = append(r.keys, keys...)
	r.taken = append(r.taken, request)
	if len(r.taken) == 1 {
		close(r.first)
	}
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, first: make(chan struct{})}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) requests() []proto.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times = append(r.times, time.Now())
	if len(r.refuse) > 0 {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(r.refuse[0])
		r.refuse = r.refuse[1:]
		return
	}
	var in proto.Message = &tracepb.TracesData{}
	switch req.URL.Path {
	case "/v1/pprof":
		r.takeProfile(req)
		return
	case "/v1/traces":
	case "/v1/logs":
		in = &logspb.LogsData{}
	case "/v1/metrics":
		in = &metricspb.MetricsData{}
	default:
		r.t.Errorf("request for %s", req.URL.Path)
	}
	if req.Header.Get("Content-Type") != "application/x-protobuf" || req.Header.Get("Content-Encoding") != "gzip" {
		r.t.Errorf("request with %v", req.Header)
	}
	unzipped, err := gzip.NewReader(req.Body)
	if err != nil {
		r.t.Error(err)
		return
	}
	body, err := io.ReadAll(unzipped)
	if err != nil {
		r.t.Error(err)
	}
	if err := proto.Unmarshal(body, in); err != nil {
		r.t.Error(err)
	}
	r.take(in, req.Header.Get("Authorization"))
	answer, _ := proto.Marshal(&collectorpb.ExportTraceServiceResponse{})
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// takeProfile keeps a profile; the lock is held.
func (r *receiver) takeProfile(req *http.Request) {
	p, err := profile.Parse(req.Body)
	if err != nil {
		r.t.Error(err)
		return
	}
	if len(req.Header["Content-Encoding"]) > 0 || req.Header.Get("Authorization") != r.keys[0] {
		r.t.Errorf("profile with %v", req.Header)
	}
	r.profiles = append(r.profiles, taken{req.URL.Query(), p})
}

// taken is a profile that a receiver took, and whose it is.
type taken struct {
	of   url.Values
	what *profile.Profile
}

// receive is the same over gRPC.
func (r *receiver) receive(ctx context.Context, request proto.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times = append(r.times, time.Now())
	if len(r.refuse) > 0 {
		r.refuse = r.refuse[1:]
		st, _ := status.New(codes.ResourceExhausted, "slow down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
		return st.Err()
	}
	md, _ := metadata.FromIncomingContext(ctx)
	r.take(request, md.Get("authorization")...)
	return nil
}

// Export implements the trace service.
func (r *receiver) Export(ctx context.Context, in *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	if err := r.receive(ctx, &tracepb.TracesData{ResourceSpans: in.ResourceSpans}); err != nil {
		return nil, err
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

// logsReceiver is the logs service of a receiver.
type logsReceiver struct {
	collectorlogspb.UnimplementedLogsServiceServer
	*receiver
}

func (r logsReceiver) Export(ctx context.Context, in *collectorlogspb.ExportLogsServiceRequest) (*collectorlogspb.ExportLogsServiceResponse, error) {
	if err := r.receive(ctx, &logspb.LogsData{ResourceLogs: in.ResourceLogs}); err != nil {
		return nil, err
	}
	return &collectorlogspb.ExportLogsServiceResponse{}, nil
}

// metricsReceiver is the metrics service of a receiver.
type metricsReceiver struct {
	collectormetricspb.UnimplementedMetricsServiceServer
	*receiver
}

func (r metricsReceiver) Export(ctx context.Context, in *collectormetricspb.ExportMetricsServiceRequest) (*collectormetricspb.ExportMetricsServiceResponse, error) {
	if err := r.receive(ctx, &metricspb.MetricsData{ResourceMetrics: in.ResourceMetrics}); err != nil {
		return nil, err
	}
	return &collectormetricspb.ExportMetricsServiceResponse{}, nil
}

func grpcReceiver(t *testing.T) (*receiver, string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, first: make(chan struct{})}
	server := grpc.NewServer()
	collectorpb.RegisterTraceServiceServer(server, r)
	collectorlogspb.RegisterLogsServiceServer(server, logsReceiver{receiver: r})
	collectormetricspb.RegisterMetricsServiceServer(server, metricsReceiver{receiver: r})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return r, listener.Addr().String()
}

// runUntil runs the shop until its endpoint has taken something.
func runUntil(t *testing.T, s *shop.Shop, r *receiver) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s.SlowSQL()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Run(ctx) }()
	select {
	case <-r.first:
	case <-ctx.Done():
		t.Error("nothing arrived")
	}
	cancel()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}

func TestAShopSendsOverHTTPWithItsKey(t *testing.T) {
	r := newReceiver(t)
	runUntil(t, open(t, shop.Options{Endpoint: r.URL, Key: "mtx_ing_test"}), r)
	if r.keys[0] != "Bearer mtx_ing_test" {
		t.Fatalf("key %q", r.keys[0])
	}
}

func TestAShopSendsOverGRPCWithItsKey(t *testing.T) {
	r, address := grpcReceiver(t)
	runUntil(t, open(t, shop.Options{Endpoint: address, Protocol: "grpc", Key: "mtx_ing_test"}), r)
	if r.keys[0] != "Bearer mtx_ing_test" {
		t.Fatalf("key %q", r.keys[0])
	}
}

func TestARefusedRequestIsRepeatedWhenTheEndpointAllowsIt(t *testing.T) {
	f := func(name string, r *receiver, s *shop.Shop) {
		t.Run(name, func(t *testing.T) {
			r.refuse = []int{http.StatusTooManyRequests}
			runUntil(t, s, r)
			if waited := r.times[1].Sub(r.times[0]); waited < time.Second {
				t.Fatalf("repeated after %s, the endpoint asked for a second", waited)
			}
		})
	}
	overHTTP := newReceiver(t)
	f("http", overHTTP, open(t, shop.Options{Endpoint: overHTTP.URL}))
	overGRPC, address := grpcReceiver(t)
	f("grpc", overGRPC, open(t, shop.Options{Endpoint: address, Protocol: "grpc"}))
}

func TestAWrongKeyIsNotRepeated(t *testing.T) {
	r := newReceiver(t)
	r.refuse = []int{http.StatusUnauthorized}
	err := open(t, shop.Options{Endpoint: r.URL}).Backfill(context.Background())
	if err == nil || len(r.times) != 1 {
		t.Fatalf("error %v after %d requests", err, len(r.times))
	}
}
