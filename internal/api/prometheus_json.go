package api

import (
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/metric"
)

// encode writes v as JSON.
func encode(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

// writePrometheus writes a successful answer of the Prometheus HTTP API. What a
// query yields is written value by value, because it may be long; it is released.
func writePrometheus(w io.Writer, out prometheusData) error {
	answer, isAnswer := out.data.(*metric.Answer)
	if !isAnswer {
		return encode(w, struct { // Data may be empty, and is there nevertheless
			Status   string   `json:"status"`
			Data     any      `json:"data"`
			Warnings []string `json:"warnings,omitempty"`
			Infos    []string `json:"infos,omitempty"`
		}{"success", out.data, out.warnings, out.infos})
	}
	defer answer.Release()
	e := &promEncoder{w: w}
	e.raw(`{"status":"success","data":{"resultType":"`).raw(string(answer.Value.Type())).raw(`","result":`)
	switch v := answer.Value.(type) {
	case promql.Vector:
		e.list(len(v), func(i int) { e.sample(v[i]) })
	case promql.Matrix:
		e.list(len(v), func(i int) { e.series(v[i]) })
	case promql.Scalar:
		e.point(v.T, func() { e.float(v.V) })
	case promql.String:
		e.point(v.T, func() { e.text(v.V) })
	}
	e.raw(`}`)
	for _, remarks := range []struct {
		name  string
		texts []string
	}{{"warnings", out.warnings}, {"infos", out.infos}} {
		if len(remarks.texts) > 0 {
			e.raw(`,"`).raw(remarks.name).raw(`":`)
			e.list(len(remarks.texts), func(i int) { e.text(remarks.texts[i]) })
		}
	}
	return e.raw("}\n").flush()
}

// promEncoder writes the values of PromQL as the Prometheus HTTP API has them.
type promEncoder struct {
	w   io.Writer
	buf []byte
	err error
}

const promBuffer = 64 << 10

func (e *promEncoder) raw(s string) *promEncoder {
	e.buf = append(e.buf, s...)
	return e
}

func (e *promEncoder) flush() error {
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
	return e.err
}

func (e *promEncoder) list(n int, one func(i int)) {
	e.raw("[")
	for i := range n {
		if i > 0 {
			e.raw(",")
		}
		one(i)
		if len(e.buf) >= promBuffer && e.flush() != nil {
			return
		}
	}
	e.raw("]")
}

func (e *promEncoder) text(s string) {
	text, err := json.Marshal(s)
	if err != nil {
		e.err = err
	}
	e.buf = append(e.buf, text...)
}

// float writes a value, which may be one that JSON has no number for, as text.
func (e *promEncoder) float(v float64) {
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	e.buf = append(strconv.AppendFloat(append(e.buf, '"'), v, format, -1, 64), '"')
}

// point writes a time in seconds and what is there.
func (e *promEncoder) point(ms int64, value func()) {
	e.raw("[")
	if ms < 0 {
		e.raw("-")
		ms = -ms
	}
	e.buf = strconv.AppendInt(e.buf, ms/1000, 10)
	if rest := ms % 1000; rest != 0 {
		e.buf = append(e.buf, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	e.raw(",")
	value()
	e.raw("]")
}

func (e *promEncoder) labels(ls labels.Labels) {
	e.raw(`{"metric":{`)
	first := true
	ls.Range(func(l labels.Label) {
		if !first {
			e.raw(",")
		}
		first = false
		e.text(l.Name)
		e.raw(":")
		e.text(l.Value)
	})
	e.raw("}")
}

func (e *promEncoder) sample(s promql.Sample) {
	e.labels(s.Metric)
	if s.H == nil {
		e.raw(`,"value":`).point(s.T, func() { e.float(s.F) })
	} else {
		e.raw(`,"histogram":`).point(s.T, func() { e.histogram(s.H) })
	}
	e.raw("}")
}

func (e *promEncoder) series(s promql.Series) {
	e.labels(s.Metric)
	if len(s.Floats) > 0 {
		e.raw(`,"values":`).list(len(s.Floats), func(i int) { e.point(s.Floats[i].T, func() { e.float(s.Floats[i].F) }) })
	}
	if len(s.Histograms) > 0 {
		e.raw(`,"histograms":`).list(len(s.Histograms), func(i int) { e.point(s.Histograms[i].T, func() { e.histogram(s.Histograms[i].H) }) })
	}
	e.raw("}")
}

func (e *promEncoder) histogram(h *histogram.FloatHistogram) {
	e.raw(`{"count":`).float(h.Count)
	e.raw(`,"sum":`).float(h.Sum)
	found := false
	for it := h.AllBucketIterator(); it.Next(); {
		bucket := it.At()
		if bucket.Count == 0 {
			continue
		}
		if found {
			e.raw(",")
		} else {
			e.raw(`,"buckets":[`)
		}
		found = true
		// Which ends belong to the bucket: 0 the upper, 1 the lower, 2 neither, 3 both.
		ends := "2"
		switch {
		case bucket.LowerInclusive && bucket.UpperInclusive:
			ends = "3"
		case bucket.LowerInclusive:
			ends = "1"
		case bucket.UpperInclusive:
			ends = "0"
		}
		e.raw("[").raw(ends)
		for _, v := range []float64{bucket.Lower, bucket.Upper, bucket.Count} {
			e.raw(",").float(v)
		}
		e.raw("]")
	}
	if found {
		e.raw("]")
	}
	e.raw("}")
}
