package storage

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// now is that of the engine, which drops what has expired by its own clock.
var now = time.Now().UTC()

// house is a store over both databases.
type house struct {
	*Store
	t       *testing.T
	meta    *metadb.DB
	tenants *tenant.Store
	first   *tenant.FirstStart
	clock   time.Time
}

func newHouse(t *testing.T, meta *metadb.DB) *house {
	t.Helper()
	h := &house{t: t, meta: meta, clock: now}
	engine := clickhousetest.New(t)
	for noun, migrations := range map[string][]clickhouse.Migration{"trace": trace.Migrations(), "logs": logs.Migrations(), "ai": ai.Migrations()} {
		h.must(engine.Migrate(t.Context(), noun, migrations))
	}
	var err error
	h.tenants, err = tenant.New(tenant.Options{DB: meta, Now: func() time.Time { return h.clock }})
	h.must(err)
	h.first, err = h.tenants.Bootstrap(t.Context(), func(ctx context.Context, tx *metadb.Tx, p tenant.Project) error {
		return rule.SeedDefaults(ctx, tx, p.ID, now)
	})
	h.must(err)
	h.Store, err = New(Options{DB: engine, Tenants: h.tenants, Now: func() time.Time { return h.clock },
		Erase: []func(context.Context, *metadb.Tx, project.ID) error{rule.Erase, notify.Erase}})
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// fill stores a span and a log record of that many days ago.
func (h *house) fill(p project.ID, daysAgo, retention int) {
	h.t.Helper()
	at := now.AddDate(0, 0, -daysAgo).Format(time.DateTime)
	for _, sql := range []string{
		"INSERT INTO spans (project_id, retention_days, trace_id, start, entry) VALUES (%d, %d, 'x', '%s', true)",
		"INSERT INTO logs (project_id, retention_days, time, body) VALUES (%d, %d, '%s', 'x')",
	} {
		h.must(h.opts.DB.Exec(h.t.Context(), fmt.Sprintf(sql, p, retention, at)))
	}
}

// rows counts a project's rows in a table.
func (h *house) rows(p project.ID, table string) uint64 {
	h.t.Helper()
	n, err := h.count(h.t.Context(), p, table, "1")
	h.must(err)
	return n
}

// sweepUntil sweeps until the condition holds: the engine removes rows beside
// its other work.
func (h *house) sweepUntil(condition func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		h.must(h.Sweep(h.t.Context()))
		if condition() {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatal("it never came to that")
		}
	}
}

func TestADeletedProjectLeavesNothingBehind(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		ctx, doomed := t.Context(), h.first.Project
		actor := tenant.Actor{UserID: 1, System: true}
		other, err := h.tenants.CreateProject(ctx, actor, h.first.Group.ID, tenant.ProjectSettings{Name: "other"}, func(ctx context.Context, tx *metadb.Tx, p tenant.Project) error {
			return rule.SeedDefaults(ctx, tx, p.ID, now)
		})
		h.must(err)
		for _, p := range []project.ID{doomed.ID, other.ID} {
			h.fill(p, 1, 14)
			h.fill(p, 0, 14)
		}
		h.must(h.tenants.ArchiveProject(ctx, actor, doomed.ID, doomed.Version))
		h.must(h.Sweep(ctx))
		if n := h.rows(doomed.ID, "spans"); n != 2 {
			t.Errorf("%d spans while keys may still be remembered", n)
		}
		h.clock = h.clock.Add(2 * time.Minute)
		h.sweepUntil(func() bool {
			left, err := h.meta.Query(ctx, `SELECT id FROM project WHERE id = $1`, doomed.ID)
			ids, err := metadb.Collect(left, err, func(r *metadb.Rows) (id int64, err error) { return id, r.Scan(&id) })
			h.must(err)
			return len(ids) == 0
		})
		tables, err := h.tables(ctx)
		h.must(err)
		for _, table := range tables {
			if n := h.rows(doomed.ID, table.name); n != 0 {
				t.Errorf("%d rows of it are left in %s", n, table.name)
			}
		}
		for table, want := range map[string]uint64{"spans": 2, "logs": 2, "transactions": 2} {
			if n := h.rows(other.ID, table); n != want {
				t.Errorf("its neighbour has %d rows in %s, want %d", n, table, want)
			}
		}
		var rules int
		h.must(h.meta.QueryRow(ctx, `SELECT count(*) FROM rule WHERE project_id = $1`, doomed.ID).Scan(&rules))
		if rules != 0 {
			t.Errorf("%d rules of it are left", rules)
		}
	})
}

func TestALoweredRetentionHoldsForWhatIsThereAlready(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	ctx, p := t.Context(), h.first.Project
	actor := tenant.Actor{UserID: 1, System: true}
	other, err := h.tenants.CreateProject(ctx, actor, h.first.Group.ID, tenant.ProjectSettings{Name: "other", Retention: project.Retention{Traces: 30, Logs: 30}}, nil)
	h.must(err)
	for _, id := range []project.ID{p.ID, other.ID} {
		for _, days := range []int{1, 6, 12} {
			h.fill(id, days, 14)
		}
	}
	_, err = h.tenants.UpdateProject(ctx, actor, p.ID, p.Version, tenant.ProjectSettings{Name: "shop", Retention: project.Retention{Traces: 5, Logs: 8}})
	h.must(err)
	h.sweepUntil(func() bool { return h.rows(p.ID, "spans") == 1 && h.rows(p.ID, "logs") == 2 })
	if n := h.rows(other.ID, "spans"); n != 3 {
		t.Errorf("its neighbour has %d spans", n)
	}
}

func TestUsageTellsWhatAProjectTakes(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	for range 3 {
		h.fill(h.first.Project.ID, 0, 14)
	}
	h.fill(77, 0, 14)
	u, err := h.Footprint(t.Context(), h.first.Project.ID)
	h.must(err)
	got := map[string]uint64{}
	for _, signal := range u.Signals {
		for _, table := range signal.Tables {
			got[signal.Signal+"."+table.Table] = table.Rows
		}
		if signal.Signal != "ai" && signal.Signal != "metrics" && (signal.Bytes == 0 || signal.RetentionDays != 14) {
			t.Errorf("%+v", signal)
		}
	}
	if got["traces.spans"] != 3 || got["logs.logs"] != 3 || got["traces.transactions"] != 3 || u.Bytes == 0 {
		t.Errorf("%v", got)
	}
	if _, err := h.Footprint(t.Context(), 77); !fault.Is(err, fault.NotFound) {
		t.Errorf("of a project that is not there: %v", err)
	}
}
