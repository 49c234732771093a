package metric

import (
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
)

// points of a block: the columns that both tables of samples have.
type pointColumns struct {
	project   proto.ColUInt32
	retention proto.ColUInt16
	metric    *column.LowCard
	series    proto.ColUInt64
	time      proto.ColDateTime64
	started   proto.ColDateTime64
}

func newPointColumns() pointColumns {
	return pointColumns{
		metric:  column.NewLowCard(),
		time:    *new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli),
		started: *new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli),
	}
}

func (c *pointColumns) append(b *Batch, p *points) {
	last, metric := Ref(-1), uint32(0)
	for i, ref := range p.series {
		s := &b.series[ref]
		if ref != last {
			last, metric = ref, c.metric.IndexOf([]byte(s.metric))
		}
		c.project = append(c.project, uint32(b.project))
		c.retention = append(c.retention, b.retention)
		c.metric.AppendIndex(metric)
		c.series = append(c.series, s.id)
		c.time.Data = append(c.time.Data, proto.DateTime64(p.time[i]))
		c.started.Data = append(c.started.Data, proto.DateTime64(p.started[i]))
	}
}

func (c *pointColumns) reset() {
	for _, col := range []proto.Resettable{&c.project, &c.retention, c.metric, &c.series, &c.time, &c.started} {
		col.Reset()
	}
}

func (c *pointColumns) input() proto.Input {
	return proto.Input{
		{Name: "project_id", Data: &c.project}, {Name: "retention_days", Data: &c.retention}, {Name: "metric", Data: c.metric},
		{Name: "series_id", Data: &c.series}, {Name: "time", Data: &c.time}, {Name: "started", Data: &c.started},
	}
}

// pointBytes is about what the columns hold of one sample, its metric's index
// included.
const pointBytes = 34

// Samples is an open block of metric_samples. It implements clickhouse.Columns
// and is not safe for concurrent use.
type Samples struct {
	points pointColumns
	value  proto.ColFloat64
}

// NewSamples returns an empty block.
func NewSamples() *Samples { return &Samples{points: newPointColumns()} }

// Append adds the floats of a batch.
func (s *Samples) Append(b *Batch) {
	s.points.append(b, &b.floats)
	s.value = append(s.value, b.values...)
}

// Rows implements clickhouse.Columns.
func (s *Samples) Rows() int { return len(s.value) }

// Bytes implements clickhouse.Columns.
func (s *Samples) Bytes() int { return (pointBytes + 8) * s.Rows() }

// Reset implements clickhouse.Columns.
func (s *Samples) Reset() {
	s.points.reset()
	s.value.Reset()
}

// Table implements clickhouse.Columns.
func (s *Samples) Table() string { return "metric_samples" }

// Input implements clickhouse.Columns.
func (s *Samples) Input() proto.Input {
	return append(s.points.input(), proto.InputColumn{Name: "value", Data: &s.value})
}

// Histograms is an open block of metric_histograms. It implements
// clickhouse.Columns and is not safe for concurrent use.
type Histograms struct {
	points    pointColumns
	histogram column.Text
}

// NewHistograms returns an empty block.
func NewHistograms() *Histograms { return &Histograms{points: newPointColumns()} }

// Append adds the native histograms of a batch.
func (h *Histograms) Append(b *Batch) {
	h.points.append(b, &b.histograms)
	begin := 0
	for _, end := range b.encodedEnds {
		h.histogram.Append(b.encoded[begin:end])
		begin = end
	}
}

// Rows implements clickhouse.Columns.
func (h *Histograms) Rows() int { return h.histogram.Rows() }

// Bytes implements clickhouse.Columns.
func (h *Histograms) Bytes() int { return pointBytes*h.Rows() + h.histogram.Bytes() }

// Reset implements clickhouse.Columns.
func (h *Histograms) Reset() {
	h.points.reset()
	h.histogram.Reset()
}

// Table implements clickhouse.Columns.
func (h *Histograms) Table() string { return "metric_histograms" }

// Input implements clickhouse.Columns.
func (h *Histograms) Input() proto.Input {
	return append(h.points.input(), proto.InputColumn{Name: "histogram", Data: &h.histogram})
}

