package incident_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

func TestAFiringTellsPeopleAtOnceAndExplainsSoonAfter(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.work()
		h.fire(firing())

		alarm := h.webhook.Expect(t, "[MATRIX-APM]")
		if alarm.Text != seedAlarm || alarm.Event != "incident.alarm" || alarm.Ref != "incident/1" {
			t.Errorf("alarm %+v", alarm)
		}
		h.slack.Expect(t, seedAlarm)
		written := h.webhook.Expect(t, "[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]")
		if written.Event != "incident.report" || written.Link != baseURL+"/projects/1/incidents/1" {
			t.Errorf("report %+v", written)
		}
		m := h.slack.Expect(t, "[요약]", "인덱스 11의 SQL 쿼리에서 8003ms가")
		var buttons []string
		for _, b := range m.Buttons {
			buttons = append(buttons, b.Text)
		}
		if !slices.Equal(buttons, []string{"MATRIX에서 보기", "확인", "해결 처리"}) || m.Buttons[0].URL != baseURL+"/projects/1/incidents/1" {
			t.Errorf("buttons %+v", m.Buttons)
		}

		d := h.get(1)
		if d.Analysis != incident.Done || d.Report.Source != "model" || d.Report.Model != "fake-1" || d.Report.RoleVersion != 3 {
			t.Errorf("report %+v", d.Report)
		}
		if len(d.Evidence) != 3 || d.Evidence[2].SpanID != "000000000000000b" || d.Masking.Tokens[0].Value != "test_tb1" {
			t.Errorf("evidence %+v, masking %+v", d.Evidence, d.Masking)
		}
		if got := kinds(d); !slices.Equal(got, []string{"opened", "analysis_started", "analyzed"}) {
			t.Errorf("timeline %v", got)
		}
		if len(d.Deliveries) != 4 {
			t.Errorf("deliveries %+v", d.Deliveries)
		}
	})
}

func TestARuleHasOneOpenIncidentAndLaterMatchesJoinIt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		later := firing()
		later.Met = false // not often enough for a new alarm, but the same trouble
		slower := later.Matches[0]
		slower.TraceID, slower.DurationNs, slower.Instance = [16]byte{2}, 9500e6, "pod-2"
		slower.Start = slower.Start.Add(3 * time.Minute)
		later.Matches, later.New = []rule.Match{slower}, 2
		later.NewInstances = []rule.InstanceCount{{Name: "pod-2", Count: 2}}
		h.fire(later)
		h.fire(later)

		page := h.list(incident.Query{})
		if page.Total != 1 {
			t.Fatalf("%d incidents", page.Total)
		}
		got := page.Items[0]
		want := []rule.InstanceCount{{Name: "pod-2", Count: 4}, {Name: "prod-test-api-pod-6945c568-2ghw8", Count: 1}}
		if diff := cmp.Diff(want, got.Instances); diff != "" || got.Matches != 5 {
			t.Errorf("%d matches, instances %s", got.Matches, diff)
		}
		if want := slower.Start.Add(9500 * time.Millisecond); !got.LastMatchAt.Equal(want) {
			t.Errorf("last match %s, want %s", got.LastMatchAt, want)
		}
		d := h.get(got.ID)
		if n := h.sent(got.ID, "incident.alarm"); n != 2 {
			t.Errorf("%d alarms for two targets", n)
		}
		if last := d.Timeline[len(d.Timeline)-1]; len(d.Timeline) != 2 || last.Kind != "matched" || last.Data["matches"] != 4.0 {
			t.Errorf("timeline %+v", d.Timeline)
		}
	})
}

func TestAFiringBelowTheThresholdOpensNothing(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		f := firing()
		f.Met = false
		h.fire(f)
		if page := h.list(incident.Query{}); page.Total != 0 {
			t.Fatalf("%+v", page)
		}
	})
}

func TestEveryServiceAndPhaseHasAnIncidentOfItsOwn(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		for _, c := range []struct{ service, phase string }{{"a", "production"}, {"a", "beta"}, {"a", ""}, {"b", "production"}} {
			f := firing()
			f.Service, f.Phase = c.service, c.phase
			h.fire(f)
			h.fire(f)
		}
		if page := h.list(incident.Query{}); page.Total != 4 {
			t.Fatalf("%d incidents", page.Total)
		}
	})
}

