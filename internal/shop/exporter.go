package shop

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	collectorlogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectormetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // the compressor that the exporter asks for by name
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// queueLimit is how many requests wait for an endpoint that does not answer; later ones are dropped.
const queueLimit = 240

// exporter brings requests to the endpoint, one after the other, as the OTLP specification says: it repeats
// what may be repeated, not before the time that the endpoint asks for.
type exporter struct {
	post    poster
	queue   chan request
	dropped atomic.Int64 // requests
	log     *slog.Logger
	wait    func(context.Context, time.Duration) error
}

// request is what is sent at once: a TracesData, LogsData or MetricsData of OTLP, or a *Profile.
type request any

// poster makes one attempt to bring a request to the endpoint.
type poster func(context.Context, request) (rejection, error)

// rejection is what an endpoint did not take of a request that it accepted otherwise.
type rejection struct {
	items  int64
	reason string
}

// retryable is a refusal that may be repeated after a time; 0 leaves the time to the caller.
type retryable struct {
	after time.Duration
	cause error
}

func (e *retryable) Error() string { return e.cause.Error() }
func (e *retryable) Unwrap() error { return e.cause }

func newExporter(opts Options) (*exporter, error) {
	e := &exporter{queue: make(chan request, queueLimit), log: opts.Log, wait: sleep}
	switch opts.Protocol {
	case "http":
		e.post = httpPoster(opts)
	case "grpc":
		conn, err := grpc.NewClient(strings.TrimPrefix(opts.Endpoint, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, fmt.Errorf("connect to %s: %w", opts.Endpoint, err)
		}
		e.post = grpcPoster(conn, opts.Key)
	default:
		return nil, fmt.Errorf("shop: protocol %q is neither http nor grpc", opts.Protocol)
	}
	return e, nil
}

// offer queues requests and never waits.
func offer[R request](e *exporter, requests []R) {
	for _, r := range requests {
		select {
		case e.queue <- r:
		default:
			if e.dropped.Add(1) == 1 {
				e.log.Warn("endpoint does not keep up, telemetry is dropped")
			}
		}
	}
}

// run sends what is queued until ctx ends; what is still queued then has two seconds.
func (e *exporter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			for {
				select {
				case r := <-e.queue:
					if e.send(last, r) != nil {
						return
					}
				default:
					return
				}
			}
		case r := <-e.queue:
			if err := e.send(ctx, r); err != nil && ctx.Err() == nil {
				e.log.Warn("endpoint refused telemetry", "error", err)
			}
		}
	}
}

// send brings one request to the endpoint and returns once it is accepted, or refused for good, or ctx ends.
func (e *exporter) send(ctx context.Context, r request) error {
	backoff := 500 * time.Millisecond
	for {
		rejected, err := e.post(ctx, r)
		if err == nil {
			if rejected.items > 0 {
				e.log.Warn("endpoint rejected a part", "items", rejected.items, "reason", rejected.reason)
			}
			return nil
		}
		var again *retryable
		if !errors.As(err, &again) {
			return err
		}
		e.log.Debug("endpoint is not ready", "error", err)
		if err := e.wait(ctx, max(backoff, again.after)); err != nil {
			return err
		}
		backoff = min(2*backoff, 10*time.Second)
	}
}

