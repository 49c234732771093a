package emit

import (
	"sort"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metric "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/project"
)

// instrument is a metric that is kept. The buckets are those that the semantic
// conventions ask for.
type instrument struct {
	name, unit, about string
	bounds            []float64 // nil: a counter
}

var (
	secondBounds = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	tokenBounds  = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
	firstBounds  = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
)

const (
	duration = iota // of an attempt
	tokens          // of an attempt
	request         // duration of a call
	first           // until the first token of a call that is streamed
	shippedDocs
	instruments
)

// What a model service takes is a client's metrics; what MATRIX AI takes, as its
// callers feel it, a server's.
var kept = [instruments]instrument{
	duration:    {"gen_ai.client.operation.duration", "s", "How long a question to a model took.", secondBounds},
	tokens:      {"gen_ai.client.token.usage", "{token}", "Tokens of a question to a model.", tokenBounds},
	request:     {"gen_ai.server.request.duration", "s", "How long a call of MATRIX AI took, with all models it asked.", secondBounds},
	first:       {"gen_ai.server.time_to_first_token", "s", "Time to the first token of a streamed call.", firstBounds},
	shippedDocs: {"matrix.ai.ship.documents", "{document}", "Records of calls and attempts brought to a search engine.", nil},
}

// key is a series of a project.
type key struct {
	instrument                     int
	operation, provider, model, as string
	failure, role, token, outcome  string
}

// series adds up since the process, or the series, began.
type series struct {
	since   time.Time
	changed time.Time
	told    time.Time
	counts  []uint64
	count   uint64
	sum     float64
}

const (
	// maxSeries bounds the series of one project: a client may invent names of models.
	maxSeries = 1000
	// What does not change is told once a minute, so that rates stay defined, and
	// forgotten after an hour.
	quiet  = time.Minute
	forget = time.Hour
)

type metrics struct {
	mu       sync.Mutex
	projects map[project.ID]map[key]*series
	now      time.Time // of the last request: series begin then
}

func newMetrics(now time.Time) *metrics {
	return &metrics{projects: map[project.ID]map[key]*series{}, now: now}
}

// call adds a call and its attempts.
func (m *metrics) call(c *ai.Call) {
	m.mu.Lock()
	defer m.mu.Unlock()
	operation := c.Operation
	failure := ""
	if c.Status != ai.CallOK {
		failure = c.Status
	}
	of := key{operation: operation, provider: c.Provider, model: c.Model, role: c.Role}
	k := of
	k.instrument, k.failure = request, failure
	m.record(c.Project, k, float64(c.LatencyMs)/1000)
	if c.FirstTokenMs > 0 {
		k = of
		k.instrument = first
		m.record(c.Project, k, float64(c.FirstTokenMs)/1000)
	}
	for i := range c.Attempts {
		a := &c.Attempts[i]
		if a.Status == ai.AttemptSkipped {
			continue
		}
		of := key{operation: operation, provider: a.Provider, model: a.Model, as: a.ServedModel}
		k := of
		k.instrument, k.failure = duration, errorType(a)
		m.record(c.Project, k, float64(a.LatencyMs)/1000)
		if a.Usage.InputTokens+a.Usage.OutputTokens > 0 {
			k = of
			k.instrument, k.token = tokens, "input"
			m.record(c.Project, k, float64(a.Usage.InputTokens))
			k.token = "output"
			m.record(c.Project, k, float64(a.Usage.OutputTokens))
		}
	}
}

func (m *metrics) shipped(p project.ID, shipped, refused int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for outcome, n := range map[string]int{"shipped": shipped, "refused": refused} {
		if n == 0 {
			continue
		}
		if s := m.of(p, key{instrument: shippedDocs, outcome: outcome}); s != nil {
			s.sum += float64(n)
		}
	}
}

// of returns a series that is about to change, nil when the project has too many.
func (m *metrics) of(p project.ID, k key) *series {
	all := m.projects[p]
	if all == nil {
		all = map[key]*series{}
		m.projects[p] = all
	}
	s := all[k]
	if s == nil {
		if len(all) >= maxSeries {
			return nil
		}
		s = &series{since: m.now, counts: make([]uint64, len(kept[k.instrument].bounds)+1)}
		all[k] = s
	}
	s.changed = time.Time{} // noted when it is told
	return s
}

func (m *metrics) record(p project.ID, k key, value float64) {
	s := m.of(p, k)
	if s == nil {
		return
	}
	s.counts[sort.SearchFloat64s(kept[k.instrument].bounds, value)]++
	s.count++
	s.sum += value
}

// requests are what there is to tell of each project.
func (m *metrics) requests(now time.Time, from *resource.Resource) map[project.ID]*collector.ExportMetricsServiceRequest {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[project.ID]*collector.ExportMetricsServiceRequest{}
	for p, all := range m.projects {
		var data [instruments]*metric.Metric
		for k, s := range all {
			if s.changed.IsZero() {
				s.changed = now
			} else if now.Sub(s.changed) > forget {
				delete(all, k)
				continue
			} else if now.Sub(s.told) < quiet {
				continue
			}
			s.told = now
			if data[k.instrument] == nil {
				data[k.instrument] = empty(&kept[k.instrument])
			}
			point(data[k.instrument], k, s, now)
		}
		if len(all) == 0 {
			delete(m.projects, p)
		}
		var list []*metric.Metric
		for _, d := range data {
			if d != nil {
				list = append(list, d)
			}
		}
		if len(list) > 0 {
			out[p] = &collector.ExportMetricsServiceRequest{ResourceMetrics: []*metric.ResourceMetrics{{
				Resource: from, ScopeMetrics: []*metric.ScopeMetrics{{Scope: scope, Metrics: list}}}}}
		}
	}
	m.now = now
	return out
}

func empty(i *instrument) *metric.Metric {
	m := &metric.Metric{Name: i.name, Unit: i.unit, Description: i.about}
	if i.bounds == nil {
		m.Data = &metric.Metric_Sum{Sum: &metric.Sum{AggregationTemporality: metric.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE, IsMonotonic: true}}
	} else {
		m.Data = &metric.Metric_Histogram{Histogram: &metric.Histogram{AggregationTemporality: metric.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}}
	}
	return m
}

func point(m *metric.Metric, k key, s *series, now time.Time) {
	list := attributes(nil).text("gen_ai.operation.name", k.operation).text("gen_ai.provider.name", k.provider).text("gen_ai.request.model", k.model).
		text("gen_ai.response.model", k.as).text("gen_ai.token.type", k.token).text("error.type", k.failure).text("matrix.role.code", k.role).text("outcome", k.outcome)
	since, at := uint64(s.since.UnixNano()), uint64(now.UnixNano())
	switch d := m.Data.(type) {
	case *metric.Metric_Sum:
		d.Sum.DataPoints = append(d.Sum.DataPoints, &metric.NumberDataPoint{Attributes: list, StartTimeUnixNano: since, TimeUnixNano: at, Value: &metric.NumberDataPoint_AsDouble{AsDouble: s.sum}})
	case *metric.Metric_Histogram:
		counts, sum := append([]uint64(nil), s.counts...), s.sum
		d.Histogram.DataPoints = append(d.Histogram.DataPoints, &metric.HistogramDataPoint{Attributes: list, StartTimeUnixNano: since, TimeUnixNano: at,
			Count: s.count, Sum: &sum, BucketCounts: counts, ExplicitBounds: kept[k.instrument].bounds})
	}
}
