package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"

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

	given []*columns // to series, which are not used after Close
}

// Close implements storage.Querier.
func (q *querier) Close() error {
	for _, c := range q.given {
		c.release()
	}
	q.given = nil
	return nil
}

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
	floats, histograms := newColumns(len(all)), newColumns(len(all))
	q.given = append(q.given, floats, histograms)
	if hints != nil && hints.Func == "series" { // asks for labels only
		return newSeriesSet(all, floats, histograms, mint, sorted)
	}
	group, ctx := errgroup.WithContext(ctx)
	read := func(table string, into *columns, has func(found) bool, from int64) {
		if slices.ContainsFunc(all, has) {
			group.Go(func() error { return q.read(ctx, table, into, all, has, whole, from, maxt) })
		}
	}
	read("metric_samples", floats, func(f found) bool { return f.floats }, mint)
	read("metric_histograms", histograms, func(f found) bool { return f.histograms }, mint-histogramsBefore)
	if err := group.Wait(); err != nil {
		return storage.ErrSeriesSet(err)
	}
	q.budget -= floats.rows() + histograms.rows()
	return newSeriesSet(all, floats, histograms, mint, sorted)
}

// histogramsBefore is how far before its range a read looks for the histogram
// that the first one is compared with, in ms.
const histogramsBefore = 5 * 60 * 1000

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
