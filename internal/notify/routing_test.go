package notify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// at is a time of the week of Monday, 7 December 2026, in Seoul.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]int{"Mon": 7, "Tue": 8, "Fri": 11, "Sat": 12, "Sun": 13}
	clock, err := time.Parse("15:04", text[4:])
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 12, days[text[:3]], clock.Hour(), clock.Minute(), 0, 0, zone).UTC()
}

func TestRoutesChooseByWhatAMessageIsAboutAndWhen(t *testing.T) {
	office := &notify.Hours{Weekdays: []int{1, 2, 3, 4, 5}, From: "09:00", To: "18:00"}
	night := &notify.Hours{Weekdays: []int{5}, From: "22:00", To: "06:00"}
	all := notify.Routing{TimeZone: "Asia/Seoul", Routes: []notify.Route{
		{Name: "critical", Severities: []string{"critical"}, Channels: []int64{1}},
		{Name: "orders", Services: []string{"order-*", "pay"}, Environments: []string{"PRODUCTION"}, Channels: []int64{2}},
		{Name: "team", Owners: []string{"core"}, Labels: map[string]string{"tier": "1"}, Channels: []int64{3}},
		{Name: "office", Hours: office, Severities: []string{"warning"}, Channels: []int64{4}},
		{Name: "friday night", Hours: night, Severities: []string{"warning"}, Channels: []int64{5}},
	}}
	f := func(m notify.Message, when string, want ...int64) {
		t.Helper()
		got, fits := all.Channels(m, at(t, when))
		if !slices.Equal(got, want) || fits != (len(want) > 0) {
			t.Errorf("%+v at %s: %v, want %v", m, when, got, want)
		}
		first := all
		first.FirstOnly = true
		if got, _ := first.Channels(m, at(t, when)); len(want) > 0 && !slices.Equal(got, want[:1]) {
			t.Errorf("the first only, %s: %v", when, got)
		}
	}
	warning := notify.Message{Severity: "warning"}
	f(notify.Message{}, "Sun 03:00", 1) // what nobody graded is critical
	f(notify.Message{Severity: "info"}, "Mon 10:00")
	f(notify.Message{Severity: "critical", Service: "order-api", Environment: "PRODUCTION"}, "Sun 03:00", 1, 2)
	f(notify.Message{Severity: "info", Service: "order-api", Environment: "STAGING"}, "Sun 03:00")
	f(notify.Message{Severity: "info", Service: "pay-2", Environment: "PRODUCTION"}, "Sun 03:00")
	f(notify.Message{Severity: "info", Owner: "core", Labels: map[string]string{"tier": "1", "x": "y"}}, "Sun 03:00", 3)
	f(notify.Message{Severity: "info", Owner: "core", Labels: map[string]string{"tier": "2"}}, "Sun 03:00")
	f(warning, "Mon 09:00", 4)
	f(warning, "Mon 17:59", 4)
	f(warning, "Mon 18:00")
	f(warning, "Sat 12:00")
	f(warning, "Fri 23:00", 5)
	f(warning, "Sat 05:59", 5) // the night that began on Friday
	f(warning, "Sat 06:00")
	f(warning, "Fri 05:00")
}

func TestQuietHoursAndDigestsSayWhenSomethingIsTold(t *testing.T) {
	r := notify.Routing{TimeZone: "Asia/Seoul",
		Quiet:  &notify.Quiet{Hours: notify.Hours{From: "22:00", To: "07:00"}, Below: "critical"},
		Digest: &notify.Digest{Below: "warning", EveryMinutes: 30}}
	f := func(severity, when, want string) {
		t.Helper()
		got := r.Due(notify.Message{Severity: severity}, at(t, when))
		if want == "" && !got.IsZero() || want != "" && !got.Equal(at(t, want)) {
			t.Errorf("%s at %s: %s, want %s", severity, when, got, want)
		}
	}
	f("critical", "Mon 23:00", "")
	f("", "Mon 23:00", "")
	f("warning", "Mon 12:00", "")
	f("warning", "Mon 23:00", "Tue 07:00")
	f("warning", "Tue 06:59", "Tue 07:00")
	f("warning", "Tue 07:00", "")
	f("info", "Mon 12:00", "Mon 12:30")
	f("info", "Mon 12:29", "Mon 12:30")
	f("info", "Mon 21:45", "Tue 07:00") // its digest would fall into quiet hours
	f("info", "Mon 23:10", "Tue 07:00")
}

