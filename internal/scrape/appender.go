package scrape

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	promscrape "github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metric"
)

// storeWithin is how long a scrape waits for the engine: a restart of it costs
// no samples, and a target that waits is not asked again meanwhile.
const storeWithin = 30 * time.Second

// samples are where the scrapes of one project go. They implement
// storage.AppendableV2.
type samples struct {
	writer  *metric.Writer
	now     func() time.Time
	log     *slog.Logger
	project atomic.Pointer[Project]

	mu       sync.Mutex
	problems map[*promscrape.Target]string // with what targets sent last
}

// AppenderV2 implements storage.AppendableV2. ctx is that of a scrape loop.
func (s *samples) AppenderV2(ctx context.Context) storage.AppenderV2 {
	p := s.project.Load()
	target, _ := promscrape.TargetFromContext(ctx)
	return &appender{samples: s, ctx: ctx, target: target, batch: s.writer.Begin(p.ID, uint16(p.RetentionDays), s.now())}
}

// note remembers what is wrong with what a target sent, "" when nothing is.
func (s *samples) note(ctx context.Context, target *promscrape.Target, problem string) {
	s.mu.Lock()
	before := s.problems[target]
	if problem == "" {
		delete(s.problems, target)
	} else {
		s.problems[target] = problem
	}
	s.mu.Unlock()
	if problem != "" && before == "" { // not at every scrape
		s.log.WarnContext(ctx, "not all of a scrape is stored", "target", target, "reason", problem)
	}
}

// problem returns what is wrong with what a target sent last.
func (s *samples) problem(target *promscrape.Target) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problems[target]
}

// keep forgets the targets that are not in all.
func (s *samples) keep(all map[*promscrape.Target]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for target := range s.problems {
		if !all[target] {
			delete(s.problems, target)
		}
	}
}

// appender takes the samples of one scrape. A sample that is refused does not
// take its neighbours with it: it is noted, and the scrape goes on.
type appender struct {
	*samples
	ctx     context.Context
	target  *promscrape.Target
	batch   *metric.Batch
	refused metric.Refusals
	family  string // whose metadata were given last
}

// Append implements storage.AppenderV2.
func (a *appender) Append(known storage.SeriesRef, ls labels.Labels, started, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	ref, err := a.batch.Series(ls)
	if err == nil {
		switch {
		case h != nil:
			err = a.batch.Histogram(ref, started, at, h)
		case fh != nil:
			err = a.batch.FloatHistogram(ref, started, at, fh)
		case value.IsStaleNaN(v):
			var ended bool
			if ended, err = a.batch.End(ref, at); err == nil && !ended {
				return 0, storage.ErrOutOfOrderSample
			}
		default:
			err = a.batch.Sample(ref, started, at, v)
		}
	}
	if err != nil {
		a.refused.Add(1, err)
		return 0, nil
	}
	a.describe(opts)
	if known == 0 { // it tells series of a target from each other, and 0 is none
		known = storage.SeriesRef(ls.Hash() | 1)
	}
	return known, nil
}

// describe takes what the target says about a metric. The names of the series
// about the scrape itself end in a byte that no name has.
func (a *appender) describe(opts storage.AOptions) {
	family := strings.TrimSuffix(opts.MetricFamilyName, "\xff")
	if family == "" || family == a.family {
		return
	}
	a.family = strings.Clone(family) // it lives for this call only
	kind := cmp.Or(opts.Metadata.Type, model.MetricTypeUnknown)
	if m := opts.Metadata; kind != model.MetricTypeUnknown || m.Unit != "" || m.Help != "" {
		a.batch.Metadata(metric.Metadata{Metric: a.family, Type: string(kind), Unit: m.Unit, Help: m.Help})
	}
}

// Commit implements storage.AppenderV2.
func (a *appender) Commit() error {
	problem := ""
	if a.refused.Count > 0 {
		problem = fmt.Sprintf("%d samples were refused, the others are stored: %s", a.refused.Count, strings.Join(a.refused.Reasons, "; "))
	}
	err := a.store()
	if err != nil {
		problem = "the last scrape is not stored: " + messageOf(err)
	}
	if a.target != nil {
		a.note(a.ctx, a.target, problem)
	}
	return err
}

// store waits for an engine that is down or behind.
func (a *appender) store() error {
	ctx, cancel := context.WithTimeout(a.ctx, storeWithin)
	defer cancel()
	for {
		err := a.writer.Write(ctx, a.batch)
		if err == nil {
			a.writer.Release(a.batch)
		}
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
		again := time.NewTimer(time.Second)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return err
		}
	}
}

// Rollback implements storage.AppenderV2.
func (a *appender) Rollback() error {
	a.writer.Release(a.batch)
	return nil
}

// messageOf is what people are told of an error.
func messageOf(err error) string {
	if f := fault.As(err); f != nil && f.Kind != fault.Invalid {
		return f.Message
	}
	return err.Error()
}