// sendAll sends requests until one is refused.
func sendAll[R request](ctx context.Context, e *exporter, requests []R) error {
	for _, r := range requests {
		if err := e.send(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func spansRejected(r *collectorpb.ExportTraceServiceResponse) rejection {
	return rejection{r.GetPartialSuccess().GetRejectedSpans(), r.GetPartialSuccess().GetErrorMessage()}
}

func logsRejected(r *collectorlogspb.ExportLogsServiceResponse) rejection {
	return rejection{r.GetPartialSuccess().GetRejectedLogRecords(), r.GetPartialSuccess().GetErrorMessage()}
}

func pointsRejected(r *collectormetricspb.ExportMetricsServiceResponse) rejection {
	return rejection{r.GetPartialSuccess().GetRejectedDataPoints(), r.GetPartialSuccess().GetErrorMessage()}
}

func httpPoster(opts Options) poster {
	httpClient := &http.Client{Timeout: 30 * time.Second}
	endpoint := strings.TrimSuffix(opts.Endpoint, "/")
	return func(ctx context.Context, r request) (rejection, error) {
		out, err := envelope(r)
		if err != nil {
			return rejection{}, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+out.path, bytes.NewReader(out.body))
		if err != nil {
			return rejection{}, err
		}
		for name, value := range out.header {
			request.Header.Set(name, value)
		}
		request.Header.Set("User-Agent", "matrix-shop")
		if opts.Key != "" {
			request.Header.Set("Authorization", "Bearer "+opts.Key)
		}
		response, err := httpClient.Do(request)
		if err != nil {
			return rejection{}, &retryable{cause: err}
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		if err != nil {
			return rejection{}, &retryable{cause: err}
		}
		switch response.StatusCode {
		case http.StatusOK:
			return out.rejected(answer)
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // absent or a date: 0, the back-off decides
			return rejection{}, &retryable{after: time.Duration(seconds) * time.Second, cause: fmt.Errorf("endpoint answered %s", response.Status)}
		default:
			return rejection{}, fmt.Errorf("endpoint answered %s", response.Status)
		}
	}
}

// posted is a request as HTTP carries it.
type posted struct {
	path     string
	header   map[string]string
	body     []byte
	rejected func(answer []byte) (rejection, error)
}

func envelope(r request) (posted, error) {
	switch r := r.(type) {
	case *tracepb.TracesData:
		return otlp("/v1/traces", r, spansRejected)
	case *logspb.LogsData:
		return otlp("/v1/logs", r, logsRejected)
	case *metricspb.MetricsData:
		return otlp("/v1/metrics", r, pointsRejected)
	case *Profile:
		of := url.Values{"service": {r.Service}, "environment": {r.Environment}, "instance": {r.Instance}, "version": {r.Version}}
		return posted{
			path: "/v1/pprof?" + of.Encode(), header: map[string]string{"Content-Type": "application/octet-stream"}, body: r.Pprof,
			rejected: func([]byte) (rejection, error) { return rejection{}, nil }, // it is taken whole, or not
		}, nil
	}
	return posted{}, fmt.Errorf("shop: nothing takes a %T", r)
}

// otlp packs data: TracesData, LogsData and MetricsData are on the wire what the collector's requests are.
func otlp[A any, M interface {
	*A
	proto.Message
}](path string, data proto.Message, rejected func(M) rejection) (posted, error) {
	raw, err := proto.Marshal(data)
	if err != nil {
		return posted{}, err
	}
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	if _, err := w.Write(raw); err != nil {
		return posted{}, err
	}
	if err := w.Close(); err != nil {
		return posted{}, err
	}
	return posted{
		path: path, header: map[string]string{"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}, body: body.Bytes(),
		rejected: func(answer []byte) (rejection, error) {
			out := M(new(A))
			err := proto.Unmarshal(answer, out)
			return rejected(out), err
		},
	}, nil
}

func grpcPoster(conn *grpc.ClientConn, key string) poster {
	spans, logs, points := collectorpb.NewTraceServiceClient(conn), collectorlogspb.NewLogsServiceClient(conn), collectormetricspb.NewMetricsServiceClient(conn)
	export := func(ctx context.Context, r request) (rejection, error) {
		switch data := r.(type) {
		case *logspb.LogsData:
			answer, err := logs.Export(ctx, &collectorlogspb.ExportLogsServiceRequest{ResourceLogs: data.ResourceLogs}, grpc.UseCompressor("gzip"))
			return logsRejected(answer), err
		case *metricspb.MetricsData:
			answer, err := points.Export(ctx, &collectormetricspb.ExportMetricsServiceRequest{ResourceMetrics: data.ResourceMetrics}, grpc.UseCompressor("gzip"))
			return pointsRejected(answer), err
		case *tracepb.TracesData:
			answer, err := spans.Export(ctx, &collectorpb.ExportTraceServiceRequest{ResourceSpans: data.ResourceSpans}, grpc.UseCompressor("gzip"))
			return spansRejected(answer), err
		case *Profile:
			return rejection{}, nil // pprof has no service
		}
		return rejection{}, fmt.Errorf("shop: no service takes a %T", r)
	}
	return func(ctx context.Context, r request) (rejection, error) {
		if key != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		rejected, err := export(ctx, r)
		if err == nil {
			return rejected, nil
		}
		after, ok := retryDelay(err)
		switch status.Code(err) {
		case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
			return rejection{}, &retryable{after: after, cause: err}
		case codes.ResourceExhausted:
			if ok {
				return rejection{}, &retryable{after: after, cause: err}
			}
		}
		return rejection{}, err
	}
}

// retryDelay reads the RetryInfo of a gRPC status.
func retryDelay(err error) (time.Duration, bool) {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration(), true
		}
	}
	return 0, false
}
