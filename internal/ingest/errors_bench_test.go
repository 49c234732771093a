package ingest

import (
	"strings"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	common "go.opentelemetry.io/proto/otlp/common/v1"

	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// BenchmarkErrors measures what exceptions add to a request of 1,000 spans: none,
// one in a hundred, and one in ten, each with a stack of 40 frames. It is told in
// spans per second, so that the ratios of one run can be compared.
func BenchmarkErrors(b *testing.B) {
	now := time.Now()
	stack := "com.shop.OrderException: order failed\n" + strings.Repeat("\tat com.shop.order.OrderService.place(OrderService.java:141)\n"+
		"\tat org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1089)\n", 20)
	for name, every := range map[string]int{"none": 0, "1 %": 100, "10 %": 10} {
		b.Run(name, func(b *testing.B) {
			spans := make([]*otlp.Span, 1000)
			for i := range spans {
				spans[i] = good(uint64(i+1), now)
				spans[i].Events = []*otlp.Span_Event{{Name: "message", TimeUnixNano: uint64(now.UnixNano()), Attributes: []*common.KeyValue{text("message.type", "SENT")}}}
				if every > 0 && i%every == 0 {
					spans[i].Events = []*otlp.Span_Event{{Name: "exception", TimeUnixNano: uint64(now.UnixNano()), Attributes: []*common.KeyValue{
						text("exception.type", "com.shop.OrderException"), text("exception.message", "order failed"), text("exception.stacktrace", stack)}}}
				}
			}
			request := marshal(oneResource("shop", spans...))
			grouping, err := issue.NewGroupings(metadbtest.SQLite(b), nil).Of(b.Context(), 1)
			if err != nil {
				b.Fatal(err)
			}
			d, columns, rows := newSpanDecoder(), trace.NewColumns(trace.NewCatalog(otel.NewCatalog())), issue.NewColumns()
			b.ReportAllocs()
			for b.Loop() {
				if columns.Rows() >= 50_000 {
					columns.Reset()
					rows.Reset()
				}
				side, err := d.decode(request, Tenant{Project: 1, Retention: project.Retention{Traces: 14}}, columns, now)
				if err != nil {
					b.Fatal(err)
				}
				for i := range side.errors {
					side.errors[i].Group(grouping)
					rows.Append(1, 14, &side.errors[i])
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "spans/s")
		})
	}
}
