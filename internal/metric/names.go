package metric

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Names are the metrics of which a project has samples since a time, and the series
// of those that were asked for. It is safe for concurrent use.
type Names struct {
	since time.Time
	names map[string]bool

	mu    sync.Mutex
	found map[string][]found // by metric; nil for one with too many to remember
}

// maxRemembered is how many series of a metric are remembered.
const maxRemembered = 5000

// NamesSince reads the names of a project's metrics since the beginning of the day
// (UTC) of a time.
func (s *Store) NamesSince(ctx context.Context, p project.ID, since time.Time) (*Names, error) {
	n := &Names{since: since.UTC().Truncate(24 * time.Hour), names: map[string]bool{}, found: map[string][]found{}}
	var rows []struct {
		Metric string `ch:"metric"`
	}
	err := s.db.Select(ctx, p, &rows, `SELECT DISTINCT metric FROM metric_series WHERE project_id = {project:UInt32} AND day >= toDate({since:Int64}) LIMIT {limit:UInt32}`,
		clickhouse.P("since", n.since.Unix()), clickhouse.P("limit", uint32(maxNames)))
	if err != nil {
		return nil, fmt.Errorf("read the names of metrics: %w", err)
	}
	for _, r := range rows {
		n.names[r.Metric] = true
	}
	if len(rows) == maxNames {
		n.names = nil // too many to know: nothing is ruled out
	}
	return n, nil
}

// series returns the series that matchers select among those of one metric, which
// are read once. known is false where they have to be asked for: the matchers name
// no metric, or ask of a time before, or it has too many.
func (n *Names) series(ctx context.Context, s *Store, p project.ID, mint int64, matchers []*labels.Matcher) (all []found, known bool, err error) {
	if n == nil || mint < n.since.UnixMilli() {
		return nil, false, nil
	}
	i := slices.IndexFunc(matchers, func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && m.Value != ""
	})
	if i < 0 {
		return nil, false, nil
	}
	metric := matchers[i].Value
	if n.names != nil && !n.names[metric] {
		return nil, true, nil
	}
	n.mu.Lock()
	of, read := n.found[metric]
	n.mu.Unlock()
	if !read {
		of, err = s.readSeries(ctx, p, n.since.UnixMilli(), time.Now().Add(24*time.Hour).UnixMilli(), matchers[i:i+1])
		switch {
		case fault.Is(err, fault.Invalid) || len(of) > maxRemembered:
			of = nil
		case err != nil:
			return nil, false, err
		case of == nil:
			of = []found{}
		}
		n.mu.Lock()
		n.found[metric] = of
		n.mu.Unlock()
	}
	if of == nil {
		return nil, false, nil
	}
	for _, f := range of {
		if matches(f.labels, matchers) {
			all = append(all, f)
		}
	}
	return all, true, nil
}

// Among returns the engine for expressions over one project of which the names of
// its metrics are known: what names none of them costs no query, and the series of a
// metric are looked up once. Who evaluates many expressions, most of them over the
// same metrics or over some that a project does not send, asks so.
func (e *Engine) Among(n *Names) *Engine {
	among := *e
	among.store = &Store{db: e.store.db, names: n}
	return &among
}

// NamesSince is Store.NamesSince.
func (e *Engine) NamesSince(ctx context.Context, p project.ID, since time.Time) (*Names, error) {
	return e.store.NamesSince(ctx, p, since)
}