func (h *house) route(r notify.Routing) notify.Routing {
	h.t.Helper()
	stored, err := h.outbox.Targets().SetRouting(h.t.Context(), 1, r, "ann")
	if err != nil {
		h.t.Fatal(err)
	}
	return stored
}

func TestARoutingIsVersionedCheckedAndOfItsProject(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, &scripted{})
		target := h.target("scripted", "x", `{}`)
		targets := h.outbox.Targets()
		if r, err := targets.Routing(t.Context(), 1); err != nil || r.Version != 0 || r.Routes == nil {
			t.Fatalf("%+v, %v", r, err)
		}
		good := notify.Routing{TimeZone: "Asia/Seoul", Routes: []notify.Route{{Name: " a ", Channels: []int64{target.ID}}}}
		stored := h.route(good)
		if read, err := targets.Routing(t.Context(), 1); err != nil || read.Version != 1 || read.Routes[0].Name != "a" || read.UpdatedBy != "ann" || !read.UpdatedAt.Equal(stored.UpdatedAt) {
			t.Fatalf("%+v, %v", read, err)
		}
		if r, err := targets.Routing(t.Context(), 2); err != nil || r.Version != 0 {
			t.Errorf("another project reads %+v, %v", r, err)
		}
		if _, err := targets.SetRouting(t.Context(), 1, good, "bob"); !fault.Is(err, fault.Conflict) {
			t.Errorf("an old version: %v", err)
		}
		if _, err := targets.SetRouting(t.Context(), 2, good, "eve"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a channel of another project: %v", err)
		}
		f := func(field string, change func(*notify.Routing)) {
			t.Helper()
			r := notify.Routing{Version: 1, TimeZone: "Asia/Seoul", Routes: []notify.Route{{Name: "a", Channels: []int64{target.ID}}}}
			change(&r)
			if _, err := targets.SetRouting(t.Context(), 1, r, "ann"); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
				t.Errorf("%v, want an error of %s", err, field)
			}
		}
		f("time_zone", func(r *notify.Routing) { r.TimeZone = "Mars/Olympus" })
		f("time_zone", func(r *notify.Routing) { r.TimeZone = "Local" })
		f("routes.0.name", func(r *notify.Routing) { r.Routes[0].Name = " " })
		f("routes.0.severities", func(r *notify.Routing) { r.Routes[0].Severities = []string{"bad"} })
		f("routes.0.services", func(r *notify.Routing) { r.Routes[0].Services = []string{""} })
		f("routes.0.hours", func(r *notify.Routing) { r.Routes[0].Hours = &notify.Hours{From: "9:00", To: "18:00"} })
		f("routes.0.hours", func(r *notify.Routing) {
			r.Routes[0].Hours = &notify.Hours{From: "09:00", To: "18:00", Weekdays: []int{7}}
		})
		f("routes.0.channels", func(r *notify.Routing) { r.Routes[0].Channels = nil })
		f("quiet.hours", func(r *notify.Routing) {
			r.Quiet = &notify.Quiet{Below: "warning", Hours: notify.Hours{From: "09:00", To: "09:00"}}
		})
		f("quiet.below", func(r *notify.Routing) { r.Quiet = &notify.Quiet{Hours: notify.Hours{From: "09:00", To: "18:00"}} })
		f("digest.below", func(r *notify.Routing) { r.Digest = &notify.Digest{EveryMinutes: 30} })
		f("digest.every_minutes", func(r *notify.Routing) { r.Digest = &notify.Digest{Below: "warning", EveryMinutes: 1} })
	})
}

func TestMessagesGoWhereTheRoutingSaysAndARulesOwnChannelsWin(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, &scripted{})
		a, b := h.target("scripted", "a", `{}`), h.target("scripted", "b", `{}`)
		h.route(notify.Routing{Routes: []notify.Route{
			{Name: "critical", Severities: []string{"critical"}, Channels: []int64{a.ID}},
			{Name: "orders", Services: []string{"order"}, Channels: []int64{a.ID, b.ID}},
			{Name: "b", Services: []string{"b"}, Channels: []int64{b.ID}},
		}})
		f := func(m notify.Message, want string, named ...int64) {
			t.Helper()
			before := len(h.deliveries())
			m.Key = fmt.Sprint(before)
			h.enqueue(m, named...)
			var got []string
			for _, d := range h.deliveries()[before:] {
				got = append(got, d.Target+" "+d.State)
			}
			if text := strings.Join(got, ", "); text != want {
				t.Errorf("%+v: %s, want %s", m, text, want)
			}
		}
		f(notify.Message{Severity: "critical"}, "a pending")
		f(notify.Message{Severity: "critical", Service: "order"}, "a pending, b pending") // each once
		f(notify.Message{Severity: "critical"}, "b pending", b.ID)
		f(notify.Message{Severity: "info"}, "a pending, b pending") // no route fits: as without one
		b.Enabled = false
		if _, err := h.outbox.Targets().Update(t.Context(), b, "ann"); err != nil {
			t.Fatal(err)
		}
		f(notify.Message{Severity: "info", Service: "b"}, "b failed, a pending") // better too many than nobody
	})
}

