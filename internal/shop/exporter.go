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

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
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
const queueLimit = 120

// exporter brings requests to the endpoint, one after the other, as the OTLP specification says: it repeats
// what may be repeated, not before the time that the endpoint asks for.
type exporter struct {
	post    func(context.Context, *tracepb.TracesData) (*collectorpb.ExportTraceServiceResponse, error)
	queue   chan *tracepb.TracesData
	dropped atomic.Int64 // requests
	log     *slog.Logger
	wait    func(context.Context, time.Duration) error
}

// retryable is a refusal that may be repeated after a time; 0 leaves the time to the caller.
type retryable struct {
	after time.Duration
	cause error
}

func (e *retryable) Error() string { return e.cause.Error() }
func (e *retryable) Unwrap() error { return e.cause }

func newExporter(opts Options) (*exporter, error) {
	e := &exporter{queue: make(chan *tracepb.TracesData, queueLimit), log: opts.Log, wait: sleep}
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
func (e *exporter) offer(requests []*tracepb.TracesData) {
	for _, r := range requests {
		select {
		case e.queue <- r:
		default:
			if e.dropped.Add(1) == 1 {
				e.log.Warn("endpoint does not keep up, spans are dropped")
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
				e.log.Warn("endpoint refused spans", "error", err)
			}
		}
	}
}

// send brings one request to the endpoint and returns once it is accepted, or refused for good, or ctx ends.
func (e *exporter) send(ctx context.Context, request *tracepb.TracesData) error {
	backoff := 500 * time.Millisecond
	for {
		response, err := e.post(ctx, request)
		if err == nil {
			if partial := response.GetPartialSuccess(); partial.GetRejectedSpans() > 0 {
				e.log.Warn("endpoint rejected spans", "spans", partial.GetRejectedSpans(), "reason", partial.GetErrorMessage())
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

func httpPoster(opts Options) func(context.Context, *tracepb.TracesData) (*collectorpb.ExportTraceServiceResponse, error) {
	httpClient := &http.Client{Timeout: 30 * time.Second}
	url := strings.TrimSuffix(opts.Endpoint, "/") + "/v1/traces"
	return func(ctx context.Context, data *tracepb.TracesData) (*collectorpb.ExportTraceServiceResponse, error) {
		body, err := compressed(data)
		if err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/x-protobuf")
		request.Header.Set("Content-Encoding", "gzip")
		request.Header.Set("User-Agent", "matrix-shop")
		if opts.Key != "" {
			request.Header.Set("Authorization", "Bearer "+opts.Key)
		}
		response, err := httpClient.Do(request)
		if err != nil {
			return nil, &retryable{cause: err}
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		if err != nil {
			return nil, &retryable{cause: err}
		}
		switch response.StatusCode {
		case http.StatusOK:
			out := &collectorpb.ExportTraceServiceResponse{}
			return out, proto.Unmarshal(answer, out)
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // absent or a date: 0, the back-off decides
			return nil, &retryable{after: time.Duration(seconds) * time.Second, cause: fmt.Errorf("endpoint answered %s", response.Status)}
		default:
			return nil, fmt.Errorf("endpoint answered %s", response.Status)
		}
	}
}

func compressed(data *tracepb.TracesData) (*bytes.Buffer, error) {
	// TracesData and ExportTraceServiceRequest are the same on the wire.
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

func grpcPoster(conn *grpc.ClientConn, key string) func(context.Context, *tracepb.TracesData) (*collectorpb.ExportTraceServiceResponse, error) {
	service := collectorpb.NewTraceServiceClient(conn)
	return func(ctx context.Context, data *tracepb.TracesData) (*collectorpb.ExportTraceServiceResponse, error) {
		if key != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		response, err := service.Export(ctx, &collectorpb.ExportTraceServiceRequest{ResourceSpans: data.ResourceSpans}, grpc.UseCompressor("gzip"))
		if err == nil {
			return response, nil
		}
		after, ok := retryDelay(err)
		switch status.Code(err) {
		case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
			return nil, &retryable{after: after, cause: err}
		case codes.ResourceExhausted:
			if ok {
				return nil, &retryable{after: after, cause: err}
			}
		}
		return nil, err
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
