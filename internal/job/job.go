// Package job is durable work: everything that happens "later" in MATRIX is a
// row in the metadata database, written in the same transaction as what asked
// for it, and worked by River on one of the nodes.
//
// It owns the queue, the retry rules and what a crash leaves behind. It owns no
// kind of job: the nouns register theirs with Handle and Every. A job is run at
// least once, so handlers are idempotent.
package job

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const (
	defaultWorkers = 16
	defaultTimeout = 6 * time.Minute
	// defaultMaxAttempts with River's back-off (1 s, 16 s, 81 s, … attempt⁴)
	// gives up after about a day.
	defaultMaxAttempts = 12
	// sqlitePoll is how often a node looks for work: a message goes through three
	// jobs, one behind the other, and people wait for it.
	sqlitePoll = 200 * time.Millisecond
	// lostAfter is how long after its timeout a job of a node that never came
	// back is taken over by another.
	lostAfter = time.Minute
)

// Options configure a Queue. DB is required and must be migrated.
type Options struct {
	DB  *metadb.DB
	Log *slog.Logger
	// Node is this node's stable name, unique among the nodes that run at the
	// same time: after a crash, jobs that were running under this name start
	// again at once. Default: random, except on SQLite, which has one node.
	Node    string
	Workers int // jobs at a time on this node; default 16
	// Queues adds named queues with workers of their own: a job whose args
	// implement river.JobArgsWithInsertOpts chooses one, and can then neither
	// wait for the other jobs nor hold them up.
	Queues       map[string]int
	Timeout      time.Duration // the longest a job may run; default 6 minutes
	PollInterval time.Duration // how often to look for work nobody announced; default 1 s, on SQLite 200 ms
}

// Queue inserts and works jobs.
type Queue struct {
	opts     Options
	workers  *river.Workers
	periodic []*river.PeriodicJob
	insert   func(ctx context.Context, tx *metadb.Tx, args Args, opts *river.InsertOpts) error

	mu     sync.Mutex
	client client // nil until Start
	unlock func() error
	every  map[string]bool // kinds that Every inserts
	runs   map[string]bool // which of them, by kind and arguments, run on this node now
}

// client is what Start and Stop need of a river.Client of either driver.
type client interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
	ID() string
}

// New returns a queue that can insert jobs; it works none before Start.
func New(opts Options) (*Queue, error) {
	if opts.DB == nil {
		return nil, errors.New("job: Options.DB is required")
	}
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "job")
	opts.Workers = cmp.Or(opts.Workers, defaultWorkers)
	opts.Timeout = cmp.Or(opts.Timeout, defaultTimeout)
	if opts.DB.Dialect() == metadb.SQLite { // where nobody announces work
		opts.Node = cmp.Or(opts.Node, "sqlite")
		opts.PollInterval = cmp.Or(opts.PollInterval, sqlitePoll)
	}
	opts.PollInterval = cmp.Or(opts.PollInterval, time.Second)
	q := &Queue{opts: opts, workers: river.NewWorkers(), every: map[string]bool{}, runs: map[string]bool{}}

	config := &river.Config{SkipUnknownJobCheck: true, MaxAttempts: defaultMaxAttempts, Logger: quiet(opts.Log)}
	lite, pool := opts.DB.Pools()
	if pool != nil {
		c, err := river.NewClient(riverpgxv5.New(pool), config)
		if err != nil {
			return nil, fmt.Errorf("job: %w", err)
		}
		q.insert = func(ctx context.Context, tx *metadb.Tx, args Args, o *river.InsertOpts) error {
			_, raw := tx.Raw()
			_, err := c.InsertTx(ctx, raw, args, o)
			return err
		}
		return q, nil
	}
	c, err := river.NewClient(riversqlite.New(lite), config)
	if err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	q.insert = func(ctx context.Context, tx *metadb.Tx, args Args, o *river.InsertOpts) error {
		raw, _ := tx.Raw()
		_, err := c.InsertTx(ctx, raw, args, o)
		return err
	}
	return q, nil
}

// Args is what a job carries: its kind, and fields that go through JSON.
type Args = river.JobArgs

// Option changes how one job is inserted.
type Option func(*river.InsertOpts)

// At makes the job wait until t. It then starts within five seconds.
func At(t time.Time) Option { return func(o *river.InsertOpts) { o.ScheduledAt = t } }

// UniqueByArgs drops the insert when a job of the same kind and arguments has
// not finished yet.
func UniqueByArgs() Option {
	return func(o *river.InsertOpts) { o.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: unfinished} }
}

// MaxAttempts bounds how often the job is tried; the default is 12.
func MaxAttempts(n int) Option { return func(o *river.InsertOpts) { o.MaxAttempts = n } }

var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// Insert adds a job that exists exactly when tx commits.
func (q *Queue) Insert(ctx context.Context, tx *metadb.Tx, args Args, opts ...Option) error {
	insert := &river.InsertOpts{}
	for _, opt := range opts {
		opt(insert)
	}
	if err := q.insert(ctx, tx, args, insert); err != nil {
		return fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	return nil
}

// Handle registers what does the jobs of A's kind, before Start. A returned
// fault of kind Invalid, NotFound or Unsupported ends the job for good, as does
// Cancel; Snooze runs it again later; any other error is retried with back-off.
func Handle[A Args](q *Queue, fn func(ctx context.Context, args A) error) {
	river.AddWorker(q.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[A]) error {
		end, ok := q.begin(job.Kind, string(job.EncodedArgs))
		if !ok {
			return nil // the one before it is still running; the next period comes
		}
		defer end()
		return outcome(fn(ctx, job.Args))
	}))
}

