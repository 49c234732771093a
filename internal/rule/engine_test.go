package rule_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// house is an engine with rules over both databases, and a clock.
type house struct {
	t      *testing.T
	db     *metadb.DB
	spans  *clickhouse.DB
	rules  *rule.Store
	engine *rule.Engine

	mu       sync.Mutex
	now      time.Time
	fired    []string // "rule service/phase met count (instances) new n"
	last     rule.Firing
	failures []string // "rule: why"
	fail     string   // name of a rule for which OnFire fails
}

// inHouse runs fn on each metadata database, at noon.
func inHouse(t *testing.T, fn func(h *house)) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		spans, _ := tracetest.Open(t)
		h := &house{t: t, db: db, spans: spans, now: noon}
		h.rules = rule.NewStore(db, h.clock)
		h.restart()
		fn(h)
	})
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// restart is a new process on the same stores.
func (h *house) restart() { h.engine = h.node() }

func (h *house) node() *rule.Engine {
	h.t.Helper()
	e, err := rule.NewEngine(rule.EngineOptions{DB: h.db, Sources: rule.Sources{Traces: trace.NewStore(h.spans)},
		OnFire: h.onFire, OnFailure: h.onFailure, Now: h.clock})
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// onFire writes a row like an incident would, so that a rolled back call leaves nothing.
func (h *house) onFire(ctx context.Context, tx *metadb.Tx, f rule.Firing) error {
	h.mu.Lock()
	fails := h.fail == f.Rule.Name
	h.mu.Unlock()
	var instances []string
	for _, i := range f.Instances {
		instances = append(instances, fmt.Sprintf("%s:%d", i.Name, i.Count))
	}
	text := fmt.Sprintf("%s %s/%s met=%v count=%d (%s) new=%d", f.Rule.Name, f.Service, f.Phase, f.Met, f.Count, strings.Join(instances, " "), f.New)
	id, err := metadb.NextID(ctx, tx, "fired")
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO fired (id, text) VALUES ($1, $2)`, id, text); err != nil {
		return err
	}
	if fails {
		return errors.New("the incident cannot be written")
	}
	h.mu.Lock()
	h.last = f
	h.mu.Unlock()
	return nil
}

// onFailure keeps why rules failed, like onFire.
func (h *house) onFailure(_ context.Context, _ *metadb.Tx, r rule.Rule, why string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures = append(h.failures, r.Name+": "+why)
	return nil
}

func (h *house) prepare() {
	h.t.Helper()
	if _, err := h.db.Exec(h.t.Context(), `CREATE TABLE IF NOT EXISTS fired (id BIGINT PRIMARY KEY, text TEXT NOT NULL)`); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) rule(p project.ID, name string, edit func(*rule.Rule)) rule.Rule {
	h.t.Helper()
	h.prepare()
	r := slow(name)
	if edit != nil {
		edit(&r)
	}
	r, err := h.rules.Create(h.t.Context(), p, "kim", r)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// call is a slow call that ended at a time and arrived at another.
type call struct {
	project  project.ID
	n        uint64
	service  string
	phase    string
	instance string
	ended    time.Time
	arrived  time.Time
	length   time.Duration
}

// arrive stores calls of 9 s of api/PRODUCTION on pod-1, ended and arrived now, unless edited.
func (h *house) arrive(n uint64, edit func(*call)) {
	h.t.Helper()
	c := call{project: 1, n: n, service: "api", phase: "PRODUCTION", instance: "pod-1", ended: h.clock(), length: 9 * time.Second}
	c.arrived = c.ended
	if edit != nil {
		edit(&c)
	}
	err := h.spans.Exec(h.t.Context(), fmt.Sprintf(`INSERT INTO sql_slow
		(project_id, retention_days, arrived, service, environment, instance, trace_id, span_id, start, duration, db_hash) VALUES
		(%d, 20000, fromUnixTimestamp64Milli(%d, 'UTC'), '%s', '%s', '%s', toFixedString(unhex('%s'), 16), %d, fromUnixTimestamp64Nano(%d, 'UTC'), %d, 5)`,
		c.project, c.arrived.UnixMilli(), c.service, c.phase, c.instance, tracetest.ID(c.n), c.n, c.ended.Add(-c.length).UnixNano(), c.length.Nanoseconds()))
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) evaluate() {
	h.t.Helper()
	if err := h.engine.Evaluate(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// expect compares what fired since the last expect.
func (h *house) expect(want ...string) {
	h.t.Helper()
	rows, err := h.db.Query(h.t.Context(), `SELECT text FROM fired ORDER BY id`)
	all, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (s string, err error) { return s, rows.Scan(&s) })
	if err != nil {
		h.t.Fatal(err)
	}
	got := append([]string{}, all[len(h.fired):]...)
	h.fired = all
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		h.t.Errorf("fired (-want +got)\n%s", diff)
	}
}

func TestOneSlowCallFiresOnce(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "slow", nil)
		h.advance(time.Second)
		h.arrive(1, nil)
		h.arrive(2, func(c *call) { c.length = 7 * time.Second })
		h.evaluate()
		h.expect("slow api/PRODUCTION met=true count=1 (pod-1:1) new=1")
		if f := h.last; !f.To.Equal(h.clock()) || f.To.Sub(f.From) != 10*time.Minute || f.Window[0].DurationNs != 9e9 || f.Matches[0].TraceID != tracetest.ID(1) {
			t.Errorf("%+v", f)
		}
		for range 3 {
			h.advance(10 * time.Second)
			h.evaluate()
		}
		h.expect()
	})
}

func TestEachOfKTimesInWMinutesCounts(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "three", func(r *rule.Rule) { r.Count = 3 })
		h.advance(time.Second)
		h.arrive(1, nil)
		h.evaluate()
		h.advance(4 * time.Minute)
		h.arrive(2, func(c *call) { c.instance = "pod-2" })
		h.evaluate()
		h.advance(4 * time.Minute)
		h.arrive(3, func(c *call) { c.instance = "pod-2" })
		h.evaluate()
		h.expect("three api/PRODUCTION met=false count=1 (pod-1:1) new=1", "three api/PRODUCTION met=false count=2 (pod-1:1 pod-2:1) new=1",
			"three api/PRODUCTION met=true count=3 (pod-2:2 pod-1:1) new=1")
		if len(h.last.Window) != 3 || len(h.last.Matches) != 1 {
			t.Errorf("%+v", h.last)
		}
		h.advance(7 * time.Minute) // the first two have left the window
		h.arrive(4, nil)
		h.evaluate()
		h.expect("three api/PRODUCTION met=false count=2 (pod-1:1 pod-2:1) new=1")
	})
}

func TestALateSpanCountsInTheWindowInWhichItHappened(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "two", func(r *rule.Rule) { r.Count = 2 })
		h.advance(time.Second)
		happened := h.clock()
		h.arrive(1, nil)
		h.evaluate()
		h.advance(30 * time.Minute)
		h.arrive(2, func(c *call) { c.ended = happened.Add(-5 * time.Minute) })
		h.evaluate()
		h.expect("two api/PRODUCTION met=false count=1 (pod-1:1) new=1", "two api/PRODUCTION met=true count=2 (pod-1:2) new=1")
		if !h.last.To.Equal(happened) {
			t.Errorf("the window ends at %v", h.last.To)
		}
	})
}

func TestWhatBecomesReadableBehindTheWatermarkIsNotMissed(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "slow", nil)
		h.advance(3 * time.Minute)
		h.arrive(1, nil)
		h.evaluate()
		h.advance(10 * time.Second)
		h.arrive(2, func(c *call) { c.arrived = h.clock().Add(-100 * time.Second) })
		h.evaluate()
		h.restart() // and nothing in memory is needed to count it once
		h.advance(10 * time.Second)
		h.evaluate()
		h.expect("slow api/PRODUCTION met=true count=1 (pod-1:1) new=1", "slow api/PRODUCTION met=true count=2 (pod-1:2) new=1")
	})
}

func TestACallDeliveredTwiceCountsOnce(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "two", func(r *rule.Rule) { r.Count = 2 })
		h.advance(time.Second)
		h.arrive(1, nil)
		h.arrive(1, nil)
		h.evaluate()
		h.advance(time.Minute)
		h.arrive(1, nil)
		h.restart()
		h.evaluate()
		h.expect("two api/PRODUCTION met=false count=1 (pod-1:1) new=1")
	})
}

func TestARestartLosesAndRepeatsNothing(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "slow", nil)
		h.advance(time.Second)
		h.arrive(1, nil)
		h.evaluate()
		h.advance(time.Hour) // nobody evaluates
		h.arrive(2, func(c *call) { c.arrived = h.clock().Add(-40 * time.Minute); c.ended = c.arrived })
		h.restart()
		h.evaluate()
		h.expect("slow api/PRODUCTION met=true count=1 (pod-1:1) new=1", "slow api/PRODUCTION met=true count=1 (pod-1:1) new=1")
	})
}

func TestApplicationsPhasesProjectsAndRulesAreCountedApart(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "any", nil)
		h.rule(1, "only shop", func(r *rule.Rule) { r.Service = "shop"; r.Params = rule.Params{"threshold_ms": 1000.0} })
		h.rule(1, "only staging", func(r *rule.Rule) { r.Environment = "STAGING" })
		h.rule(2, "other project", nil)
		h.rule(1, "off", func(r *rule.Rule) { r.Enabled = false })
		h.advance(time.Second)
		h.arrive(1, nil)
		h.arrive(2, func(c *call) { c.phase = "STAGING" })
		h.arrive(3, func(c *call) { c.service = "shop"; c.length = 2 * time.Second })
		h.arrive(4, func(c *call) { c.project = 2; c.phase = "" })
		h.arrive(5, func(c *call) { c.project = 3 })
		h.evaluate()
		h.expect(
			"any api/PRODUCTION met=true count=1 (pod-1:1) new=1", "any api/STAGING met=true count=1 (pod-1:1) new=1",
			"only shop shop/PRODUCTION met=true count=1 (pod-1:1) new=1", "only staging api/STAGING met=true count=1 (pod-1:1) new=1",
			"other project api/ met=true count=1 (pod-1:1) new=1",
		)
	})
}

func TestTwoNodesAtOnceCountACallOnce(t *testing.T) {
	inHouse(t, func(h *house) {
		for i := range 4 {
			h.rule(1, fmt.Sprint("rule ", i), nil)
		}
		h.advance(time.Second)
		for n := range uint64(20) {
			h.arrive(n+1, nil)
		}
		var nodes sync.WaitGroup
		for _, node := range []*rule.Engine{h.node(), h.node()} {
			nodes.Go(func() {
				if err := node.Evaluate(h.t.Context()); err != nil {
					h.t.Error(err)
				}
			})
		}
		nodes.Wait()
		h.evaluate()
		rows, err := h.db.Query(h.t.Context(), `SELECT text FROM fired`)
		fired, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (s string, err error) { return s, rows.Scan(&s) })
		if err != nil || len(fired) != 4 {
			t.Fatalf("%d firings of 4 rules, %v: %q", len(fired), err, fired)
		}
		for _, f := range fired {
			if !strings.Contains(f, "count=20 ") || !strings.HasSuffix(f, "new=20") {
				t.Error(f)
			}
		}
	})
}

func TestAnErrorInOneRuleStopsNoOtherAndLosesNothing(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "bad", nil)
		h.rule(1, "good", nil)
		h.advance(time.Second)
		h.fail = "bad"
		h.arrive(1, nil)
		if err := h.engine.Evaluate(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be written") {
			t.Errorf("the error is told: %v", err)
		}
		h.expect("good api/PRODUCTION met=true count=1 (pod-1:1) new=1")
		h.advance(5 * time.Minute)
		h.fail = ""
		h.evaluate()
		h.expect("bad api/PRODUCTION met=true count=1 (pod-1:1) new=1")
	})
}

func TestAnEditedRuleStartsAnew(t *testing.T) {
	inHouse(t, func(h *house) {
		r := h.rule(1, "two", func(r *rule.Rule) { r.Count = 2 })
		h.advance(time.Second)
		h.arrive(1, nil)
		h.evaluate()
		h.expect("two api/PRODUCTION met=false count=1 (pod-1:1) new=1")
		h.advance(time.Minute)
		r.Params = rule.Params{"threshold_ms": 5000.0}
		r, err := h.rules.Update(t.Context(), 1, "kim", r)
		if err != nil {
			t.Fatal(err)
		}
		h.advance(10 * time.Second)
		h.arrive(2, nil)
		h.evaluate()
		h.expect("two api/PRODUCTION met=false count=1 (pod-1:1) new=1")

		r.Enabled = false
		if r, err = h.rules.Update(t.Context(), 1, "kim", r); err != nil {
			t.Fatal(err)
		}
		h.advance(10 * time.Second)
		h.arrive(3, nil)
		h.evaluate()
		h.advance(10 * time.Second)
		r.Enabled = true
		if _, err = h.rules.Update(t.Context(), 1, "kim", r); err != nil {
			t.Fatal(err)
		}
		h.advance(10 * time.Second)
		h.evaluate()
		h.expect()
	})
}

func TestAClockThatRanAheadBlindsNoRule(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "slow", nil)
		h.advance(6 * time.Hour)
		h.evaluate()
		h.expect() // time alone raises nothing
		h.advance(-6 * time.Hour)
		h.advance(time.Minute)
		h.arrive(1, nil)
		h.evaluate()
		h.expect("slow api/PRODUCTION met=true count=1 (pod-1:1) new=1")
	})
}

func TestAFloodIsEvaluatedInSeveralReads(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "slow", nil)
		h.advance(time.Minute)
		err := h.spans.Exec(t.Context(), fmt.Sprintf(`INSERT INTO sql_slow
			(project_id, retention_days, arrived, service, environment, instance, trace_id, span_id, start, duration, db_hash)
			SELECT 1, 20000, fromUnixTimestamp64Milli(%d + intDiv(number, 10), 'UTC'), 'api', 'PRODUCTION', 'pod-1', toFixedString(toString(number), 16), 1,
				fromUnixTimestamp64Nano(%d, 'UTC'), 9000000000, 5 FROM numbers(25000)`, noon.Add(time.Second).UnixMilli(), noon.UnixNano()))
		if err != nil {
			t.Fatal(err)
		}
		h.evaluate()
		h.expect("slow api/PRODUCTION met=true count=20000 (pod-1:20000) new=20000", "slow api/PRODUCTION met=true count=25000 (pod-1:25000) new=5000")
		if len(h.last.Window) != 100 || len(h.last.Matches) != 100 {
			t.Errorf("%d and %d matches are listed", len(h.last.Window), len(h.last.Matches))
		}
	})
}

func TestMatchesThatNoWindowCanHoldAreRemoved(t *testing.T) {
	inHouse(t, func(h *house) {
		h.rule(1, "slow", nil)
		h.advance(time.Second)
		h.arrive(1, nil)
		h.evaluate()
		h.advance(2 * time.Hour)
		h.evaluate()
		var left int64
		if err := h.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM rule_match`).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d left, %v", left, err)
		}
	})
}
