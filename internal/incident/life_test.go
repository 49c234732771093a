package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/rule"
)

var (
	ann = incident.Person{ID: 7, Name: "ann"}
	bob = incident.Person{ID: 8, Name: "bob"}
)

// of is a firing of a rule in a service.
func of(ruleID int64, service string) rule.Firing {
	f := firing()
	f.Rule.ID, f.Service = ruleID, service
	return f
}

func (h *house) turn(id int64, to string) {
	h.t.Helper()
	if err := h.service.Turn(h.t.Context(), 1, id, to, ann); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestAnIncidentGoesThroughItsStatesAndNoOthers(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		allowed := map[string][]string{
			incident.Open: {incident.Acknowledged, incident.Mitigated, incident.Resolved}, incident.Acknowledged: {incident.Mitigated, incident.Resolved},
			incident.Mitigated: {incident.Acknowledged, incident.Resolved}, incident.Resolved: {incident.Open, incident.Closed}, incident.Closed: {},
		}
		ways := map[string][]string{
			incident.Open: {}, incident.Acknowledged: {incident.Acknowledged}, incident.Mitigated: {incident.Mitigated},
			incident.Resolved: {incident.Resolved}, incident.Closed: {incident.Resolved, incident.Closed},
		}
		id := int64(0)
		for _, from := range incident.States {
			for _, to := range incident.States {
				id++
				h.fire(of(id+100, "svc"))
				at := h.list(incident.Query{Rule: id + 100}).Items[0].ID
				for _, step := range ways[from] {
					h.turn(at, step)
				}
				err := h.service.Turn(t.Context(), 1, at, to, ann)
				if want := from == to || slices.Contains(allowed[from], to); (err == nil) != want || err != nil && !fault.Is(err, fault.Conflict) {
					t.Errorf("%s to %s: %v", from, to, err)
				}
				want := from
				if err == nil {
					want = to
				}
				if got := h.get(at).State; got != want {
					t.Errorf("%s to %s: it is %s", from, to, got)
				}
			}
		}
		if err := h.service.Turn(t.Context(), 1, 1, "gone", ann); !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown state: %v", err)
		}
	})
}

func TestWhoTakesAnIncidentOfNobodyHasItAndPeopleAreToldHowItStands(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		h.turn(1, incident.Acknowledged)
		h.must(h.service.Assign(t.Context(), 1, 1, bob, ann))
		h.must(h.service.SetSeverity(t.Context(), 1, 1, rule.Critical, ann))
		h.turn(1, incident.Mitigated)
		h.turn(1, incident.Resolved)
		h.turn(1, incident.Open)
		d := h.get(1)
		if d.Assignee != "bob" || d.AssigneeID != 8 || d.Severity != rule.Critical || d.AcknowledgedBy != "" || d.ResolvedAt != nil {
			t.Errorf("incident %+v", d.Incident)
		}
		want := []string{"opened", "acknowledged", "assigned", "severity", "mitigated", "resolved", "reopened"}
		if got := kinds(d); !slices.Equal(got, want) {
			t.Errorf("timeline %v", got)
		}
		if e := d.Timeline[2]; e.Data["from"] != "ann" || e.Data["to"] != "bob" || e.Data["by"] != "ann" {
			t.Errorf("assignment %+v", e)
		}
		for _, kind := range []string{"acknowledged", "resolved", "reopened"} {
			if n := h.sent(1, "incident."+kind); n != 2 {
				t.Errorf("%d messages say %s", n, kind)
			}
		}
		if err := h.service.SetSeverity(t.Context(), 1, 1, "awful", ann); !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown severity: %v", err)
		}
		// What nobody will match again ends by itself.
		h.Advance(11 * time.Minute)
		h.must(h.service.RunQuiet(t.Context(), 1))
		if h.get(1).State != incident.Resolved {
			t.Error("a reopened incident does not end")
		}
	})
}

func TestAReopenedIncidentGivesWayToTheOneThatTookItsPlace(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		h.turn(1, incident.Resolved)
		h.Advance(time.Hour)
		h.fire(firing())
		if err := h.service.Turn(t.Context(), 1, 1, incident.Open, ann); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "#2") {
			t.Fatalf("reopened beside another: %v", err)
		}
	})
}

