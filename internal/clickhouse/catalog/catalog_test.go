package catalog

import (
	"testing"
	"time"
)

func TestTheCatalogForgetsBeforeItGrowsTooLarge(t *testing.T) {
	const maxBytes = 64 << 10
	c := New[int](maxBytes, func(s string) int { return len(s) })
	value := string(make([]byte, 1000))
	for key := range 500 {
		c.Entry(key, func() string { return value })
	}
	held := 0
	for _, e := range c.entries {
		held += overhead + len(e.Value)
	}
	if held > maxBytes || held != c.bytes || len(c.entries) < 10 {
		t.Errorf("%d entries hold %d bytes, counted %d, limit %d", len(c.entries), held, c.bytes, maxBytes)
	}
}

// A row is written again on another day or with another retention, because it
// then expires at another time.
func TestARowIsNeededUntilItIsStoredAndAgainUnderAnotherStamp(t *testing.T) {
	c := New[string](1<<20, func(string) int { return 0 })
	day := time.Date(2026, 11, 25, 23, 0, 0, 0, time.UTC)
	f := func(now time.Time, retention uint16, want int) {
		t.Helper()
		p := NewPending[string, string](now, retention)
		for range 2 {
			p.Need(c.Entry("a", func() string { return "" }))
		}
		if len(p.Entries()) != want {
			t.Errorf("%d rows are needed at %v for %d days, want %d", len(p.Entries()), now, retention, want)
		}
		p.Stored()
	}
	f(day, 14, 1)
	f(day.Add(time.Minute), 14, 0)
	f(day.Add(2*time.Hour), 14, 1)
	f(day.Add(2*time.Hour), 30, 1)
}
