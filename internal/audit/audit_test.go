package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/audit"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// clock is moved by tests.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func open(t *testing.T, db *metadb.DB) (*audit.Log, *clock) {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	l, err := audit.New(audit.Options{DB: db, Now: c.now, Days: 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(context.Background()) }) // some tests take the table away
	return l, c
}

func change(org, user int64, operation string) *audit.Entry {
	return &audit.Entry{Kind: audit.KindChange, OrgID: org, Operation: operation, Object: "rule/7", Outcome: audit.Begun,
		Summary: map[string]string{"name": "slow"}, Actor: audit.Actor{Kind: audit.Person, UserID: user, Name: fmt.Sprintf("Person %d", user), Address: "192.0.2.7"}}
}

func read(org, user int64) audit.Entry {
	e := change(org, user, "get-trace")
	e.Kind, e.Summary = "", nil
	return *e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func operations(page *audit.Page) (names []string) {
	for _, e := range page.Items {
		names = append(names, e.Operation)
	}
	return names
}

func TestAnEntryIsKeptWithItsOutcomeWhichIsSaidOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		l, _ := open(t, db)
		e := change(1, 5, "create-rule")
		must(t, l.Write(t.Context(), e))
		e.Outcome, e.Object = audit.Done, "rule/8"
		l.End(t.Context(), e)
		e.Outcome = audit.Failed
		l.End(t.Context(), e)
		page, err := l.List(t.Context(), audit.Query{Org: 1}, "", 10)
		must(t, err)
		if len(page.Items) != 1 || page.Total != 1 {
			t.Fatalf("%+v", page)
		}
		got := page.Items[0]
		if got.Outcome != audit.Done || got.Object != "rule/8" || got.Summary["name"] != "slow" || got.Actor.Name != "Person 5" || got.Actor.Address != "192.0.2.7" || got.At != e.At {
			t.Errorf("%+v", got)
		}
	})
}

func TestTheOutcomeIsNotedAlsoWhenWhoAskedIsGone(t *testing.T) {
	l, _ := open(t, metadbtest.SQLite(t))
	e := change(1, 5, "create-rule")
	ctx, cancel := context.WithCancel(t.Context())
	must(t, l.Write(ctx, e))
	cancel()
	e.Outcome = audit.Done
	l.End(ctx, e)
	page, err := l.List(t.Context(), audit.Query{}, "", 10)
	must(t, err)
	if page.Items[0].Outcome != audit.Done {
		t.Errorf("%+v", page.Items[0])
	}
}

func TestAListIsNarrowedAndPaged(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		l, c := open(t, db)
		began := c.now()
		for i := range 5 {
			must(t, l.Write(t.Context(), change(1, int64(i%2), fmt.Sprintf("op-%d", i))))
			c.advance(time.Hour)
		}
		must(t, l.Write(t.Context(), change(2, 1, "op-elsewhere")))
		f := func(q audit.Query, want ...string) {
			t.Helper()
			page, err := l.List(t.Context(), q, "", 10)
			must(t, err)
			if got := operations(page); !slices.Equal(got, want) || page.Total != int64(len(want)) {
				t.Errorf("%+v: %v of %d, want %v", q, got, page.Total, want)
			}
		}
		f(audit.Query{Org: 1}, "op-4", "op-3", "op-2", "op-1", "op-0")
		f(audit.Query{Org: 2}, "op-elsewhere")
		f(audit.Query{Org: 1, UserID: 1}, "op-3", "op-1")
		f(audit.Query{Org: 1, Actor: "person 0"}, "op-4", "op-2", "op-0")
		f(audit.Query{Actor: "192.0.2.7", Org: 2}, "op-elsewhere")
		f(audit.Query{Actor: "%", Org: 2})
		f(audit.Query{Operation: "OP-3"}, "op-3")
		f(audit.Query{Object: "rule/7", Org: 2}, "op-elsewhere")
		f(audit.Query{Kind: audit.KindRead})
		f(audit.Query{Outcome: audit.Done})
		f(audit.Query{Org: 1, From: began.Add(time.Hour), To: began.Add(3 * time.Hour)}, "op-2", "op-1")

		first, err := l.List(t.Context(), audit.Query{Org: 1}, "", 2)
		must(t, err)
		second, err := l.List(t.Context(), audit.Query{Org: 1}, first.NextCursor, 2)
		must(t, err)
		last, err := l.List(t.Context(), audit.Query{Org: 1}, second.NextCursor, 2)
		must(t, err)
		if got := slices.Concat(operations(first), operations(second), operations(last)); !slices.Equal(got, []string{"op-4", "op-3", "op-2", "op-1", "op-0"}) ||
			last.NextCursor != "" || first.Total != 5 {
			t.Errorf("%v, then %q of %d", got, last.NextCursor, first.Total)
		}
		var streamed []string
		must(t, l.Each(t.Context(), audit.Query{Org: 1}, func(e *audit.Entry) error { streamed = append(streamed, e.Operation); return nil }))
		if len(streamed) != 5 {
			t.Errorf("streamed %v", streamed)
		}
	})
}

