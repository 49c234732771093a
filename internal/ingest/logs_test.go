package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/otel"
)

// records is a request of one sender.
func records(of ...*otlp.LogRecord) *collector.ExportLogsServiceRequest {
	return &collector.ExportLogsServiceRequest{ResourceLogs: []*otlp.ResourceLogs{{
		Resource:  &resource.Resource{Attributes: []*common.KeyValue{text("service.name", "shop"), text("k8s.pod.name", "shop-1")}},
		ScopeLogs: []*otlp.ScopeLogs{{Scope: &common.InstrumentationScope{Name: "com.shop.Order"}, LogRecords: of}},
	}}}
}

func said(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

// search returns what is stored of project 7, oldest first.
func (h *harness) search(query string) []logs.LogRecord {
	h.t.Helper()
	now := time.Now()
	page, err := logs.NewStore(h.db).Search(h.t.Context(), 7, logs.Query{Text: query, From: now.AddDate(0, 0, -30), To: now.Add(2 * time.Hour)}, true, "", 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Items
}

func TestALogRecordIsStoredWithAllThatWasSent(t *testing.T) {
	h := start(t, nil)
	now := time.Now().Truncate(time.Microsecond)
	nested := &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{text("msg", `a "b"`), text("long", strings.Repeat("x", 20_000))}}}}
	request := records(
		&otlp.LogRecord{
			TimeUnixNano: uint64(now.UnixNano()), SeverityNumber: 18, SeverityText: "ERROR2", Body: said("payment 42 failed"), EventName: "payment",
			TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), DroppedAttributesCount: 3,
			Attributes: []*common.KeyValue{text("exception.type", "java.io.IOException"), text("exception.message", "gone"), text("customer", "c-1")},
		},
		&otlp.LogRecord{ObservedTimeUnixNano: uint64(now.Add(time.Second).UnixNano()), Body: nested},
		&otlp.LogRecord{TimeUnixNano: uint64(now.Add(2 * time.Second).UnixNano()), Body: said("2026-11-20 WARN plain\x01 line"), TraceId: []byte("short")},
	)
	response, answer := h.post(httpRequest{path: "/v1/logs", key: goodKey, body: bytes.ReplaceAll(mustMarshal(t, request), []byte{1, ' ', 'l'}, []byte{0xff, ' ', 'l'})})
	if response.StatusCode != 200 {
		t.Fatalf("status %d: %s", response.StatusCode, answer)
	}
	got := h.search("")
	if len(got) != 3 {
		t.Fatalf("%d records", len(got))
	}
	first := got[0]
	first.ID, first.Pattern = "", ""
	want := logs.LogRecord{
		Time: now.UTC(), Service: "shop", Instance: "shop-1", Logger: "com.shop.Order", Level: "error", Severity: 18, SeverityText: "ERROR2",
		Event: "payment", TraceID: "30313233343536373839616263646566", SpanID: "3031323334353637", Body: "payment 42 failed",
		ExceptionType: "java.io.IOException", ExceptionMessage: "gone", Dropped: 3,
		Attributes: map[string]string{"exception.type": "java.io.IOException", "exception.message": "gone", "customer": "c-1"},
	}
	if fmt.Sprintf("%+v", first) != fmt.Sprintf("%+v", want) {
		t.Errorf("stored %+v\nwant   %+v", first, want)
	}
	var tree map[string]string
	if err := json.Unmarshal([]byte(got[1].Body), &tree); err != nil || tree["msg"] != `a "b"` || len(tree["long"]) != 20_000 {
		t.Errorf("a nested body is %.100s… %v", got[1].Body, err)
	}
	if !got[1].Time.Equal(now.Add(time.Second)) {
		t.Errorf("a record without a time of its own has %v", got[1].Time)
	}
	if got[2].Level != "warn" || got[2].TraceID != "" || !strings.Contains(got[2].Body, "\uFFFD") {
		t.Errorf("%+v", got[2])
	}
}

func mustMarshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLogsComeByGRPCAndAsJSON(t *testing.T) {
	h := start(t, nil)
	conn, err := grpc.NewClient(h.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+goodKey)
	at := uint64(time.Now().UnixNano())
	if _, err := collector.NewLogsServiceClient(conn).Export(ctx, records(&otlp.LogRecord{TimeUnixNano: at, Body: said("by grpc")})); err != nil {
		t.Fatal(err)
	}
	plain, err := protojson.Marshal(records(&otlp.LogRecord{TimeUnixNano: at + 1, Body: said("as json")}))
	if err != nil {
		t.Fatal(err)
	}
	withID := strings.Replace(string(plain), `"body"`, `"traceId":"5b8efff798038103d269b633813fc60c","body"`, 1)
	if response, answer := h.post(httpRequest{path: "/v1/logs", key: goodKey, content: typeJSON, body: []byte(withID)}); response.StatusCode != 200 {
		t.Fatalf("status %d: %s", response.StatusCode, answer)
	}
	got := h.search("")
	if len(got) != 2 || got[0].Body != "by grpc" || got[1].Body != "as json" || got[1].TraceID != "5b8efff798038103d269b633813fc60c" {
		t.Errorf("%+v", got)
	}
}

func TestARefusedRecordLeavesItsNeighboursIn(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	request := records(
		&otlp.LogRecord{TimeUnixNano: uint64(now.UnixNano()), Body: said("good")},
		&otlp.LogRecord{TimeUnixNano: uint64(now.AddDate(0, 0, -15).UnixNano()), Body: said("old")},
		&otlp.LogRecord{TimeUnixNano: uint64(now.Add(3 * time.Hour).UnixNano()), Body: said("of tomorrow")},
	)
	response, answer := h.post(httpRequest{path: "/v1/logs", key: goodKey, body: mustMarshal(t, request)})
	var out collector.ExportLogsServiceResponse
	if err := proto.Unmarshal(answer, &out); err != nil || response.StatusCode != 200 || out.GetPartialSuccess().GetRejectedLogRecords() != 2 {
		t.Errorf("status %d, %v, %v", response.StatusCode, &out, err)
	}
	if got := h.search(""); len(got) != 1 || got[0].Body != "good" {
		t.Errorf("%+v", got)
	}
	if s := h.Stats(); s.Accepted["logs"] != 1 || s.Rejected["too_old"] != 1 || s.Rejected["in_future"] != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAMalformedLogRequestNamesItsFaultAndStoresNothing(t *testing.T) {
	h := start(t, nil)
	wire := mustMarshal(t, records(&otlp.LogRecord{TimeUnixNano: uint64(time.Now().UnixNano()), Body: said("good")}, &otlp.LogRecord{Body: said("bad")}))
	at := strings.Index(string(wire), "bad") - 1
	wire[at] = 200 // the length of the last body
	response, answer := h.post(httpRequest{path: "/v1/logs", key: goodKey, body: wire})
	if response.StatusCode != 400 || !strings.Contains(string(answer), "resource_logs[0].scope_logs[0].log_records[1].body.string_value") {
		t.Errorf("status %d: %s", response.StatusCode, answer)
	}
	if got := h.search(""); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// A project's logs and its spans have a rate each.
func TestTheRateOfLogsIsNotThatOfSpans(t *testing.T) {
	h := start(t, nil)
	var many []*otlp.LogRecord
	for range 1500 {
		many = append(many, &otlp.LogRecord{TimeUnixNano: uint64(time.Now().UnixNano()), Body: said("x")})
	}
	wire := mustMarshal(t, records(many...))
	send := func() int {
		response, _ := h.post(httpRequest{path: "/v1/logs", key: slowKey, body: wire})
		return response.StatusCode
	}
	if a, b := send(), send(); a != 200 || b != 429 {
		t.Errorf("answered %d, %d", a, b)
	}
	if response, _ := h.post(httpRequest{key: slowKey, body: marshal(oneResource("shop", good(1, time.Now())))}); response.StatusCode != 200 {
		t.Errorf("spans are answered %d", response.StatusCode)
	}
}

func FuzzALogRequestNeverBreaksTheDecoder(f *testing.F) {
	f.Add(mustMarshal(f, records(&otlp.LogRecord{TimeUnixNano: 1, Body: said("x"), TraceId: []byte("y")})))
	f.Fuzz(func(t *testing.T, wire []byte) {
		c := logs.NewColumns(otel.NewCatalog())
		d := newLogDecoder()
		if _, err := d.decode(wire, Tenant{Project: 1, Retention: keepFor(14)}, c, time.Now()); err != nil && c.Rows() != 0 {
			t.Errorf("a refused request left %d rows", c.Rows())
		}
		if accepted, rejected := d.counts(); c.Rows() > 0 && int(accepted) != c.Rows() || int(accepted+rejected.total()) > countItems(wire) {
			t.Errorf("accepted %d, rejected %d, rows %d, items %d", accepted, rejected.total(), c.Rows(), countItems(wire))
		}
	})
}
