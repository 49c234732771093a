package issue

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

func TestAnExceptionOfASpanAndItsLogIsOneOccurrence(t *testing.T) {
	inHouse(t, func(h *house) {
		same := event{message: "order 1 failed", frame: "com.shop.A.b", trace: 1, endpoint: "POST /orders", user: "u1"}
		log := same
		log.source, log.endpoint, log.user, log.at = FromLog, "", "", 3*time.Millisecond
		other := same
		other.trace, other.user = 2, "u2"
		later := same
		later.at = time.Minute // of the same span, but not the same exception
		h.record(1, same, log, other, later)
		h.record(1, same) // sent again
		h.track()
		items, text := h.list(1, Query{})
		if text != "E new 3" || items[0].Users != 2 {
			t.Fatalf("%s, %d users", text, items[0].Users)
		}
		page, err := h.store.Occurrences(t.Context(), 1, items[0].ID, Window{noon.Add(-time.Hour), noon.Add(time.Hour)}, "", 2)
		h.must(err)
		rest, err := h.store.Occurrences(t.Context(), 1, items[0].ID, Window{noon.Add(-time.Hour), noon.Add(time.Hour)}, page.NextCursor, 2)
		h.must(err)
		if len(page.Items) != 2 || len(rest.Items) != 1 || rest.NextCursor != "" {
			t.Fatalf("pages of %d and %d", len(page.Items), len(rest.Items))
		}
		both := page.Items[1]
		if strings.Join(both.Sources, " ") != "log span" || both.Endpoint != "POST /orders" || both.User != "u1" {
			t.Errorf("the two of one: %+v", both)
		}
		whole, err := h.store.Occurrence(t.Context(), 1, items[0].ID, both.ID, Window{noon.Add(-time.Hour), noon.Add(time.Hour)})
		h.must(err)
		if whole.Newer != page.Items[0].ID || whole.Older != rest.Items[0].ID || whole.GroupedBy != "frames" || !whole.Stack.Exceptions[0].Frames[0].InApp {
			t.Errorf("%+v", whole)
		}
	})
}

