package ingest

import (
	"fmt"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlplogs "go.opentelemetry.io/proto/otlp/logs/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

// errors returns what is stored of the errors of project 7.
func (h *harness) errors() (out []string) {
	h.t.Helper()
	var rows []struct {
		Occurrence uint64 `ch:"occurrence"`
		Text       string `ch:"text"`
	}
	err := h.db.Select(h.t.Context(), 7, &rows, `SELECT occurrence, concat(toString(source), ' ', service, ' ', version, ' ', endpoint, ' ', type, ' ', message, ' ', user, ' ', custom) AS text
		FROM error_events WHERE project_id = {project:UInt32} AND fingerprint != 0 ORDER BY source, type, {none:String}`, clickhouse.P("none", ""))
	if err != nil {
		h.t.Fatal(err)
	}
	for i, r := range rows {
		same := ""
		if i > 0 && r.Occurrence == rows[0].Occurrence {
			same = " (as the first)"
		}
		out = append(out, r.Text+same)
	}
	return out
}

func TestAnErrorIsStoredBeforeItsSpanOrLogIsAcknowledged(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	exception := func(kind string, more ...*common.KeyValue) *otlp.Span_Event {
		return &otlp.Span_Event{TimeUnixNano: uint64(now.UnixNano()), Name: "exception", Attributes: append([]*common.KeyValue{
			text("exception.type", kind), text("exception.message", "no room"), text("exception.stacktrace", kind+": no room\n\tat com.shop.A.b(A.java:1)")}, more...)}
	}
	entry, below, alone, refused := good(1, now), good(2, now), good(3, now), good(4, now)
	entry.Attributes = []*common.KeyValue{text("http.request.method", "POST"), text("http.route", "/orders")}
	below.Kind, below.ParentSpanId, below.TraceId = otlp.Span_SPAN_KIND_INTERNAL, entry.SpanId, entry.TraceId
	below.Attributes = []*common.KeyValue{text("enduser.id", "u-1")}
	below.Events = []*otlp.Span_Event{{Name: "message"}, exception("A"), exception("B", text("exception.fingerprint", "mine"))}
	alone.Kind, alone.ParentSpanId = otlp.Span_SPAN_KIND_INTERNAL, id8(99) // its parent comes in another request
	alone.Events = []*otlp.Span_Event{exception("C")}
	alone.Events[0].TimeUnixNano = 7 // no time
	refused.TraceId, refused.Events = nil, []*otlp.Span_Event{exception("D")}
	if response, answer := h.post(httpRequest{key: goodKey, body: marshal(oneResource("shop", below, entry, alone, refused))}); response.StatusCode != 200 {
		t.Fatalf("status %d: %s", response.StatusCode, answer)
	}
	log := records(
		&otlplogs.LogRecord{TimeUnixNano: uint64(now.UnixNano()), Body: said("failed"), TraceId: below.TraceId, SpanId: below.SpanId,
			Attributes: []*common.KeyValue{text("exception.type", "A"), text("exception.message", "no room")}},
		&otlplogs.LogRecord{TimeUnixNano: uint64(now.UnixNano()), Body: said("fine")})
	if response, answer := h.post(httpRequest{path: "/v1/logs", key: goodKey, body: mustMarshal(t, log)}); response.StatusCode != 200 {
		t.Fatalf("status %d: %s", response.StatusCode, answer)
	}
	want := []string{
		"1 shop 1.4.2 POST /orders A no room u-1 ",
		"1 shop 1.4.2 POST /orders B no room u-1 mine",
		"1 shop 1.4.2  C no room  ",
		"2 shop   A no room   (as the first)",
	}
	if got := h.errors(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("stored\n%q\nwant\n%q", got, want)
	}
}