func TestReadsOfTheSameWithinAMinuteAreOneEntry(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		l, c := open(t, db)
		for range 3 {
			must(t, l.Read(read(1, 5), "sql"))
		}
		must(t, l.Read(read(1, 6), "sql"))
		must(t, l.Flush(t.Context()))
		c.advance(30 * time.Second)
		must(t, l.Read(read(1, 5), "sql")) // still the same minute, stored later
		must(t, l.Read(read(1, 5), "sql,personal"))
		must(t, l.Flush(t.Context()))
		c.advance(5 * time.Minute)
		must(t, l.Read(read(1, 5), "sql"))
		must(t, l.Flush(t.Context()))
		page, err := l.List(t.Context(), audit.Query{Org: 1, Kind: audit.KindRead}, "", 10)
		must(t, err)
		var got []string
		for _, e := range page.Items {
			got = append(got, fmt.Sprintf("%d×%d %s", e.Actor.UserID, e.Times, e.Summary["shown"]))
		}
		slices.Sort(got)
		if want := []string{"5×1 sql", "5×1 sql,personal", "5×4 sql", "6×1 sql"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestReadsThatCannotBeNotedAreRefusedAfterAWhile(t *testing.T) {
	db := metadbtest.SQLite(t)
	l, c := open(t, db)
	if _, err := db.Exec(t.Context(), `ALTER TABLE audit_entry RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	must(t, l.Read(read(1, 5), "sql"))
	if err := l.Flush(t.Context()); err == nil {
		t.Fatal("stored nowhere")
	}
	c.advance(time.Minute)
	if err := l.Read(read(1, 5), "sql"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if _, err := db.Exec(t.Context(), `ALTER TABLE gone RENAME TO audit_entry`); err != nil {
		t.Fatal(err)
	}
	must(t, l.Flush(t.Context()))
	must(t, l.Read(read(1, 5), "sql"))
	page, err := l.List(t.Context(), audit.Query{}, "", 10)
	must(t, err)
	if len(page.Items) != 1 {
		t.Errorf("the read that waited is not there: %+v", page)
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	db := metadbtest.SQLite(t)
	l, _ := open(t, db)
	if _, err := db.Exec(t.Context(), `DROP TABLE audit_entry`); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(t.Context(), change(1, 5, "create-rule")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestEntriesGoWhenTheRetentionIsOver(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		l, c := open(t, db)
		must(t, l.Write(t.Context(), change(1, 5, "old")))
		c.advance(29 * 24 * time.Hour)
		must(t, l.Write(t.Context(), change(1, 5, "new")))
		must(t, l.Prune(t.Context()))
		page, err := l.List(t.Context(), audit.Query{}, "", 10)
		must(t, err)
		if len(page.Items) != 2 {
			t.Fatalf("too early: %+v", page)
		}
		c.advance(2 * 24 * time.Hour)
		must(t, l.Prune(t.Context()))
		page, err = l.List(t.Context(), audit.Query{}, "", 10)
		must(t, err)
		if got := operations(page); !slices.Equal(got, []string{"new"}) {
			t.Errorf("left %v", got)
		}
		if _, err := json.Marshal(page); err != nil {
			t.Error(err)
		}
	})
}
