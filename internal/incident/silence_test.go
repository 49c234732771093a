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
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

func TestASilenceRecordsIncidentsAndTellsNobodyUntilItEnds(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		z, err := h.service.CreateSilence(ctx, incident.Silence{Project: 1, Matchers: incident.Matchers{Service: "noisy", Labels: rule.Labels{"team": "pay"}},
			Reason: "known", EndsAt: h.Now().Add(2 * time.Hour)}, "ann")
		h.must(err)
		fire := func(service, team string) {
			f := of(1, service)
			f.Rule.Labels = rule.Labels{"team": team}
			h.fire(f)
		}
		fire("noisy", "pay") // 1
		fire("quiet", "pay") // 2
		h.must(h.service.RunRelate(ctx, 2))
		h.analyse(1, 1)
		fire("noisy", "pay")
		d := h.get(1)
		if d.Told || d.Silence != z.ID || len(d.Deliveries) != 0 || !h.get(2).Told {
			t.Fatalf("%+v, %d deliveries", d.Incident, len(d.Deliveries))
		}
		if got := kinds(d); !slices.Contains(got, "silenced") || strings.Count(strings.Join(got, " "), "silenced") != 1 {
			t.Errorf("timeline %v", got)
		}
		h.turn(1, incident.Acknowledged)
		h.must(h.service.EndSilence(ctx, 1, z.ID, "bob"))
		h.must(h.service.EndSilence(ctx, 1, z.ID, "cid"))
		fire("noisy", "pay")
		if h.sent(1, "incident.alarm") != 2 || h.sent(1, "incident.report") != 2 || h.sent(1, "incident.acknowledged") != 0 {
			t.Errorf("after the silence: %+v", h.get(1).Deliveries)
		}
		list, err := h.service.Silences(ctx, 1)
		if err != nil || len(list) != 1 || list[0].Active || list[0].EndedBy != "bob" || list[0].Held != 1 || list[0].CreatedBy != "ann" {
			t.Errorf("%+v, %v", list, err)
		}
		// One that is made later holds what comes after the alarm.
		_, err = h.service.CreateSilence(ctx, incident.Silence{Project: 1, Matchers: incident.Matchers{Rule: 1}, Reason: "enough", EndsAt: h.Now().Add(time.Hour)}, "ann")
		h.must(err)
		h.turn(2, incident.Resolved)
		if h.sent(2, "incident.resolved") != 0 {
			t.Error("a silenced incident says that it ended")
		}
		h.Advance(time.Hour)
		if list, _ := h.service.Silences(ctx, 1); list[0].Active {
			t.Error("it does not expire")
		}
	})
}

func TestASilenceSaysWhatItMatchesWhyAndForHowLong(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	ctx, now := t.Context(), h.Now()
	f := func(field string, z incident.Silence) {
		t.Helper()
		_, err := h.service.CreateSilence(ctx, z, "ann")
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	m := incident.Matchers{Service: "a"}
	f("matchers", incident.Silence{Project: 1, Reason: "r", EndsAt: now.Add(time.Hour)})
	f("reason", incident.Silence{Project: 1, Matchers: m, Reason: " ", EndsAt: now.Add(time.Hour)})
	f("ends_at", incident.Silence{Project: 1, Matchers: m, Reason: "r", EndsAt: now})
	f("ends_at", incident.Silence{Project: 1, Matchers: m, Reason: "r", StartsAt: now.Add(2 * time.Hour), EndsAt: now.Add(time.Hour)})
	f("ends_at", incident.Silence{Project: 1, Matchers: m, Reason: "r", EndsAt: now.Add(91 * 24 * time.Hour)})
	z, err := h.service.CreateSilence(ctx, incident.Silence{Project: 1, Matchers: m, Reason: "r", EndsAt: now.Add(time.Hour)}, "ann")
	h.must(err)
	if err := h.service.EndSilence(ctx, 2, z.ID, "eve"); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project ends it: %v", err)
	}
	if list, err := h.service.Silences(ctx, project.ID(2)); err != nil || len(list) != 0 {
		t.Errorf("another project reads it: %v, %v", list, err)
	}
}