// Series is an open block of metric_series. It implements clickhouse.Columns
// and is not safe for concurrent use.
type Series struct {
	project   proto.ColUInt32
	retention proto.ColUInt16
	day       proto.ColDate
	metric    *column.LowCard
	id        proto.ColUInt64
	histogram proto.ColBool
	keys      *column.Array[*column.LowCard]
	values    *column.Array[*column.LowCard]
}

// NewSeries returns an empty block.
func NewSeries() *Series {
	return &Series{metric: column.NewLowCard(), keys: column.NewLowCards(), values: column.NewLowCards()}
}

// Append adds the series of a batch that have no row of their samples' day yet.
func (s *Series) Append(b *Batch) {
	for _, n := range b.newSeries {
		row := &b.series[n.series]
		s.project.Append(uint32(b.project))
		s.retention.Append(b.retention)
		s.day = append(s.day, proto.Date(n.day))
		s.metric.Append([]byte(row.metric))
		s.id.Append(row.id)
		s.histogram = append(s.histogram, n.histogram)
		row.labels.Range(func(l labels.Label) {
			if l.Name != model.MetricNameLabel {
				s.keys.Data.Append([]byte(l.Name))
				s.values.Data.Append([]byte(l.Value))
			}
		})
		s.keys.Close()
		s.values.Close()
	}
}

// Rows implements clickhouse.Columns.
func (s *Series) Rows() int { return len(s.id) }

// Bytes implements clickhouse.Columns.
func (s *Series) Bytes() int { return 32*s.Rows() + s.keys.Bytes() + s.values.Bytes() }

// Reset implements clickhouse.Columns.
func (s *Series) Reset() {
	for _, c := range []proto.Resettable{&s.project, &s.retention, &s.day, s.metric, &s.id, &s.histogram, s.keys, s.values} {
		c.Reset()
	}
}

// Table implements clickhouse.Columns.
func (s *Series) Table() string { return "metric_series" }

// Input implements clickhouse.Columns.
func (s *Series) Input() proto.Input {
	return proto.Input{
		{Name: "project_id", Data: &s.project}, {Name: "retention_days", Data: &s.retention}, {Name: "day", Data: &s.day},
		{Name: "metric", Data: s.metric}, {Name: "series_id", Data: &s.id}, {Name: "histogram", Data: &s.histogram},
		{Name: "keys", Data: s.keys}, {Name: "values", Data: s.values},
	}
}

// Families is an open block of metric_metadata. It implements clickhouse.Columns
// and is not safe for concurrent use.
type Families struct {
	project            proto.ColUInt32
	retention          proto.ColUInt16
	day                proto.ColDate
	metric, kind, unit *column.LowCard
	help               column.Text
}

// NewFamilies returns an empty block.
func NewFamilies() *Families {
	return &Families{metric: column.NewLowCard(), kind: column.NewLowCard(), unit: column.NewLowCard()}
}

// Append adds the metadata of a batch that has no row yet.
func (s *Families) Append(b *Batch) {
	for _, m := range b.newMetadata {
		s.project.Append(uint32(b.project))
		s.retention.Append(b.retention)
		s.day = append(s.day, proto.Date(b.today))
		s.metric.Append([]byte(m.Metric))
		s.kind.Append([]byte(m.Type))
		s.unit.Append([]byte(m.Unit))
		s.help.AppendString(m.Help)
	}
}

// Rows implements clickhouse.Columns.
func (s *Families) Rows() int { return s.help.Rows() }

// Bytes implements clickhouse.Columns.
func (s *Families) Bytes() int { return 32*s.Rows() + s.help.Bytes() }

// Reset implements clickhouse.Columns.
func (s *Families) Reset() {
	for _, c := range []proto.Resettable{&s.project, &s.retention, &s.day, s.metric, s.kind, s.unit, &s.help} {
		c.Reset()
	}
}

// Table implements clickhouse.Columns.
func (s *Families) Table() string { return "metric_metadata" }

// Input implements clickhouse.Columns.
func (s *Families) Input() proto.Input {
	return proto.Input{
		{Name: "project_id", Data: &s.project}, {Name: "retention_days", Data: &s.retention}, {Name: "day", Data: &s.day},
		{Name: "metric", Data: s.metric}, {Name: "type", Data: s.kind}, {Name: "unit", Data: s.unit}, {Name: "help", Data: &s.help},
	}
}
