package scrape

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Entry says for whom a file is scraped.
//
// It names the project by a key, as a sender does, and not by its number: the
// project has to hand the key out, sees when it is used, and ends it by revoking
// it, and a configuration that is copied to another installation scrapes for
// nobody there instead of for the project that happens to have the number.
type Entry struct {
	Key  string // "" is what Authenticate makes of it
	File string // a prometheus.yml
}

// Project is whose metrics a key brings.
type Project struct {
	ID            project.ID
	RetentionDays int // that they are kept; 0 is 14
}

// Options say what is scraped.
type Options struct {
	DB      *metadb.DB     // holds the lease and the state
	Metrics *metric.Writer // takes the samples; closed after the Scraper has stopped
	// Authenticate resolves keys. It is called every few seconds. An error stops
	// scraping for the key until it is none.
	Authenticate func(ctx context.Context, key string) (Project, error)
	Entries      []Entry
	Node         string // this node's name, unlike that of any other
	Log          *slog.Logger
	Now          func() time.Time

	timing timing // usual
}

// Scraper scrapes for the projects of its entries, for each while no other node does.
type Scraper struct {
	opts Options
	host string
	jobs []*job

	cancel  context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	taken map[project.ID]*job // by which entry
}

// New reads the files: one that is wrong is fault.Invalid. Nothing is scraped
// before Start.
func New(opts Options) (*Scraper, error) {
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "scrape")
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.timing = cmp.Or(opts.timing, usual)
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this machine: %w", err)
	}
	s := &Scraper{opts: opts, host: host, taken: map[project.ID]*job{}, cancel: func() {}}
	for _, entry := range opts.Entries {
		f, err := load(entry.File)
		if err != nil {
			return nil, err
		}
		j := &job{Scraper: s, entry: entry, file: f, log: opts.Log.With("file", f.path)}
		j.announce()
		s.jobs = append(s.jobs, j)
	}
	return s, nil
}

// Start scrapes until Stop.
func (s *Scraper) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	for _, j := range s.jobs {
		s.running.Go(func() { j.work(ctx) })
	}
}