func TestNodesThatFireAtOnceOpenOneIncident(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		var nodes sync.WaitGroup
		for range 8 {
			nodes.Go(func() {
				err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error { return h.service.Open(ctx, tx, firing()) })
				if err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		page := h.list(incident.Query{})
		if page.Total != 1 || page.Items[0].Matches != 8 || h.sent(1, "incident.alarm") != 2 {
			t.Fatalf("%+v, %d alarms", page, h.sent(1, "incident.alarm"))
		}
	})
}

func TestAnEvaluationThatFailsLeavesNoIncidentAndNoMessage(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		boom := errors.New("boom")
		err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
			return errors.Join(h.service.Open(ctx, tx, firing()), boom)
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if page := h.list(incident.Query{}); page.Total != 0 {
			t.Fatalf("%+v", page)
		}
		h.fire(firing())
		if h.sent(1, "incident.alarm") != 2 {
			t.Fatal("the next evaluation tells nobody")
		}
	})
}

func TestAProjectThatWasArchivedOpensNothing(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	f := firing()
	f.Rule.Project = 99
	h.fire(f)
	page, err := h.service.List(t.Context(), 99, incident.Query{})
	if err != nil || page.Total != 0 {
		t.Fatalf("%+v, %v", page, err)
	}
}

func TestOnlyTheChannelsOfTheRuleAreTold(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		f := firing()
		f.Rule.Channels = []int64{1}
		h.fire(f)
		h.analyse(1, 1)
		d := h.get(1).Deliveries
		if len(d) != 2 || d[0].Target != d[1].Target || d[0].Message == d[1].Message {
			t.Fatalf("deliveries %+v", d)
		}
	})
}

func TestAnIncidentEndsByItselfOnceNothingMatchesForItsQuietPeriod(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		h.Advance(7 * time.Minute)
		if wait := snoozed(t, h.service.RunQuiet(t.Context(), 1)); wait != 3*time.Minute {
			t.Fatalf("it looks again after %s", wait)
		}
		h.fire(firing())
		h.Advance(7 * time.Minute)
		if wait := snoozed(t, h.service.RunQuiet(t.Context(), 1)); wait != 3*time.Minute {
			t.Fatalf("a later match does not prolong it: %s", wait)
		}
		h.Advance(3 * time.Minute)
		for range 2 {
			if err := h.service.RunQuiet(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		d := h.get(1)
		last := d.Timeline[len(d.Timeline)-1]
		if d.State != incident.Resolved || !d.ResolvedAt.Equal(h.Now()) || d.ResolvedBy != "" ||
			last.Kind != "resolved" || last.Data["quiet_minutes"] != 10.0 {
			t.Fatalf("incident %+v, last %+v", d.Incident, last)
		}
		h.Advance(20*time.Minute + time.Second)
		h.fire(firing())
		if page := h.list(incident.Query{}); page.Total != 2 || page.Items[0].ID != 2 || page.Items[0].State != incident.Open {
			t.Fatalf("the next match opens no new incident: %+v", page)
		}
	})
}