func TestWhatIsHeldIsToldTogetherWhenItsTimeComes(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		people, machines := &reader{}, &machine{}
		h := newHouse(t, db, people, machines)
		h.now = at(t, "Mon 23:00")
		target := h.target("scripted", "team", `{}`)
		h.target("machine", "hook", `{}`)
		h.route(notify.Routing{TimeZone: "Asia/Seoul", Quiet: &notify.Quiet{Hours: notify.Hours{From: "22:00", To: "07:00"}, Below: "critical"}})
		for i := range 3 {
			h.enqueue(notify.Message{Key: fmt.Sprint(i), Subject: fmt.Sprintf("warning %d", i), Severity: "warning",
				Thread: fmt.Sprintf("incident/%d", i), Link: fmt.Sprintf("https://m.example.com/%d", i)})
		}
		h.enqueue(notify.Message{Key: "loud", Subject: "fire", Severity: "critical"})
		h.drain(target.ID)
		if len(people.sent) != 1 || people.sent[0].Subject != "fire" || len(machines.sent) != 4 {
			t.Fatalf("people got %+v, machines %d", people.sent, len(machines.sent))
		}
		held := h.log()
		if d := held[len(held)-1]; d.State != notify.Held || d.Due == nil || !d.Due.Equal(at(t, "Tue 07:00")) {
			t.Errorf("held %+v", d)
		}
		h.mu.Lock()
		h.now = at(t, "Tue 06:00")
		h.mu.Unlock()
		if err := h.outbox.TellHeld(t.Context(), target.ID); err != nil {
			t.Fatal(err)
		}
		h.drain(target.ID)
		if len(people.sent) != 1 {
			t.Fatal("told before its time")
		}
		h.mu.Lock()
		h.now = at(t, "Tue 07:00")
		h.mu.Unlock()
		for range 2 { // the job runs again: nothing is told twice
			if err := h.outbox.TellHeld(t.Context(), target.ID); err != nil {
				t.Fatal(err)
			}
			h.drain(target.ID)
		}
		if len(people.sent) != 2 {
			t.Fatalf("people got %d messages", len(people.sent))
		}
		got := people.sent[1]
		for i := range 3 {
			if !strings.Contains(got.Text, fmt.Sprintf("12-07 23:00 KST · warning %d", i)) || !strings.Contains(got.Text, fmt.Sprintf("https://m.example.com/%d", i)) {
				t.Errorf("warning %d is missing in %q", i, got.Text)
			}
		}
		if got.Severity != notify.Warning || !strings.Contains(got.Subject, "3 notifications") {
			t.Errorf("the digest is %+v", got)
		}
	})
}

func TestADigestComesByItselfAndOneMessageStaysAsItIs(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		people := &reader{}
		h := newHouse(t, db, people)
		target := h.target("scripted", "team", `{}`)
		h.route(notify.Routing{Digest: &notify.Digest{Below: "warning", EveryMinutes: 5}})
		h.enqueue(notify.Message{Key: "a", Subject: "small news", Text: "as it is", Severity: "info"})
		if d := h.deliveries()[0]; d.State != notify.Held {
			t.Fatalf("%+v", d)
		}
		var jobs int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'notify_held' AND state = 'scheduled'`).Scan(&jobs); err != nil || jobs != 1 {
			t.Fatalf("%d jobs will tell it, %v", jobs, err)
		}
		h.Advance(12 * time.Minute) // its job was lost: the sweep finds it
		h.work()
		if err := h.outbox.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.until("team", notify.Delivered)
		if len(people.sent) != 1 || people.sent[0].Text != "as it is" {
			t.Fatalf("%+v for %d", people.sent, target.ID)
		}
	})
}

// machine is a scripted channel of another kind, which nobody reads.
type machine struct{ scripted }

func (*machine) Kind() string { return "machine" }