func TestNothingOpensDuringMaintenanceAndWhatStillGoesOnOpensAfterIt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		ctx, from, to := t.Context(), h.Now().Add(-time.Minute), h.Now().Add(time.Hour)
		h.fire(of(9, "other"))
		_, err := h.service.CreateMaintenance(ctx, incident.Maintenance{Project: 1, Name: "move", Timing: incident.Timing{From: &from, To: &to, Zone: "Asia/Seoul"}}, "ann")
		h.must(err)
		for range 3 {
			h.fire(firing())
		}
		h.turn(1, incident.Resolved) // what is open goes on, and says nothing
		if page := h.list(incident.Query{}); page.Total != 1 || h.sent(1, "incident.resolved") != 0 {
			t.Fatalf("%d incidents", page.Total)
		}
		h.Advance(time.Hour)
		h.fire(firing())
		list, err := h.service.Maintenances(ctx, 1)
		if err != nil || list[0].Held != 3 || list[0].HeldAt == nil || list[0].Active || !list[0].Over {
			t.Errorf("%+v, %v", list, err)
		}
		if h.list(incident.Query{}).Total != 2 || h.sent(2, "incident.alarm") != 2 {
			t.Error("nothing opened after it")
		}
		if err := h.service.DeleteMaintenance(ctx, 2, list[0].ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another project removes it: %v", err)
		}
		h.must(h.service.DeleteMaintenance(ctx, 1, list[0].ID))
	})
}

func TestAWeeklyMaintenanceHoldsByTheClocksOfItsZone(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	night := incident.Timing{Weekly: true, Days: []time.Weekday{time.Saturday}, Start: "23:00", End: "02:00", Zone: "Asia/Seoul"}
	f := func(timing incident.Timing, at string, want bool) {
		t.Helper()
		moment, err := time.Parse(time.RFC3339, at)
		h.must(err)
		if got := timing.Holds(moment); got != want {
			t.Errorf("at %s: %v", at, got)
		}
	}
	f(night, "2026-11-28T22:59:59+09:00", false)
	f(night, "2026-11-28T23:00:00+09:00", true)
	f(night, "2026-11-28T16:59:00Z", true) // Sunday, 01:59 there
	f(night, "2026-11-29T02:00:00+09:00", false)
	f(night, "2026-11-29T23:30:00+09:00", false)
	f(incident.Timing{Weekly: true, Start: "09:00", End: "09:00", Zone: "UTC"}, "2026-11-28T03:00:00Z", true)
	f(incident.Timing{Weekly: true, Start: "09:00", End: "10:00", Zone: "Europe/Berlin"}, "2026-03-29T07:30:00Z", true)  // summer time from that night on
	f(incident.Timing{Weekly: true, Start: "09:00", End: "10:00", Zone: "Europe/Berlin"}, "2026-03-28T07:30:00Z", false) // the day before it is 08:30
	early, late := h.Now(), h.Now().Add(time.Hour)
	for field, timing := range map[string]incident.Timing{
		"timing.zone": {Weekly: true, Start: "09:00", End: "10:00", Zone: "Mars/Base"}, "timing.start": {Weekly: true, Start: "9", End: "10:00", Zone: "UTC"},
		"timing.end": {Weekly: true, Start: "09:00", End: "25:00", Zone: "UTC"}, "timing.from": {Zone: "UTC"}, "timing.to": {From: &late, To: &early, Zone: "UTC"},
		"timing.days": {Weekly: true, Days: []time.Weekday{7}, Start: "09:00", End: "10:00", Zone: "UTC"},
	} {
		_, err := h.service.CreateMaintenance(t.Context(), incident.Maintenance{Project: 1, Name: "x", Timing: timing}, "ann")
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
