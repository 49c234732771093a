package notify

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

var down = fault.New(fault.Unavailable, "no answer in time")

func newGate() *gate { return &gate{lanes: map[int64]*lane{}} }

func TestATargetHoldsTwoPlacesAtMost(t *testing.T) {
	g, now := newGate(), time.Unix(0, 0)
	for range laneLimit {
		if p, _ := g.enter(1, now); p == nil {
			t.Fatal("a free lane refused")
		}
	}
	if p, wait := g.enter(1, now); p != nil || wait <= 0 {
		t.Fatal("a third send to one target was let in")
	}
	if p, _ := g.enter(2, now); p == nil {
		t.Fatal("another target had to wait")
	}
}

func TestHoweverManyTargetsAreDownAHealthyOneFindsAPlace(t *testing.T) {
	g, now := newGate(), time.Unix(0, 0)
	for target := int64(1); target <= 100; target++ {
		p, _ := g.enter(target, now)
		g.leave(p, now, down)
	}
	now = now.Add(time.Hour) // all holds are over and all come at once
	probing := 0
	for target := int64(1); target <= 100; target++ {
		if p, _ := g.enter(target, now); p != nil {
			probing++
		}
	}
	if probing != suspectLimit {
		t.Fatalf("%d sends to targets that are down, want %d", probing, suspectLimit)
	}
	if p, _ := g.enter(1000, now); p == nil {
		t.Fatal("the healthy target had to wait")
	}
}

func TestATargetThatFailedIsLeftAloneForAWhileAndForgivenAfterASuccess(t *testing.T) {
	g, now := newGate(), time.Unix(0, 0)
	p, _ := g.enter(1, now)
	g.leave(p, now, fault.New(fault.RateLimited, "slow down").WithRetryAfter(10*time.Minute))
	if p, wait := g.enter(1, now.Add(9*time.Minute)); p != nil || wait < time.Minute {
		t.Fatalf("let in before Retry-After, or told to come back after %s", wait)
	}
	p, _ = g.enter(1, now.Add(11*time.Minute))
	if p == nil {
		t.Fatal("not let in after Retry-After")
	}
	if second, _ := g.enter(1, now.Add(11*time.Minute)); second != nil {
		t.Fatal("a suspect target got two probes at once")
	}
	g.leave(p, now, nil)
	if len(g.lanes) != 0 || g.suspects != 0 {
		t.Fatalf("the gate remembers %+v", g)
	}
}

func TestARefusedMessageDoesNotMakeItsTargetSuspect(t *testing.T) {
	g, now := newGate(), time.Unix(0, 0)
	p, _ := g.enter(1, now)
	g.leave(p, now, fault.New(fault.Invalid, "the receiver answered 400"))
	if p, _ := g.enter(1, now); p == nil {
		t.Fatal("the next message had to wait")
	}
}

func TestThePauseDoublesUpToItsLimitAndIsNeverTheSame(t *testing.T) {
	f := func(n int, low, high time.Duration) {
		t.Helper()
		seen := map[time.Duration]bool{}
		for range 100 {
			d := backoff(n, firstBackoff, maxBackoff)
			if d < low || d > high {
				t.Fatalf("pause %d is %s, want %s to %s", n, d, low, high)
			}
			seen[d] = true
		}
		if len(seen) < 50 {
			t.Errorf("pause %d hardly varies", n)
		}
	}
	f(1, 3750*time.Millisecond, 6250*time.Millisecond)
	f(2, 7500*time.Millisecond, 12500*time.Millisecond)
	f(5, time.Minute, 100*time.Second)
	f(20, 22*time.Minute, 38*time.Minute)
	f(1_000, 22*time.Minute, 38*time.Minute)
}
