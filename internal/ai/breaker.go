package ai

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The states of a Circuit.
const (
	CircuitClosed   = "closed"    // calls go through
	CircuitOpen     = "open"      // none does
	CircuitHalfOpen = "half_open" // one is tried
)

// Circuit keeps calls away from a model that fails: what failed a moment ago is
// likely to fail again, and every attempt costs its caller time.
type Circuit struct {
	Provider string    `json:"provider"`
	Model    string    `json:"model"`
	Key      string    `json:"key"` // alias
	State    string    `json:"state"`
	Reason   string    `json:"reason"`
	Since    time.Time `json:"since"` // of the state
	Until    time.Time `json:"until"` // open until then; zero when by hand or not open
	Calls    int       `json:"calls"` // of the last minute
	Failures int       `json:"failures"`
	Manual   bool      `json:"manual"` // opened by hand: it closes by hand
}

const (
	circuitWindow  = time.Minute
	circuitBuckets = 6
	circuitVolume  = 10  // calls in the window before it may open
	circuitRatio   = 0.5 // of them failed: it opens
	circuitOpenFor = 30 * time.Second
	circuitMost    = 5 * time.Minute // that it stays open when probes keep failing
)

// blames are the failures that say something of the service and not of the
// request or the answer.
var blames = []Class{Transport, RateLimited, QuotaExceeded, Overloaded, BadKey, NotAllowed, UnknownModel, EmptyAnswer, HugeAnswer, TimedOut}

type circuitKey struct{ provider, model, key string }

// breaker holds the circuits of this node.
type breaker struct {
	now      func() time.Time
	mu       sync.Mutex
	circuits map[circuitKey]*circuit
}

type circuit struct {
	Circuit
	buckets [circuitBuckets]struct{ slot, calls, failures int64 }
	openFor time.Duration
	probing bool
}

func newBreaker(now func() time.Time) *breaker {
	return &breaker{now: now, circuits: map[circuitKey]*circuit{}}
}

func (b *breaker) at(key circuitKey) *circuit {
	c := b.circuits[key]
	if c == nil {
		c = &circuit{Circuit: Circuit{Provider: key.provider, Model: key.model, Key: key.key, State: CircuitClosed, Since: b.now().UTC()}, openFor: circuitOpenFor}
		b.circuits[key] = c
	}
	return c
}

// allow reports whether a call may go; else why not. A call that goes must be
// told to done.
func (b *breaker) allow(key circuitKey) (ok bool, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.at(key)
	now := b.now()
	switch {
	case c.State == CircuitClosed:
		return true, ""
	case c.Manual:
		return false, c.Reason
	case c.State == CircuitOpen && now.Before(c.Until):
		return false, c.Reason
	case c.probing:
		return false, "another call is trying whether it answers again"
	}
	if c.State == CircuitOpen {
		c.turn(CircuitHalfOpen, c.Reason, now)
	}
	c.probing = true
	return true, ""
}

// done tells how a call ended that was allowed: with no failure, or with its
// class. A call that its caller left says nothing.
func (b *breaker) done(key circuitKey, failed Class, left bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.at(key)
	now := b.now()
	if c.probing = false; left {
		return
	}
	bad := slices.Contains(blames, failed)
	calls, failures := c.count(now, bad)
	switch {
	case c.Manual:
	case c.State == CircuitHalfOpen && bad:
		c.openFor = min(2*c.openFor, circuitMost)
		c.open(fmt.Sprintf("it was tried again and failed: %s", failed), now)
	case c.State == CircuitHalfOpen:
		c.reset(now)
	case c.State == CircuitClosed && bad && calls >= circuitVolume && float64(failures) >= circuitRatio*float64(calls):
		c.open(fmt.Sprintf("%d of %d calls failed within a minute, the last: %s", failures, calls, failed), now)
	}
}

// count adds a call and returns the sums of the window.
func (c *circuit) count(now time.Time, bad bool) (calls, failures int64) {
	slot := now.UnixNano() / int64(circuitWindow/circuitBuckets)
	bucket := &c.buckets[slot%circuitBuckets]
	if bucket.slot != slot {
		bucket.slot, bucket.calls, bucket.failures = slot, 0, 0
	}
	if bucket.calls++; bad {
		bucket.failures++
	}
	return c.sums(slot)
}

func (c *circuit) sums(slot int64) (calls, failures int64) {
	for _, each := range c.buckets {
		if each.slot > slot-circuitBuckets {
			calls, failures = calls+each.calls, failures+each.failures
		}
	}
	return calls, failures
}

func (c *circuit) turn(state, reason string, now time.Time) {
	c.State, c.Reason, c.Since, c.Until = state, reason, now.UTC(), time.Time{}
}

func (c *circuit) open(reason string, now time.Time) {
	c.turn(CircuitOpen, reason, now)
	c.Until = now.Add(c.openFor).UTC()
}

func (c *circuit) reset(now time.Time) {
	c.turn(CircuitClosed, "", now)
	c.openFor, c.Manual, c.probing = circuitOpenFor, false, false
	clear(c.buckets[:])
}

// trip opens a circuit by hand until it is reset.
func (b *breaker) trip(key circuitKey, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.at(key)
	if c.Manual && c.Reason == reason {
		return
	}
	c.turn(CircuitOpen, reason, b.now())
	c.Manual = true
}

// reset closes a circuit and forgets its failures.
func (b *breaker) reset(key circuitKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at(key).reset(b.now())
}

// forget closes the circuits of a service that opened by themselves.
func (b *breaker) forget(provider string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, c := range b.circuits {
		if key.provider == provider && !c.Manual && c.State != CircuitClosed {
			c.reset(b.now())
		}
	}
}

// all returns the circuits, those that are not closed first.
func (b *breaker) all() []Circuit {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Circuit, 0, len(b.circuits))
	slot := b.now().UnixNano() / int64(circuitWindow/circuitBuckets)
	for _, c := range b.circuits {
		calls, failures := c.sums(slot)
		c.Calls, c.Failures = int(calls), int(failures)
		out = append(out, c.Circuit)
	}
	slices.SortFunc(out, func(a, b Circuit) int {
		return cmp.Or(-boolCompare(a.State != CircuitClosed, b.State != CircuitClosed),
			cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// boolCompare orders false before true.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
