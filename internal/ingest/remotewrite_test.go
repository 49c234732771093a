package ingest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
)

// remoteClient is Prometheus' own client, which tries once.
func (h *harness) remoteClient(key string) *remote.API {
	h.t.Helper()
	api, err := remote.NewAPI("http://"+h.HTTPAddr(), remote.WithAPIHTTPClient(&http.Client{Transport: bearer(key)}),
		remote.WithAPIBackoff(remote.BackoffConfig{Min: time.Nanosecond, Max: time.Nanosecond, MaxRetries: 1}))
	if err != nil {
		h.t.Fatal(err)
	}
	return api
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// ask answers PromQL with a vector, as text.
func (h *harness) ask(p project.ID, query string, at time.Time) string {
	h.t.Helper()
	answer, err := metric.NewEngine(metric.NewStore(h.db), nil).Instant(h.t.Context(), p, query, at, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Release()
	var out []string
	for _, s := range answer.Value.(promql.Vector) {
		if s.H != nil {
			out = append(out, fmt.Sprintf("%s %s", s.Metric, s.H))
			continue
		}
		out = append(out, fmt.Sprintf("%s %g", s.Metric, s.F))
	}
	return strings.Join(out, "\n")
}

func wireLabels(pairs ...string) (out []prompb.Label) {
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

var sizes = &histogram.Histogram{Count: 3, Sum: 4.5, PositiveSpans: []histogram.Span{{Length: 2}}, PositiveBuckets: []int64{1, 1}}

func TestPrometheusWritesRemotely(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	_, err := h.remoteClient(goodKey).Write(t.Context(), remote.WriteV1MessageType, &prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{
			{Labels: wireLabels("__name__", "up", "job", "api"), Samples: []prompb.Sample{{Value: 1, Timestamp: now.UnixMilli()}}},
			{Labels: wireLabels("job", "api", "__name__", "sizes"), Histograms: []prompb.Histogram{prompb.FromIntHistogram(now.UnixMilli(), sizes)}}, // not sorted
		},
		Metadata: []prompb.MetricMetadata{{Type: prompb.MetricMetadata_GAUGE, MetricFamilyName: "up", Help: "Whether it is."}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.ask(7, `{job="api"}`, now); got != `{__name__="sizes", job="api"} {count:3, sum:4.5, (0.5,1]:1, (1,2]:2}`+"\n"+`{__name__="up", job="api"} 1` {
		t.Errorf("stored %s", got)
	}
	said, err := metric.NewStore(h.db).MetadataOf(t.Context(), 7, "up")
	if err != nil || len(said) != 1 || said[0] != (metric.Metadata{Metric: "up", Type: "gauge", Help: "Whether it is."}) {
		t.Errorf("metadata %+v, %v", said, err)
	}
	if got := h.Stats(); got.Accepted["metrics"] != 2 {
		t.Errorf("stats %+v", got)
	}
}

// writeRequestV2 is one float with its metadata, and a histogram, at a time.
func writeRequestV2(now time.Time, names ...string) *writev2.Request {
	symbols := writev2.NewSymbolTable()
	r := &writev2.Request{}
	for _, name := range names {
		r.Timeseries = append(r.Timeseries, writev2.TimeSeries{
			LabelsRefs: symbols.SymbolizeLabels(labels.FromStrings("__name__", name, "job", "api"), nil),
			Samples:    []writev2.Sample{{Value: 5, Timestamp: now.UnixMilli(), StartTimestamp: now.Add(-time.Hour).UnixMilli()}},
			Metadata:   writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_HISTOGRAM, HelpRef: symbols.Symbolize("How long.")},
		})
	}
	r.Timeseries = append(r.Timeseries, writev2.TimeSeries{
		LabelsRefs: symbols.SymbolizeLabels(labels.FromStrings("__name__", "sizes"), nil),
		Histograms: []writev2.Histogram{writev2.FromFloatHistogram(0, now.UnixMilli(), sizes.ToFloat(nil))},
	})
	r.Symbols = symbols.Symbols()
	return r
}

func TestPrometheusWritesRemotelyBySecondVersionAndIsToldWhatWasWritten(t *testing.T) {
	h := start(t, nil)
	now := time.Now()
	stats, err := h.remoteClient(goodKey).Write(t.Context(), remote.WriteV2MessageType, writeRequestV2(now, "took_bucket"))
	if err != nil || stats.Samples != 1 || stats.Histograms != 1 {
		t.Fatalf("%+v, %v", stats, err)
	}
	if got := h.ask(7, `took_bucket`, now); got != `{__name__="took_bucket", job="api"} 5` {
		t.Errorf("stored %s", got)
	}
	said, err := metric.NewStore(h.db).MetadataOf(t.Context(), 7, "took")
	if err != nil || len(said) != 1 || said[0].Type != "histogram" || said[0].Help != "How long." {
		t.Errorf("metadata %+v, %v", said, err)
	}
}

func TestWhatCannotBeStoredOfARemoteWriteIsNamedAndTheRestIsStored(t *testing.T) {
	h := start(t, func(o *Options) { o.Metrics.MaxActive = 2 })
	now := time.Now()
	stats, err := h.remoteClient(goodKey).Write(t.Context(), remote.WriteV2MessageType, writeRequestV2(now, "a", "b", "c"))
	if err == nil || !strings.Contains(err.Error(), "400") || !strings.Contains(err.Error(), "2 active series") || stats.Samples != 2 || stats.Histograms != 0 {
		t.Errorf("over the series: %+v, %v", stats, err)
	}
	if got := h.ask(7, `count({job="api"})`, now); got != "{} 2" {
		t.Errorf("stored %s", got)
	}
	_, err = h.remoteClient(goodKey).Write(t.Context(), remote.WriteV1MessageType, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
		{Labels: wireLabels("__name__", "a", "job", "api"), Samples: []prompb.Sample{{Value: 7, Timestamp: now.Add(time.Second).UnixMilli()}, {Value: 7, Timestamp: 1000}}},
		{Labels: wireLabels("job", "api"), Samples: []prompb.Sample{{Value: 1, Timestamp: now.UnixMilli()}}},
		{Labels: wireLabels("__name__", "a", "job", "api", "job", "web"), Samples: []prompb.Sample{{Value: 1, Timestamp: now.UnixMilli()}}},
	}})
	if err == nil || !strings.Contains(err.Error(), "3 samples were refused") || !strings.Contains(err.Error(), "out of bounds") || !strings.Contains(err.Error(), "no metric name") || !strings.Contains(err.Error(), "twice") {
		t.Errorf("bad samples: %v", err)
	}
	if got := h.ask(7, `a`, now.Add(time.Second)); got != `{__name__="a", job="api"} 7` {
		t.Errorf("stored %s", got)
	}
}

func TestARemoteWriteThatIsNoneIsRefused(t *testing.T) {
	h := start(t, func(o *Options) { o.MaxBody = 1 << 10 })
	v1 := "application/x-protobuf;proto=prometheus.WriteRequest"
	f := func(r httpRequest, status int, message string) {
		t.Helper()
		r.path = remoteWritePath
		response, text := h.post(r)
		if response.StatusCode != status || !strings.Contains(string(text), message) {
			t.Errorf("%+v: %d %s, want %d %q", r, response.StatusCode, text, status, message)
		}
	}
	empty := snappy.Encode(nil, nil)
	f(httpRequest{key: goodKey, content: v1, encoding: "snappy", body: empty}, 204, "")
	f(httpRequest{key: goodKey, content: "application/x-protobuf;proto=io.prometheus.write.v2.Request", encoding: "snappy", body: empty}, 204, "")
	f(httpRequest{content: v1, body: empty}, 401, "key")
	f(httpRequest{key: "mtx_ing_bad", content: v1, body: empty}, 401, "key")
	f(httpRequest{key: goodKey, method: http.MethodGet}, 405, "POST")
	f(httpRequest{key: goodKey, content: "application/json", body: empty}, 415, "content type")
	f(httpRequest{key: goodKey, content: "application/x-protobuf;proto=io.prometheus.write.v9.Request", body: empty}, 415, "content type")
	f(httpRequest{key: goodKey, content: v1, encoding: "gzip", body: empty}, 415, "snappy")
	f(httpRequest{key: goodKey, content: v1, body: []byte("\xff\xff\xff\xff\xff\xff")}, 400, "snappy")
	f(httpRequest{key: goodKey, content: v1, body: []byte{0x10, 1, 2}}, 400, "damaged")
	f(httpRequest{key: goodKey, content: v1, body: snappy.Encode(nil, []byte("rubbish"))}, 400, "malformed")
	f(httpRequest{key: goodKey, content: v1, body: snappy.Encode(nil, make([]byte, 1<<11))}, 413, "decompression")
	f(httpRequest{key: goodKey, content: v1, body: make([]byte, 1<<11)}, 413, "larger")
	if used := h.memory.used; used != 0 {
		t.Errorf("%d bytes are still held", used)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.remoteClient(goodKey).Write(ctx, remote.WriteV1MessageType, &prompb.WriteRequest{}); err == nil {
		t.Error("a cancelled write was taken")
	}
}