func TestAClockThatJumpedEndsNoIncident(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		var asked time.Duration
		h.even = func(d time.Duration) bool { asked = d; return false }
		h.Advance(24 * time.Hour) // somebody set the clock
		if wait := snoozed(t, h.service.RunQuiet(t.Context(), 1)); wait != time.Minute || asked != 10*time.Minute {
			t.Fatalf("it looks again after %s, having asked for %s", wait, asked)
		}
		h.Advance(-48 * time.Hour)
		snoozed(t, h.service.RunQuiet(t.Context(), 1))
		if h.get(1).State != incident.Open {
			t.Fatal("it ended")
		}
		h.even = func(time.Duration) bool { return true }
		h.Advance(48 * time.Hour)
		h.must(h.service.RunQuiet(t.Context(), 1))
		if h.get(1).State != incident.Resolved {
			t.Fatal("it does not end any more")
		}
	})
}

func TestAnIncidentThatComesBackSoonIsTheSameOne(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		for range 2 {
			h.turn(1, incident.Resolved)
			h.Advance(19 * time.Minute)
			h.fire(firing())
		}
		d := h.get(1)
		if page := h.list(incident.Query{}); page.Total != 1 || d.State != incident.Open || d.Reopened != 2 || d.Matches != 3 || d.Flapping {
			t.Fatalf("%d incidents, %+v", page.Total, d.Incident)
		}
		if h.sent(1, "incident.alarm") != 2 || h.sent(1, "incident.reopened") != 4 {
			t.Errorf("%d alarms, %d of its return", h.sent(1, "incident.alarm"), h.sent(1, "incident.reopened"))
		}
		h.turn(1, incident.Resolved)
		h.turn(1, incident.Closed)
		h.fire(firing())
		if page := h.list(incident.Query{}); page.Total != 2 {
			t.Error("a closed incident came back")
		}
	})
}

func TestAFlappingIncidentSendsOneMessageUntilItIsCalm(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		for range 8 {
			h.turn(1, incident.Resolved)
			h.Advance(5 * time.Minute)
			h.fire(firing())
		}
		d := h.get(1)
		if !d.Flapping || d.Reopened != 8 {
			t.Fatalf("%+v", d.Incident)
		}
		f := func(kind string, want int) {
			t.Helper()
			if n := h.sent(1, "incident."+kind); n != want*2 {
				t.Errorf("%d messages of %s for two targets, want %d", n, kind, want*2)
			}
		}
		f("alarm", 1)
		f("reopened", 3)
		f("resolved", 4)
		f("flapping", 1)
		if wait := snoozed(t, h.service.RunCalm(t.Context(), 1)); wait != time.Hour {
			t.Errorf("calm is looked for after %s", wait)
		}
		h.Advance(time.Hour)
		for range 2 { // a node that died after it may do it again
			h.must(h.service.RunCalm(t.Context(), 1))
		}
		f("calm", 1)
		if h.get(1).Flapping {
			t.Error("it flaps for ever")
		}
		h.turn(1, incident.Resolved)
		f("resolved", 5)
	})
}

func TestCommentsAreOfTheOneWhoSaidThem(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.fire(firing())
		h.must(h.service.Comment(ctx, 1, 1, "  the index is <b>gone</b>\n", ann))
		entry := h.get(1).Timeline[1]
		if entry.Kind != "comment" || entry.Data["text"] != "the index is <b>gone</b>" || entry.Data["by"] != "ann" {
			t.Fatalf("%+v", entry)
		}
		for name, err := range map[string]error{
			"bob's": h.service.EditComment(ctx, 1, 1, entry.ID, "mine now", bob), "a token without account": h.service.EditComment(ctx, 1, 1, entry.ID, "x", incident.Person{Name: "ann"}),
		} {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"another project": h.service.EditComment(ctx, 2, 1, entry.ID, "x", ann), "what is no comment": h.service.EditComment(ctx, 1, 1, h.get(1).Timeline[0].ID, "x", ann),
			"commenting another project's": h.service.Comment(ctx, 2, 1, "x", ann),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, text := range []string{"", " \n", strings.Repeat("x", 10_001)} {
			if err := h.service.Comment(ctx, 1, 1, text, ann); !fault.Is(err, fault.Invalid) {
				t.Errorf("%d characters: %v", len(text), err)
			}
		}
		h.must(h.service.EditComment(ctx, 1, 1, entry.ID, "it was dropped", ann))
		if e := h.get(1).Timeline[1]; e.Data["text"] != "it was dropped" || e.Data["edited"] != true || !e.At.Equal(entry.At) {
			t.Errorf("%+v", e)
		}
		h.must(h.service.EditComment(ctx, 1, 1, entry.ID, "", ann))
		if len(h.get(1).Timeline) != 1 {
			t.Error("it is still there")
		}
	})
}

