package ingest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

// otlpJSON writes a request the way OTLP's JSON wants it: ids in hexadecimal.
func otlpJSON(t testing.TB, m *collector.ExportTraceServiceRequest) []byte {
	t.Helper()
	plain, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(plain, &tree); err != nil {
		t.Fatal(err)
	}
	var fix func(v any)
	fix = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				fix(e)
			}
		case map[string]any:
			for k, e := range v {
				if text, ok := e.(string); ok && (k == "traceId" || k == "spanId" || k == "parentSpanId") {
					id, err := base64.StdEncoding.DecodeString(text)
					if err != nil {
						t.Fatal(err)
					}
					v[k] = hex.EncodeToString(id)
				}
				fix(e)
			}
		}
	}
	fix(tree)
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryEncodingAndCompressionOverHTTPIsStored(t *testing.T) {
	h := start(t, nil)
	request := traffic(rand.New(rand.NewPCG(3, 4)), 50, time.Now())
	wire, text := marshal(request), otlpJSON(t, request)
	want := 0
	for _, c := range []struct {
		content, encoding string
		body              []byte
	}{
		{typeProtobuf, "", wire}, {typeProtobuf, "identity", wire}, {typeProtobuf, "gzip", gzipped(wire)}, {typeProtobuf, "zstd", zstded(wire)},
		{typeJSON, "", text}, {typeJSON, "gzip", gzipped(text)}, {typeJSON + "; charset=utf-8", "zstd", zstded(text)},
	} {
		response, body := h.post(httpRequest{key: goodKey, content: c.content, encoding: c.encoding, body: c.body})
		if response.StatusCode != 200 {
			t.Fatalf("%s %s: status %d %q", c.content, c.encoding, response.StatusCode, body)
		}
		var answer collector.ExportTraceServiceResponse
		unmarshal := proto.Unmarshal
		if response.Header.Get("Content-Type") == typeJSON {
			unmarshal = protojson.Unmarshal
		}
		if err := unmarshal(body, &answer); err != nil || answer.PartialSuccess != nil {
			t.Fatalf("%s %s: answer %q, error %v, want an empty response", c.content, c.encoding, body, err)
		}
		if want += 50; h.count(7) != want {
			t.Fatalf("%s %s: %d spans are stored when it is answered, want %d", c.content, c.encoding, h.count(7), want)
		}
	}
}

func TestEveryCompressionOverGRPCIsStored(t *testing.T) {
	h := start(t, nil)
	client := h.dial()
	request := traffic(rand.New(rand.NewPCG(3, 4)), 50, time.Now())
	for i, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor("gzip")}, {grpc.UseCompressor("zstd")}} {
		answer, err := client.Export(withKey(t.Context(), goodKey), request, options...)
		if err != nil || answer.PartialSuccess != nil {
			t.Fatalf("call %d: %v, %v", i, answer, err)
		}
		if got, want := h.count(7), 50*(i+1); got != want {
			t.Fatalf("call %d: %d spans are stored when it is answered, want %d", i, got, want)
		}
	}
}

func TestTheRowsSpansPointAtAreStoredWithThem(t *testing.T) {
	h := start(t, nil)
	client := h.dial()
	var answered sync.WaitGroup
	for range 8 { // together, so that all see the same statements as new
		answered.Go(func() {
			request := traffic(rand.New(rand.NewPCG(5, 6)), 200, time.Now())
			if _, err := client.Export(withKey(t.Context(), goodKey), request); err != nil {
				t.Error(err)
			}
		})
	}
	answered.Wait()
	var rows []struct {
		Lost uint64 `ch:"lost"`
		SQL  uint64 `ch:"sql"`
	}
	const query = `SELECT countIf(resource_id NOT IN (SELECT resource_id FROM resources WHERE project_id = {project:UInt32})
		OR db_hash != 0 AND db_hash NOT IN (SELECT db_hash FROM sql_statements WHERE project_id = {project:UInt32})) AS lost,
		countIf(db_hash != 0) AS sql FROM spans WHERE project_id = {project:UInt32}`
	if err := h.db.Select(t.Context(), 7, &rows, query); err != nil {
		t.Fatal(err)
	}
	if rows[0].Lost != 0 || rows[0].SQL == 0 {
		t.Fatalf("%d spans point at rows that do not exist; %d are SQL", rows[0].Lost, rows[0].SQL)
	}
}