// outcome maps an error's kind to what the queue does with the job.
func outcome(err error) error {
	if err == nil || errors.As(err, new(*rivertype.JobSnoozeError)) || errors.As(err, new(*rivertype.JobCancelError)) {
		return err
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Unsupported:
		return river.JobCancel(err) // trying again cannot help
	default:
		return err
	}
}

// Snooze is returned by a handler to be run again after d; it is no failed attempt.
func Snooze(d time.Duration) error { return river.JobSnooze(max(d, 0)) }

// Cancel is returned by a handler to end the job for good because of err.
func Cancel(err error) error { return river.JobCancel(err) }

// Every inserts the job that args returns once per period on one node of many,
// first at Start. Call it before Start. A failed run is not retried: the next
// period is the retry. A run that outlasts its period makes the node skip
// the next; on another node the two may overlap.
func (q *Queue) Every(period time.Duration, args func() Args) {
	q.every[args().Kind()] = true
	q.periodic = append(q.periodic, river.NewPeriodicJob(river.PeriodicInterval(period),
		func() (Args, *river.InsertOpts) {
			// Unique by period and not by "still running": a job that died with
			// its node must not keep the next one from being inserted.
			return args(), &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: period}}
		}, &river.PeriodicJobOpts{RunOnStart: true}))
}

// begin says whether a job may run now: a periodic one not beside itself.
func (q *Queue) begin(kind, args string) (end func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.every[kind] {
		return func() {}, true
	}
	if q.runs[kind+args] {
		return nil, false
	}
	q.runs[kind+args] = true
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.runs, kind+args)
	}, true
}

// Start begins to work jobs. They outlive ctx: end them with Stop.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.client != nil {
		return errors.New("job: the queue is already started")
	}
	queues := map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: q.opts.Workers}}
	for name, workers := range q.opts.Queues {
		queues[name] = river.QueueConfig{MaxWorkers: workers}
	}
	config := &river.Config{
		ID:                          q.opts.Node,
		ErrorHandler:                reporter{q.opts.Log},
		FetchPollInterval:           q.opts.PollInterval,
		FetchCooldown:               min(100*time.Millisecond, q.opts.PollInterval),
		JobTimeout:                  q.opts.Timeout,
		Logger:                      quiet(q.opts.Log),
		MaxAttempts:                 defaultMaxAttempts,
		PeriodicJobs:                q.periodic,
		Queues:                      queues,
		RescueStuckJobsAfter:        q.opts.Timeout + lostAfter,
		CompletedJobRetentionPeriod: time.Hour,
		Workers:                     q.workers,
	}
	lite, pool := q.opts.DB.Pools()
	var c client
	var err error
	if pool != nil {
		c, err = newClient[pgx.Tx](riverpgxv5.New(pool), config)
	} else {
		c, err = newClient[*sql.Tx](riversqlite.New(lite), config)
	}
	if err != nil {
		return fmt.Errorf("job: %w", err)
	}
	unlock, err := q.opts.DB.LockNode()
	if err != nil {
		return fmt.Errorf("job: %w", err)
	}
	if err := q.takeBack(ctx, c); err != nil {
		return errors.Join(fmt.Errorf("job: take back lost jobs: %w", err), unlock())
	}
	if err := c.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(fmt.Errorf("job: %w", err), unlock())
	}
	q.client, q.unlock = c, unlock
	return nil
}

func newClient[T any](driver riverdriver.Driver[T], config *river.Config) (client, error) {
	return river.NewClient(driver, config)
}

// takeBack makes the jobs that were running when this node died available
// again. Those without an attempt left are for River's own rescuer to discard.
func (q *Queue) takeBack(ctx context.Context, c client) error {
	// A dead leader of our name would otherwise keep periodic and scheduled
	// jobs waiting until its term ends.
	if _, err := q.opts.DB.Exec(ctx, `DELETE FROM river_leader WHERE leader_id = $1`, c.ID()); err != nil {
		return err
	}
	running, err := c.JobList(ctx, river.NewJobListParams().First(10_000).States(rivertype.JobStateRunning))
	if err != nil {
		return err
	}
	for _, lost := range running.Jobs {
		if len(lost.AttemptedBy) == 0 || lost.AttemptedBy[len(lost.AttemptedBy)-1] != c.ID() {
			continue
		}
		n, err := q.opts.DB.Exec(ctx, `UPDATE river_job SET state = 'available'
			WHERE id = $1 AND state = 'running' AND attempt < max_attempts`, lost.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			q.opts.Log.WarnContext(ctx, "job was lost in a crash and starts again", "kind", lost.Kind, "job_id", lost.ID)
		}
	}
	return nil
}

// Stop takes no new jobs and waits for the running ones. When ctx ends first
// they are cancelled, and run again after the next Start.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	c, unlock := q.client, q.unlock
	q.client, q.unlock = nil, nil
	q.mu.Unlock()
	if c == nil {
		return nil
	}
	err := c.Stop(ctx)
	if err != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, c.StopAndCancel(hard))
	}
	return errors.Join(err, unlock())
}
