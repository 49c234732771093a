package ingest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // registers itself
	"google.golang.org/grpc/metadata"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/flame"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

func TestMain(m *testing.M) {
	encoding.RegisterCompressor(zstdCompressor{})
	clickhousetest.Main(m)
}

// zstdCompressor is zstd for the client, as gRPC brings only gzip.
type zstdCompressor struct{}

func (zstdCompressor) Name() string                                 { return "zstd" }
func (zstdCompressor) Compress(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }
func (zstdCompressor) Decompress(r io.Reader) (io.Reader, error)    { return zstd.NewReader(r) }

const (
	goodKey = "mtx_ing_good"
	slowKey = "mtx_ing_slow" // of a project with a limit of 10 spans/s
)

// keepFor is a retention of that many days for everything.
func keepFor(days int) project.Retention {
	return project.Retention{Traces: days, Logs: days, Metrics: days}
}

// authenticate knows two keys.
func authenticate(_ context.Context, key string) (Tenant, error) {
	switch key {
	case goodKey:
		return Tenant{Project: 7, Retention: keepFor(14)}, nil
	case slowKey:
		return Tenant{Project: 8, Retention: keepFor(14), Rate: project.Rate{Traces: 10, Logs: 10, Metrics: 10}}, nil
	}
	return Tenant{}, fault.New(fault.Unauthenticated, "the ingest key is unknown or revoked")
}

// harness is a server on the real engine.
type harness struct {
	*Server
	t  testing.TB
	db *clickhouse.DB
}

// start runs a server on a fresh database; adjust may change its options.
func start(t testing.TB, adjust func(*Options)) *harness {
	t.Helper()
	db := clickhousetest.New(t)
	for noun, migrations := range map[string][]clickhouse.Migration{"trace": trace.Migrations(), "logs": logs.Migrations(), "metric": metric.Migrations(), "flame": flame.Migrations(), "issue": issue.Migrations()} {
		if err := db.Migrate(t.Context(), noun, migrations); err != nil {
			t.Fatal(err)
		}
	}
	return startOn(t, db, adjust)
}

func startOn(t testing.TB, db *clickhouse.DB, adjust func(*Options)) *harness {
	t.Helper()
	opts := Options{GRPCListen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", DB: db, Authenticate: authenticate,
		Grouping: issue.NewGroupings(metadbtest.SQLite(t), nil).Of,
		Batch:    clickhouse.BatchOptions{MaxDelay: 5 * time.Millisecond}}
	if adjust != nil {
		adjust(&opts)
	}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	h := &harness{Server: s, t: t, db: db}
	t.Cleanup(h.stop)
	return h
}

func (h *harness) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		h.t.Errorf("stop: %v", err)
	}
}

// httpRequest describes a request over HTTP; zero fields are those of a good one.
type httpRequest struct {
	method, path, key, content, encoding string
	header                               map[string]string
	body                                 []byte
	chunked                              bool // sent without its length
}

func (h *harness) post(r httpRequest) (*http.Response, []byte) {
	h.t.Helper()
	if r.method == "" {
		r.method = http.MethodPost
	}
	if r.path == "" {
		r.path = "/v1/traces"
	}
	if r.content == "" {
		r.content = typeProtobuf
	}
	var body io.Reader = bytes.NewReader(r.body)
	if r.chunked {
		body = io.MultiReader(body) // hides its length
	}
	request, err := http.NewRequestWithContext(context.Background(), r.method, "http://"+h.HTTPAddr()+r.path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Content-Type", r.content)
	if r.encoding != "" {
		request.Header.Set("Content-Encoding", r.encoding)
	}
	if r.key != "" {
		request.Header.Set("Authorization", "Bearer "+r.key)
	}
	for k, v := range r.header {
		request.Header.Set(k, v)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return response, text
}

// callRaw makes a gRPC call of bytes that no gRPC client would send, prefix
// included, and returns its status.
func (h *harness) callRaw(ctx context.Context, key, encodingName string, body io.Reader) codes.Code {
	h.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.GRPCAddr()+traces.method, body)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Content-Type", typeGRPC)
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Grpc-Encoding", encodingName)
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return codes.Unknown // of a caller that gave up
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		h.t.Error(err)
	}
	code, err := strconv.Atoi(response.Trailer.Get("Grpc-Status"))
	if err != nil {
		h.t.Errorf("trailers %v have no status", response.Trailer)
	}
	return codes.Code(code)
}

// framed is a gRPC message behind its prefix.
func framed(compressed byte, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{compressed}, uint32(len(message))), message...)
}

// eventually waits until the condition holds.
func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatal("it never came to that")
		}
		runtime.Gosched()
	}
}

// dial returns a client of the official stubs.
func (h *harness) dial() collector.TraceServiceClient {
	h.t.Helper()
	conn, err := grpc.NewClient(h.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	return collector.NewTraceServiceClient(conn)
}

func withKey(ctx context.Context, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
}

// count returns the number of stored spans of a project.
func (h *harness) count(p project.ID) int {
	h.t.Helper()
	var rows []struct {
		N uint64 `ch:"n"`
	}
	if err := h.db.Select(h.t.Context(), p, &rows, "SELECT count() AS n FROM spans WHERE project_id = {project:UInt32}"); err != nil {
		h.t.Fatal(err)
	}
	return int(rows[0].N)
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func zstded(b []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return w.EncodeAll(b, nil)
}

// good is a span that nothing is wrong with.
func good(n uint64, now time.Time) *otlp.Span {
	return &otlp.Span{
		TraceId: id16(1, n), SpanId: id8(n), Name: fmt.Sprintf("span %d", n), Kind: otlp.Span_SPAN_KIND_SERVER,
		StartTimeUnixNano: uint64(now.Add(-time.Second).UnixNano()), EndTimeUnixNano: uint64(now.UnixNano()),
	}
}
