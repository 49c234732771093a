package metric

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Writer stores batches. It is safe for concurrent use.
type Writer struct {
	catalog *Catalog
	batches sync.Pool

	samples    *clickhouse.Batcher[*Samples]
	histograms *clickhouse.Batcher[*Histograms]
	series     *clickhouse.Batcher[*Series]
	families   *clickhouse.Batcher[*Families]
}

// NewWriter returns a Writer into db, whose group commit of samples opts tune.
// Close ends it.
func NewWriter(db *clickhouse.DB, limits Limits, opts clickhouse.BatchOptions) *Writer {
	w := &Writer{catalog: NewCatalog(limits)}
	w.batches.New = func() any { return &Batch{catalog: w.catalog} }
	w.samples = clickhouse.NewBatcher(db, NewSamples, opts)
	w.histograms = clickhouse.NewBatcher(db, NewHistograms, opts)
	side := clickhouse.BatchOptions{MaxRows: 50_000, MaxDelay: opts.MaxDelay, Writers: 1}
	w.series = clickhouse.NewBatcher(db, NewSeries, side)
	w.families = clickhouse.NewBatcher(db, NewFamilies, side)
	return w
}

// Begin returns an empty batch for a request of a project, whose samples are
// kept for retentionDays. Release gives it back.
func (w *Writer) Begin(p project.ID, retentionDays uint16, now time.Time) *Batch {
	b := w.batches.Get().(*Batch)
	b.begin(p, retentionDays, now)
	return b
}

// Release takes a batch back that nobody uses any more.
func (w *Writer) Release(b *Batch) {
	const maxPooled = 100_000 // samples; a giant must not hold its memory for ever
	if b.Samples() <= maxPooled {
		w.batches.Put(b)
	}
}

// Write stores a batch and returns when all of it is in the engine: samples,
// and the series and metadata they came with. fault.Unavailable asks to repeat.
func (w *Writer) Write(ctx context.Context, b *Batch) error {
	group, ctx := errgroup.WithContext(ctx)
	write := func(rows int, what string, write func() error) {
		if rows > 0 {
			group.Go(func() error {
				if err := write(); err != nil {
					return fmt.Errorf("store %s: %w", what, err)
				}
				return nil
			})
		}
	}
	write(len(b.values), "samples", func() error {
		return w.samples.Append(ctx, func(c *Samples) error { c.Append(b); return nil })
	})
	write(len(b.encodedEnds), "histograms", func() error {
		return w.histograms.Append(ctx, func(c *Histograms) error { c.Append(b); return nil })
	})
	write(len(b.newSeries), "series", func() error {
		return w.series.Append(ctx, func(c *Series) error { c.Append(b); return nil })
	})
	write(len(b.newMetadata), "metadata", func() error {
		return w.families.Append(ctx, func(c *Families) error { c.Append(b); return nil })
	})
	if err := group.Wait(); err != nil {
		return err
	}
	w.catalog.stored(b)
	return nil
}

// Pending returns the number of samples not yet stored.
func (w *Writer) Pending() int { return w.samples.Pending() + w.histograms.Pending() }

// Close stores what is open, answers its callers and returns. Batches that come
// after are refused.
func (w *Writer) Close(ctx context.Context) error {
	var closing sync.WaitGroup
	errs := make([]error, 4)
	for i, c := range []interface{ Close(context.Context) error }{w.samples, w.histograms, w.series, w.families} {
		closing.Go(func() { errs[i] = c.Close(ctx) })
	}
	closing.Wait()
	return errors.Join(errs...)
}
