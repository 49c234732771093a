package ai

import (
	"testing"
	"time"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func testBreaker() (*breaker, *clock, circuitKey) {
	c := &clock{time.Date(2025, 6, 17, 12, 0, 0, 0, time.UTC)}
	return newBreaker(c.now), c, circuitKey{"openai", "gpt-4.1", "main"}
}

// call makes a call if it is let through.
func call(b *breaker, key circuitKey, failed Class) bool {
	ok, _ := b.allow(key)
	if ok {
		b.done(key, failed, false)
	}
	return ok
}

func TestACircuitOpensByRatioOnlyAfterEnoughCalls(t *testing.T) {
	b, _, key := testBreaker()
	for n := range circuitVolume {
		if !call(b, key, Overloaded) {
			t.Fatalf("open after %d calls", n)
		}
	}
	if call(b, key, "") {
		t.Fatal("closed after nothing but failures")
	}
	if c := b.all()[0]; c.State != CircuitOpen || c.Reason == "" || c.Until.Sub(c.Since) != circuitOpenFor || c.Failures != circuitVolume {
		t.Errorf("circuit %+v", c)
	}
	if other := (circuitKey{"openai", "gpt-4.1", "second"}); !call(b, other, "") {
		t.Error("another key is closed out with it")
	}
}

func TestFailuresOfTheRequestDoNotOpenACircuit(t *testing.T) {
	b, _, key := testBreaker()
	for range 3 * circuitVolume {
		for _, class := range []Class{BadRequest, TooLong, Refused, CutOff, InvalidAnswer} {
			if !call(b, key, class) {
				t.Fatalf("open after %s", class)
			}
		}
	}
}

func TestAFewFailuresAmongManyCallsDoNotOpenACircuit(t *testing.T) {
	b, c, key := testBreaker()
	for n := range 200 {
		failed := Class("")
		if n%5 > 2 {
			failed = Transport
		}
		if !call(b, key, failed) {
			t.Fatalf("open at call %d", n)
		}
		c.at = c.at.Add(time.Second)
	}
	if seen := b.all()[0]; seen.Calls < 50 || seen.Calls > 60 {
		t.Errorf("%d calls are counted of the last minute, one was made each second", seen.Calls)
	}
}

func TestAnOpenCircuitIsTriedByOneCallAndClosesWhenItAnswers(t *testing.T) {
	b, c, key := testBreaker()
	for range circuitVolume {
		call(b, key, TimedOut)
	}
	c.at = c.at.Add(circuitOpenFor)
	first, _ := b.allow(key)
	second, why := b.allow(key)
	if !first || second || why == "" || b.all()[0].State != CircuitHalfOpen {
		t.Fatalf("probe %v, beside it %v (%q)", first, second, why)
	}
	b.done(key, Transport, false)
	if seen := b.all()[0]; seen.State != CircuitOpen || seen.Until.Sub(c.at) != 2*circuitOpenFor {
		t.Fatalf("after a failed probe %+v", seen)
	}
	c.at = c.at.Add(2 * circuitOpenFor)
	if ok, _ := b.allow(key); !ok {
		t.Fatal("not tried again")
	}
	b.done(key, "", true) // the caller left: the next call is the probe
	if ok, _ := b.allow(key); !ok {
		t.Fatal("not tried again after a probe that its caller left")
	}
	b.done(key, "", false)
	if seen := b.all()[0]; seen.State != CircuitClosed || seen.Failures != 0 {
		t.Fatalf("after a good probe %+v", seen)
	}
}

func TestACircuitOpenedByHandStaysOpenUntilItIsReset(t *testing.T) {
	b, c, key := testBreaker()
	b.trip(key, "maintenance, by kim")
	c.at = c.at.Add(time.Hour)
	if ok, why := b.allow(key); ok || why != "maintenance, by kim" {
		t.Fatalf("allowed %v, %q", ok, why)
	}
	b.reset(key)
	if !call(b, key, "") || b.all()[0].Manual {
		t.Fatal("still open after the reset")
	}
}
