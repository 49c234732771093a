package scrape

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
)

func TestOneNodeScrapesAndAnotherTakesOverWhenItStops(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		target := newExposes(t, "a 1\n")
		p := newPlace(t, db, metric.Limits{})
		entry := Entry{"shop", p.file("prometheus.yml", often+"scrape_configs: [{job_name: api, static_configs: [{targets: [%q]}]}]", address(target.Server))}
		scraping := func(node string) {
			t.Helper()
			p.eventually(func() string {
				if s := p.status("shop"); s.Node != node || !s.Scraping || len(s.Targets) != 1 || s.Targets[0].Health != "up" {
					return fmt.Sprintf("%+v", s)
				}
				return ""
			})
		}
		first := p.scrape("node-1", entry)
		scraping("node-1")
		p.scrape("node-2", entry)
		for end := time.Now().Add(2 * quick.takeOver); time.Now().Before(end); time.Sleep(quick.beat) {
			if s := p.status("shop"); s.Node != "node-1" {
				t.Fatalf("%s took over from a node that lives", s.Node)
			}
		}
		p.stop(first)
		scraping("node-2")
		target.say("a 2\n")
		p.expect("shop", `a`, "2")
		if text := p.log.String(); strings.Count(text, "this node scrapes") != 2 {
			t.Errorf("log:\n%s", text)
		}
	})
}

// clock is a node's own.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestALeaseIsTakenFromANodeThatIsSilentAndFromNoOther(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		node := func(name string, c *clock) *lease {
			return &lease{db: db, project: 7, node: name, timing: usual, now: c.now}
		}
		holds := func(l *lease, want bool) {
			t.Helper()
			if held, err := l.hold(t.Context(), State{}); err != nil || held != want {
				t.Fatalf("%s holds = %v, %v; want %v", l.node, held, err, want)
			}
		}
		// The second node's clock is a day ahead: no two are compared.
		own, ahead := &clock{time.Now()}, &clock{time.Now().Add(24 * time.Hour)}
		first, second := node("node-1", own), node("node-2", ahead)
		holds(first, true)
		for range 10 {
			ahead.at = ahead.at.Add(usual.beat)
			holds(second, false)
			holds(first, true)
		}
		holds(node("node-1", own), true) // after its restart, at once
		took := time.Duration(0)
		for { // it is silent now
			held, err := second.hold(t.Context(), State{})
			if err != nil {
				t.Fatal(err)
			}
			if held {
				break
			}
			ahead.at = ahead.at.Add(usual.beat)
			took += usual.beat
		}
		if took < usual.takeOver || took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
		if usual.giveUp+usual.beat > usual.takeOver {
			t.Error("a node that is cut off stops after another began")
		}
		holds(first, false) // it is back, and finds it lost
		if err := second.release(t.Context()); err != nil {
			t.Fatal(err)
		}
		holds(first, true)
	})
}

func TestADeletedProjectLeavesNothing(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		store := NewStore(db, nil)
		for id := range project.ID(2) {
			l := &lease{db: db, project: 7 + id, node: "node-1", timing: usual, now: time.Now}
			if _, err := l.hold(t.Context(), State{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error { return Erase(ctx, tx, 7) }); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[project.ID]bool{7: false, 8: true} {
			if s, err := store.Status(t.Context(), id); err != nil || s.Configured != want {
				t.Errorf("project %d is configured = %v, %v", id, s.Configured, err)
			}
		}
	})
}

func TestOfManyNodesOneGetsTheLease(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		const nodes = 8
		won := make(chan bool, nodes)
		for i := range nodes {
			go func() {
				l := &lease{db: db, project: 7, node: fmt.Sprint("node-", i), timing: usual, now: time.Now}
				held, err := l.hold(t.Context(), State{})
				if err != nil {
					t.Error(err)
				}
				won <- held
			}()
		}
		n := 0
		for range nodes {
			if <-won {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d nodes hold it", n)
		}
	})
}
