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
	queue   chan proto.Message // TracesData, LogsData and MetricsData
	dropped atomic.Int64       // requests
	log     *slog.Logger
	wait    func(context.Context, time.Duration) error
}

// poster makes one attempt to bring a request to the endpoint.
type poster func(context.Context, proto.Message) (rejection, error)

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
	e := &exporter{queue: make(chan proto.Message, queueLimit), log: opts.Log, wait: sleep}
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
func (e *exporter) offer(requests []proto.Message) {
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
func (e *exporter) send(ctx context.Context, request proto.Message) error {
	backoff := 500 * time.Millisecond
	for {
		rejected, err := e.post(ctx, request)
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
	return func(ctx context.Context, data proto.Message) (rejection, error) {
		path := "/v1/traces"
		switch data.(type) {
		case *logspb.LogsData:
			path = "/v1/logs"
		case *metricspb.MetricsData:
			path = "/v1/metrics"
		}
		body, err := compressed(data)
		if err != nil {
			return rejection{}, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+path, body)
		if err != nil {
			return rejection{}, err
		}
		request.Header.Set("Content-Type", "application/x-protobuf")
		request.Header.Set("Content-Encoding", "gzip")
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
			switch path {
			case "/v1/logs":
				out := &collectorlogspb.ExportLogsServiceResponse{}
				err = proto.Unmarshal(answer, out)
				return logsRejected(out), err
			case "/v1/metrics":
				out := &collectormetricspb.ExportMetricsServiceResponse{}
				err = proto.Unmarshal(answer, out)
				return pointsRejected(out), err
			}
			out := &collectorpb.ExportTraceServiceResponse{}
			err = proto.Unmarshal(answer, out)
			return spansRejected(out), err
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // absent or a date: 0, the back-off decides
			return rejection{}, &retryable{after: time.Duration(seconds) * time.Second, cause: fmt.Errorf("endpoint answered %s", response.Status)}
		default:
			return rejection{}, fmt.Errorf("endpoint answered %s", response.Status)
		}
	}
}

// compressed is a request as it is sent: TracesData, LogsData and MetricsData are on the wire what the collector's requests are.
func compressed(data proto.Message) (*bytes.Buffer, error) {
	raw, err := proto.Marshal(data)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	return &body, w.Close()
}

func grpcPoster(conn *grpc.ClientConn, key string) poster {
	spans, logs, points := collectorpb.NewTraceServiceClient(conn), collectorlogspb.NewLogsServiceClient(conn), collectormetricspb.NewMetricsServiceClient(conn)
	export := func(ctx context.Context, data proto.Message) (rejection, error) {
		switch data := data.(type) {
		case *logspb.LogsData:
			r, err := logs.Export(ctx, &collectorlogspb.ExportLogsServiceRequest{ResourceLogs: data.ResourceLogs}, grpc.UseCompressor("gzip"))
			return logsRejected(r), err
		case *metricspb.MetricsData:
			r, err := points.Export(ctx, &collectormetricspb.ExportMetricsServiceRequest{ResourceMetrics: data.ResourceMetrics}, grpc.UseCompressor("gzip"))
			return pointsRejected(r), err
		case *tracepb.TracesData:
			r, err := spans.Export(ctx, &collectorpb.ExportTraceServiceRequest{ResourceSpans: data.ResourceSpans}, grpc.UseCompressor("gzip"))
			return spansRejected(r), err
		}
		return rejection{}, fmt.Errorf("shop: no service takes a %T", data)
	}
	return func(ctx context.Context, data proto.Message) (rejection, error) {
		if key != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		rejected, err := export(ctx, data)
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
