package ingest

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/cespare/xxhash/v2"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	pb "google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// The reference path: the official types, unmarshalled, fed to the same rows.
// The hot path must fill columns that are equal byte for byte.

func referenceDecode(request *collector.ExportTraceServiceRequest, t Tenant, c *trace.Columns, now time.Time) rejections {
	var rejected rejections
	c.Begin(t.Project, uint16(t.Retention.Traces), now)
	for _, rs := range request.ResourceSpans {
		b := &otel.ResourceBuilder{}
		id := xxhash.New()
		if rs.Resource != nil {
			_, _ = id.Write(marshal(rs.Resource))
		}
		for _, a := range rs.GetResource().GetAttributes() {
			b.Attribute([]byte(a.Key), referenceText(a.Value))
		}
		c.SetResource(b, max(id.Sum64(), 1))
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				if r, bad := referenceReason(s, t, now); bad {
					rejected[r]++
					continue
				}
				c.Append(referenceRow(s, ss.GetScope().GetName()))
			}
		}
	}
	c.Commit()
	return rejected
}

func referenceReason(s *otlp.Span, t Tenant, now time.Time) (reason, bool) {
	zero := func(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
	switch {
	case len(s.TraceId) != 16 || zero(s.TraceId):
		return badTraceID, true
	case len(s.SpanId) != 8 || zero(s.SpanId) || len(s.ParentSpanId) != 0 && len(s.ParentSpanId) != 8:
		return badSpanID, true
	case s.EndTimeUnixNano < s.StartTimeUnixNano:
		return endBeforeStart, true
	case s.EndTimeUnixNano > uint64(now.Add(time.Hour).UnixNano()):
		return inFuture, true
	case s.StartTimeUnixNano < uint64(now.AddDate(0, 0, -t.Retention.Traces).UnixNano()):
		return tooOld, true
	}
	return 0, false
}

func referenceRow(s *otlp.Span, scope string) *trace.Row {
	row := trace.NewRow()
	copy(row.TraceID[:], s.TraceId)
	row.SpanID, _ = spanIDOf(s.SpanId)
	row.ParentID, _ = spanIDOf(s.ParentSpanId)
	row.Name, row.Scope = []byte(s.Name), []byte(scope)
	row.Kind, row.Status, row.StatusMessage = uint8(s.Kind), uint8(s.GetStatus().GetCode()), []byte(s.GetStatus().GetMessage())
	row.Start, row.Duration = int64(s.StartTimeUnixNano), s.EndTimeUnixNano-s.StartTimeUnixNano
	row.Dropped = uint64(s.DroppedAttributesCount) + uint64(s.DroppedEventsCount) + uint64(s.DroppedLinksCount)
	for _, a := range s.Attributes {
		row.Attribute([]byte(a.Key), referenceText(a.Value))
	}
	row.TraceState([]byte(s.TraceState))
	for _, e := range s.Events {
		row.Event(int64(e.TimeUnixNano), []byte(e.Name))
		for _, a := range e.Attributes {
			row.EventAttribute([]byte(a.Key), referenceText(a.Value))
		}
		row.EndEvent(uint64(e.DroppedAttributesCount))
	}
	for _, l := range s.Links {
		var id trace.TraceID
		copy(id[:], l.TraceId)
		span, _ := spanIDOf(l.SpanId)
		row.Link(id, span)
		for _, a := range l.Attributes {
			row.LinkAttribute([]byte(a.Key), referenceText(a.Value))
		}
		row.EndLink(uint64(l.DroppedAttributesCount))
	}
	return row
}

func referenceText(v *common.AnyValue) []byte {
	switch v := v.GetValue().(type) {
	case nil:
		return nil
	case *common.AnyValue_StringValue:
		return []byte(v.StringValue)
	case *common.AnyValue_BytesValue:
		return []byte(base64.StdEncoding.EncodeToString(v.BytesValue))
	case *common.AnyValue_DoubleValue:
		return strconv.AppendFloat(nil, v.DoubleValue, 'g', -1, 64)
	}
	return referenceJSON(v)
}

func referenceJSON(v *common.AnyValue) []byte {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return otel.AppendJSONString(nil, []byte(v.StringValue))
	case *common.AnyValue_BoolValue:
		return strconv.AppendBool(nil, v.BoolValue)
	case *common.AnyValue_IntValue:
		return strconv.AppendInt(nil, v.IntValue, 10)
	case *common.AnyValue_DoubleValue:
		text := strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
		if math.IsNaN(v.DoubleValue) || math.IsInf(v.DoubleValue, 0) {
			text = strconv.Quote(text)
		}
		return []byte(text)
	case *common.AnyValue_BytesValue:
		return []byte(strconv.Quote(base64.StdEncoding.EncodeToString(v.BytesValue)))
	case *common.AnyValue_ArrayValue:
		var parts [][]byte
		for _, e := range v.ArrayValue.GetValues() {
			parts = append(parts, referenceJSON(e))
		}
		return append(append([]byte("["), bytes.Join(parts, []byte(","))...), ']')
	case *common.AnyValue_KvlistValue:
		var parts [][]byte
		for _, e := range v.KvlistValue.GetValues() {
			parts = append(parts, append(append(otel.AppendJSONString(nil, []byte(e.Key)), ':'), referenceJSON(e.Value)...))
		}
		return append(append([]byte("{"), bytes.Join(parts, []byte(","))...), '}')
	}
	return []byte("null")
}