func TestAnIssueIsMadeOnceHoweverManyTrack(t *testing.T) {
	inHouse(t, func(h *house) {
		for n := range 120 {
			h.record(1, event{kind: fmt.Sprintf("E%c%c", 'a'+n/26, 'a'+n%26), frame: "com.shop.A.b"})
		}
		h.record(2, event{kind: "Other", frame: "com.shop.A.b"})
		var nodes sync.WaitGroup
		for range 2 {
			nodes.Go(func() {
				if err := NewTracker(NewStore(h.db, h.events, h.clock), nil).Track(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		h.track()
		page, err := h.store.List(t.Context(), 1, Query{From: noon.Add(-time.Hour), To: noon.Add(time.Hour), Limit: 200})
		h.must(err)
		if page.Total != 120 || len(page.Items) != 120 || page.States["new"] != 120 {
			t.Errorf("%d issues, %d shown, %v", page.Total, len(page.Items), page.States)
		}
		for i := range page.Items {
			d, err := h.store.Get(t.Context(), 1, page.Items[i].ID)
			h.must(err)
			if len(d.Activity) != 1 || len(d.Fingerprints) != 1 {
				t.Fatalf("made %d times of %d fingerprints", len(d.Activity), len(d.Fingerprints))
			}
		}
		if _, text := h.list(2, Query{}); text != "Other new 1" {
			t.Errorf("project 2: %s", text)
		}
	})
}

func TestAResolvedIssueRegresses(t *testing.T) {
	inHouse(t, func(h *house) {
		bad := event{frame: "com.shop.A.b", version: "1.1.0"}
		h.record(1, bad)
		h.track()
		h.advance(time.Minute)
		i := h.change(h.issue(1, "E"), Change{State: Resolved, ResolvedVersion: "1.2.0"})

		bad.at = 2 * time.Minute
		h.record(1, bad) // an old version that still runs
		h.advance(5 * time.Minute)
		h.track()
		if now := h.issue(1, "E"); now.State != Resolved || !now.LastSeen.Equal(noon.Add(2*time.Minute)) {
			t.Fatalf("after the old version: %+v", now)
		}
		bad.version, bad.at = "1.2.0", 6*time.Minute
		h.record(1, bad)
		h.track()
		now := h.issue(1, "E")
		if now.State != Regressed || now.ResolvedVersion != "" || now.LastVersion != "1.2.0" || now.FirstVersion != "1.1.0" {
			t.Errorf("after the new version: %+v", now)
		}
		d, err := h.store.Get(t.Context(), 1, now.ID)
		h.must(err)
		if e := d.Activity[0]; e.Kind != "regressed" || e.Data["version"] != "1.2.0" || e.Author != "" {
			t.Errorf("activity %+v", e)
		}
		if _, err := h.store.Update(t.Context(), 1, "lee", i.ID, i.Version, Change{State: Ignored}); !fault.Is(err, fault.Conflict) {
			t.Errorf("an edit of what it was before: %v", err)
		}
		h.advance(newFor)
		h.track()
		if now := h.issue(1, "E"); now.State != Ongoing {
			t.Errorf("a week later it is %s", now.State)
		}
	})
}

func TestAnIgnoredIssueComesBackAsItWasAsked(t *testing.T) {
	inHouse(t, func(h *house) {
		h.record(1, event{kind: "Count", frame: "com.shop.A.b"}, event{kind: "Until", frame: "com.shop.A.b"}, event{kind: "Ever", frame: "com.shop.A.b"})
		h.track()
		h.advance(time.Minute)
		until := noon.Add(time.Hour)
		h.change(h.issue(1, "Count"), Change{State: Ignored, IgnoredCount: 2})
		h.change(h.issue(1, "Until"), Change{State: Ignored, IgnoredUntil: &until})
		h.change(h.issue(1, "Ever"), Change{State: Ignored})
		states := func() string {
			return fmt.Sprintf("%s %s %s", h.issue(1, "Count").State, h.issue(1, "Until").State, h.issue(1, "Ever").State)
		}
		h.record(1, event{kind: "Count", frame: "com.shop.A.b", at: 2 * time.Minute}, event{kind: "Ever", frame: "com.shop.A.b", at: 2 * time.Minute})
		h.advance(10 * time.Minute)
		h.track()
		if got := states(); got != "ignored ignored ignored" {
			t.Errorf("after one more: %s", got)
		}
		h.record(1, event{kind: "Count", frame: "com.shop.A.b", at: 11 * time.Minute})
		h.track()
		if got := states(); got != "ongoing ignored ignored" {
			t.Errorf("after two more: %s", got)
		}
		h.advance(time.Hour)
		h.track()
		if got := states(); got != "ongoing ongoing ignored" {
			t.Errorf("an hour later: %s", got)
		}
	})
}

func TestNewRulesDoNotRegroupWhatIsAnIssue(t *testing.T) {
	inHouse(t, func(h *house) {
		// Two errors that differ in a helper's frame only, which is in-app at first.
		a, b := event{frame: "com.shop.util.Retry.first"}, event{frame: "com.shop.util.Retry.second"}
		h.record(1, a, b)
		h.track()
		if _, text := h.list(1, Query{}); text != "E new 1, E new 1" {
			t.Fatal(text)
		}
		rules, err := h.store.SetRules(t.Context(), 1, "kim", Rules{Exclude: []string{"com.shop.util.", " ", "com.shop.util."}})
		h.must(err)
		if rules.Version != 1 || len(rules.Exclude) != 1 {
			t.Errorf("%+v", rules)
		}
		h.advance(checkEvery)
		// The new rules see no difference, but each goes on where it was.
		h.record(1, a, b, event{frame: "com.shop.util.Retry.third", message: "x", trace: 1}, event{frame: "com.shop.util.Retry.fourth", message: "x", trace: 2})
		h.track()
		if _, text := h.list(1, Query{Order: ByFirstSeen}); text != "E new 2, E new 1, E new 1" {
			t.Errorf("%s", text)
		}
		if _, err := h.store.SetRules(t.Context(), 1, "lee", Rules{}); !fault.Is(err, fault.Conflict) {
			t.Errorf("rules of nobody over those of kim: %v", err)
		}
		if other, err := h.store.Rules(t.Context(), 2); err != nil || other.Version != 0 {
			t.Errorf("of another project: %+v %v", other, err)
		}
	})
}

func TestIssuesAreMergedAndSplitByHand(t *testing.T) {
	inHouse(t, func(h *house) {
		h.record(1, event{kind: "A", frame: "com.shop.A.b", service: "one", at: -time.Minute}, event{kind: "B", frame: "com.shop.B.c", service: "two"}, event{kind: "C", frame: "com.shop.C.c"})
		h.record(2, event{kind: "D", frame: "com.shop.A.b"})
		h.track()
		a, b, foreign := h.issue(1, "A"), h.issue(1, "B"), h.issue(2, "D")
		h.must(h.store.Comment(t.Context(), 1, "kim", b.ID, "the same as the other"))
		merged, err := h.store.Merge(t.Context(), 1, "kim", a.ID, []int64{b.ID})
		h.must(err)
		if merged.ID != a.ID || strings.Join(merged.Services, " ") != "one two" || !merged.LastSeen.Equal(noon) {
			t.Errorf("%+v", merged)
		}
		if _, text := h.list(1, Query{Order: ByCount}); text != "A new 2, C new 1" {
			t.Errorf("%s", text)
		}
		d, err := h.store.Get(t.Context(), 1, b.ID) // by its old address
		h.must(err)
		if d.ID != a.ID || len(d.Fingerprints) != 2 || d.Activity[0].Kind != "merged" {
			t.Errorf("%+v", d)
		}
		h.record(1, event{kind: "B", frame: "com.shop.B.c", at: time.Minute})
		h.track()
		if _, text := h.list(1, Query{Text: "type:A"}); text != "A new 3" {
			t.Errorf("what comes after the merge: %s", text)
		}
		for _, bad := range [][]int64{{}, {a.ID}, {foreign.ID}, {999}} {
			if _, err := h.store.Merge(t.Context(), 1, "kim", a.ID, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("merge of %v: %v", bad, err)
			}
		}

		var moved string
		for _, f := range d.Fingerprints {
			if f.Type == "B" {
				moved = f.Fingerprint
			}
		}
		split, err := h.store.Split(t.Context(), 1, "kim", a.ID, []string{moved})
		h.must(err)
		if split.Type != "B" || strings.Join(split.Services, " ") != "api two" || split.ID == b.ID || !split.LastSeen.Equal(noon.Add(time.Minute)) {
			t.Errorf("%+v", split)
		}
		if _, text := h.list(1, Query{Order: ByCount}); text != "B new 2, C new 1, A new 1" {
			t.Errorf("%s", text)
		}
		for _, bad := range [][]string{{}, {moved}, {"nonsense"}} {
			if _, err := h.store.Split(t.Context(), 1, "kim", a.ID, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("split of %v: %v", bad, err)
			}
		}
		if _, err := h.store.Get(t.Context(), 2, a.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("of another project: %v", err)
		}
	})
}

func TestTheInboxIsSearchedSortedAndPaged(t *testing.T) {
	inHouse(t, func(h *house) {
		h.record(1,
			event{kind: "A", message: "no room for 3", frame: "com.shop.A.b", service: "order-api", version: "1.0", at: -3 * time.Minute, user: "u1", trace: 1},
			event{kind: "A", message: "no room for 4", frame: "com.shop.A.b", service: "order-api", version: "1.1", at: -2 * time.Minute, user: "u2", trace: 2},
			event{kind: "B", message: "timeout 100%", frame: "com.shop.B.b", service: "pay", at: -time.Minute, trace: 3},
			event{kind: "C", message: "gone", frame: "com.shop.C.b", service: "pay", user: "u1", trace: 4, at: -10 * time.Minute},
			event{kind: "C", message: "gone", frame: "com.shop.C.b", service: "pay", trace: 5, at: -10 * time.Minute},
			event{kind: "C", message: "gone", frame: "com.shop.C.b", service: "pay", trace: 6, at: -10 * time.Minute})
		h.track()
		h.change(h.issue(1, "B"), Change{State: New, AssigneeID: 7, Assignee: "kim"})
		f := func(q Query, want string) {
			t.Helper()
			got := ""
			for cursor := ""; ; {
				q.From, q.To, q.Cursor, q.Limit = noon.Add(-time.Hour), noon.Add(time.Hour), cursor, 2
				page, err := h.store.List(t.Context(), 1, q)
				h.must(err)
				for _, i := range page.Items {
					got += i.Type
				}
				if cursor = page.NextCursor; cursor == "" {
					break
				}
			}
			if got != want {
				t.Errorf("%+v: %s, want %s", q, got, want)
			}
		}
		f(Query{}, "BAC")
		f(Query{Order: ByFirstSeen}, "BAC")
		f(Query{Order: ByCount}, "CAB")
		f(Query{Order: ByUsers}, "ACB")
		f(Query{State: "open"}, "BAC")
		f(Query{State: "resolved"}, "")
		f(Query{Service: "pay"}, "BC")
		f(Query{Version: "1.1"}, "A")
		f(Query{Assignee: 7}, "B")
		f(Query{Assignee: -1}, "AC")
		f(Query{Text: "ROOM"}, "A")
		f(Query{Text: "order-api"}, "A")
		f(Query{Text: `"100%"`}, "B")
		f(Query{Text: "-room service:p*"}, "BC")
		f(Query{Text: "type:A OR assignee:kim"}, "BA")
		f(Query{Text: "has:version"}, "A")
		f(Query{Text: "version!=1.0"}, "BC")
		f(Query{Text: "culprit:com.shop.c*"}, "C")
		f(Query{Text: `"' OR 1=1 --"`}, "")
		for _, bad := range []Query{{Text: "nothing:x"}, {Text: "type~x"}, {State: "lost"}, {Order: "luck"}, {Cursor: "?"}} {
			bad.From, bad.To = noon, noon.Add(time.Hour)
			if _, err := h.store.List(t.Context(), 1, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		facets := func(q Query, want string) {
			t.Helper()
			q.From, q.To = noon.Add(-time.Hour), noon.Add(time.Hour)
			got, err := h.store.Facets(t.Context(), 1, q)
			h.must(err)
			if text := fmt.Sprint(got.Services, got.Versions, got.Assignees); text != want {
				t.Errorf("by what %+v is narrowed down: %s, want %s", q, text, want)
			}
		}
		facets(Query{}, "[{pay 2} {order-api 1}] [{1.0 1} {1.1 1}] [{-1  2} {7 kim 1}]")
		// What is asked of one does not narrow itself.
		facets(Query{Service: "pay"}, "[{pay 2} {order-api 1}] [] [{-1  1} {7 kim 1}]")
		facets(Query{Version: "1.0", Assignee: -1}, "[{order-api 1}] [{1.0 1} {1.1 1}] [{-1  1}]")
		facets(Query{State: "resolved"}, "[] [] []")
		if _, err := h.store.Facets(t.Context(), 1, Query{Text: "nothing:x", From: noon, To: noon.Add(time.Hour)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("facets of a wrong search: %v", err)
		}
		i := h.issue(1, "A")
		stats, err := h.store.Stats(t.Context(), 1, i.ID, Window{noon.Add(-time.Hour), noon.Add(time.Hour)})
		h.must(err)
		if stats.Count != 2 || stats.Users != 2 || stats.Traces != 2 || len(stats.Versions) != 2 || stats.Services[0] != (Share{"order-api", 2}) {
			t.Errorf("%+v", stats)
		}
	})
}

func TestADeletedProjectLeavesNoIssues(t *testing.T) {
	inHouse(t, func(h *house) {
		h.record(1, event{frame: "com.shop.A.b"})
		h.record(2, event{frame: "com.shop.A.b"})
		h.track()
		_, err := h.store.SetRules(t.Context(), 1, "kim", Rules{Include: []string{"com.shop."}})
		h.must(err)
		h.must(h.db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error { return Erase(ctx, tx, 1) }))
		for _, table := range []string{"issue", "issue_fingerprint", "issue_tag", "issue_event", "issue_rules"} {
			var n int64
			h.must(h.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n))
			if want := map[string]int64{"issue_tag": 2, "issue_rules": 0}; n != 1 && n != want[table] {
				t.Errorf("%s has %d rows", table, n)
			}
		}
		if _, text := h.list(2, Query{}); text != "E new 1" {
			t.Errorf("project 2: %s", text)
		}
	})
}
