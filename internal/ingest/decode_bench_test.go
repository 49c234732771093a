package ingest

import (
	"math/rand/v2"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// BenchmarkDecode measures the hot path from wire bytes to columns beside what
// the official types take only to unmarshal the same bytes.
func BenchmarkDecode(b *testing.B) {
	now := time.Now()
	r := rand.New(rand.NewPCG(1, 2))
	const spans = 1000
	requests := make([][]byte, 16)
	for i := range requests {
		requests[i] = marshal(traffic(r, spans, now))
	}
	b.Run("columns", func(b *testing.B) {
		d, columns := newSpanDecoder(), trace.NewColumns(trace.NewCatalog(otel.NewCatalog()))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if columns.Rows() >= 50_000 {
				columns.Reset()
			}
			if _, err := d.decode(requests[i%len(requests)], Tenant{Project: 1, Retention: keepFor(14)}, columns, now); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*spans/b.Elapsed().Seconds(), "spans/s")
	})
	b.Run("unmarshal-only", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			var m collector.ExportTraceServiceRequest
			if err := proto.Unmarshal(requests[i%len(requests)], &m); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*spans/b.Elapsed().Seconds(), "spans/s")
	})
}