// encoded is all of a block as it goes to the engine, by column.
func encoded(c *trace.Columns) map[string]string {
	out := map[string]string{}
	for _, in := range c.Input() {
		var b proto.Buffer
		in.Data.EncodeColumn(&b)
		out[in.Name] = string(b.Buf)
	}
	return out
}

// requests draws requests of every shape OTLP allows, good and bad spans mixed.
func requests(now time.Time) *rapid.Generator[*collector.ExportTraceServiceRequest] {
	key := rapid.OneOf(rapid.StringMatching(`[a-z.]{1,12}`), rapid.SampledFrom([]string{
		"http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code", "url.full", "url.path",
		"url.query", "http.url", "http.target", "db.system", "db.system.name", "db.statement", "db.query.text", "db.name", "server.address",
		"server.port", "net.peer.name", "net.peer.port", "network.peer.address", "rpc.service", "rpc.method", "messaging.destination.name",
		"service.name", "service.instance.id", "host.name", "sampling.probability", "exception.type", "exception.message", "exception.stacktrace",
	}))
	word := rapid.OneOf(rapid.StringN(0, 20, -1), rapid.SampledFrom([]string{"GET", "/a?b=c", "mysql", "redis", "SELECT a FROM t WHERE b = 1", "8080", "200"}))
	var value func(depth int) *rapid.Generator[*common.AnyValue]
	var pairs func(depth, most int) *rapid.Generator[[]*common.KeyValue]
	value = func(depth int) *rapid.Generator[*common.AnyValue] {
		return rapid.Custom(func(t *rapid.T) *common.AnyValue {
			kinds := 6
			if depth > 0 {
				kinds = 8
			}
			v := &common.AnyValue{}
			switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
			case 0:
				v.Value = &common.AnyValue_IntValue{IntValue: rapid.Int64().Draw(t, "int")}
			case 1:
				v.Value = &common.AnyValue_BoolValue{BoolValue: rapid.Bool().Draw(t, "bool")}
			case 2:
				v.Value = &common.AnyValue_DoubleValue{DoubleValue: rapid.Float64().Draw(t, "double")}
			case 3:
				v.Value = &common.AnyValue_BytesValue{BytesValue: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "bytes")}
			case 4: // no value
			case 6:
				v.Value = &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list")}}
			case 7:
				v.Value = &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: pairs(depth-1, 3).Draw(t, "map")}}
			default:
				v.Value = &common.AnyValue_StringValue{StringValue: word.Draw(t, "text")}
			}
			return v
		})
	}
	pairs = func(depth, most int) *rapid.Generator[[]*common.KeyValue] {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *common.KeyValue {
			return &common.KeyValue{Key: key.Draw(t, "key"), Value: value(depth).Draw(t, "value")}
		}), 0, most)
	}
	id := func(t *rapid.T, size int) []byte {
		if rapid.IntRange(0, 9).Draw(t, "id") == 0 {
			return rapid.SliceOfN(rapid.ByteRange(0, 1), 0, size+1).Draw(t, "bad id")
		}
		return rapid.SliceOfN(rapid.ByteRange(1, 255), size, size).Draw(t, "good id")
	}
	span := rapid.Custom(func(t *rapid.T) *otlp.Span {
		start := now.Add(time.Duration(rapid.Int64Range(-20*24*60, 90).Draw(t, "minutes")) * time.Minute).UnixNano()
		s := &otlp.Span{
			TraceId: id(t, 16), SpanId: id(t, 8), Name: word.Draw(t, "name"), TraceState: rapid.SampledFrom([]string{"", "", "rojo=1,ot=rv:6e6d1a75832a2f;th:c", "ot=th:0", "a/b"}).Draw(t, "state"),
			Kind: otlp.Span_SpanKind(rapid.IntRange(0, 5).Draw(t, "kind")), StartTimeUnixNano: uint64(start),
			EndTimeUnixNano: uint64(start + rapid.Int64Range(-5, 1e12).Draw(t, "duration")), Attributes: pairs(2, 8).Draw(t, "attributes"),
			DroppedAttributesCount: rapid.Uint32Range(0, 70000).Draw(t, "dropped"), Flags: rapid.Uint32().Draw(t, "flags"),
		}
		if rapid.Bool().Draw(t, "child") {
			s.ParentSpanId = id(t, 8)
		}
		for range rapid.IntRange(0, 2).Draw(t, "events") {
			s.Events = append(s.Events, &otlp.Span_Event{TimeUnixNano: rapid.Uint64().Draw(t, "at"),
				Name: rapid.SampledFrom([]string{"exception", "cache miss", ""}).Draw(t, "event"), Attributes: pairs(1, 4).Draw(t, "attributes")})
		}
		for range rapid.IntRange(0, 1).Draw(t, "links") {
			s.Links = append(s.Links, &otlp.Span_Link{TraceId: id(t, 16), SpanId: id(t, 8), Attributes: pairs(1, 2).Draw(t, "attributes")})
		}
		if rapid.Bool().Draw(t, "has status") {
			s.Status = &otlp.Status{Code: otlp.Status_StatusCode(rapid.IntRange(0, 2).Draw(t, "code")), Message: word.Draw(t, "message")}
		}
		return s
	})
	return rapid.Custom(func(t *rapid.T) *collector.ExportTraceServiceRequest {
		request := &collector.ExportTraceServiceRequest{}
		for range rapid.IntRange(0, 3).Draw(t, "resources") {
			rs := &otlp.ResourceSpans{SchemaUrl: word.Draw(t, "schema")}
			if rapid.Bool().Draw(t, "has resource") {
				rs.Resource = &resource.Resource{Attributes: pairs(1, 5).Draw(t, "resource")}
			}
			for range rapid.IntRange(0, 2).Draw(t, "scopes") {
				rs.ScopeSpans = append(rs.ScopeSpans, &otlp.ScopeSpans{
					Scope: &common.InstrumentationScope{Name: word.Draw(t, "scope")}, Spans: rapid.SliceOfN(span, 0, 5).Draw(t, "spans"),
				})
			}
			request.ResourceSpans = append(request.ResourceSpans, rs)
		}
		return request
	})
}

