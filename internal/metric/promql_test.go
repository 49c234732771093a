package metric

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/project"
)

// everything is a retention in days that reaches back to 1970, where
// Prometheus' suites begin.
const everything = 40_000

// TestPrometheusOwnSuitesPassOnOurStorage runs every file of promqltest: each
// file, and each clear within, begins with an empty project, and each load is
// one batch. Nothing is left out. The suites ask every query about ten times in
// equivalent forms; what was read once since the last load is not read again.
func TestPrometheusOwnSuitesPassOnOurStorage(t *testing.T) {
	db := clickhousetest.New(t)
	if err := db.Migrate(t.Context(), "metric", Migrations()); err != nil {
		t.Fatal(err)
	}
	writer := NewWriter(db, Limits{}, clickhouse.BatchOptions{MaxDelay: time.Microsecond})
	t.Cleanup(func() {
		if err := writer.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	store := NewStore(db)
	var projects atomic.Uint32
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	promqltest.RunBuiltinTestsWithStorage(t, engine, func(testing.TB) storage.Storage {
		p := project.ID(projects.Add(1))
		return &loaded{Queryable: store.Queryable(p), writer: writer, project: p, read: map[string]*seriesSet{}}
	})
}

// loaded is a project as the storage that the suites load into.
type loaded struct {
	storage.Queryable
	writer  *Writer
	project project.ID
	read    map[string]*seriesSet
}

func (l *loaded) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := l.Queryable.Querier(mint, maxt)
	return &remembering{q, l.read}, err
}

type remembering struct {
	storage.Querier
	read map[string]*seriesSet
}

func (r *remembering) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	key := fmt.Sprint(sorted, hints.Start, hints.End, hints.Func, matchers)
	set, ok := r.read[key]
	if !ok {
		answer := r.Querier.Select(ctx, sorted, hints, matchers...)
		if set, ok = answer.(*seriesSet); !ok {
			return answer
		}
		r.read[key] = set
	}
	return &seriesSet{series: set.series, at: -1}
}

// Close leaves what was read to those who ask again.
func (r *remembering) Close() error { return nil }

func (l *loaded) AppenderV2(ctx context.Context) storage.AppenderV2 {
	clear(l.read)
	return &appender{ctx: ctx, writer: l.writer, batch: l.writer.Begin(l.project, everything, time.Now())}
}

func (l *loaded) Appender(context.Context) storage.Appender { panic("the suites use AppenderV2") }

func (l *loaded) ChunkQuerier(int64, int64) (storage.ChunkQuerier, error) {
	return nil, errors.New("there are no chunks")
}

func (l *loaded) StartTime() (int64, error) { return 0, nil }

func (l *loaded) Close() error { return nil }

type appender struct {
	ctx    context.Context
	writer *Writer
	batch  *Batch
}

func (a *appender) Append(_ storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, _ storage.AppendV2Options) (storage.SeriesRef, error) {
	s, err := a.batch.Series(ls)
	switch {
	case err != nil:
	case h != nil:
		err = a.batch.Histogram(s, st, t, h)
	case fh != nil:
		err = a.batch.FloatHistogram(s, st, t, fh)
	default:
		err = a.batch.Sample(s, st, t, v)
	}
	return 0, err
}

func (a *appender) Commit() error {
	defer a.writer.Release(a.batch)
	return a.writer.Write(a.ctx, a.batch)
}

func (a *appender) Rollback() error {
	a.writer.Release(a.batch)
	return nil
}
