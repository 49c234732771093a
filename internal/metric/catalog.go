package metric

import (
	"cmp"
	"strings"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Limits bound how many series a project may have on this node. Zero values
// take the defaults.
type Limits struct {
	MaxActive    int // series with a sample within the last hour; 200,000
	MaxNewPerDay int // series not seen before, by UTC day; 1,000,000
}

// ActiveWindow is how long after its last sample a series counts as active.
const ActiveWindow = time.Hour

// sweepEvery is how often, at the limit, series that are no longer active are
// looked for.
const sweepEvery = time.Minute

// Catalog knows the series of every project that were active lately, and which
// of them have a row of the day of their samples. It only forgets: losing it costs a few duplicate
// rows, which the tables collapse. Safe for concurrent use; its memory is
// bounded by the limits, about 100 bytes a series.
type Catalog struct {
	limits Limits

	mu       sync.Mutex
	projects map[project.ID]*known
}

// known is what the catalog knows of a project.
type known struct {
	series   map[seriesKey]*entry
	metrics  map[string]*metricCount
	metadata map[Metadata]int64 // by stamp of the newest row
	swept    time.Time
	day      int64 // that created is of
	created  int
	most     string // what over says, found by sweep
}

type seriesKey struct {
	id        uint64
	histogram bool
}

// entry is a series and kind of sample. Guarded by the catalog's lock.
type entry struct {
	metric *metricCount
	stored [2]int64 // the stamps of the rows written last, 0 none: today's, and one that samples of the past need
	seen   int64    // unix s
	taken  int64    // unix ms of the batch that stored a sample last
}

type metricCount struct {
	name   string
	series int
}

// maxMetadata bounds what is remembered of a project's metadata.
const maxMetadata = 20_000

// NewCatalog returns a catalog that knows nothing.
func NewCatalog(limits Limits) *Catalog {
	limits.MaxActive = cmp.Or(limits.MaxActive, 200_000)
	limits.MaxNewPerDay = cmp.Or(limits.MaxNewPerDay, 1_000_000)
	return &Catalog{limits: limits, projects: map[project.ID]*known{}}
}

// of returns what is known of a project. The lock is held.
func (c *Catalog) of(p project.ID) *known {
	k := c.projects[p]
	if k == nil {
		k = &known{series: map[seriesKey]*entry{}, metrics: map[string]*metricCount{}, metadata: map[Metadata]int64{}}
		c.projects[p] = k
	}
	return k
}

// stamp is the day and the retention that a row is written under: another day
// or another retention is another row, which expires at its own time.
func stamp(day int64, retentionDays uint16) int64 { return day<<16 | int64(retentionDays) }

// admit notes a sample of a series. It returns the series' entry, and whether
// its row under that stamp is still to be stored. A series that is over a limit is
// refused with fault.Invalid, which names the limit.
func (c *Catalog) admit(p project.ID, key seriesKey, metric string, stamp int64, now time.Time) (e *entry, missing bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.of(p)
	e = k.series[key]
	if e == nil {
		if err := c.room(k, now); err != nil {
			return nil, false, err
		}
		m := k.metrics[metric]
		if m == nil {
			m = &metricCount{name: strings.Clone(metric)}
			k.metrics[m.name] = m
		}
		m.series++
		e = &entry{metric: m}
		k.series[key] = e
		k.created++
	}
	e.seen = now.Unix()
	return e, e.stored[0] != stamp && e.stored[1] != stamp, nil
}

// last returns when the last batch came that stored a sample of a series, in
// ms, and whether that was a histogram. 0 is a series that is not known.
func (c *Catalog) last(p project.ID, id uint64) (at int64, histogram bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.of(p)
	for _, kind := range []bool{false, true} {
		if e := k.series[seriesKey{id, kind}]; e != nil && e.taken > at {
			at, histogram = e.taken, kind
		}
	}
	return at, histogram
}

// room refuses a new series when there is none for it.
func (c *Catalog) room(k *known, now time.Time) error {
	if len(k.series) >= c.limits.MaxActive && now.Sub(k.swept) >= sweepEvery {
		k.sweep(now)
	}
	if len(k.series) >= c.limits.MaxActive {
		return fault.New(fault.Invalid, "the project is at its limit of %d active series (ingest.max_active_series): new ones are refused; most belong to the metric %s. "+
			"Drop labels with many values, or metrics nobody looks at", c.limits.MaxActive, k.most)
	}
	if day := now.UnixMilli() / dayMs; day != k.day {
		k.day, k.created = day, 0
	}
	if k.created >= c.limits.MaxNewPerDay {
		if k.most == "" || now.Sub(k.swept) >= sweepEvery {
			k.sweep(now)
		}
		return fault.New(fault.Invalid, "the project is at its limit of %d new series a day (ingest.max_new_series_per_day): new ones are refused; most active ones belong to the metric %s. "+
			"Drop labels whose values keep changing", c.limits.MaxNewPerDay, k.most)
	}
	return nil
}

// sweep forgets the series that are no longer active, and finds the metric with
// the most of the others.
func (k *known) sweep(now time.Time) {
	k.swept = now
	oldest := now.Add(-ActiveWindow).Unix()
	for key, e := range k.series {
		if e.seen >= oldest {
			continue
		}
		delete(k.series, key)
		if e.metric.series--; e.metric.series == 0 {
			delete(k.metrics, e.metric.name)
		}
	}
	most := &metricCount{}
	for _, m := range k.metrics {
		if m.series > most.series || m.series == most.series && m.name < most.name {
			most = m
		}
	}
	k.most = most.name
}

// says reports whether a row of m is still to be stored.
func (c *Catalog) says(p project.ID, m Metadata, stamp int64) (missing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of(p).metadata[m] != stamp
}

// stored remembers that the rows a batch brought are in the engine.
func (c *Catalog) stored(b *Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := b.now.UnixMilli()
	for i := range b.series {
		for _, e := range b.series[i].entries {
			if e != nil {
				e.taken = max(e.taken, at)
			}
		}
	}
	for _, s := range b.newSeries {
		if e, at := s.entry, stamp(s.day, b.retention); e.stored[0] != at && e.stored[1] != at {
			e.stored = [2]int64{at, e.stored[0]}
		}
	}
	k := c.of(b.project)
	if len(k.metadata)+len(b.newMetadata) > maxMetadata {
		clear(k.metadata)
	}
	for _, m := range b.newMetadata {
		k.metadata[m.owned()] = stamp(b.today, b.retention)
	}
}