func TestTheWireWalkEqualsTheOfficialTypes(t *testing.T) {
	now := time.Now()
	tenant := Tenant{Project: 3, Retention: keepFor(14)}
	rapid.Check(t, func(t *rapid.T) {
		request := requests(now).Draw(t, "request")
		ours, theirs := trace.NewColumns(trace.NewCatalog(otel.NewCatalog())), trace.NewColumns(trace.NewCatalog(otel.NewCatalog()))
		d := newSpanDecoder()
		wire := marshal(request)
		if _, err := d.decode(wire, tenant, ours, now); err != nil {
			t.Fatal(err)
		}
		if rejected := referenceDecode(request, tenant, theirs, now); rejected != d.rejected {
			t.Fatalf("rejected %v, want %v", d.rejected, rejected)
		}
		total := 0
		for _, rs := range request.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				total += len(ss.Spans)
			}
		}
		if got := countItems(wire); got != total || int(d.accepted+d.rejected.total()) != total || ours.Rows() != int(d.accepted) {
			t.Fatalf("%d spans: counted %d, accepted %d, rejected %d, rows %d", total, got, d.accepted, d.rejected.total(), ours.Rows())
		}
		want := encoded(theirs)
		for name, got := range encoded(ours) {
			if got != want[name] {
				t.Fatalf("column %s is %q, want %q", name, got, want[name])
			}
		}
	})
}