// Stop lets scrapes under way end, stores what they bring, and gives the leases
// back. When ctx ends first, it returns without them.
func (s *Scraper) Stop(ctx context.Context) error {
	s.cancel()
	stopped := make(chan struct{})
	go func() {
		s.running.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take makes an entry the one that scrapes for a project on this node.
func (s *Scraper) take(p project.ID, j *job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.taken[p]; other != nil && other != j {
		return fault.New(fault.Conflict, "%s is scraped for the same project: name this file in scrape_config_files of that one", other.file.path)
	}
	s.taken[p] = j
	return nil
}

// job is the work on one entry. It is for one goroutine.
type job struct {
	*Scraper
	entry Entry
	log   *slog.Logger

	file    *file  // in use
	problem string // with what the file says now
	refused string // why the key scrapes nothing, as it was logged
	lease   *lease
	held    time.Time // when the lease was last known to be ours
	run     *run      // nil while nothing is scraped here
}

func (j *job) work(ctx context.Context) {
	tick := time.NewTicker(j.opts.timing.beat)
	defer tick.Stop()
	for {
		j.step(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			j.end()
			return
		}
	}
}

// step does what is due: it takes over a file that changed, asks whose the key
// is, and holds or takes the lease.
func (j *job) step(ctx context.Context) {
	j.reload(ctx)
	ctx, cancel := context.WithTimeout(ctx, j.opts.timing.beat)
	defer cancel()
	p, err := j.opts.Authenticate(ctx, j.entry.Key)
	if err == nil {
		err = j.take(p.ID, j)
	}
	asked, held := j.opts.Now(), false
	switch {
	case err == nil:
		j.refused = ""
		p.RetentionDays = cmp.Or(p.RetentionDays, 14)
		if j.lease == nil || j.lease.project != p.ID {
			j.end()
			j.lease = &lease{db: j.opts.DB, project: p.ID, node: j.opts.Node, timing: j.opts.timing, now: j.opts.Now}
		}
		held, err = j.lease.hold(ctx, j.state())
	case !fault.Is(err, fault.Unavailable):
		j.refuse(ctx, err)
		return
	}
	switch {
	case err != nil:
		j.doubt(ctx, err)
	case !held:
		j.halt()
	default:
		j.held = asked
		j.scrape(ctx, p)
	}
}

// doubt stops scraping before another node may begin. A SQLite file is one
// node's: there, nobody else does.
func (j *job) doubt(ctx context.Context, err error) {
	j.log.WarnContext(ctx, "the lease on scraping cannot be renewed", "error", err)
	if j.opts.DB.Dialect() != metadb.SQLite && j.opts.Now().Sub(j.held) >= j.opts.timing.giveUp-j.opts.timing.beat {
		j.halt()
	}
}

// refuse stops scraping for a key that is not good, or not known to be. It is
// logged once: it is a project's business to revoke its key.
func (j *job) refuse(ctx context.Context, err error) {
	if text := messageOf(err); text != j.refused {
		j.refused = text
		j.log.ErrorContext(ctx, "nothing is scraped", "reason", text)
	}
	j.end()
}

// scrape begins, or goes on for the project as it is now.
func (j *job) scrape(ctx context.Context, p Project) {
	if j.run != nil {
		j.run.samples.project.Store(&p)
		return
	}
	run, err := begin(&samples{writer: j.opts.Metrics, now: j.opts.Now, log: j.log}, p, j.opts.timing.targets, j.log)
	if err == nil {
		if err = run.apply(j.file); err != nil {
			run.stop()
		}
	}
	if err != nil {
		j.trouble(ctx, "scraping does not begin", err)
		return
	}
	j.run, j.problem = run, ""
	j.log.InfoContext(ctx, "this node scrapes", "project", p.ID)
}

// trouble keeps what is wrong for people to see, and logs it once.
func (j *job) trouble(ctx context.Context, message string, err error) {
	if text := err.Error(); text != j.problem {
		j.problem = text
		j.log.ErrorContext(ctx, message, "error", err) //nolint:sloglint // one of two static ones
	}
}

// reload takes a file over that changed. What is wrong with it is said once,
// and what it said before stays in use.
func (j *job) reload(ctx context.Context) {
	if !j.file.changed() {
		if j.run != nil {
			j.problem = ""
		}
		return
	}
	f, err := load(j.entry.File)
	if err == nil && j.run != nil {
		if err = j.run.apply(f); err != nil { // it may have gone half the way
			err = errors.Join(err, j.run.apply(j.file))
		}
	}
	if err != nil {
		j.trouble(ctx, "the scrape file changed and is not taken over", err)
		return
	}
	j.file, j.problem = f, ""
	j.announce()
}

// announce says that a file is in use, and what of it is not.
func (j *job) announce() {
	j.log.Info("scrape file read", "jobs", len(j.file.config.ScrapeConfigs))
	if len(j.file.ignored) > 0 {
		j.log.Warn("parts of the scrape file are ignored: rules, alerts and forwarding are not a scraper's", "parts", j.file.ignored)
	}
}

func (j *job) state() State {
	s := noTargets()
	if j.run != nil {
		s = j.run.state()
	}
	s.Host, s.File, s.Problem = j.host, j.file.path, j.problem
	return s
}

// halt stops scraping here.
func (j *job) halt() {
	if j.run == nil {
		return
	}
	j.run.stop()
	j.run = nil
	j.log.Info("this node does not scrape any more")
}

// end stops scraping here, stores how it ended, and lets others scrape.
func (j *job) end() {
	if j.lease == nil {
		return
	}
	j.halt()
	ctx, cancel := context.WithTimeout(context.Background(), j.opts.timing.beat)
	defer cancel()
	if err := j.lease.release(ctx); err != nil {
		j.log.WarnContext(ctx, "the lease on scraping is not given back: it expires", "error", err)
	}
	j.mu.Lock()
	delete(j.taken, j.lease.project)
	j.mu.Unlock()
	j.lease = nil
}
