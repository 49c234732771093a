package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/metric"
)

func attribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

// metricsRequest is a request of one service.
func metricsRequest(metrics ...*otlp.Metric) *collector.ExportMetricsServiceRequest {
	return &collector.ExportMetricsServiceRequest{ResourceMetrics: []*otlp.ResourceMetrics{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			attribute("service.namespace", "shop"), attribute("service.name", "cart"), attribute("service.instance.id", "cart-1"),
			attribute("deployment.environment", "prod"), attribute("os.type", "linux"),
		}},
		ScopeMetrics: []*otlp.ScopeMetrics{{Metrics: metrics}},
	}}}
}

func numbers(now time.Time, v float64) []*otlp.NumberDataPoint {
	return []*otlp.NumberDataPoint{{
		StartTimeUnixNano: uint64(now.Add(-time.Hour).UnixNano()), TimeUnixNano: uint64(now.UnixNano()), Value: &otlp.NumberDataPoint_AsDouble{AsDouble: v},
		Exemplars: []*otlp.Exemplar{{TimeUnixNano: uint64(now.UnixNano()), TraceId: id16(1, 2), SpanId: id8(3), Value: &otlp.Exemplar_AsDouble{AsDouble: 1}}},
	}}
}

func sum(name, unit string, temporality otlp.AggregationTemporality, monotonic bool, points []*otlp.NumberDataPoint) *otlp.Metric {
	return &otlp.Metric{Name: name, Unit: unit, Description: "Sum of " + name, Data: &otlp.Metric_Sum{Sum: &otlp.Sum{
		AggregationTemporality: temporality, IsMonotonic: monotonic, DataPoints: points,
	}}}
}

const (
	cumulative = otlp.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	delta      = otlp.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
)

// everyKind is a metric of each kind.
func everyKind(now time.Time) *collector.ExportMetricsServiceRequest {
	at, value := uint64(now.UnixNano()), 4.5
	return metricsRequest(
		&otlp.Metric{Name: "queue.length", Data: &otlp.Metric_Gauge{Gauge: &otlp.Gauge{DataPoints: numbers(now, 3)}}},
		sum("http.requests", "1", cumulative, true, numbers(now, 10)),
		sum("sent", "By", delta, true, numbers(now, 7)),
		&otlp.Metric{Name: "took", Unit: "s", Data: &otlp.Metric_Histogram{Histogram: &otlp.Histogram{AggregationTemporality: cumulative, DataPoints: []*otlp.HistogramDataPoint{
			{TimeUnixNano: at, Count: 3, Sum: &value, ExplicitBounds: []float64{1, 2}, BucketCounts: []uint64{1, 1, 1}},
		}}}},
		&otlp.Metric{Name: "size", Unit: "By", Data: &otlp.Metric_ExponentialHistogram{ExponentialHistogram: &otlp.ExponentialHistogram{AggregationTemporality: cumulative, DataPoints: []*otlp.ExponentialHistogramDataPoint{
			{TimeUnixNano: at, Count: 3, Sum: &value, Scale: 0, Positive: &otlp.ExponentialHistogramDataPoint_Buckets{Offset: 0, BucketCounts: []uint64{1, 2}}},
		}}}},
		&otlp.Metric{Name: "lag", Data: &otlp.Metric_Summary{Summary: &otlp.Summary{DataPoints: []*otlp.SummaryDataPoint{
			{TimeUnixNano: at, Count: 2, Sum: value, QuantileValues: []*otlp.SummaryDataPoint_ValueAtQuantile{{Quantile: 0.5, Value: 2}}},
		}}}},
	)
}

// wantEveryKind is what PromQL reads of everyKind.
func (h *harness) wantEveryKind(now time.Time) {
	h.t.Helper()
	const of = `deployment_environment="prod", instance="cart-1", job="shop/cart", service_name="cart"`
	for query, want := range map[string]string{
		`queue_length`:                            `{__name__="queue_length", ` + of + `} 3`,
		`http_requests_total`:                     `{__name__="http_requests_total", ` + of + `} 10`,
		`sum_over_time(sent_bytes_total[1m])`:     `{` + of + `} 7`,
		`sum(took_seconds_bucket{le="2"})`:        `{} 2`,
		`sum(took_seconds_count)`:                 `{} 3`,
		`sum(took_seconds_sum)`:                   `{} 4.5`,
		`sum(size_bytes)`:                         `{} {count:3, sum:4.5, (1,2]:1, (2,4]:2}`,
		`sum(lag{quantile="0.5"})`:                `{} 2`,
		`sum by (os_type) (target_info{job!=""})`: `{os_type="linux"} 1`,
	} {
		if got := h.ask(7, query, now); got != want {
			h.t.Errorf("%s yields %s, want %s", query, got, want)
		}
	}
}