func TestJSONEqualsTheWire(t *testing.T) {
	now := time.Now()
	rapid.Check(t, func(rt *rapid.T) {
		request := requests(now).Draw(rt, "request")
		wire, err := fromJSON(&traces, otlpJSON(t, request))
		if err != nil {
			rt.Fatal(err)
		}
		var got collector.ExportTraceServiceRequest
		if err := pb.Unmarshal(wire, &got); err != nil {
			rt.Fatal(err)
		}
		if !pb.Equal(&got, request) {
			rt.Fatalf("got %v, want %v", &got, request)
		}
	})
}

func TestAMalformedRequestLeavesNothingBehind(t *testing.T) {
	now := time.Now()
	tenant := Tenant{Project: 3, Retention: keepFor(14)}
	rapid.Check(t, func(t *rapid.T) {
		first, second := requests(now).Draw(t, "first"), requests(now).Draw(t, "second")
		broken := append(marshal(requests(now).Draw(t, "broken")), 0x0a, 0x05, 0x12, 0x03, 0x12, 0x01, 0x08)
		with, without := trace.NewColumns(trace.NewCatalog(otel.NewCatalog())), trace.NewColumns(trace.NewCatalog(otel.NewCatalog()))
		d := newSpanDecoder()
		for _, step := range []struct {
			columns []*trace.Columns
			wire    []byte
			bad     bool
		}{{[]*trace.Columns{with, without}, marshal(first), false}, {[]*trace.Columns{with}, broken, true}, {[]*trace.Columns{with, without}, marshal(second), false}} {
			for _, c := range step.columns {
				if _, err := d.decode(step.wire, tenant, c, now); (err != nil) != step.bad {
					t.Fatalf("error %v, want one: %v", err, step.bad)
				}
			}
		}
		// Dictionaries may keep words of the broken request; columns without one may not.
		for _, in := range []string{"span_id", "start", "attr_values", "db_statement", "events", "db_hash", "url"} {
			if encoded(with)[in] != encoded(without)[in] {
				t.Fatalf("column %s differs", in)
			}
		}
		for _, in := range with.Input() {
			if in.Data.Rows() != without.Rows() {
				t.Fatalf("column %s has %d rows, want %d", in.Name, in.Data.Rows(), without.Rows())
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	now := time.Now()
	f.Add(marshal(oneResource("shop", good(1, now))))
	f.Add([]byte{0x0a, 0x7f, 1})
	for i := range 5 {
		f.Add(marshal(requests(now).Example(i)))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		c, d := trace.NewColumns(trace.NewCatalog(otel.NewCatalog())), newSpanDecoder()
		_, err := d.decode(wire, Tenant{Project: 3, Retention: keepFor(14)}, c, now)
		if err != nil && c.Rows() != 0 {
			t.Fatalf("refused with %v, but %d rows are left", err, c.Rows())
		}
		size := 0
		for name, column := range encoded(c) {
			if size += len(column); name == "attr_values" && len(column) > 40*len(wire)+64 {
				t.Fatalf("%d bytes of attributes from %d bytes", len(column), len(wire))
			}
		}
		if size > 100*len(wire)+64<<10 {
			t.Fatalf("%d bytes of columns from %d bytes", size, len(wire))
		}
	})
}
