package ingest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func integer(key string, value int64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
}

func id16(a, b uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, a), b)
}

func id8(a uint64) []byte { return binary.BigEndian.AppendUint64(nil, a) }

// oneSpan is a request with one resource and the given spans.
func oneResource(service string, spans ...*otlp.Span) *collector.ExportTraceServiceRequest {
	return &collector.ExportTraceServiceRequest{ResourceSpans: []*otlp.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			text("service.name", service), text("deployment.environment.name", "production"),
			text("service.instance.id", service+"-1"), text("service.version", "1.4.2"),
		}},
		ScopeSpans: []*otlp.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "io.opentelemetry.jdbc"}, Spans: spans}},
	}}}
}

// traffic builds a request of n spans as a shop's services would send them:
// traces of ten spans over some of 20 services, nine attributes each.
func traffic(r *rand.Rand, n int, now time.Time) *collector.ExportTraceServiceRequest {
	byService := map[int][]*otlp.Span{}
	for made := 0; made < n; {
		traceID := id16(r.Uint64(), r.Uint64())
		start := now.Add(-time.Duration(r.IntN(1000)) * time.Millisecond)
		root, parent := r.Uint64()|1, uint64(0)
		services := [3]int{r.IntN(20), r.IntN(20), r.IntN(20)}
		for i := 0; i < 10 && made < n; i++ {
			id := root + uint64(i)
			service := services[i/4]
			s := &otlp.Span{TraceId: traceID, SpanId: id8(id), Flags: 257}
			if parent != 0 {
				s.ParentSpanId = id8(parent)
			}
			duration := time.Duration(r.ExpFloat64() * float64(20*time.Millisecond))
			s.StartTimeUnixNano = uint64(start.Add(time.Duration(i) * time.Millisecond).UnixNano())
			s.EndTimeUnixNano = s.StartTimeUnixNano + uint64(duration)
			switch i % 4 {
			case 0:
				route := fmt.Sprintf("/api/v1/thing%d/{id}", r.IntN(12))
				s.Name, s.Kind = "GET "+route, otlp.Span_SPAN_KIND_SERVER
				s.Attributes = []*common.KeyValue{
					text("http.request.method", "GET"), text("http.route", route), integer("http.response.status_code", 200),
					text("url.path", fmt.Sprintf("/api/v1/thing/%d", r.IntN(100000))), text("url.scheme", "http"),
					text("server.address", "shop.example.com"), integer("server.port", 8080),
					text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"), text("thread.name", fmt.Sprintf("http-nio-8080-exec-%d", r.IntN(50))),
				}
			case 1, 2:
				table := fmt.Sprintf("orders_%d", r.IntN(15))
				s.Name, s.Kind = "SELECT shop."+table, otlp.Span_SPAN_KIND_CLIENT
				s.Attributes = []*common.KeyValue{
					text("db.system", "mysql"), text("db.name", "shop"), text("db.operation", "SELECT"),
					text("db.statement", "SELECT id, customer_id, state, total FROM "+table+" WHERE customer_id = ? ORDER BY created_at DESC LIMIT 20"),
					text("db.sql.table", table), text("server.address", "mysql.internal"), integer("server.port", 3306),
					text("thread.name", fmt.Sprintf("http-nio-8080-exec-%d", r.IntN(50))), integer("thread.id", int64(r.IntN(200))),
				}
			default:
				s.Name, s.Kind = fmt.Sprintf("OrderService.step%d", r.IntN(40)), otlp.Span_SPAN_KIND_INTERNAL
				s.Attributes = []*common.KeyValue{
					text("code.function.name", "com.example.shop.OrderService.place"), integer("code.line.number", int64(r.IntN(900))),
					text("thread.name", fmt.Sprintf("http-nio-8080-exec-%d", r.IntN(50))), integer("thread.id", int64(r.IntN(200))),
					text("order.id", fmt.Sprint(r.IntN(1_000_000))), text("customer.tier", "gold"), text("feature.flag", "new-checkout"),
					text("cache.hit", "true"), integer("items", int64(r.IntN(9))),
				}
			}
			byService[service] = append(byService[service], s)
			parent = id
			made++
		}
	}
	request := &collector.ExportTraceServiceRequest{}
	for service, spans := range byService {
		request.ResourceSpans = append(request.ResourceSpans, oneResource(fmt.Sprintf("service-%02d", service), spans...).ResourceSpans...)
	}
	return request
}

func marshal(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}
