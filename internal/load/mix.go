package load

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logpb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricpb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Kind is a kind of telemetry whose every thing can be looked for afterwards.
type Kind struct {
	Name           string
	Path, Encoding string // of its requests: POST of protobuf, Content-Encoding
	// request is the n-th of a sender.
	request func(sender, n int, began time.Time) (body []byte, things []string, err error)
}

// Request returns the n-th request of a sender, and the names of the things in it
// that must be stored once it is acknowledged: "span <id>", "log <body>", "error
// <message>" and "sample <metric> <value>". began is the same for all requests
// of a run: the samples of a series lie a millisecond apart from there on, because
// of two with one time only one is stored.
func (k *Kind) Request(sender, n int, began time.Time) (body []byte, things []string, err error) {
	return k.request(sender, n, began)
}

const (
	mixBatch  = 50 // spans, records or samples of a request
	mixErrors = 10 // one in so many spans and records carries an exception
	mixSeries = 20 // of a sender; its requests take turns
)

// Mix is telemetry of every kind, whose errors become occurrences of issues.
var Mix = []Kind{
	{Name: "spans and their errors", Path: "/v1/traces", request: mixSpans},
	{Name: "log records and their errors", Path: "/v1/logs", request: mixLogs},
	{Name: "samples over OTLP", Path: "/v1/metrics", request: mixMetrics},
	{Name: "samples by remote write", Path: "/api/v1/write", Encoding: "snappy", request: mixRemote},
}

func mixText(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func mixResource(sender int) *resource.Resource {
	return &resource.Resource{Attributes: []*common.KeyValue{mixText("service.name", fmt.Sprintf("mix-%d", sender)), mixText("service.instance.id", "mix")}}
}

func mixException(message string) []*common.KeyValue {
	return []*common.KeyValue{mixText("exception.type", "Mixed"), mixText("exception.message", message)}
}

func mixSpans(sender, n int, began time.Time) (body []byte, things []string, err error) {
	spans := make([]*tracepb.Span, mixBatch)
	seed := uint64(sender+1) << 40 // of 0 the first id would be none
	high, low := traceID(seed, uint64(n), 0)
	trace := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, high), low)
	for i := range spans {
		id := spanID(seed, uint64(n), i)
		at := uint64(began.Add(time.Duration(n) * time.Millisecond).UnixNano())
		s := &tracepb.Span{TraceId: trace, SpanId: binary.BigEndian.AppendUint64(nil, id), Name: fmt.Sprintf("SELECT orders_%d", i), Kind: tracepb.Span_SPAN_KIND_CLIENT,
			StartTimeUnixNano: at, EndTimeUnixNano: at + 1_000_000,
			Attributes: []*common.KeyValue{mixText("db.system", "mysql"), mixText("db.statement", fmt.Sprintf("SELECT id FROM orders_%d_%d WHERE id = ?", i, n%mixSeries))}}
		things = append(things, fmt.Sprintf("span %d", id))
		if i%mixErrors == 0 {
			message := fmt.Sprintf("of span %d", id)
			s.Events = []*tracepb.Span_Event{{Name: "exception", TimeUnixNano: at, Attributes: mixException(message)}}
			things = append(things, "error "+message)
		}
		spans[i] = s
	}
	body, err = proto.Marshal(&collectortrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: mixResource(sender), ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}})
	return body, things, err
}

func mixLogs(sender, n int, began time.Time) (body []byte, things []string, err error) {
	records := make([]*logpb.LogRecord, mixBatch)
	for i := range records {
		name := fmt.Sprintf("record %d of request %d of sender %d", i, n, sender)
		r := &logpb.LogRecord{TimeUnixNano: uint64(began.Add(time.Duration(n) * time.Millisecond).UnixNano()),
			Body: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: name}}}
		things = append(things, "log "+name)
		if i%mixErrors == 0 {
			r.Attributes = mixException(name)
			things = append(things, "error "+name)
		}
		records[i] = r
	}
	body, err = proto.Marshal(&collectorlogs.ExportLogsServiceRequest{ResourceLogs: []*logpb.ResourceLogs{{
		Resource: mixResource(sender), ScopeLogs: []*logpb.ScopeLogs{{LogRecords: records}}}}})
	return body, things, err
}

func mixMetrics(sender, n int, began time.Time) (body []byte, things []string, err error) {
	name := fmt.Sprintf("mix_otlp_%d_%d", sender, n%mixSeries)
	points := make([]*metricpb.NumberDataPoint, mixBatch)
	for i := range points {
		v := n*mixBatch + i
		points[i] = &metricpb.NumberDataPoint{TimeUnixNano: uint64(began.Add(time.Duration(v) * time.Millisecond).UnixNano()), Value: &metricpb.NumberDataPoint_AsDouble{AsDouble: float64(v)}}
		things = append(things, fmt.Sprintf("sample %s %d", name, v))
	}
	body, err = proto.Marshal(&collectormetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metricpb.ResourceMetrics{{
		Resource: mixResource(sender), ScopeMetrics: []*metricpb.ScopeMetrics{{Metrics: []*metricpb.Metric{
			{Name: name, Data: &metricpb.Metric_Gauge{Gauge: &metricpb.Gauge{DataPoints: points}}}}}}}}})
	return body, things, err
}

func mixRemote(sender, n int, began time.Time) (body []byte, things []string, err error) {
	name := fmt.Sprintf("mix_remote_%d_%d", sender, n%mixSeries)
	series := prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: name}, {Name: "job", Value: "mix"}}}
	for i := range mixBatch {
		v := n*mixBatch + i
		series.Samples = append(series.Samples, prompb.Sample{Value: float64(v), Timestamp: began.Add(time.Duration(v) * time.Millisecond).UnixMilli()})
		things = append(things, fmt.Sprintf("sample %s %d", name, v))
	}
	request := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series}}
	wire, err := request.Marshal()
	return snappy.Encode(nil, wire), things, err
}