func TestWhenTheRetentionIsRaisedTheRowsSpansPointAtAreKeptAsLong(t *testing.T) {
	var retention atomic.Int64
	h := start(t, func(o *Options) {
		o.Authenticate = func(context.Context, string) (Tenant, error) {
			return Tenant{Project: 7, Retention: keepFor(int(retention.Load()))}, nil
		}
	})
	span := good(1, time.Now())
	span.Attributes = []*common.KeyValue{text("db.system", "mysql"), text("db.statement", "SELECT 1 FROM t")}
	client := h.dial()
	for _, days := range []int64{14, 90, 90} {
		retention.Store(days)
		if _, err := client.Export(withKey(t.Context(), goodKey), oneResource("shop", span)); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"resources", "sql_statements"} {
		var rows []struct {
			Retention uint16 `ch:"retention_days"`
		}
		if err := h.db.Select(t.Context(), 7, &rows, "SELECT retention_days FROM "+table+" WHERE project_id = {project:UInt32} ORDER BY retention_days"); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 2 || rows[0].Retention != 14 || rows[1].Retention != 90 {
			t.Errorf("%s: rows of %v days, want 14 and 90", table, rows)
		}
	}
}

func TestARequestIsAnsweredOnlyOnceItsBlockIsStored(t *testing.T) {
	h := start(t, func(o *Options) { o.Batch = clickhouse.BatchOptions{MaxDelay: 400 * time.Millisecond} })
	client := h.dial()
	began := time.Now()
	if _, err := client.Export(withKey(t.Context(), goodKey), oneResource("shop", good(1, began))); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Fatalf("answered after %v, before the block was due", took)
	}
	if h.count(7) != 1 {
		t.Fatal("answered before the span was stored")
	}
}

// The engine's own limit is 100 partitions, which are days, per block.
func TestAProjectThatSendsManyDaysDoesNotFailTheBlockOfAnother(t *testing.T) {
	const days = 150
	h := start(t, func(o *Options) {
		o.Batch = clickhouse.BatchOptions{MaxDelay: time.Hour, MaxRows: days + 1, Writers: 1}
		o.Authenticate = func(ctx context.Context, key string) (Tenant, error) {
			if key == "archive" {
				return Tenant{Project: 5, Retention: keepFor(400)}, nil
			}
			return authenticate(ctx, key)
		}
	})
	client := h.dial()
	var spans []*otlp.Span
	for day := range days {
		spans = append(spans, good(uint64(day+1), time.Now().AddDate(0, 0, -day)))
	}
	var answered sync.WaitGroup
	for key, request := range map[string]*collector.ExportTraceServiceRequest{
		"archive": oneResource("archive", spans...), goodKey: oneResource("shop", good(1, time.Now())),
	} {
		answered.Go(func() {
			if _, err := client.Export(withKey(t.Context(), key), request); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		})
	}
	answered.Wait()
	if h.count(5) != days || h.count(7) != 1 {
		t.Errorf("%d and %d spans are stored, want %d and 1", h.count(5), h.count(7), days)
	}
}

func TestStopStoresWhatIsOpenAndAnswersItsCallers(t *testing.T) {
	h := start(t, func(o *Options) { o.Batch = clickhouse.BatchOptions{MaxDelay: time.Hour, MaxRows: 1 << 20} })
	client := h.dial()
	overHTTP, overGRPC := make(chan int, 1), make(chan error, 1)
	go func() {
		response, _ := h.post(httpRequest{key: goodKey, body: marshal(oneResource("shop", good(1, time.Now())))})
		overHTTP <- response.StatusCode
	}()
	go func() {
		_, err := client.Export(withKey(context.Background(), goodKey), oneResource("shop", good(2, time.Now())))
		overGRPC <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); h.Stats().Waiting < 2; {
		if time.Now().After(deadline) {
			t.Fatal("the spans never arrived")
		}
	}
	h.stop()
	if code := <-overHTTP; code != 200 {
		t.Errorf("HTTP caller got %d", code)
	}
	if err := <-overGRPC; err != nil {
		t.Errorf("gRPC caller got %v", err)
	}
	if got := h.count(7); got != 2 {
		t.Errorf("%d spans are stored, want 2", got)
	}
}

func TestStatsCountWhatHappened(t *testing.T) {
	h := start(t, nil)
	bad := good(2, time.Now())
	bad.TraceId = nil
	h.post(httpRequest{key: goodKey, body: marshal(oneResource("shop", good(1, time.Now()), bad))})
	h.post(httpRequest{key: "wrong", body: nil})
	got := h.Stats()
	if got.Requests != 2 || got.Accepted["traces"] != 1 || got.Rejected["bad_trace_id"] != 1 || got.Failed["Unauthenticated"] != 1 || got.Bytes == 0 {
		t.Fatalf("stats are %+v", got)
	}
}
