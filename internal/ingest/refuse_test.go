package ingest

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

func TestHTTPRefusalsAreStatusesInTheEncodingOfTheRequest(t *testing.T) {
	h := start(t, func(o *Options) { o.MaxBody = 64 << 10 })
	valid := marshal(oneResource("shop", good(1, time.Now())))
	bomb := bytes.Repeat([]byte{0}, 1<<20)
	for name, c := range map[string]struct {
		request httpRequest
		code    int
		message string // part of the status message
	}{
		"malformed protobuf":     {httpRequest{key: goodKey, body: []byte{0x0a, 0x7f, 1}}, 400, "resource_spans: length 127 runs past the end"},
		"malformed JSON":         {httpRequest{key: goodKey, content: typeJSON, body: []byte(`{"resourceSpans":`)}, 400, "malformed JSON"},
		"JSON of another type":   {httpRequest{key: goodKey, content: typeJSON, body: []byte(`{"resourceSpans":7}`)}, 400, "unexpected token 7"},
		"JSON of two values":     {httpRequest{key: goodKey, content: typeJSON, body: []byte(`{} {}`)}, 400, "more than one value"},
		"no key":                 {httpRequest{body: valid}, 401, "no ingest key"},
		"unknown key":            {httpRequest{key: "mtx_ing_x", body: valid}, 401, "unknown or revoked"},
		"another scheme":         {httpRequest{header: map[string]string{"Authorization": "Basic " + goodKey}, body: valid}, 401, "unknown or revoked"},
		"body over the limit":    {httpRequest{key: goodKey, body: bytes.Repeat(valid, 2000)}, 413, "larger than 65536 bytes"},
		"gzip bomb":              {httpRequest{key: goodKey, encoding: "gzip", body: gzipped(bomb)}, 413, "after decompression"},
		"zstd bomb":              {httpRequest{key: goodKey, encoding: "zstd", body: zstded(bomb)}, 413, "after decompression"},
		"not gzip":               {httpRequest{key: goodKey, encoding: "gzip", body: valid}, 400, "not gzip"},
		"truncated gzip":         {httpRequest{key: goodKey, encoding: "gzip", body: gzipped(valid)[:40]}, 400, "decompress"},
		"damaged zstd":           {httpRequest{key: goodKey, encoding: "zstd", body: append([]byte("xx"), zstded(valid)...)}, 400, "decompress"},
		"another content type":   {httpRequest{key: goodKey, content: "text/plain", body: valid}, 415, "text/plain"},
		"another encoding":       {httpRequest{key: goodKey, encoding: "br", body: valid}, 415, "br"},
		"another path":           {httpRequest{key: goodKey, path: "/v1/profiles", body: valid}, 404, "/v1/profiles"},
		"JSON: unknown key":      {httpRequest{key: "x", content: typeJSON, body: []byte(`{}`)}, 401, "unknown or revoked"},
		"JSON: key in x-matrix":  {httpRequest{header: map[string]string{"X-Matrix-Key": "x"}, content: typeJSON, body: []byte(`{}`)}, 401, "unknown or revoked"},
		"chunked over the limit": {httpRequest{key: goodKey, chunked: true, body: bytes.Repeat(valid, 2000)}, 413, "larger than 65536 bytes"},
		"chunked gzip bomb":      {httpRequest{key: goodKey, chunked: true, encoding: "gzip", body: gzipped(bomb)}, 413, "after decompression"},
		"JSON of many values":    {httpRequest{key: goodKey, content: typeJSON, body: []byte("[" + strings.Repeat("[],", 20_000) + "[]]")}, 413, "memory"},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := h.post(c.request)
			var got statuspb.Status
			unmarshal := proto.Unmarshal
			if c.request.content == typeJSON {
				unmarshal = protojson.Unmarshal
			}
			if err := unmarshal(body, &got); err != nil {
				t.Fatalf("body %q is no Status: %v", body, err)
			}
			if response.StatusCode != c.code || !strings.Contains(got.Message, c.message) {
				t.Errorf("got %d %q, want %d with %q", response.StatusCode, got.Message, c.code, c.message)
			}
			if response.Header.Get("Retry-After") != "" {
				t.Error("a client must not repeat this")
			}
		})
	}
	if h.count(7) != 0 {
		t.Errorf("%d spans of refused requests are stored", h.count(7))
	}
	if response, _ := h.post(httpRequest{method: http.MethodGet, key: goodKey}); response.StatusCode != 405 {
		t.Errorf("GET: %d, want 405", response.StatusCode)
	}
}

