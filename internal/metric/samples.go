package metric

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// columns are the samples of one kind that a selector reads. Those of a series
// lie in its span, in the order of time.
type columns struct {
	time        []int64 // ms
	started     []int64 // ms; empty when it is not read
	value       []float64
	encoded     []byte
	encodedEnds []int
	spans       []span // of each series, in the order of the selector's

	arrived []stretch // until arrange
	// What time and value were arranged from, for the next query.
	spareTime  []int64
	spareValue []float64
}

// span is where samples lie: from begin to before end.
type span struct{ begin, end int }

// stretch is samples of one series that arrived one behind the other, in the order of time.
type stretch struct {
	span
	series  int
	written uint32 // of one time the sample counts that was written later
}

// unused are columns that a closed querier has left: fresh memory for a million
// samples costs as much as to read them.
var unused = sync.Pool{New: func() any { return &columns{} }}

// mostUnused is up to how many samples columns are kept, 32 bytes each.
const mostUnused = 4_000_000

// newColumns returns columns without samples for so many series.
func newColumns(series int) *columns {
	c := unused.Get().(*columns)
	c.spans = slices.Grow(c.spans[:0], series)[:series]
	clear(c.spans)
	return c
}

// release ends the use of c.
func (c *columns) release() {
	if max(cap(c.time), cap(c.spareTime)) > mostUnused || cap(c.encoded) > 8*mostUnused {
		return
	}
	c.time, c.started, c.value = c.time[:0], c.started[:0], c.value[:0]
	c.encoded, c.encodedEnds, c.arrived = c.encoded[:0], c.encodedEnds[:0], c.arrived[:0]
	unused.Put(c)
}

func (c *columns) rows() int { return len(c.time) }

// histogram returns the encoding of one of the histograms.
func (c *columns) histogram(i int) []byte {
	begin := 0
	if i > 0 {
		begin = c.encodedEnds[i-1]
	}
	return c.encoded[begin:c.encodedEnds[i]]
}

// read reads the samples of a table that are of the series in all, those that
// has admits. whole says that these are all there are of their metrics.
func (q *querier) read(ctx context.Context, table string, into *columns, all []found, has func(found) bool, whole bool, mint, maxt int64) error {
	var metrics []string
	ids := make([]uint64, 0, len(all))
	places := make(map[uint64]int, len(all))
	for i, f := range all {
		if !has(f) {
			continue
		}
		if n := len(metrics); n == 0 || metrics[n-1] != f.metric {
			metrics = append(metrics, f.metric)
		}
		ids = append(ids, f.id)
		places[f.id] = i
	}
	params := []clickhouse.Param{
		clickhouse.P("metrics", metrics), clickhouse.P("first", mint), clickhouse.P("last", maxt), clickhouse.P("limit", int64(q.budget)+1),
	}
	where := ""
	if !whole {
		where = " AND series_id IN {ids:Array(UInt64)}"
		params = append(params, clickhouse.P("ids", ids))
	}
	var (
		written   proto.ColUInt32 // the number of the insert, or of the first one that a part was merged from
		id        proto.ColUInt64
		time      proto.ColInt64
		started   proto.ColInt64
		value     proto.ColFloat64
		histogram proto.ColStr
	)
	last, result := proto.ResultColumn{Name: "value", Data: &value}, "value"
	if table == "metric_histograms" {
		last, result = proto.ResultColumn{Name: "histogram", Data: &histogram}, "histogram"
	}
	results := proto.Results{{Name: "written", Data: &written}, {Name: "series_id", Data: &id}, {Name: "t", Data: &time}, last}
	if q.starts {
		results, result = append(results, proto.ResultColumn{Name: "s", Data: &started}), result+", toUnixTimestamp64Milli(started) AS s"
	}
	// Neither FINAL nor an order: what the engine would merge row by row, arrange
	// puts into its place stretch by stretch.
	err := q.store.db.Stream(ctx, q.project, `
		SELECT toUInt32(_block_number) AS written, series_id, toUnixTimestamp64Milli(time) AS t, `+result+`
		FROM `+table+`
		WHERE project_id = {project:UInt32} AND metric IN {metrics:Array(String)}`+where+`
			AND time BETWEEN fromUnixTimestamp64Milli({first:Int64}, 'UTC') AND fromUnixTimestamp64Milli({last:Int64}, 'UTC')
		LIMIT {limit:Int64}`, results, func() error {
		if into.rows()+len(time) > q.budget {
			return fault.New(fault.Invalid, "the query reads more than %d samples: narrow the time range, or the selector with more labels", maxSamples)
		}
		into.mark(places, written, id, time)
		into.time, into.value = append(room(into.time, len(time)), time...), append(room(into.value, len(value)), value...)
		into.started = append(into.started, started...)
		for i := range histogram.Pos {
			into.encoded = append(into.encoded, histogram.RowBytes(i)...)
			into.encodedEnds = append(into.encodedEnds, len(into.encoded))
		}
		return nil
	}, params...)
	if err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	into.arrange()
	return nil
}

