package rule_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

var noon = time.Date(2025, 6, 17, 14, 3, 0, 0, time.UTC)

// slow is a rule: one call of 8 s in 10 minutes.
func slow(name string) rule.Rule {
	return rule.Rule{Name: name, Kind: rule.SlowSQL, Enabled: true, Params: rule.Params{"threshold_ms": 8000.0}, Count: 1, WindowMinutes: 10, QuietMinutes: 10}
}

func TestARuleIsKeptWithItsVersionsAndAuthors(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := context.Background()
		now := noon
		store := rule.NewStore(db, func() time.Time { return now })
		created, err := store.Create(ctx, 1, "kim", slow("  slow SQL "))
		if err != nil {
			t.Fatal(err)
		}
		if created.ID == 0 || created.Version != 1 || created.Name != "slow SQL" || !created.CreatedAt.Equal(noon) || created.Project != 1 {
			t.Errorf("created: %+v", created)
		}
		got, err := store.Get(ctx, 1, created.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(created, got); diff != "" {
			t.Errorf("read back (-created +got)\n%s", diff)
		}

		now = noon.Add(time.Hour)
		edit := got
		edit.Count, edit.Channels = 3, []int64{7}
		updated, err := store.Update(ctx, 1, "lee", edit)
		if err != nil {
			t.Fatal(err)
		}
		if updated.Version != 2 || updated.UpdatedBy != "lee" || !updated.CreatedAt.Equal(noon) || !updated.UpdatedAt.Equal(now) {
			t.Errorf("updated: %+v", updated)
		}
		if _, err := store.Update(ctx, 1, "kim", edit); !fault.Is(err, fault.Conflict) {
			t.Errorf("an edit of version 1 after version 2: %v", err)
		}
		if err := store.Delete(ctx, 1, "kim", created.ID, 1); !fault.Is(err, fault.Conflict) {
			t.Errorf("deleting version 1 after version 2: %v", err)
		}
		if err := store.Delete(ctx, 1, "kim", created.ID, 2); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Get(ctx, 1, created.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("it is gone: %v", err)
		}
		history, err := store.History(ctx, 1, created.ID)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, c := range history {
			told = append(told, c.Author+" "+c.Action)
		}
		if diff := cmp.Diff([]string{"kim deleted", "lee updated", "kim created"}, told); diff != "" || history[1].Rule.Count != 3 {
			t.Errorf("history (-want +got)\n%s\n%+v", diff, history)
		}
	})
}

func TestARuleOfAnotherProjectDoesNotExist(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := context.Background()
		store := rule.NewStore(db, nil)
		r, err := store.Create(ctx, 1, "kim", slow("a"))
		if err != nil {
			t.Fatal(err)
		}
		_, getErr := store.Get(ctx, 2, r.ID)
		_, updateErr := store.Update(ctx, 2, "kim", r)
		deleteErr := store.Delete(ctx, 2, "kim", r.ID, r.Version)
		_, historyErr := store.History(ctx, 2, r.ID)
		for _, err := range []error{getErr, updateErr, deleteErr, historyErr} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("got %v, want not found", err)
			}
		}
		if rules, err := store.List(ctx, 2); err != nil || len(rules) != 0 {
			t.Errorf("list: %v, %v", rules, err)
		}
	})
}

func TestARuleThatMakesNoSenseIsRefusedByField(t *testing.T) {
	db := metadbtest.SQLite(t)
	store := rule.NewStore(db, nil)
	f := func(field string, edit func(*rule.Rule)) {
		t.Helper()
		r := slow("a rule")
		edit(&r)
		_, err := store.Create(context.Background(), 1, "kim", r)
		if e := fault.As(err); e == nil || e.Kind != fault.Invalid || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	f("name", func(r *rule.Rule) { r.Name = "  " })
	f("name", func(r *rule.Rule) { r.Name = strings.Repeat("가", 101) })
	f("name", func(r *rule.Rule) { r.Name = "a\nb" })
	f("kind", func(r *rule.Rule) { r.Kind = "cpu" })
	params := func(p rule.Params) func(*rule.Rule) { return func(r *rule.Rule) { r.Params = p } }
	f("params.threshold_ms", params(rule.Params{"threshold_ms": 99.0}))
	f("params.threshold_ms", params(rule.Params{"threshold_ms": float64(1 << 30)}))
	f("params.threshold_ms", params(rule.Params{"threshold_ms": 8000.5}))
	f("params.threshold_ms", params(rule.Params{"threshold_ms": "8000"}))
	f("params.threshold_ms", params(nil))
	f("params.limit", params(rule.Params{"threshold_ms": 8000.0, "limit": 1.0}))
	f("severity", func(r *rule.Rule) { r.Severity = "loud" })
	f("owner", func(r *rule.Rule) { r.Owner = "a\nb" })
	f("runbook", func(r *rule.Rule) { r.Runbook = "javascript:alert(1)" })
	f("labels", func(r *rule.Rule) { r.Labels = rule.Labels{"a b": "c"} })
	mute := func(m rule.Mute) func(*rule.Rule) {
		return func(r *rule.Rule) { r.Mutes = []rule.Mute{{From: "01:00", To: "02:00", Zone: "UTC"}, m} }
	}
	f("mutes[1].zone", mute(rule.Mute{From: "22:00", To: "06:00", Zone: "Asia/Nowhere"}))
	f("mutes[1].from", mute(rule.Mute{From: "24:00", To: "06:00", Zone: "UTC"}))
	f("mutes[1].to", mute(rule.Mute{From: "22:00", To: "6", Zone: "UTC"}))
	f("mutes[1].days", mute(rule.Mute{Days: []time.Weekday{7}, From: "22:00", To: "06:00", Zone: "UTC"}))
	f("count", func(r *rule.Rule) { r.Count = 0 })
	f("window_minutes", func(r *rule.Rule) { r.WindowMinutes = 0 })
	f("window_minutes", func(r *rule.Rule) { r.WindowMinutes = 1441 })
	f("quiet_minutes", func(r *rule.Rule) { r.QuietMinutes = -1 })
	f("service", func(r *rule.Rule) { r.Service = strings.Repeat("x", 257) })
	f("channels", func(r *rule.Rule) { r.Channels = make([]int64, 51) })
}

func TestANameIsTakenOncePerProject(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := context.Background()
		store := rule.NewStore(db, nil)
		for _, p := range []project.ID{1, 2} {
			if _, err := store.Create(ctx, p, "kim", slow("same")); err != nil {
				t.Errorf("project %d: %v", p, err)
			}
		}
		if _, err := store.Create(ctx, 1, "kim", slow("same")); !fault.Is(err, fault.Conflict) || fault.As(err).Field != "name" {
			t.Errorf("taken: %v", err)
		}
	})
}

func TestANewProjectStartsWithTheSlowSQLAlarm(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := context.Background()
		if err := db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error { return rule.SeedDefaults(ctx, tx, 1, noon) }); err != nil {
			t.Fatal(err)
		}
		rules, err := rule.NewStore(db, nil).List(ctx, 1)
		if err != nil || len(rules) != 1 {
			t.Fatalf("%+v, %v", rules, err)
		}
		if r := rules[0]; r.Name != "SlowSQL 알람" || r.Params["threshold_ms"] != 8000.0 || r.Count != 1 || r.WindowMinutes != 10 || r.QuietMinutes != 10 || !r.Enabled {
			t.Errorf("%+v", r)
		}
	})
}