func TestEveryKindOfMetricIsReadByPromQLUnderPrometheusNames(t *testing.T) {
	now := time.Now()
	request, err := proto.Marshal(everyKind(now))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("protobuf", func(t *testing.T) {
		h := start(t, nil)
		response, text := h.post(httpRequest{path: "/v1/metrics", key: goodKey, encoding: "gzip", body: gzipped(request)})
		if response.StatusCode != http.StatusOK || len(text) > 0 {
			t.Fatalf("%d %q", response.StatusCode, text)
		}
		h.wantEveryKind(now)
		said, err := metric.NewStore(h.db).MetadataOf(t.Context(), 7, "http_requests_total")
		if err != nil || len(said) != 1 || said[0].Type != "counter" || said[0].Help != "Sum of http.requests" {
			t.Errorf("metadata %+v, %v", said, err)
		}
	})
	t.Run("json", func(t *testing.T) {
		h := start(t, nil)
		text, err := protojson.Marshal(everyKind(now))
		if err != nil {
			t.Fatal(err)
		}
		if response, answer := h.post(httpRequest{path: "/v1/metrics", key: goodKey, content: typeJSON, body: text}); response.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", response.StatusCode, answer)
		}
		h.wantEveryKind(now)
	})
	t.Run("grpc", func(t *testing.T) {
		h := start(t, nil)
		conn, err := grpc.NewClient(h.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		answer, err := collector.NewMetricsServiceClient(conn).Export(withKey(t.Context(), goodKey), everyKind(now))
		if err != nil || answer.GetPartialSuccess() != nil {
			t.Fatalf("%v, %v", answer, err)
		}
		h.wantEveryKind(now)
	})
}

func TestMetricsThatCannotBeTakenAreNamedAndTheRestIsStored(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	points := append(numbers(now, 1), numbers(now.Add(-time.Second), 1)...)
	conn, err := grpc.NewClient(h.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	export := func(m ...*otlp.Metric) *collector.ExportMetricsPartialSuccess {
		t.Helper()
		answer, err := collector.NewMetricsServiceClient(conn).Export(withKey(t.Context(), goodKey), metricsRequest(m...))
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetPartialSuccess()
	}
	good := &otlp.Metric{Name: "good", Data: &otlp.Metric_Gauge{Gauge: &otlp.Gauge{DataPoints: numbers(now, 3)}}}
	if p := export(good, sum("neither", "", 0, true, points)); p.GetRejectedDataPoints() != 2 || !strings.Contains(p.GetErrorMessage(), "neither") {
		t.Errorf("without temporality: %v", p)
	}
	if p := export(good, &otlp.Metric{Name: "nothing"}); p.GetRejectedDataPoints() != 1 || !strings.Contains(p.GetErrorMessage(), "nothing") {
		t.Errorf("of no kind: %v", p)
	}
	old := &otlp.Metric{Name: "old", Data: &otlp.Metric_Gauge{Gauge: &otlp.Gauge{DataPoints: numbers(now.AddDate(0, 0, -100), 3)}}}
	if p := export(old); p.GetRejectedDataPoints() != 1 || !strings.Contains(p.GetErrorMessage(), "out of bounds") {
		t.Errorf("too old: %v", p)
	}
	if got := h.ask(7, `count(good)`, now); got != "{} 1" {
		t.Errorf("stored %s", got)
	}
	if response, _ := h.post(httpRequest{path: "/v1/metrics", key: goodKey, body: []byte("rubbish")}); response.StatusCode != http.StatusBadRequest {
		t.Errorf("rubbish: %d", response.StatusCode)
	}
	if used := h.memory.used; used != 0 {
		t.Errorf("%d bytes are still held", used)
	}
}

// The rate counts samples, of which a histogram has one for each bucket, whichever way they come.
func TestTheRateOfSamplesIsOneForOTLPAndRemoteWrite(t *testing.T) {
	now := time.Now()
	h := start(t, func(o *Options) { o.Now = func() time.Time { return now } })
	points := make([]*otlp.NumberDataPoint, 20)
	for i := range points {
		points[i] = &otlp.NumberDataPoint{TimeUnixNano: uint64(now.Add(-time.Duration(i) * time.Second).UnixNano()), Value: &otlp.NumberDataPoint_AsDouble{AsDouble: 1}}
	}
	over := func() (int, string) {
		response, _ := h.post(httpRequest{path: "/v1/metrics", key: slowKey,
			body: mustMarshal(t, metricsRequest(&otlp.Metric{Name: "up", Data: &otlp.Metric_Gauge{Gauge: &otlp.Gauge{DataPoints: points}}}))})
		return response.StatusCode, response.Header.Get("Retry-After")
	}
	written := func(n int) (int, string) {
		series := prompb.TimeSeries{Labels: wireLabels("__name__", "up", "job", "api")}
		for i := range n {
			series.Samples = append(series.Samples, prompb.Sample{Value: 1, Timestamp: now.Add(-time.Duration(i) * time.Second).UnixMilli()})
		}
		request := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series}}
		wire, err := request.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		response, _ := h.post(httpRequest{path: remoteWritePath, key: slowKey, encoding: "snappy", body: snappy.Encode(nil, wire)})
		return response.StatusCode, response.Header.Get("Retry-After")
	}
	if code, _ := written(minBurst); code != 204 {
		t.Fatalf("the burst: %d", code)
	}
	if code, after := over(); code != 429 || after == "" {
		t.Errorf("OTLP: %d, Retry-After %q", code, after)
	}
	if code, after := written(20); code != 429 || after != "2" {
		t.Errorf("remote write: %d, Retry-After %q, want the 2 s in which 20 samples fit", code, after)
	}
	if response, _ := h.post(httpRequest{key: slowKey, body: marshal(oneResource("shop", good(1, now)))}); response.StatusCode != 200 {
		t.Errorf("spans are held up: %d", response.StatusCode)
	}
	now = now.Add(5 * time.Second)
	if code, _ := written(20); code != 204 {
		t.Errorf("remote write after the wait: %d", code)
	}
	if code, _ := over(); code != 200 {
		t.Errorf("OTLP after the wait: %d", code)
	}
}
