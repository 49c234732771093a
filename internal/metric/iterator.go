package metric

import (
	"fmt"
	"slices"
	"sort"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// seriesSet implements storage.SeriesSet.
type seriesSet struct {
	series []series
	at     int
}

// series implements storage.Series: the samples of one, of both kinds.
type series struct {
	labels             labels.Labels
	mint               int64 // ms; histograms before it serve those after it
	floats, histograms *columns
	floatSpan          span
	histogramSpan      span
}

func newSeriesSet(all []found, floats, histograms *columns, mint int64, sorted bool) *seriesSet {
	set := &seriesSet{at: -1, series: make([]series, len(all))}
	for i, s := range all {
		set.series[i] = series{
			labels: s.labels, mint: mint, floats: floats, histograms: histograms,
			floatSpan: floats.spans[i], histogramSpan: histograms.spans[i],
		}
	}
	if sorted {
		slices.SortFunc(set.series, func(a, b series) int { return labels.Compare(a.labels, b.labels) })
	}
	return set
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool { s.at++; return s.at < len(s.series) }

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return &s.series[s.at] }

// Err implements storage.SeriesSet.
func (*seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (*seriesSet) Warnings() annotations.Annotations { return nil }

// Labels implements storage.Series.
func (s *series) Labels() labels.Labels { return s.labels }

// Iterator implements storage.Series.
func (s *series) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	it, ok := reuse.(*iterator)
	if !ok {
		it = &iterator{}
	}
	*it = iterator{series: s, f: s.floatSpan.begin, h: s.histogramSpan.begin}
	it.skip(s.mint)
	return it
}

// iterator implements chunkenc.Iterator over the two kinds of samples of a
// series, in the order of time. Of a float and a histogram with one time it
// shows the histogram.
type iterator struct {
	*series
	f, h int // the next of each kind
	at   int // where the iterator stands, of kind
	kind chunkenc.ValueType
	err  error
}

// Next implements chunkenc.Iterator.
func (it *iterator) Next() chunkenc.ValueType {
	hasFloat, hasHistogram := it.f < it.floatSpan.end, it.h < it.histogramSpan.end
	switch {
	case it.err != nil || !hasFloat && !hasHistogram:
		it.kind = chunkenc.ValNone
	case hasFloat && (!hasHistogram || it.floats.time[it.f] < it.histograms.time[it.h]):
		it.at, it.kind = it.f, chunkenc.ValFloat
		it.f++
	default:
		if hasFloat && it.floats.time[it.f] == it.histograms.time[it.h] {
			it.f++
		}
		it.at, it.kind = it.h, chunkenc.ValHistogram
		if it.histograms.floatCounts(it.h) {
			it.kind = chunkenc.ValFloatHistogram
		}
		it.h++
	}
	return it.kind
}

// Seek implements chunkenc.Iterator.
func (it *iterator) Seek(t int64) chunkenc.ValueType { //nolint:govet // the interface is Prometheus', not io.Seeker
	if it.kind != chunkenc.ValNone && it.AtT() >= t {
		return it.kind
	}
	it.skip(t)
	return it.Next()
}

// skip leaves out what is before t.
func (it *iterator) skip(t int64) {
	it.f += sort.Search(max(0, it.floatSpan.end-it.f), func(i int) bool { return it.floats.time[it.f+i] >= t })
	it.h += sort.Search(max(0, it.histogramSpan.end-it.h), func(i int) bool { return it.histograms.time[it.h+i] >= t })
}

// At implements chunkenc.Iterator.
func (it *iterator) At() (int64, float64) { return it.floats.time[it.at], it.floats.value[it.at] }

// AtT implements chunkenc.Iterator.
func (it *iterator) AtT() int64 { return it.points().time[it.at] }

// AtST implements chunkenc.Iterator: 0 is unknown.
func (it *iterator) AtST() int64 {
	if started := it.points().started; len(started) > 0 {
		return started[it.at]
	}
	return 0
}

func (it *iterator) points() *columns {
	if it.kind == chunkenc.ValFloat {
		return it.floats
	}
	return it.histograms
}

// AtHistogram implements chunkenc.Iterator.
func (it *iterator) AtHistogram(into *histogram.Histogram) (int64, *histogram.Histogram) {
	h := it.histogram().ToIntHistogram()
	if into != nil && h != nil {
		h.CopyTo(into)
		h = into
	}
	return it.histograms.time[it.at], h
}

// AtFloatHistogram implements chunkenc.Iterator.
func (it *iterator) AtFloatHistogram(into *histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	h := it.histogram().ToFloatHistogram()
	if into != nil {
		h.CopyTo(into)
		h = into
	}
	return it.histograms.time[it.at], h
}

// Err implements chunkenc.Iterator.
func (it *iterator) Err() error { return it.err }

// histogram decodes the histogram that the iterator stands on. What a counter
// says about resets is what Prometheus' own storage would say, because queries
// warn by it: none since the sample before, or unknown.
func (it *iterator) histogram() *prompb.Histogram {
	h := it.decode(it.at)
	switch h.ResetHint {
	case prompb.Histogram_UNKNOWN, prompb.Histogram_NO:
		h.ResetHint = prompb.Histogram_UNKNOWN
		if it.continues(h) {
			h.ResetHint = prompb.Histogram_NO
		}
	case prompb.Histogram_YES:
		h.ResetHint = prompb.Histogram_UNKNOWN
	}
	return h
}

// continues reports whether the sample before h is a counter that has grown to h.
func (it *iterator) continues(h *prompb.Histogram) bool {
	if it.at == it.histogramSpan.begin || it.f > it.floatSpan.begin && it.floats.time[it.f-1] > it.histograms.time[it.at-1] {
		return false
	}
	before := it.decode(it.at - 1)
	if before.ResetHint == prompb.Histogram_GAUGE || before.Schema != h.Schema || before.ZeroThreshold != h.ZeroThreshold ||
		value.IsStaleNaN(before.Sum) || before.IsFloatHistogram() != h.IsFloatHistogram() {
		return false
	}
	before.ResetHint = prompb.Histogram_UNKNOWN
	return !h.ToFloatHistogram().DetectReset(before.ToFloatHistogram())
}

func (it *iterator) decode(i int) *prompb.Histogram {
	var h prompb.Histogram
	if err := h.Unmarshal(it.histograms.histogram(i)); err != nil {
		it.err = fmt.Errorf("decode histogram: %w", err)
	}
	return &h
}

// floatCountTag begins the encoding of a histogram with float counts: the count
// is the first field, and always there.
const floatCountTag = 2<<3 | 1

func (c *columns) floatCounts(i int) bool {
	encoded := c.histogram(i)
	return len(encoded) > 0 && encoded[0] == floatCountTag
}
