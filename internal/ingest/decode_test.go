package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// nest wraps a message into length-delimited fields, innermost first.
func nest(message []byte, numbers ...protowire.Number) []byte {
	for _, n := range numbers {
		message = protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), message)
	}
	return message
}

func TestAMalformedRequestNamesItsFault(t *testing.T) {
	varint := func(n protowire.Number) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), 5)
	}
	before := marshal(oneResource("shop", good(1, time.Now())))
	for _, c := range []struct {
		wire []byte
		want string // with %d for the byte of the fault
		at   int
	}{
		{[]byte{0xff}, "field 0: malformed tag (byte %d)", 0},
		{varint(1), "resource_spans: wire type 0, want 2 (byte %d)", 0},
		{nest(varint(1), 2, 2, 1), "resource_spans[0].scope_spans[0].spans[0].trace_id: wire type 0, want 2 (byte %d)", 6},
		{append(before[:len(before):len(before)], nest(varint(5), 9, 2, 2, 1)...),
			"resource_spans[1].scope_spans[0].spans[0].attributes[0].field 5", -1},
		{append(before[:len(before):len(before)], nest(varint(1), 2, 9, 2, 2, 1)...),
			"resource_spans[1].scope_spans[0].spans[0].attributes[0].value.string_value: wire type 0, want 2 (byte %d)", len(before) + 10},
		{nest([]byte{0x0a, 0x09, 'x'}, 1, 11, 2, 2, 1), "resource_spans[0].scope_spans[0].spans[0].events[0].time_unix_nano: wire type 2, want 1 (byte %d)", 8},
		{nest([]byte{0x0a, 0x09, 'x'}, 1, 1), "resource_spans[0].resource.attributes: length 9 runs past the end of the message, 1 bytes left (byte %d)", 4},
		{nest(nest([]byte{0x10}, 1, 5), 2, 9, 2, 2, 1), "resource_spans[0].scope_spans[0].spans[0].attributes[0].value.array_value.values[0].bool_value: malformed varint (byte %d)", 14},
	} {
		columns := trace.NewColumns(trace.NewCatalog(otel.NewCatalog()))
		_, err := newSpanDecoder().decode(c.wire, Tenant{Project: 1, Retention: keepFor(14)}, columns, time.Now())
		if c.at < 0 { // an unknown field is skipped
			if err != nil {
				t.Errorf("an unknown field is refused: %v", err)
			}
			continue
		}
		want := fmt.Sprintf("malformed ExportTraceServiceRequest: "+c.want, c.at)
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if columns.Rows() != 0 {
			t.Error("rows of a malformed request are left")
		}
	}
}

// stored is what the golden conversions look at.
type stored struct {
	Operation  string            `ch:"operation"`
	Service    string            `ch:"service"`
	Env        string            `ch:"environment"`
	Instance   string            `ch:"instance"`
	Method     string            `ch:"http_method"`
	Route      string            `ch:"http_route"`
	HTTPStatus uint16            `ch:"http_status"`
	URL        string            `ch:"url"`
	RPC        string            `ch:"rpc"`
	Messaging  string            `ch:"messaging"`
	DBSystem   string            `ch:"db_system"`
	DBName     string            `ch:"db_name"`
	DBOp       string            `ch:"db_operation"`
	Statement  string            `ch:"db_statement"`
	SQL        bool              `ch:"sql"`
	Rows       uint64            `ch:"db_rows"`
	Peer       string            `ch:"peer"`
	ExType     string            `ch:"exception_type"`
	ExMessage  string            `ch:"exception_message"`
	Events     string            `ch:"events"`
	Links      string            `ch:"links"`
	Dropped    uint16            `ch:"dropped"`
	Attrs      map[string]string `ch:"attrs"`
}

const storedQuery = `SELECT operation, service, environment, instance, http_method, http_route, http_status, url, rpc, messaging,
	db_system, db_name, db_operation, db_statement, db_hash != 0 AS sql, db_rows, peer, exception_type, exception_message, events, links,
	dropped, CAST((arrayMap(k -> toString(k), attr_keys), attr_values), 'Map(String, String)') AS attrs
	FROM spans WHERE project_id = {project:UInt32} AND name = {name:String}`

