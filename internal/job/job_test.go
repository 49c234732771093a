package job_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/goleak"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type greet struct {
	Name string `json:"name"`
}

func (greet) Kind() string { return "greet" }

type tick struct{}

func (tick) Kind() string { return "tick" }

// patience is how long a test waits for a real queue to come round.
const patience = 20 * time.Second

func newQueue(t *testing.T, db *metadb.DB) *job.Queue {
	t.Helper()
	q, err := job.New(job.Options{DB: db, Node: "test", PollInterval: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func start(t *testing.T, q *job.Queue) {
	t.Helper()
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, q) })
}

func stop(t *testing.T, q *job.Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func insert(t *testing.T, q *job.Queue, db *metadb.DB, args river.JobArgs, opts ...job.Option) {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error { return q.Insert(ctx, tx, args, opts...) })
	if err != nil {
		t.Fatal(err)
	}
}

// names handles greet jobs into a channel.
func names(q *job.Queue) chan string {
	got := make(chan string, 100)
	job.Handle(q, func(_ context.Context, args greet) error { got <- args.Name; return nil })
	return got
}

func expect(t *testing.T, got <-chan string, want string) {
	t.Helper()
	select {
	case name := <-got:
		if name != want {
			t.Fatalf("ran %q, want %q", name, want)
		}
	case <-time.After(patience):
		t.Fatalf("%q did not run", want)
	}
}

func TestAJobOfARolledBackTransactionDoesNotRun(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := newQueue(t, db)
		got := names(q)
		start(t, q)
		boom := errors.New("boom")
		err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
			return errors.Join(q.Insert(ctx, tx, greet{"nobody"}), boom)
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		insert(t, q, db, greet{"somebody"})
		expect(t, got, "somebody")
	})
}

func TestAScheduledJobSurvivesARestartAndRunsNotBeforeItsTime(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		first := newQueue(t, db)
		early := names(first)
		due := time.Now().Add(700 * time.Millisecond)
		insert(t, first, db, greet{"later"}, job.At(due))
		start(t, first)
		stop(t, first)
		if len(early) != 0 {
			t.Fatal("it ran before its time")
		}
		second := newQueue(t, db)
		got := names(second)
		start(t, second)
		expect(t, got, "later")
		if early := time.Until(due); early > 0 {
			t.Fatalf("it ran %v too early", early)
		}
	})
}

func TestAFailedJobIsTriedAgainAfterAPause(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := newQueue(t, db)
		runs := make(chan time.Time, 10)
		var tries atomic.Int32
		job.Handle(q, func(context.Context, greet) error {
			runs <- time.Now()
			if tries.Add(1) == 1 {
				return fault.New(fault.Unavailable, "not yet")
			}
			return nil
		})
		start(t, q)
		insert(t, q, db, greet{"again"})
		first, second := <-runs, <-runs
		if pause := second.Sub(first); pause < 500*time.Millisecond {
			t.Fatalf("tried again after %v: no back-off", pause)
		}
	})
}

func TestAJobThatCanNeverWorkIsNotTriedAgain(t *testing.T) {
	f := func(cause error) func(t *testing.T, db *metadb.DB) {
		return func(t *testing.T, db *metadb.DB) {
			q := newQueue(t, db)
			ran := make(chan string, 10)
			job.Handle(q, func(_ context.Context, args greet) error { ran <- args.Name; return cause })
			start(t, q)
			insert(t, q, db, greet{"x"})
			expect(t, ran, "x")
			stop(t, q) // waits until the outcome is stored
			var state string
			if err := db.QueryRow(t.Context(), `SELECT state FROM river_job WHERE kind = 'greet'`).Scan(&state); err != nil || state != "cancelled" {
				t.Fatalf("state %q, %v", state, err)
			}
		}
	}
	for name, cause := range map[string]error{
		"invalid":     fault.New(fault.Invalid, "x"),
		"not found":   fault.New(fault.NotFound, "x"),
		"unsupported": fault.New(fault.Unsupported, "x"),
		"cancel":      job.Cancel(errors.New("x")),
	} {
		t.Run(name, func(t *testing.T) { metadbtest.Each(t, f(cause)) })
	}
}

func TestASnoozedJobComesBackWithoutLosingAnAttempt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := newQueue(t, db)
		got := make(chan string, 10)
		var runs atomic.Int32
		job.Handle(q, func(_ context.Context, args greet) error {
			if runs.Add(1) < 3 {
				return job.Snooze(10 * time.Millisecond)
			}
			got <- args.Name
			return nil
		})
		start(t, q)
		insert(t, q, db, greet{"third"}, job.MaxAttempts(1))
		expect(t, got, "third")
	})
}