func TestGRPCRefusalsHaveTheirCodes(t *testing.T) {
	h := start(t, func(o *Options) { o.MaxBody = 64 << 10 })
	conn, err := grpc.NewClient(h.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	valid := marshal(oneResource("shop", good(1, time.Now())))
	call := func(ctx context.Context, method string, body []byte, options ...grpc.CallOption) codes.Code {
		var answer []byte
		err := conn.Invoke(ctx, method, body, &answer, append(options, grpc.ForceCodec(bytesCodec{}))...)
		return status.Code(err)
	}
	for name, c := range map[string]struct {
		got, want codes.Code
	}{
		"malformed":              {call(withKey(t.Context(), goodKey), export, []byte{0x0a, 0x7f, 1}), codes.InvalidArgument},
		"no key":                 {call(t.Context(), export, valid), codes.Unauthenticated},
		"unknown key":            {call(withKey(t.Context(), "x"), export, valid), codes.Unauthenticated},
		"x-matrix-key":           {call(metadata.AppendToOutgoingContext(t.Context(), "x-matrix-key", goodKey), export, valid), codes.OK},
		"too large":              {call(withKey(t.Context(), goodKey), export, bytes.Repeat(valid, 2000)), codes.ResourceExhausted},
		"too large decompressed": {call(withKey(t.Context(), goodKey), export, make([]byte, 1<<20), grpc.UseCompressor("zstd")), codes.ResourceExhausted},
		"truncated gzip":         {h.callRaw(t.Context(), goodKey, "gzip", bytes.NewReader(framed(1, gzipped(valid)[:40]))), codes.InvalidArgument},
		"damaged zstd":           {h.callRaw(t.Context(), goodKey, "zstd", bytes.NewReader(framed(1, append([]byte("xx"), zstded(valid)...)))), codes.InvalidArgument},
		"another compression":    {h.callRaw(t.Context(), goodKey, "snappy", bytes.NewReader(framed(1, valid))), codes.Unimplemented},
		"no message":             {h.callRaw(t.Context(), goodKey, "", http.NoBody), codes.InvalidArgument},
		"half a message":         {h.callRaw(t.Context(), goodKey, "", bytes.NewReader(framed(0, valid)[:50])), codes.InvalidArgument},
		"too large by its word":  {h.callRaw(t.Context(), goodKey, "", bytes.NewReader([]byte{0, 255, 255, 255, 255})), codes.ResourceExhausted},
		"another service":        {call(withKey(t.Context(), goodKey), "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", valid), codes.Unimplemented},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

// bytesCodec sends and receives messages that are marshalled already.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (bytesCodec) Name() string                       { return "proto" }

func TestOverTheRateACallerLearnsWhenToComeBack(t *testing.T) {
	now := time.Now()
	h := start(t, func(o *Options) { o.Now = func() time.Time { return now } })
	client := h.dial()
	if _, err := client.Export(withKey(t.Context(), slowKey), spansOf(minBurst, now)); err != nil {
		t.Fatalf("the burst: %v", err)
	}
	_, err := client.Export(withKey(t.Context(), slowKey), spansOf(20, now))
	st := status.Convert(err)
	if st.Code() != codes.ResourceExhausted || len(st.Details()) != 1 {
		t.Fatalf("got %v %v, want RESOURCE_EXHAUSTED with RetryInfo", st, st.Details())
	}
	if wait := st.Details()[0].(*errdetails.RetryInfo).RetryDelay.AsDuration(); wait != 2*time.Second {
		t.Errorf("RetryInfo says %v, want the 2s in which 20 spans fit", wait)
	}
	response, _ := h.post(httpRequest{key: slowKey, body: marshal(spansOf(20, now))})
	if response.StatusCode != 429 || response.Header.Get("Retry-After") != "2" {
		t.Errorf("HTTP: %d, Retry-After %q, want 429 and 2", response.StatusCode, response.Header.Get("Retry-After"))
	}
	if _, err := client.Export(withKey(t.Context(), goodKey), spansOf(20, now)); err != nil {
		t.Errorf("another project is held up: %v", err)
	}
	now = now.Add(3 * time.Second)
	if _, err := client.Export(withKey(t.Context(), slowKey), spansOf(20, now)); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestARequestLargerThanTheBucketIsPaidInFull(t *testing.T) {
	now := time.Now()
	r := newRates(func() time.Time { return now })
	tenant := Tenant{Project: 1, Rate: project.Rate{Traces: 100}} // whose bucket holds minBurst
	f := func(n int, want time.Duration) {
		t.Helper()
		err := r.take(tenant, &traces, n)
		if want == 0 {
			if err != nil {
				t.Errorf("%d spans: %v", n, err)
			}
			return
		}
		if !fault.Is(err, fault.RateLimited) || fault.As(err).RetryAfter != want {
			t.Errorf("%d spans: %v, want to wait %v", n, err, want)
		}
	}
	f(10*minBurst, 0)
	f(100, 91*time.Second)
	f(10*minBurst, 100*time.Second) // which is when the bucket is full again
	now = now.Add(91 * time.Second)
	f(100, 0)
	f(100, time.Second)
	r.refund(tenant, &traces, 100)
	f(100, 0)
}

func TestARequestThatIsToComeAgainPaysOnce(t *testing.T) {
	now := time.Now()
	h := start(t, func(o *Options) {
		o.Now = func() time.Time { return now }
		o.Batch = clickhouse.BatchOptions{MaxPending: -1} // always behind
	})
	for range 3 {
		response, _ := h.post(httpRequest{key: slowKey, body: marshal(spansOf(minBurst, now))})
		if response.StatusCode != 503 {
			t.Errorf("got %d, want 503 as long as nothing was stored", response.StatusCode)
		}
	}
}

// spansOf is a request of n spans.
func spansOf(n int, now time.Time) *collector.ExportTraceServiceRequest {
	request := &collector.ExportTraceServiceRequest{}
	for i := range n {
		request.ResourceSpans = append(request.ResourceSpans, oneResource("shop", good(uint64(i+1), now)).ResourceSpans...)
	}
	return request
}

func TestDevTakesNoKeyFromLoopbackOnly(t *testing.T) {
	h := start(t, func(o *Options) { o.Dev = func(context.Context) (Tenant, error) { return Tenant{Project: 9}, nil } })
	if response, body := h.post(httpRequest{body: marshal(oneResource("shop", good(1, time.Now())))}); response.StatusCode != 200 {
		t.Fatalf("HTTP without key: %d %q", response.StatusCode, body)
	}
	if _, err := h.dial().Export(t.Context(), oneResource("shop", good(2, time.Now()))); err != nil {
		t.Fatalf("gRPC without key: %v", err)
	}
	if got := h.count(9); got != 2 {
		t.Errorf("the dev project has %d spans, want 2", got)
	}
	if response, _ := h.post(httpRequest{key: "wrong", body: nil}); response.StatusCode != 401 {
		t.Errorf("a wrong key is %d even in dev, want 401", response.StatusCode)
	}
	for addr, want := range map[string]bool{"127.0.0.1:5": true, "[::1]:5": true, "[::ffff:127.0.0.1]:5": true, "10.0.0.1:5": false, "[fe80::1]:5": false, "x": false} {
		if got := isLoopback(addr); got != want {
			t.Errorf("isLoopback(%s) = %v", addr, got)
		}
	}
}

func TestWhenTheReceiverIsFullCallersAreToldToComeBack(t *testing.T) {
	h := start(t, func(o *Options) {
		o.Batch = clickhouse.BatchOptions{MaxDelay: time.Hour, MaxRows: 1000, MaxPending: 1, Writers: 1}
	})
	client := h.dial()
	first := make(chan error, 1)
	go func() {
		_, err := client.Export(withKey(context.Background(), goodKey), oneResource("shop", good(1, time.Now())))
		first <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); h.Stats().Waiting < 1; {
		if time.Now().After(deadline) {
			t.Fatal("the span never arrived")
		}
	}
	_, err := client.Export(withKey(t.Context(), goodKey), oneResource("shop", good(2, time.Now())))
	if st := status.Convert(err); st.Code() != codes.Unavailable || len(st.Details()) != 1 {
		t.Errorf("gRPC: %v %v, want UNAVAILABLE with RetryInfo", st, st.Details())
	}
	response, _ := h.post(httpRequest{key: goodKey, body: marshal(oneResource("shop", good(3, time.Now())))})
	if response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
		t.Errorf("HTTP: %d, Retry-After %q, want 503 with one", response.StatusCode, response.Header.Get("Retry-After"))
	}
	h.stop()
	if err := <-first; err != nil {
		t.Errorf("the first caller: %v", err)
	}
}
