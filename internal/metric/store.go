package metric

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// What one read may cost. Beyond either it is refused with fault.Invalid.
const (
	maxSeries  = 100_000    // of one selector
	maxSamples = 10_000_000 // of all selectors of a query, 24 bytes each
	maxNames   = 100_000    // label names, values, or metrics listed at once
)

// Store reads series and samples. It is safe for concurrent use.
type Store struct {
	db    *clickhouse.DB
	names *Names // of the one project that is asked about; nil: not known
}

// NewStore returns a Store over the tables of Migrations.
func NewStore(db *clickhouse.DB) *Store { return &Store{db: db} }

// Queryable returns what PromQL is asked of: the samples of one project. Its
// errors are those of this package: fault.Invalid names a limit and how to stay
// within it.
func (s *Store) Queryable(p project.ID) storage.Queryable {
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		return &querier{store: s, project: p, mint: mint, maxt: maxt, starts: true, budget: maxSamples}, nil
	})
}

// withoutStarts is Queryable for who does not ask since when a counter counts,
// which is a quarter of what a sample is read with.
func (s *Store) withoutStarts(p project.ID) storage.Queryable {
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		return &querier{store: s, project: p, mint: mint, maxt: maxt, budget: maxSamples}, nil
	})
}

// MetadataOf returns what senders said about metrics within the retention, by
// family, the newest saying first: of one metric, or of all when metric is "".
func (s *Store) MetadataOf(ctx context.Context, p project.ID, metric string) ([]Metadata, error) {
	var rows []struct {
		Metric string `ch:"metric"`
		Type   string `ch:"type"`
		Unit   string `ch:"unit"`
		Help   string `ch:"help"`
	}
	err := s.db.Select(ctx, p, &rows, `
		SELECT metric, type, unit, help FROM metric_metadata
		WHERE project_id = {project:UInt32} AND ({metric:String} = '' OR metric = {metric:String})
		GROUP BY metric, type, unit, help
		ORDER BY metric, max(seen) DESC, type, unit, help
		LIMIT {limit:UInt32}`,
		clickhouse.P("metric", metric), clickhouse.P("limit", uint32(maxNames)))
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	out := make([]Metadata, len(rows))
	for i, r := range rows {
		out[i] = Metadata(r)
	}
	return out, nil
}

// found is a series that a selector matches.
type found struct {
	id         uint64
	metric     string
	labels     labels.Labels
	floats     bool // it has samples in metric_samples
	histograms bool // and in metric_histograms
}

// series resolves matchers to the series that had samples on the days of
// [mint, maxt], ordered by metric and id. whole says that the matchers asked for
// nothing but metrics.
func (s *Store) series(ctx context.Context, p project.ID, mint, maxt int64, matchers []*labels.Matcher) (all []found, whole bool, err error) {
	whole = !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return m.Name != model.MetricNameLabel })
	all, known, err := s.names.series(ctx, s, p, mint, matchers)
	if !known && err == nil {
		all, err = s.readSeries(ctx, p, mint, maxt, matchers)
	}
	return all, whole, err
}

func (s *Store) readSeries(ctx context.Context, p project.ID, mint, maxt int64, matchers []*labels.Matcher) (all []found, err error) {
	where, params, rest := conditions(matchers)
	params = append(params, days(mint, maxt)...)
	var (
		metric    = new(proto.ColStr).LowCardinality()
		id        proto.ColUInt64
		histogram proto.ColBool
		keys      = proto.NewArray(new(proto.ColStr).LowCardinality())
		values    = proto.NewArray(new(proto.ColStr).LowCardinality())
		builder   = labels.NewScratchBuilder(16)
		lastBad   bool // the row before was of a series that does not match
		last      seriesKey
	)
	into := proto.Results{{Name: "metric", Data: metric}, {Name: "series_id", Data: &id}, {Name: "histogram", Data: &histogram},
		{Name: "keys", Data: keys}, {Name: "values", Data: values}}
	err = s.db.Stream(ctx, p, `
		SELECT metric, series_id, histogram, keys, values FROM metric_series
		WHERE project_id = {project:UInt32} AND day BETWEEN toDate({first:Int64}) AND toDate({last:Int64})`+where+`
		ORDER BY metric, series_id, histogram
		LIMIT 1 BY metric, series_id, histogram`, into, func() error {
		for i := range id {
			name := metric.Row(i)
			if n := len(all); n > 0 && all[n-1].id == id[i] && all[n-1].metric == name {
				all[n-1].histograms = all[n-1].histograms || histogram[i]
				continue
			}
			if lastBad && last.id == id[i] {
				continue
			}
			builder.Reset()
			if name != "" {
				builder.Add(model.MetricNameLabel, name)
			}
			key, value := keys.Row(i), values.Row(i)
			for j := range key {
				builder.Add(key[j], value[j])
			}
			builder.Sort()
			ls := builder.Labels()
			last, lastBad = seriesKey{id: id[i]}, !matches(ls, rest)
			if lastBad {
				continue
			}
			if len(all) == maxSeries {
				return fault.New(fault.Invalid, "the selector %s matches more than %d series: narrow it with a metric name or more labels, or the time range", selector(matchers), maxSeries)
			}
			all = append(all, found{id: id[i], metric: name, labels: ls, floats: !histogram[i], histograms: histogram[i]})
		}
		return nil
	}, params...)
	if err != nil {
		return nil, fmt.Errorf("find series: %w", err)
	}
	return all, nil
}

func selector(matchers []*labels.Matcher) string {
	s := "{"
	for i, m := range matchers {
		if i > 0 {
			s += ", "
		}
		s += m.String()
	}
	return s + "}"
}

// days are the parameters first and last of the UTC days that [mint, maxt]
// touches, as far as the engine's Date reaches.
func days(mint, maxt int64) []clickhouse.Param {
	const day, most = 24 * 60 * 60, 65535
	return []clickhouse.Param{
		clickhouse.P("first", min(max(mint/1000/day, 0), most)),
		clickhouse.P("last", min(max(maxt/1000/day, 0), most)),
	}
}

func matches(ls labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

// conditions writes matchers as SQL, as far as both mean exactly the same. What
// is left are regular expressions; of these the SQL holds what narrows them, and
// rest the whole: they mean what Prometheus' own matchers say.
func conditions(matchers []*labels.Matcher) (where string, params []clickhouse.Param, rest []*labels.Matcher) {
	for i, m := range matchers {
		name, value := fmt.Sprintf("n%d", i), fmt.Sprintf("v%d", i)
		column := "metric"
		if m.Name != model.MetricNameLabel {
			// The label that is not there is the empty one, as Prometheus has it.
			column = "values[indexOf(keys, {" + name + ":String})]"
		}
		var condition string
		var operand any
		switch {
		case m.Type == labels.MatchEqual:
			condition, operand = column+" = {"+value+":String}", m.Value
		case m.Type == labels.MatchNotEqual:
			condition, operand = column+" != {"+value+":String}", m.Value
		case m.Type == labels.MatchRegexp && len(m.SetMatches()) > 0:
			condition, operand = column+" IN {"+value+":Array(String)}", m.SetMatches()
		case m.Type == labels.MatchRegexp && m.Prefix() != "":
			condition, operand = "startsWith("+column+", {"+value+":String})", m.Prefix()
			rest = append(rest, m)
		default:
			rest = append(rest, m)
			continue
		}
		where += " AND " + condition
		params = append(params, clickhouse.P(value, operand))
		if column != "metric" {
			params = append(params, clickhouse.P(name, m.Name))
		}
	}
	return where, params, rest
}

// listed are names of something, in order and each once.
func listed(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