func TestAMergedIncidentCountsInTheOtherAndCanBeTakenOutAgain(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		for i, service := range []string{"a", "b", "c"} {
			h.fire(of(int64(i+1), service))
		}
		h.must(h.service.Comment(ctx, 1, 3, "said of c", bob))
		h.must(h.service.Merge(ctx, 1, 2, []int64{3}, ann))
		h.must(h.service.Merge(ctx, 1, 1, []int64{2}, ann)) // with what is in it
		h.fire(of(3, "c"))
		d := h.get(1)
		if d.Matches != 4 || len(d.Children) != 2 || h.list(incident.Query{}).Total != 1 || d.Instances[0].Count != 4 {
			t.Fatalf("%d matches, %d parts, instances %v, list of %d", d.Matches, len(d.Children), d.Instances, h.list(incident.Query{}).Total)
		}
		if !slices.ContainsFunc(d.Timeline, func(e incident.Event) bool { return e.Data["text"] == "said of c" && e.Incident == 3 }) {
			t.Error("the comment did not come along")
		}
		for name, err := range map[string]error{
			"turn a part": h.service.Turn(ctx, 1, 3, incident.Resolved, ann), "merge into a part": h.service.Merge(ctx, 1, 3, []int64{1}, ann),
			"merge a part again": h.service.Merge(ctx, 1, 1, []int64{3}, ann),
		} {
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{"itself": h.service.Merge(ctx, 1, 1, []int64{1}, ann), "nothing": h.service.Merge(ctx, 1, 1, nil, ann)} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("merge %s: %v", name, err)
			}
		}
		if err := h.service.Merge(ctx, 2, 1, []int64{2}, ann); !fault.Is(err, fault.NotFound) {
			t.Errorf("merge in another project: %v", err)
		}
		h.Advance(5 * time.Minute)
		h.fire(of(3, "c"))
		h.Advance(6 * time.Minute)
		if wait := snoozed(t, h.service.RunQuiet(ctx, 1)); wait != 4*time.Minute {
			t.Errorf("a part does not prolong the whole: %s", wait)
		}
		h.must(h.service.Split(ctx, 1, 3, ann))
		if whole, part := h.get(1), h.get(3); whole.Matches != 2 || part.Matches != 3 || part.Parent != 0 || len(whole.Children) != 1 || whole.Instances[0].Count != 2 {
			t.Errorf("whole %+v, part %+v", whole.Incident, part.Incident)
		}
		h.turn(1, incident.Resolved)
		if h.get(2).State != incident.Resolved || h.get(3).State != incident.Open {
			t.Errorf("a part is %s, what was taken out is %s", h.get(2).State, h.get(3).State)
		}
		h.fire(of(2, "b")) // a part that comes back brings the whole
		if h.get(1).State != incident.Open || h.get(2).State != incident.Open || h.get(1).Matches != 3 {
			t.Errorf("the whole %+v", h.get(1).Incident)
		}
		if err := h.service.Split(ctx, 1, 3, ann); !fault.Is(err, fault.Conflict) {
			t.Errorf("split what is no part: %v", err)
		}
	})
}

func TestAPartThatEndedJoinsTheWholeAgainAndLeavesItsStateAlone(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(of(1, "a"))
		h.fire(of(2, "b"))
		h.turn(2, incident.Resolved)
		h.turn(1, incident.Acknowledged)
		h.must(h.service.Merge(t.Context(), 1, 1, []int64{2}, ann))
		h.Advance(24 * time.Hour)
		h.fire(of(2, "b"))
		if d := h.get(1); d.State != incident.Acknowledged || d.AcknowledgedBy != "ann" || d.Matches != 3 || d.Reopened != 0 || h.list(incident.Query{}).Total != 1 {
			t.Errorf("%+v", d.Incident)
		}
		// The whole ends, and begins anew for itself: a part that comes later than that does so, too.
		h.turn(1, incident.Resolved)
		slow := of(2, "b")
		slow.Rule.QuietMinutes = 600
		h.Advance(time.Hour)
		h.fire(of(1, "a"))
		h.fire(slow)
		if h.list(incident.Query{State: incident.Active}).Total != 2 || h.get(1).State != incident.Resolved {
			t.Errorf("%+v", h.list(incident.Query{}).Items)
		}
		if err := h.service.Turn(t.Context(), 1, 1, incident.Open, ann); !fault.Is(err, fault.Conflict) {
			t.Errorf("reopened beside the new one: %v", err)
		}
	})
}

