package metric

import (
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Limits of one series, and how far from now a sample may be.
const (
	maxLabels      = 128
	maxLabelsBytes = 32 << 10         // names and values of one series
	maxHelp        = 4 << 10          // bytes of a metadata text; longer ones are cut
	maxAhead       = 10 * time.Minute // Prometheus' own
)

// Metadata is what a sender says about a metric family.
type Metadata struct {
	Metric string
	Type   string // model.MetricType
	Unit   string
	Help   string
}

func (m Metadata) owned() Metadata {
	return Metadata{strings.Clone(m.Metric), strings.Clone(m.Type), strings.Clone(m.Unit), strings.Clone(m.Help)}
}

// Ref names a series within its batch.
type Ref int

// Batch is what one request brings: series, their samples, and metadata. It is
// Writer.Begin, then per series Series and its samples, then Writer.Write.
// Strings it is given need to live until then. Not safe for concurrent use.
type Batch struct {
	catalog *Catalog

	project   project.ID
	retention uint16
	now       time.Time
	today     int64
	oldest    int64 // ms
	newest    int64 // ms

	series      []batchSeries
	floats      points
	values      []float64
	histograms  points
	encoded     []byte
	encodedEnds []int
	newSeries   []newSeries
	newMetadata []Metadata
}

// batchSeries is a series of the request. By kind, floats first: admitted is the
// day of the newest sample looked at, plus one, and entries what the catalog
// has of it, nil without a sample.
type batchSeries struct {
	labels   labels.Labels
	metric   string
	id       uint64
	admitted [2]int64
	entries  [2]*entry
}

// newSeries is a row of metric_series to be stored.
type newSeries struct {
	entry     *entry
	series    Ref
	histogram bool
	day       int64
}

// points are the sides of samples that both kinds have, column by column.
type points struct {
	series  []Ref
	time    []int64 // ms
	started []int64 // ms, 0 unknown
}

func (p *points) add(s Ref, started, t int64) {
	p.series, p.time, p.started = append(p.series, s), append(p.time, t), append(p.started, started)
}

func (p *points) reset() { p.series, p.time, p.started = p.series[:0], p.time[:0], p.started[:0] }

// begin empties the batch for a request of a project.
func (b *Batch) begin(p project.ID, retentionDays uint16, now time.Time) {
	b.project, b.retention, b.now = p, retentionDays, now
	b.today = now.UnixMilli() / dayMs
	b.oldest = max(0, now.AddDate(0, 0, -int(retentionDays)).UnixMilli())
	b.newest = now.Add(maxAhead).UnixMilli()
	clear(b.series) // or labels would keep what they point at
	clear(b.newSeries)
	clear(b.newMetadata)
	b.series, b.newSeries, b.newMetadata = b.series[:0], b.newSeries[:0], b.newMetadata[:0]
	b.floats.reset()
	b.histograms.reset()
	b.values, b.encoded, b.encodedEnds = b.values[:0], b.encoded[:0], b.encodedEnds[:0]
}

// Series names the series of the samples that follow. ls is sorted. The error
// is fault.Invalid when no series may have such labels.
func (b *Batch) Series(ls labels.Labels) (Ref, error) {
	ls = ls.WithoutEmpty() // to Prometheus an empty label is none
	if ls.Len() > maxLabels || ls.ByteSize() > maxLabelsBytes {
		return 0, fault.New(fault.Invalid, "a series of %s has %d labels of %d bytes: at most %d of %d are taken",
			ls.Get(model.MetricNameLabel), ls.Len(), ls.ByteSize(), maxLabels, maxLabelsBytes)
	}
	if name, twice := ls.HasDuplicateLabelNames(); twice {
		return 0, fault.New(fault.Invalid, "a series of %s has the label %s twice", ls.Get(model.MetricNameLabel), name)
	}
	if ls.IsEmpty() || !ls.IsValid(model.UTF8Validation) {
		return 0, fault.New(fault.Invalid, "a series has labels that are none: %s", ls)
	}
	b.series = append(b.series, batchSeries{labels: ls, metric: ls.Get(model.MetricNameLabel), id: labels.StableHash(ls)})
	return Ref(len(b.series) - 1), nil
}

// Sample adds a float at t; started is since when a counter counts, 0 when
// unknown. Both are ms. The error is fault.Invalid when the sample is too far
// from now, or its series is over a limit; the batch goes without it.
func (b *Batch) Sample(s Ref, started, t int64, v float64) error {
	if err := b.admit(s, t, false); err != nil {
		return err
	}
	b.floats.add(s, started, t)
	b.values = append(b.values, v)
	return nil
}

// Histogram adds a native histogram with integer counts, as Sample does.
func (b *Batch) Histogram(s Ref, started, t int64, h *histogram.Histogram) error {
	if err := h.Validate(); err != nil {
		return fault.New(fault.Invalid, "a histogram of %s is malformed: %s", b.series[s].metric, err)
	}
	encoded := prompb.FromIntHistogram(0, h)
	return b.histogram(s, started, t, &encoded)
}

// FloatHistogram adds a native histogram with float counts, as Sample does.
func (b *Batch) FloatHistogram(s Ref, started, t int64, h *histogram.FloatHistogram) error {
	if err := h.Validate(); err != nil {
		return fault.New(fault.Invalid, "a histogram of %s is malformed: %s", b.series[s].metric, err)
	}
	encoded := prompb.FromFloatHistogram(0, h)
	return b.histogram(s, started, t, &encoded)
}

func (b *Batch) histogram(s Ref, started, t int64, h *prompb.Histogram) error {
	if err := b.admit(s, t, true); err != nil {
		return err
	}
	begin, size := len(b.encoded), h.Size()
	b.encoded = append(b.encoded, make([]byte, size)...)
	if _, err := h.MarshalToSizedBuffer(b.encoded[begin:]); err != nil {
		b.encoded = b.encoded[:begin]
		return fault.Wrap(err, fault.Invalid, "a histogram of %s cannot be encoded", b.series[s].metric)
	}
	b.histograms.add(s, started, t)
	b.encodedEnds = append(b.encodedEnds, len(b.encoded))
	return nil
}

// End adds the staleness marker, of the kind that the series has: from t on, in
// ms, it is not there, until its next sample. A series of which this node
// stored a sample after t goes on, and End reports false. Errors are those of Sample.
func (b *Batch) End(s Ref, t int64) (ended bool, err error) {
	last, ofHistogram := b.catalog.last(b.project, b.series[s].id)
	if last > t {
		return false, nil
	}
	stale := math.Float64frombits(value.StaleNaN)
	if ofHistogram {
		return true, b.Histogram(s, 0, t, &histogram.Histogram{Sum: stale})
	}
	return true, b.Sample(s, 0, t, stale)
}

// admit checks that a sample may be taken.
func (b *Batch) admit(ref Ref, t int64, histogram bool) error {
	s := &b.series[ref]
	if t < b.oldest || t > b.newest {
		return fault.New(fault.Invalid, "a sample of %s at %s is out of bounds: samples are taken from %d days ago, the retention, until %d minutes from now",
			s.metric, time.UnixMilli(t).UTC().Format(time.RFC3339), b.retention, int(maxAhead.Minutes()))
	}
	kind, day := 0, t/dayMs
	if histogram {
		kind = 1
	}
	if s.admitted[kind] == day+1 {
		return nil
	}
	e, missing, err := b.catalog.admit(b.project, seriesKey{s.id, histogram}, s.metric, stamp(day, b.retention), b.now)
	if err != nil {
		return err
	}
	s.admitted[kind], s.entries[kind] = day+1, e
	if missing {
		b.newSeries = append(b.newSeries, newSeries{e, ref, histogram, day})
	}
	return nil
}

const dayMs = 24 * 60 * 60 * 1000

// Metadata adds what the sender says about a metric.
func (b *Batch) Metadata(m Metadata) {
	if m.Metric == "" {
		return
	}
	m.Help, m.Unit = cut(m.Help), cut(m.Unit)
	if b.catalog.says(b.project, m, stamp(b.today, b.retention)) {
		b.newMetadata = append(b.newMetadata, m)
	}
}

func cut(s string) string {
	if len(s) > maxHelp {
		s = s[:maxHelp]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Samples returns how many samples of both kinds the batch holds.
func (b *Batch) Samples() int { return len(b.values) + len(b.encodedEnds) }