func TestAUniqueJobIsInsertedOnceUntilItIsDone(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := newQueue(t, db)
		got := names(q)
		for range 3 {
			insert(t, q, db, greet{"once"}, job.UniqueByArgs())
		}
		insert(t, q, db, greet{"other"}, job.UniqueByArgs())
		start(t, q)
		seen := map[string]int{<-got: 1}
		seen[<-got]++
		stop(t, q)
		if len(got) != 0 || seen["once"] != 1 || seen["other"] != 1 {
			t.Fatalf("ran %v and %d more", seen, len(got))
		}
		insert(t, q, db, greet{"once"}, job.UniqueByArgs())
		again := newQueue(t, db)
		got = names(again)
		start(t, again)
		expect(t, got, "once")
	})
}

func TestAPeriodicJobRunsOnOneNodeOfTwo(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ran := make(chan string, 100)
		for _, node := range []string{"a", "b"} {
			q, err := job.New(job.Options{DB: db, Node: node, PollInterval: 20 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			job.Handle(q, func(context.Context, tick) error { ran <- "tick"; return nil })
			q.Every(time.Hour, func() river.JobArgs { return tick{} })
			if db.Dialect() == metadb.Postgres || node == "a" {
				start(t, q)
			} else if err := q.Start(t.Context()); !fault.Is(err, fault.Conflict) {
				t.Fatalf("a second node on one SQLite file: %v", err)
			}
		}
		expect(t, ran, "tick")
		var n int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'tick'`).Scan(&n); err != nil || n != 1 {
			t.Fatalf("%d jobs, %v", n, err)
		}
	})
}

func TestTheLogHoldsEachFailureOnceAndNoInterruptions(t *testing.T) {
	var out bytes.Buffer
	db := metadbtest.SQLite(t)
	q, err := job.New(job.Options{DB: db, Log: slog.New(slog.NewTextHandler(&out, nil)), PollInterval: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan string, 1)
	job.Handle(q, func(_ context.Context, args greet) error {
		ran <- args.Name
		return fault.New(fault.Unavailable, "the line is dead")
	})
	start(t, q)
	insert(t, q, db, greet{"x"}, job.MaxAttempts(1))
	expect(t, ran, "x")
	stop(t, q)
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=ERROR msg="job did not finish"`) ||
		!strings.Contains(got, "kind=greet") || !strings.Contains(got, "the line is dead") {
		t.Errorf("logged:\n%s", got)
	}
}

func TestStopWaitsForTheRunningJob(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q := newQueue(t, db)
		begun, release := make(chan string), make(chan struct{})
		var done atomic.Bool
		job.Handle(q, func(_ context.Context, args greet) error {
			begun <- args.Name
			<-release
			done.Store(true)
			return nil
		})
		start(t, q)
		insert(t, q, db, greet{"slow"})
		expect(t, begun, "slow")
		time.AfterFunc(50*time.Millisecond, func() { close(release) })
		stop(t, q)
		if !done.Load() {
			t.Fatal("Stop returned before the job did")
		}
	})
}

func TestAJobThatWasRunningWhenItsNodeDiedStartsAgainAtOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		dead := newQueue(t, db)
		got := names(dead)
		start(t, dead)
		insert(t, dead, db, greet{"lost"})
		expect(t, got, "lost")
		stop(t, dead)
		// What kill -9 leaves behind: the row as it was while the job ran.
		if _, err := db.Exec(t.Context(), `UPDATE river_job SET state = 'running', finalized_at = NULL`); err != nil {
			t.Fatal(err)
		}
		term := time.Now().Add(time.Hour).UTC()
		if _, err := db.Exec(t.Context(), `INSERT INTO river_leader (elected_at, expires_at, leader_id, name) VALUES ($1, $2, 'test', 'default')`,
			term.Format("2006-01-02 15:04:05"), term.Format("2006-01-02 15:04:05")); err != nil {
			t.Fatal(err)
		}
		alive := newQueue(t, db)
		got = names(alive)
		ticks := make(chan string, 1)
		job.Handle(alive, func(context.Context, tick) error { ticks <- "tick"; return nil })
		alive.Every(time.Hour, func() job.Args { return tick{} })
		start(t, alive)
		expect(t, got, "lost")
		expect(t, ticks, "tick") // it leads although its dead self was elected for an hour
	})
}

// send is a job of a queue of its own.
type send struct {
	To string `json:"to"`
}

func (send) Kind() string { return "send" }

func (send) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: "notify"} }

func TestHungJobsOfOneQueueDoNotHoldUpAnother(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		q, err := job.New(job.Options{DB: db, Workers: 1, Queues: map[string]int{"notify": 1}, PollInterval: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		hung, release := make(chan string), make(chan struct{})
		job.Handle(q, func(_ context.Context, args send) error {
			hung <- args.To
			<-release
			return nil
		})
		got := names(q)
		start(t, q)
		defer close(release)
		insert(t, q, db, send{"slow channel"})
		expect(t, hung, "slow channel")
		insert(t, q, db, greet{"meanwhile"})
		expect(t, got, "meanwhile")
	})
}
