package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// sender brings the bytes of one export request to the endpoint.
type sender func(context.Context, []byte) answer

// answer is what the endpoint said.
type answer struct {
	ok       bool
	rejected int64         // spans or log records, by partial success
	reason   string        // why not, or why not all
	retry    bool          // the request may be repeated
	after    time.Duration // but not before
}

// requestTimeout is long: a benchmark wants to see a slow answer, not to give up on it.
const requestTimeout = time.Minute

func newSender(opts Options) (sender, func(), error) {
	if opts.Protocol == "grpc" {
		return newGRPC(opts)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: opts.Concurrency, MaxConnsPerHost: opts.Concurrency, DisableCompression: true}
	client := &http.Client{Transport: transport, Timeout: requestTimeout}
	url := strings.TrimSuffix(opts.Endpoint, "/") + "/v1/" + opts.Signal
	return func(ctx context.Context, body []byte) answer {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return answer{reason: oneLine(err.Error())}
		}
		request.Header.Set("Content-Type", "application/x-protobuf")
		if opts.Key != "" {
			request.Header.Set("Authorization", "Bearer "+opts.Key)
		}
		response, err := client.Do(request)
		if err != nil {
			return answer{retry: true, reason: "no answer"}
		}
		defer response.Body.Close()
		text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		if err != nil {
			return answer{retry: true, reason: "answer broken off"}
		}
		return httpAnswer(response, text)
	}, transport.CloseIdleConnections, nil
}

func httpAnswer(response *http.Response, body []byte) answer {
	if response.StatusCode == http.StatusOK {
		return acknowledged(body)
	}
	a := answer{reason: oneLine(fmt.Sprintf("HTTP %d", response.StatusCode))}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // absent or a date: 0, the back-off decides
		a.retry, a.after = true, time.Duration(seconds)*time.Second
	}
	return a
}

// acknowledged reads the response to an accepted request. Its fields have the same numbers for all signals.
func acknowledged(body []byte) answer {
	var response collectorpb.ExportTraceServiceResponse
	if err := proto.Unmarshal(body, &response); err != nil {
		return answer{reason: "answer is not OTLP"}
	}
	partial := response.GetPartialSuccess()
	return answer{ok: true, rejected: partial.GetRejectedSpans(), reason: oneLine(partial.GetErrorMessage())}
}

func newGRPC(opts Options) (sender, func(), error) {
	conn, err := grpc.NewClient(strings.TrimPrefix(opts.Endpoint, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})))
	if err != nil {
		return nil, nil, err
	}
	method := collectorpb.TraceService_Export_FullMethodName
	if opts.Signal == logs {
		method = logspb.LogsService_Export_FullMethodName
	}
	send := func(ctx context.Context, body []byte) answer {
		if opts.Key != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+opts.Key)
		}
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		var response []byte
		err := conn.Invoke(ctx, method, body, &response)
		if err != nil {
			return grpcAnswer(err)
		}
		return acknowledged(response)
	}
	return send, func() { _ = conn.Close() }, nil
}

func grpcAnswer(err error) answer {
	st := status.Convert(err)
	a := answer{reason: "gRPC " + st.Code().String()}
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			a.retry, a.after = true, info.GetRetryDelay().AsDuration()
		}
	}
	switch st.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		a.retry = true
	case codes.ResourceExhausted: // only with a RetryInfo, as the specification says
	default:
		a.retry = false
	}
	return a
}

// rawCodec hands bytes through that are protobuf already.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("cannot send %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("cannot receive %T", v)
	}
	*b = data.Materialize()
	return nil
}