func TestOldAndNewConventionsFillTheSameColumns(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	client := h.dial()
	n := uint64(0)
	f := func(kind otlp.Span_SpanKind, want stored, attrs ...*common.KeyValue) {
		t.Helper()
		n++
		span := good(n, now)
		span.Kind, span.Attributes, span.ParentSpanId = kind, attrs, id8(99)
		if want.Service = "shop"; want.Env == "" {
			want.Env = "production"
		}
		want.Instance = "shop-1"
		if want.Operation == "" {
			want.Operation = span.Name
		}
		if want.Attrs == nil {
			want.Attrs = map[string]string{}
		}
		if _, err := client.Export(withKey(t.Context(), goodKey), oneResource("shop", span)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]stored{want}, h.stored(span.Name)); diff != "" {
			t.Errorf("%v: (-want +got)\n%s", attrs, diff)
		}
	}
	const server, client_, consumer = otlp.Span_SPAN_KIND_SERVER, otlp.Span_SPAN_KIND_CLIENT, otlp.Span_SPAN_KIND_CONSUMER

	httpServer := stored{Operation: "GET /a/{id}", Method: "GET", Route: "/a/{id}", HTTPStatus: 503, URL: "/a/1?x=2",
		Attrs: map[string]string{}}
	f(server, httpServer, text("http.method", "GET"), text("http.route", "/a/{id}"), integer("http.status_code", 503), text("http.target", "/a/1?x=2"))
	f(server, httpServer, text("http.request.method", "GET"), text("http.route", "/a/{id}"), integer("http.response.status_code", 503),
		text("url.path", "/a/1"), text("url.query", "x=2"))

	httpClient := stored{Method: "POST", URL: "http://pay/x", Peer: "pay:8443"}
	f(client_, httpClient, text("http.method", "POST"), text("http.url", "http://pay/x"), text("net.peer.name", "pay"), integer("net.peer.port", 8443))
	f(client_, httpClient, text("http.request.method", "POST"), text("url.full", "http://pay/x"), text("server.address", "pay"), integer("server.port", 8443))

	sql := stored{DBSystem: "postgresql", DBName: "shop", DBOp: "SELECT", Statement: "SELECT 1 FROM a", SQL: true, Peer: "db"}
	f(client_, sql, text("db.system", "postgresql"), text("db.name", "shop"), text("db.operation", "SELECT"), text("db.statement", "SELECT 1 FROM a"), text("net.peer.name", "db"))
	f(client_, sql, text("db.system.name", "postgresql"), text("db.namespace", "shop"), text("db.query.text", "SELECT 1 FROM a"), text("server.address", "db"))
	sql.Rows = 12
	sql.Attrs = map[string]string{"db.collection.name": "a", "db.system": "other_sql", "db.statement": "old"}
	f(client_, sql, text("db.system", "other_sql"), text("db.statement", "old"), text("db.system.name", "postgresql"), text("db.namespace", "shop"),
		text("db.query.text", "SELECT 1 FROM a"), text("server.address", "db"), text("db.collection.name", "a"), integer("db.response.returned_rows", 12))

	f(client_, stored{DBSystem: "redis", DBOp: "GET", Statement: "GET user:7", Peer: "10.0.0.3:6379"},
		text("db.system", "redis"), text("db.statement", "GET user:7"), text("net.sock.peer.addr", "10.0.0.3"), integer("net.sock.peer.port", 6379))
	f(client_, stored{Peer: "10.0.0.3:80"}, text("net.peer.ip", "10.0.0.3"), integer("net.peer.port", 80))
	f(client_, stored{Peer: "pay:80", Attrs: map[string]string{"net.peer.ip": "10.0.0.3"}},
		text("net.peer.ip", "10.0.0.3"), text("net.peer.name", "pay"), integer("net.peer.port", 80))
	f(client_, stored{Peer: "10.0.0.4", Attrs: map[string]string{"net.peer.ip": "10.0.0.3"}}, text("net.sock.peer.addr", "10.0.0.4"), text("net.peer.ip", "10.0.0.3"))
	// A statement that was sent without its text is told as far as it is known.
	f(client_, stored{DBSystem: "mysql", DBOp: "SELECT", Statement: "SELECT … FROM a", SQL: true, Attrs: map[string]string{"db.collection.name": "a"}},
		text("db.system.name", "mysql"), text("db.operation.name", "SELECT"), text("db.collection.name", "a"))
	f(client_, stored{DBSystem: "mysql", DBOp: "INSERT", Statement: "INSERT INTO a …", SQL: true, Attrs: map[string]string{"db.query.summary": "INSERT a SELECT b"}},
		text("db.query.summary", "INSERT a SELECT b"), text("db.system", "mysql"))
	f(client_, stored{DBSystem: "mysql", DBOp: "update", Statement: "UPDATE …", SQL: true}, text("db.system", "mysql"), text("db.operation", "update"))
	f(client_, stored{DBSystem: "redis", DBOp: "GET"}, text("db.system", "redis"), text("db.operation", "GET"))
	f(client_, stored{DBSystem: "mongoose", DBOp: "find"}, text("db.system", "mongoose"), text("db.operation", "find"))
	f(client_, stored{DBSystem: "postgresql", Peer: "db"}, text("db.system.name", "postgresql"), text("server.address", "db")) // pg-pool.connect
	f(client_, stored{RPC: "shop.Cart/Add", Peer: "10.0.0.9:443", Attrs: map[string]string{"rpc.system": "grpc"}},
		text("rpc.system", "grpc"), text("rpc.service", "shop.Cart"), text("rpc.method", "Add"), text("network.peer.address", "10.0.0.9"), integer("network.peer.port", 443))
	f(server, stored{RPC: "shop.Cart/Add", Operation: "shop.Cart/Add", Attrs: map[string]string{"server.address": "me", "server.port": "1"}},
		text("rpc.method", "shop.Cart/Add"), text("server.address", "me"), integer("server.port", 1))
	f(consumer, stored{Messaging: "orders"}, text("messaging.destination.name", "orders"))
	f(consumer, stored{Messaging: "orders"}, text("messaging.destination", "orders"))

	// What does not fit its column stays an attribute.
	f(server, stored{Attrs: map[string]string{"http.status_code": "teapot", "url.query": "q", "rpc.service": "s"}},
		text("http.status_code", "teapot"), text("url.query", "q"), text("rpc.service", "s"))
	f(client_, stored{Peer: "pay", Attrs: map[string]string{"net.peer.port": "1", "network.peer.address": "10.0.0.1"}},
		text("network.peer.address", "10.0.0.1"), integer("net.peer.port", 1), text("server.address", "pay"))
}