func TestIncidentsAreFilteredByWhatTheyAreAndWhoHasThem(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		for i, labels := range []rule.Labels{{"team": "pay", "a": `x","team":"ship`}, {"team": "ship"}, nil} {
			f := of(int64(i+1), "svc")
			f.Rule.Labels, f.Rule.Severity = labels, rule.Severities[i]
			h.fire(f)
		}
		h.must(h.service.Assign(t.Context(), 1, 2, bob, ann))
		h.turn(1, incident.Acknowledged)
		h.turn(3, incident.Resolved)
		f := func(q incident.Query, want ...int64) {
			t.Helper()
			var got []int64
			for _, i := range h.list(q).Items {
				got = append(got, i.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v selects %v, want %v", q, got, want)
			}
		}
		f(incident.Query{State: incident.Active}, 2, 1)
		f(incident.Query{State: incident.Acknowledged}, 1)
		f(incident.Query{Severity: rule.Critical}, 3)
		f(incident.Query{Assignee: 8}, 2)
		f(incident.Query{Assignee: 7}, 1) // who acknowledged it
		f(incident.Query{Assignee: -1}, 3)
		f(incident.Query{Label: "team=ship"}, 2)
		f(incident.Query{Label: "team=p%"})
		if got := h.list(incident.Query{State: incident.Closed}).States; got[incident.Active] != 2 || got[incident.Resolved] != 1 || got[incident.Closed] != 0 {
			t.Errorf("states %v", got)
		}
		if _, err := h.service.List(t.Context(), 1, incident.Query{Label: "team"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a label without value: %v", err)
		}
	})
}

func TestASignedLinkDoesOneThingToOneIncidentForADay(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		h.fire(of(2, "other"))
		token := h.token(1, "확인")
		g, i, err := h.service.Read(t.Context(), token)
		if err != nil || g.State != incident.Acknowledged || i.ID != 1 || h.get(1).State != incident.Open {
			t.Fatalf("%+v, %+v, %v", g, i, err)
		}
		for range 2 {
			if _, err := h.service.Follow(t.Context(), token, ann); err != nil {
				t.Fatal(err)
			}
		}
		if h.get(1).State != incident.Acknowledged || h.get(1).AcknowledgedBy != "ann" || h.get(2).State != incident.Open {
			t.Errorf("%+v", h.get(1).Incident)
		}
		body, signature, _ := strings.Cut(token, ".")
		_, other, _ := strings.Cut(h.token(2, "확인"), ".")
		for _, bad := range []string{"", ".", body, body + ".", body + "." + other, "x" + token, strings.ToUpper(body) + "." + signature} {
			if _, err := h.service.Follow(t.Context(), bad, ann); !fault.Is(err, fault.NotFound) {
				t.Errorf("token %q: %v", bad, err)
			}
		}
		h.turn(1, incident.Resolved)
		h.turn(1, incident.Open)
		if _, err := h.service.Follow(t.Context(), token, ann); !fault.Is(err, fault.Denied) || h.get(1).State != incident.Open {
			t.Errorf("sent before it was reopened: %v, it is %s", err, h.get(1).State)
		}
		token = h.token(1, "확인")
		h.Advance(24 * time.Hour)
		if _, _, err := h.service.Read(t.Context(), token); !fault.Is(err, fault.Denied) {
			t.Errorf("a day later: %v", err)
		}
	})
}

// token is that of a link in the alarm of an incident.
func (h *house) token(id int64, label string) string {
	h.t.Helper()
	for _, a := range h.service.Actions(h.t.Context(), id) {
		if a.Label == label {
			token, ok := strings.CutPrefix(a.URL, baseURL+"/api/v1/incident-links/")
			if !ok {
				h.t.Fatalf("address %s", a.URL)
			}
			return token
		}
	}
	h.t.Fatalf("no link says %s", label)
	return ""
}
