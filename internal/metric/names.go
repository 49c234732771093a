package metric

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Names are the metrics of which a project has samples since a time.
type Names struct {
	since time.Time
	names map[string]bool
}

// NamesSince reads the names of a project's metrics since the beginning of the day
// (UTC) of a time.
func (s *Store) NamesSince(ctx context.Context, p project.ID, since time.Time) (*Names, error) {
	n := &Names{since: since.UTC().Truncate(24 * time.Hour), names: map[string]bool{}}
	var rows []struct {
		Metric string `ch:"metric"`
	}
	err := s.db.Select(ctx, p, &rows, `SELECT DISTINCT metric FROM metric_series WHERE project_id = {project:UInt32} AND day >= toDate({since:Int64}) LIMIT {limit:UInt32}`,
		clickhouse.P("since", n.since.Unix()), clickhouse.P("limit", uint32(maxNames)))
	if err != nil {
		return nil, fmt.Errorf("read the names of metrics: %w", err)
	}
	if len(rows) == maxNames {
		return &Names{since: n.since}, nil // too many to know: nothing is ruled out
	}
	for _, r := range rows {
		n.names[r.Metric] = true
	}
	return n, nil
}

// rulesOut reports whether no series of the project can match, so that it need not
// be asked for: the matchers name a metric that it does not have.
func (n *Names) rulesOut(mint int64, matchers []*labels.Matcher) bool {
	if n == nil || n.names == nil || mint < n.since.UnixMilli() {
		return false
	}
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && !n.names[m.Value] {
			return true
		}
	}
	return false
}

// Among returns the engine for expressions over one project of which the names of
// its metrics are known: what names none of them costs no query. Who evaluates many
// expressions, most of them over metrics that a project does not send, asks so.
func (e *Engine) Among(n *Names) *Engine {
	among := *e
	among.store = &Store{db: e.store.db, names: n}
	return &among
}

// NamesSince is Store.NamesSince.
func (e *Engine) NamesSince(ctx context.Context, p project.ID, since time.Time) (*Names, error) {
	return e.store.NamesSince(ctx, p, since)
}