// room returns s with room for n more. It doubles s where append would add a
// quarter: of millions of samples that is most of what reading them costs.
func room[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	return slices.Grow(s, max(n, len(s)))
}

// mark notes the stretches of a block of rows that are about to be appended. places
// are those of the series by their ids; what is of none of them is passed over:
// a series that has begun since they were looked up.
func (c *columns) mark(places map[uint64]int, written proto.ColUInt32, ids proto.ColUInt64, times proto.ColInt64) {
	base := c.rows()
	for i := 0; i < len(ids); {
		end := i + 1
		for end < len(ids) && ids[end] == ids[i] && times[end] > times[end-1] && written[end] == written[i] {
			end++
		}
		if place, ok := places[ids[i]]; ok {
			c.arrived = append(c.arrived, stretch{span: span{base + i, base + end}, series: place, written: written[i]})
		}
		i = end
	}
}

// arrange brings the samples into the order of series and time, and leaves one of
// each time: what arrived becomes spans.
func (c *columns) arrange() {
	slices.SortFunc(c.arrived, func(a, b stretch) int {
		return cmp.Or(cmp.Compare(a.series, b.series), cmp.Compare(c.time[a.begin], c.time[b.begin]), cmp.Compare(a.written, b.written))
	})
	pieces, rows := make([]span, 0, len(c.arrived)), 0
	add := func(s span) {
		rows += s.end - s.begin
		if n := len(pieces); n > 0 && pieces[n-1].end == s.begin {
			pieces[n-1].end = s.end
			return
		}
		pieces = append(pieces, s)
	}
	for from := 0; from < len(c.arrived); {
		series, end := c.arrived[from].series, from+1
		for end < len(c.arrived) && c.arrived[end].series == series {
			end++
		}
		begin := rows
		c.merge(c.arrived[from:end], add)
		c.spans[series] = span{begin, rows}
		from = end
	}
	c.arrived = c.arrived[:0]
	if len(pieces) == 0 || len(pieces) == 1 && pieces[0].begin == 0 { // as it arrived, which a table in one part does
		return
	}
	c.time, c.spareTime = gather(c.spareTime, c.time, pieces, rows), c.time
	c.value, c.spareValue = gather(c.spareValue, c.value, pieces, rows), c.value
	c.started = gather(nil, c.started, pieces, rows)
	if len(c.encodedEnds) == 0 {
		return
	}
	encoded, ends := make([]byte, 0, len(c.encoded)), make([]int, 0, rows)
	for _, p := range pieces {
		for i := p.begin; i < p.end; i++ {
			encoded = append(encoded, c.histogram(i)...)
			ends = append(ends, len(encoded))
		}
	}
	c.encoded, c.encodedEnds = encoded, ends
}

// merge gives add the rows of one series in the order of time. What arrived comes
// in the order of the first sample, and most of it begins where the one before has ended.
func (c *columns) merge(arrived []stretch, add func(span)) {
	for len(arrived) > 1 {
		first, next := &arrived[0], c.time[arrived[1].begin]
		if c.time[first.end-1] < next {
			add(first.span)
			arrived = arrived[1:]
			continue
		}
		n, both := slices.BinarySearch(c.time[first.begin:first.end], next)
		if n > 0 {
			add(span{first.begin, first.begin + n})
			first.begin += n
		}
		if both {
			c.keepLatest(arrived, next)
		}
		arrived = slices.DeleteFunc(arrived, func(s stretch) bool { return s.begin == s.end })
		slices.SortStableFunc(arrived, func(a, b stretch) int { return cmp.Compare(c.time[a.begin], c.time[b.begin]) })
	}
	if len(arrived) == 1 {
		add(arrived[0].span)
	}
}

// keepLatest drops the sample at t, with which several begin, from all but the
// one that was written last.
func (c *columns) keepLatest(arrived []stretch, t int64) {
	latest := &arrived[0]
	for i := 1; i < len(arrived) && c.time[arrived[i].begin] == t; i++ {
		if s := &arrived[i]; s.written >= latest.written {
			latest.begin++
			latest = s
		} else {
			s.begin++
		}
	}
}

// gather returns the pieces of s, n rows in all, one behind the other, in the
// memory of into when that is large enough.
func gather[T any](into, s []T, pieces []span, n int) []T {
	if len(s) == 0 {
		return s
	}
	into = slices.Grow(into[:0], n)
	for _, p := range pieces {
		into = append(into, s[p.begin:p.end]...)
	}
	return into
}
