package clock_test

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clock"
)

func TestAClockIsEvenOnlyAsLongAsNobodySetIt(t *testing.T) {
	var wall, monotonic time.Duration
	pass := func(d time.Duration) { wall, monotonic = wall+d, monotonic+d }
	w := clock.NewOf(func() (time.Duration, time.Duration) { return wall, monotonic })
	expect := func(what string, d time.Duration, want bool) {
		t.Helper()
		if got := w.Even(d); got != want {
			t.Errorf("%s: even for %s is %v, want %v", what, d, got, want)
		}
	}
	expect("at the start", time.Minute, false)
	pass(time.Minute)
	expect("after a minute", time.Minute, true)
	wall += time.Hour
	expect("set forward by an hour", time.Second, false)
	pass(5 * time.Minute)
	expect("five minutes later", 5*time.Minute, true)
	wall -= 10 * time.Minute
	expect("set back", time.Second, false)
	pass(10 * time.Minute)
	for range 20 {
		pass(10 * time.Second)
		wall += 5 * time.Millisecond
		expect("slewed by a time daemon", 10*time.Minute, true)
	}
}

func TestTheMachinesClockRunsEvenly(t *testing.T) {
	w := clock.New()
	time.Sleep(20 * time.Millisecond)
	if !w.Even(10 * time.Millisecond) {
		t.Error("the machine's clock is said to have jumped within 20 ms")
	}
	if w.Even(time.Hour) {
		t.Error("a process of some milliseconds says it was there for an hour")
	}
}

func TestATimeOfTheWeekIsOneByTheClocksOfItsPlace(t *testing.T) {
	night := clock.Weekly{Days: []time.Weekday{time.Saturday}, From: "23:00", To: "02:00"}
	office := clock.Weekly{From: "09:00", To: "18:00"}
	whole := clock.Weekly{Days: []time.Weekday{time.Sunday}, From: "00:00", To: "00:00"}
	f := func(w clock.Weekly, zone, at, want string) {
		t.Helper()
		place, err := clock.Zone(zone)
		if err != nil {
			t.Fatal(err)
		}
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if end, in := w.Window(when.In(place)); in {
			got = end.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%+v in %s at %s ends %q, want %q", w, zone, at, got, want)
		}
	}
	f(night, "Asia/Seoul", "2026-11-28T14:00:00Z", "2026-11-28T17:00:00Z") // Saturday 23:00 there
	f(night, "Asia/Seoul", "2026-11-28T16:59:00Z", "2026-11-28T17:00:00Z") // Sunday 01:59
	f(night, "Asia/Seoul", "2026-11-28T17:00:00Z", "")
	f(night, "Asia/Seoul", "2026-11-27T16:00:00Z", "") // Saturday 01:00: of Friday's night
	f(office, "Europe/Berlin", "2026-03-28T07:30:00Z", "")
	f(office, "Europe/Berlin", "2026-03-29T07:30:00Z", "2026-03-29T16:00:00Z") // summer time from that night on
	f(whole, "UTC", "2026-11-29T23:59:59Z", "2026-11-30T00:00:00Z")
	for part, w := range map[string]clock.Weekly{
		"days": {Days: []time.Weekday{7}, From: "09:00", To: "10:00"}, "from": {From: "24:00", To: "10:00"}, "to": {From: "09:00", To: "9"},
	} {
		if got, why := w.Check(); got != part || why == "" {
			t.Errorf("%+v: %q %q, want %s", w, got, why, part)
		}
	}
	if _, err := clock.Zone("Local"); err == nil {
		t.Error("the zone of the machine has a name")
	}
}