func (h *harness) stored(name string) []stored {
	h.t.Helper()
	var rows []stored
	if err := h.db.Select(h.t.Context(), 7, &rows, storedQuery, clickhouse.P("name", name)); err != nil {
		h.t.Fatal(err)
	}
	return rows
}

func TestValuesOfEveryKindAndExceptionsAreReadable(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	span := good(1, now)
	list := &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{
		text("", `a"b`).Value, integer("", -3).Value, {Value: &common.AnyValue_BoolValue{BoolValue: true}}, {},
		{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{text("k", "한글")}}}},
	}}}}
	span.Attributes = []*common.KeyValue{
		{Key: "list", Value: list}, {Key: "double", Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: 0.25}}},
		{Key: "bytes", Value: &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{1, 2}}}}, {Key: "none"},
	}
	span.Events = []*otlp.Span_Event{
		{TimeUnixNano: 5, Name: "cache miss"},
		{TimeUnixNano: 6, Name: "exception", Attributes: []*common.KeyValue{text("exception.type", "java.lang.X"), text("exception.message", "no\nrow"), text("exception.stacktrace", "at A")}},
		{TimeUnixNano: 7, Name: "exception", Attributes: []*common.KeyValue{text("exception.type", "Second")}},
	}
	span.Links = []*otlp.Span_Link{{TraceId: id16(1, 2), SpanId: id8(3), Attributes: []*common.KeyValue{text("a", "b")}}}
	if _, err := h.dial().Export(withKey(t.Context(), goodKey), oneResource("shop", span)); err != nil {
		t.Fatal(err)
	}
	want := []stored{{
		Operation: "span 1", Service: "shop", Env: "production", Instance: "shop-1",
		ExType: "java.lang.X", ExMessage: "no\nrow",
		Events: `[{"time":5,"name":"cache miss"},{"time":6,"name":"exception","attributes":{"exception.type":"java.lang.X","exception.message":"no\nrow","exception.stacktrace":"at A"}},{"time":7,"name":"exception","attributes":{"exception.type":"Second"}}]`,
		Links:  `[{"trace_id":"00000000000000010000000000000002","span_id":"0000000000000003","attributes":{"a":"b"}}]`,
		Attrs:  map[string]string{"list": `["a\"b",-3,true,null,{"k":"한글"}]`, "double": "0.25", "bytes": "AQI=", "none": ""},
	}}
	if diff := cmp.Diff(want, h.stored("span 1")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAttributesCutFromAResourceAreCountedByItsSpans(t *testing.T) {
	h := start(t, nil)
	request := oneResource("shop", good(1, time.Now()))
	of := request.ResourceSpans[0].Resource
	of.DroppedAttributesCount = 3
	for len(of.Attributes) < otel.MaxAttributes+5 {
		of.Attributes = append(of.Attributes, text(fmt.Sprintf("k%d", len(of.Attributes)), "v"))
	}
	request.ResourceSpans = append(request.ResourceSpans, oneResource("other", good(2, time.Now())).ResourceSpans...)
	if _, err := h.dial().Export(withKey(t.Context(), goodKey), request); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint16{"span 1": 8, "span 2": 0} {
		if rows := h.stored(name); len(rows) != 1 || rows[0].Dropped != want {
			t.Errorf("%s: %+v, want %d dropped", name, rows, want)
		}
	}
}

func TestWhatIsCutSaysSo(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	span := good(1, now)
	span.DroppedAttributesCount = 2
	span.Attributes = []*common.KeyValue{text("long", strings.Repeat("가", 2000)), text("db.system", "mysql"),
		text("db.statement", "SELECT '"+strings.Repeat("x", 70_000)+"'")}
	for i := range otel.MaxAttributes + 9 {
		span.Attributes = append(span.Attributes, integer(fmt.Sprintf("a%d", i), int64(i)))
	}
	for range trace.MaxEvents + 3 {
		span.Events = append(span.Events, &otlp.Span_Event{Name: "e"})
	}
	wire := marshal(oneResource("shop", span))
	at := strings.Index(string(wire), "가")
	wire[at] = 0xff // not UTF-8 any more
	if response, body := h.post(httpRequest{key: goodKey, body: wire}); response.StatusCode != 200 {
		t.Fatalf("%d %q", response.StatusCode, body)
	}
	got := h.stored("span 1")[0]
	if want := uint16(2 + 10 + 3); got.Dropped != want {
		t.Errorf("dropped is %d, want %d: 2 by the sender, 10 attributes, 3 events", got.Dropped, want)
	}
	if v := got.Attrs["long"]; !strings.HasSuffix(v, "…[truncated 1905 bytes]") || !strings.HasPrefix(v, "\uFFFD가") {
		t.Errorf("long value is %q … %q", v[:12], v[len(v)-40:])
	}
	if !strings.HasSuffix(got.Statement, " bytes]") || len(got.Statement) > trace.MaxStatementLength+40 {
		t.Errorf("statement has %d bytes and ends in %q", len(got.Statement), got.Statement[len(got.Statement)-30:])
	}
}

func TestOneBadSpanNeverLosesItsNeighbours(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	spoil := map[string]func(*otlp.Span){
		"zero or malformed trace id": func(s *otlp.Span) { s.TraceId = make([]byte, 16) },
		"zero or malformed span id":  func(s *otlp.Span) { s.SpanId = s.SpanId[:7] },
		"end before start":           func(s *otlp.Span) { s.EndTimeUnixNano = s.StartTimeUnixNano - 1 },
		"older than the project's retention": func(s *otlp.Span) {
			s.StartTimeUnixNano = uint64(now.AddDate(0, 0, -15).UnixNano())
		},
		"more than an hour in the future": func(s *otlp.Span) { s.EndTimeUnixNano = uint64(now.Add(61 * time.Minute).UnixNano()) },
	}
	var spans []*otlp.Span
	n := uint64(0)
	for range 2 {
		for _, f := range spoil {
			bad := good(n+1, now)
			f(bad)
			spans = append(spans, good(n+2, now), bad)
			n += 2
		}
	}
	answer, err := h.dial().Export(withKey(t.Context(), goodKey), oneResource("shop", spans...))
	if err != nil {
		t.Fatal(err)
	}
	if answer.PartialSuccess.GetRejectedSpans() != 10 {
		t.Fatalf("rejected %d, want 10", answer.PartialSuccess.GetRejectedSpans())
	}
	for why := range spoil {
		if !strings.Contains(answer.PartialSuccess.ErrorMessage, why+": 2") {
			t.Errorf("message %q does not count %q", answer.PartialSuccess.ErrorMessage, why)
		}
	}
	if got := h.count(7); got != 10 {
		t.Errorf("%d neighbours are stored, want 10", got)
	}
}

func TestAnApplicationWithoutANameIsUnknownService(t *testing.T) {
	h := start(t, nil)
	request := oneResource("", good(1, time.Now()))
	request.ResourceSpans[0].Resource.Attributes = []*common.KeyValue{text("k8s.pod.name", "pod-1"), text("host.name", "h"), text("deployment.environment", "dev")}
	wire := marshal(request.ResourceSpans[0].ScopeSpans[0])
	// The resource stands behind the spans that need it.
	body := nest(append(nest(wire, 2), nest(marshal(request.ResourceSpans[0].Resource), 1)...), 1)
	if err := proto.Unmarshal(body, request); err != nil {
		t.Fatal(err)
	}
	if response, text := h.post(httpRequest{key: goodKey, body: body}); response.StatusCode != 200 {
		t.Fatalf("%d %q", response.StatusCode, text)
	}
	got := h.stored("span 1")[0]
	if got.Service != "unknown_service" || got.Instance != "pod-1" || got.Env != "dev" {
		t.Errorf("got service %q, instance %q, environment %q", got.Service, got.Instance, got.Env)
	}
}
