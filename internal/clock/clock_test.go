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
