package shop

import (
	"hash/fnv"
	"math"
	"strconv"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// metricsEvery is how often metrics are sent, pastEvery how often they were in the past.
const (
	metricsEvery = 10 * time.Second
	pastEvery    = time.Minute
)

// meter writes the metrics of the pods and of the nodes below them. What is not counted from spans is a
// function of the seed and of time, so that the past needs no memory and counters never go back.
type meter struct {
	seed   uint64
	opened time.Time
	next   time.Time
	served served
}

// advanceMetrics returns the metrics that are due by now, after what the requests of spans that ended meanwhile tell.
func (s *Shop) advanceMetrics(now time.Time, ended []proto.Message) []proto.Message {
	m := &s.meter
	for _, request := range ended {
		if spans, ok := request.(*tracepb.TracesData); ok {
			m.served.count(spans)
		}
	}
	if now.Sub(m.next) > time.Minute { // at the start, and after the machine has slept
		m.next = now.Truncate(metricsEvery)
	}
	var due []proto.Message
	for ; !m.next.After(now); m.next = m.next.Add(metricsEvery) {
		data := s.measure(m.next)
		data.ResourceMetrics = append(data.ResourceMetrics, m.served.measure(m.opened, m.next)...)
		due = append(due, data)
	}
	return due
}

// pastRequest is how much of the past is sent at once.
const pastRequest = 15 * time.Minute

// pastMetrics returns the metrics of the given time but those of its requests.
func (s *Shop) pastMetrics(from, to, now time.Time) []proto.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var past []proto.Message
	if to.After(now) {
		to = now
	}
	for at := from.Truncate(pastEvery); at.Before(to); {
		data := &metricspb.MetricsData{}
		for end := at.Add(pastRequest); at.Before(end) && at.Before(to); at = at.Add(pastEvery) {
			data.ResourceMetrics = append(data.ResourceMetrics, s.measure(at).ResourceMetrics...)
		}
		past = append(past, data)
	}
	return past
}

// measure reads the nodes, and the runtimes of the pods that run at the given time.
func (s *Shop) measure(at time.Time) *metricspb.MetricsData {
	data := &metricspb.MetricsData{}
	for n := range nodes {
		data.ResourceMetrics = append(data.ResourceMetrics, s.meter.node(n, at))
	}
	for _, svc := range services {
		for _, p := range s.fleet.at(svc, at) {
			data.ResourceMetrics = append(data.ResourceMetrics, s.meter.runtime(p, at, s.slow && p == s.fleet.sick(at)))
		}
	}
	return data
}

// wave is what changes slowly and never repeats itself: between 0 and 1, another one for each name.
type wave [3]float64

var (
	wavePeriods = wave{6 * 3600, 23 * 60, 140} // s
	waveShares  = wave{0.5, 0.3, 0.2}
)

func (m *meter) wave(name string) (phases wave) {
	hash := fnv.New64a()
	for i := range phases {
		_, _ = hash.Write([]byte(strconv.FormatUint(m.seed, 16) + name))
		phases[i] = float64(hash.Sum64()%3600) / 3600 * 2 * math.Pi
	}
	return phases
}

func (w wave) at(t time.Time) float64 {
	v, seconds := 0.5, float64(t.UnixMilli())/1000
	for i, phase := range w {
		v += waveShares[i] / 2 * math.Sin(2*math.Pi*seconds/wavePeriods[i]+phase)
	}
	return v
}

// sum is the integral of at, in seconds.
func (w wave) sum(from, to time.Time) float64 {
	primitive := func(t time.Time) (v float64) {
		seconds := float64(t.UnixMilli()) / 1000
		for i, phase := range w {
			v -= waveShares[i] / 2 * wavePeriods[i] / (2 * math.Pi) * math.Cos(2*math.Pi*seconds/wavePeriods[i]+phase)
		}
		return v
	}
	return 0.5*to.Sub(from).Seconds() + primitive(to) - primitive(from)
}

// book collects the metrics of one scope of a resource at one time.
type book struct {
	started, at uint64
	metrics     []*metricspb.Metric
}

func newBook(started, at time.Time) *book {
	return &book{started: uint64(started.UnixNano()), at: uint64(at.UnixNano())}
}

// of wraps what was collected.
func (b *book) of(resource *resourcepb.Resource, scope, version string) *metricspb.ResourceMetrics {
	return &metricspb.ResourceMetrics{Resource: resource, SchemaUrl: schema, ScopeMetrics: []*metricspb.ScopeMetrics{{
		Scope: &commonpb.InstrumentationScope{Name: scope, Version: version}, Metrics: b.metrics,
	}}}
}

func (b *book) point(v float64, attributes []*commonpb.KeyValue) *metricspb.NumberDataPoint {
	return &metricspb.NumberDataPoint{StartTimeUnixNano: b.started, TimeUnixNano: b.at, Attributes: attributes, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: v}}
}

// last is the metric of that name that was collected last, made by add when it is another.
func (b *book) last(name, unit string, add func(*metricspb.Metric)) *metricspb.Metric {
	if n := len(b.metrics); n > 0 && b.metrics[n-1].Name == name {
		return b.metrics[n-1]
	}
	m := &metricspb.Metric{Name: name, Unit: unit}
	add(m)
	b.metrics = append(b.metrics, m)
	return m
}

// gauge adds a point to a gauge; the points of a metric follow each other.
func (b *book) gauge(name, unit string, v float64, attributes ...*commonpb.KeyValue) {
	g := b.last(name, unit, func(m *metricspb.Metric) { m.Data = &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{}} }).GetGauge()
	g.DataPoints = append(g.DataPoints, b.point(v, attributes))
}

// level adds a point to a sum that also falls.
func (b *book) level(name, unit string, v float64, attributes ...*commonpb.KeyValue) {
	b.sum(name, unit, false, v, attributes)
}

// counter adds a point to a sum that only rises.
func (b *book) counter(name, unit string, v float64, attributes ...*commonpb.KeyValue) {
	b.sum(name, unit, true, v, attributes)
}

func (b *book) sum(name, unit string, monotonic bool, v float64, attributes []*commonpb.KeyValue) {
	sum := b.last(name, unit, func(m *metricspb.Metric) {
		m.Data = &metricspb.Metric_Sum{Sum: &metricspb.Sum{IsMonotonic: monotonic, AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}}
	}).GetSum()
	sum.DataPoints = append(sum.DataPoints, b.point(v, attributes))
}

// histogram adds a point to a histogram of explicit bounds.
func (b *book) histogram(name, unit string, h distribution, attributes ...*commonpb.KeyValue) {
	histogram := b.last(name, unit, func(m *metricspb.Metric) {
		m.Data = &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}}
	}).GetHistogram()
	count := uint64(0)
	for _, n := range h.counts {
		count += n
	}
	histogram.DataPoints = append(histogram.DataPoints, &metricspb.HistogramDataPoint{
		StartTimeUnixNano: b.started, TimeUnixNano: b.at, Attributes: attributes,
		Count: count, Sum: proto.Float64(h.sum), ExplicitBounds: h.bounds, BucketCounts: append([]uint64(nil), h.counts...),
	})
}

// distribution counts values by the bounds that they do not exceed; the last count is of those above all.
type distribution struct {
	bounds []float64
	counts []uint64
	sum    float64
}
