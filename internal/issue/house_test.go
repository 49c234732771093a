package issue

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// house is issues over both kinds of store, and a clock.
type house struct {
	t       *testing.T
	db      *metadb.DB
	events  *clickhouse.DB
	store   *Store
	tracker *Tracker
	groups  *Groupings

	mu  sync.Mutex
	now time.Time
}

// inHouse runs fn on each metadata database, at noon.
func inHouse(t *testing.T, fn func(h *house)) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := &house{t: t, db: db, events: clickhousetest.New(t), now: noon}
		h.must(h.events.Migrate(t.Context(), "issue", Migrations()))
		h.store = NewStore(db, h.events, h.clock)
		h.tracker = NewTracker(h.store, nil)
		h.groups = NewGroupings(db, h.clock)
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

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// event is an exception to record; zero fields are left out. Service is "api"
// and Type "E" unless said otherwise.
type event struct {
	service, version, endpoint, user string
	kind, message, frame, custom     string
	trace                            byte
	source                           Source
	at                               time.Duration // after noon
}

func (e event) occurrence() Occurrence {
	o := Occurrence{Time: noon.Add(e.at).UnixNano(), Source: max(e.source, FromSpan), Endpoint: e.endpoint, User: e.user, Message: e.message, Custom: e.custom,
		Type: e.kind, Resource: &Resource{Service: e.service, Version: e.version, Environment: "prod", Instance: "pod-1"}}
	if o.Type == "" {
		o.Type = "E"
	}
	if o.Resource.Service == "" {
		o.Resource.Service = "api"
	}
	if o.TraceID[0] = e.trace; e.trace != 0 {
		o.SpanID = uint64(e.trace)
	}
	if e.frame != "" {
		o.Stack = fmt.Sprintf("%s: %s\n\tat %s(X.java:1)\n", o.Type, o.Message, e.frame)
	}
	return o
}

// record stores exceptions as ingest does.
func (h *house) record(p project.ID, events ...event) {
	h.t.Helper()
	g, err := h.groups.Of(h.t.Context(), p)
	h.must(err)
	c := NewColumns()
	for _, e := range events {
		o := e.occurrence()
		o.Group(g)
		c.Append(p, 20_000, &o)
	}
	h.must(h.events.Insert(h.t.Context(), c.Table(), c.Input()))
}

func (h *house) track() {
	h.t.Helper()
	h.must(h.tracker.Track(h.t.Context()))
}

// list returns the project's issues, as "type state count", by a query's order.
func (h *house) list(p project.ID, q Query) (items []Item, text string) {
	h.t.Helper()
	q.From, q.To = noon.Add(-24*time.Hour), noon.Add(24*time.Hour)
	page, err := h.store.List(h.t.Context(), p, q)
	h.must(err)
	for i, item := range page.Items {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %s %d", item.Type, item.State, item.Count)
	}
	return page.Items, text
}

// issue returns the project's one issue of a type.
func (h *house) issue(p project.ID, kind string) Issue {
	h.t.Helper()
	items, text := h.list(p, Query{Text: "type:" + kind})
	if len(items) != 1 {
		h.t.Fatalf("issues of type %s: %s", kind, text)
	}
	return items[0].Issue
}

// change applies a change to the issue as it is now.
func (h *house) change(i Issue, c Change) Issue {
	h.t.Helper()
	after, err := h.store.Update(h.t.Context(), i.Project, "kim", i.ID, i.Version, c)
	h.must(err)
	return after
}