func TestPeopleAcknowledgeAndResolve(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		ctx := t.Context()
		for _, err := range []error{
			h.service.Acknowledge(ctx, 1, 1, incident.Person{Name: "ann"}), h.service.Acknowledge(ctx, 1, 1, incident.Person{Name: "bob"}),
			h.service.Resolve(ctx, 1, 1, incident.Person{Name: "ann"}), h.service.Resolve(ctx, 1, 1, incident.Person{Name: "bob"}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		d := h.get(1)
		if d.AcknowledgedBy != "ann" || d.ResolvedBy != "ann" || d.State != incident.Resolved {
			t.Errorf("incident %+v", d.Incident)
		}
		if got := kinds(d); !slices.Equal(got, []string{"opened", "acknowledged", "resolved"}) {
			t.Errorf("timeline %v", got)
		}
		if err := h.service.Acknowledge(ctx, 1, 1, incident.Person{Name: "cid"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("acknowledge a resolved incident: %v", err)
		}
		if err := h.service.RunQuiet(ctx, 1); err != nil {
			t.Errorf("the quiet period of a resolved incident: %v", err)
		}
	})
}

func TestAnotherProjectKnowsNothingOfAnIncident(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.fire(firing())
		h.analyse(1, 1)
		ctx, other := t.Context(), project.ID(2)
		_, err := h.service.Get(ctx, other, 1)
		for name, err := range map[string]error{
			"get": err, "acknowledge": h.service.Acknowledge(ctx, other, 1, incident.Person{Name: "eve"}),
			"resolve": h.service.Resolve(ctx, other, 1, incident.Person{Name: "eve"}), "analyze": h.service.Analyze(ctx, other, 1, "eve"),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if page, err := h.service.List(ctx, other, incident.Query{}); err != nil || page.Total != 0 || len(page.Items) != 0 {
			t.Errorf("list: %+v, %v", page, err)
		}
	})
}

func TestAListIsPagedFromTheNewestWithoutGapsOrRepeats(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		for i := range 7 {
			f := firing()
			f.Service = fmt.Sprint("svc-", i)
			h.fire(f)
			if i%2 == 0 { // some are opened at the same time
				h.Advance(time.Minute)
			}
		}
		var ids []int64
		q := incident.Query{Limit: 3}
		for {
			page := h.list(q)
			if page.Total != 7 {
				t.Fatalf("total %d", page.Total)
			}
			for _, i := range page.Items {
				ids = append(ids, i.ID)
			}
			if len(ids) == 3 { // one that opens meanwhile must not move the pages
				f := firing()
				f.Service = "late"
				f.Rule.Project = 2
				h.fire(f)
			}
			if q.Cursor = page.NextCursor; q.Cursor == "" {
				break
			}
		}
		if !slices.Equal(ids, []int64{7, 6, 5, 4, 3, 2, 1}) {
			t.Fatalf("pages %v", ids)
		}
		for _, bad := range []string{"x", "!", "MQ"} {
			if _, err := h.service.List(t.Context(), 1, incident.Query{Cursor: bad}); !fault.Is(err, fault.Invalid) {
				t.Errorf("cursor %q: %v", bad, err)
			}
		}
	})
}

func TestAListCanBeFiltered(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		start := h.Now()
		for i, c := range []struct{ service, phase string }{{"Order-API", "production"}, {"order-api", "beta"}, {"50%_off", "production"}} {
			f := firing()
			f.Rule.ID, f.Service, f.Phase = int64(i+1), c.service, c.phase
			h.fire(f)
			h.Advance(time.Hour)
		}
		if err := h.service.Resolve(t.Context(), 1, 2, incident.Person{Name: "ann"}); err != nil {
			t.Fatal(err)
		}
		f := func(q incident.Query, want ...int64) {
			t.Helper()
			page := h.list(q)
			var got []int64
			for _, i := range page.Items {
				got = append(got, i.ID)
			}
			if !slices.Equal(got, want) || page.Total != int64(len(want)) {
				t.Errorf("%+v selects %v of %d, want %v", q, got, page.Total, want)
			}
		}
		f(incident.Query{}, 3, 2, 1)
		f(incident.Query{State: incident.Open}, 3, 1)
		f(incident.Query{State: incident.Resolved}, 2)
		f(incident.Query{Service: "order-api"}, 2)
		f(incident.Query{Phase: "production"}, 3, 1)
		f(incident.Query{Rule: 2}, 2)
		f(incident.Query{Text: " ORDER-api "}, 2, 1)
		f(incident.Query{Text: "slowsql 알람"}, 3, 2, 1)
		f(incident.Query{Text: "%_"}, 3)
		f(incident.Query{Text: "'; DROP TABLE incident; --"})
		f(incident.Query{From: start.Add(time.Hour)}, 3, 2)
		f(incident.Query{To: start.Add(time.Hour)}, 1)
		if _, err := h.service.List(t.Context(), 1, incident.Query{State: "shut"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown state: %v", err)
		}
	})
}
