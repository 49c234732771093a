package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"golang.org/x/sync/errgroup"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// querier implements storage.Querier for one query.
type querier struct {
	store      *Store
	project    project.ID
	mint, maxt int64
	starts     bool // read since when each counter counts
	budget     int  // samples that may still be read
}

// Close implements storage.Querier.
func (q *querier) Close() error { return nil }

// Select implements storage.Querier.
func (q *querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	mint, maxt := q.mint, q.maxt
	if hints != nil {
		mint, maxt = max(mint, hints.Start), min(maxt, hints.End)
	}
	all, whole, err := q.store.series(ctx, q.project, mint, maxt, matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	if hints != nil && hints.Func == "series" { // asks for labels only
		return newSeriesSet(all, &columns{}, &columns{}, mint, sorted)
	}
	var floats, histograms columns
	group, ctx := errgroup.WithContext(ctx)
	read := func(table string, into *columns, has func(found) bool, from int64) {
		if slices.ContainsFunc(all, has) {
			group.Go(func() error { return q.read(ctx, table, into, all, has, whole, from, maxt) })
		}
	}
	read("metric_samples", &floats, func(f found) bool { return f.floats }, mint)
	read("metric_histograms", &histograms, func(f found) bool { return f.histograms }, mint-histogramsBefore)
	if err := group.Wait(); err != nil {
		return storage.ErrSeriesSet(err)
	}
	q.budget -= floats.rows() + histograms.rows()
	return newSeriesSet(all, &floats, &histograms, mint, sorted)
}

// histogramsBefore is how far before its range a read looks for the histogram
// that the first one is compared with, in ms.
const histogramsBefore = 5 * 60 * 1000

// columns are the samples of one kind that a selector reads, ordered by metric,
// series and time. A series lies between two of ends.
type columns struct {
	time        []int64
	started     []int64 // empty when it is not read
	value       []float64
	encoded     []byte
	encodedEnds []int
	series      []span
}

// span is where the samples of a series lie.
type span struct {
	id         uint64
	metric     string
	begin, end int
}

func (c *columns) rows() int { return len(c.time) }

// read reads the samples of a table that are of the series in all.
func (q *querier) read(ctx context.Context, table string, into *columns, all []found, has func(found) bool, whole bool, mint, maxt int64) error {
	var metrics []string
	var ids []uint64
	for _, f := range all {
		if !has(f) {
			continue
		}
		if n := len(metrics); n == 0 || metrics[n-1] != f.metric {
			metrics = append(metrics, f.metric)
		}
		ids = append(ids, f.id)
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
		place     proto.ColUInt32 // of the metric in metrics, from 1: a name in each row would cost more than the sample
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
	results := proto.Results{{Name: "place", Data: &place}, {Name: "series_id", Data: &id}, {Name: "t", Data: &time}, last}
	if q.starts {
		results, result = append(results, proto.ResultColumn{Name: "s", Data: &started}), result+", toUnixTimestamp64Milli(started) AS s"
	}
	// FINAL collapses what was sent twice, and keeps the later of what differs.
	err := q.store.db.Stream(ctx, q.project, `
		SELECT toUInt32(indexOf({metrics:Array(String)}, metric)) AS place, series_id, toUnixTimestamp64Milli(time) AS t, `+result+`
		FROM `+table+` FINAL
		WHERE project_id = {project:UInt32} AND metric IN {metrics:Array(String)}`+where+`
			AND time BETWEEN fromUnixTimestamp64Milli({first:Int64}, 'UTC') AND fromUnixTimestamp64Milli({last:Int64}, 'UTC')
		ORDER BY project_id, metric, series_id, time
		LIMIT {limit:Int64}
		SETTINGS do_not_merge_across_partitions_select_final = 1`, results, func() error {
		if into.rows()+len(time) > q.budget {
			return fault.New(fault.Invalid, "the query reads more than %d samples: narrow the time range, or the selector with more labels", maxSamples)
		}
		into.mark(metrics, place, id)
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

// mark notes where the series of a block of rows lie, which are about to be
// appended. places are those of their metrics in metrics, from 1.
func (c *columns) mark(metrics []string, places proto.ColUInt32, ids proto.ColUInt64) {
	base := c.rows()
	for i, id := range ids {
		metric := metrics[places[i]-1]
		if n := len(c.series); n > 0 && c.series[n-1].id == id && c.series[n-1].metric == metric {
			c.series[n-1].end = base + i + 1
			continue
		}
		c.series = append(c.series, span{id: id, metric: metric, begin: base + i, end: base + i + 1})
	}
}

// LabelNames implements storage.LabelQuerier.
func (q *querier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	if len(matchers) > 0 {
		var names []string
		err := q.each(ctx, matchers, func(ls labels.Labels) {
			ls.Range(func(l labels.Label) { names = append(names, l.Name) })
			names = listed(names)
		})
		return limited(names, hints), nil, err
	}
	names, err := q.distinct(ctx, "arrayJoin(keys)", "")
	if len(names) > 0 {
		names = listed(append(names, model.MetricNameLabel))
	}
	return limited(names, hints), nil, err
}

// LabelValues implements storage.LabelQuerier.
func (q *querier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	if len(matchers) > 0 {
		seen := map[string]struct{}{}
		err := q.each(ctx, matchers, func(ls labels.Labels) {
			if v := ls.Get(name); v != "" {
				seen[strings.Clone(v)] = struct{}{}
			}
		})
		values := make([]string, 0, len(seen))
		for v := range seen {
			values = append(values, v)
		}
		return limited(listed(values), hints), nil, err
	}
	what := "metric"
	if name != model.MetricNameLabel {
		what = "values[indexOf(keys, {name:String})]"
	}
	values, err := q.distinct(ctx, what, name)
	return limited(values, hints), nil, err
}

// each calls fn with the labels of every series that the matchers match.
func (q *querier) each(ctx context.Context, matchers []*labels.Matcher, fn func(labels.Labels)) error {
	all, _, err := q.store.series(ctx, q.project, q.mint, q.maxt, matchers)
	for _, f := range all {
		fn(f.labels)
	}
	return err
}

// distinct reads what an expression yields of all series, without the empty text.
func (q *querier) distinct(ctx context.Context, what, name string) ([]string, error) {
	var rows []struct {
		Name string `ch:"name"`
	}
	err := q.store.db.Select(ctx, q.project, &rows, `
		SELECT DISTINCT toString(`+what+`) AS name FROM metric_series
		WHERE project_id = {project:UInt32} AND day BETWEEN toDate({first:Int64}) AND toDate({last:Int64}) AND name != '' AND {name:String} = {name:String}
		ORDER BY name LIMIT {limit:UInt32}`,
		append(days(q.mint, q.maxt), clickhouse.P("name", name), clickhouse.P("limit", uint32(maxNames)+1))...)
	if err != nil {
		return nil, fmt.Errorf("list labels: %w", err)
	}
	if len(rows) > maxNames {
		return nil, fault.New(fault.Invalid, "there are more than %d of these: narrow them with match[] or the time range", maxNames)
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Name
	}
	return names, nil
}

func limited(names []string, hints *storage.LabelHints) []string {
	if hints != nil && hints.Limit > 0 && len(names) > hints.Limit {
		return names[:hints.Limit]
	}
	return names
}
