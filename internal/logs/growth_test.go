package logs

import (
	"fmt"
	"testing"
	"time"
)

func TestPatternsThatGrewAreThoseWrittenMoreOftenThanInAnyEarlierTime(t *testing.T) {
	db, store := open(t)
	ranges := []Range{{noon, noon.Add(5 * time.Minute)}}
	for _, back := range []time.Duration{20 * time.Minute, time.Hour} {
		ranges = append(ranges, Range{noon.Add(-back), noon.Add(5*time.Minute - back)})
	}
	var lines []line
	write := func(of Range, n int, service, body string, severity Severity) {
		for i := range n {
			lines = append(lines, line{service: service, body: fmt.Sprintf("%s %d", body, 1000+i), at: of.From.Add(time.Duration(i) * time.Second), severity: severity})
		}
	}
	for _, of := range ranges[1:] {
		write(of, 10, "api", "served order", Info)
		write(of, 2, "api", "retry of payment", Warn)
	}
	write(ranges[0], 10, "api", "served order", Info)     // as often as ever
	write(ranges[0], 30, "api", "retry of payment", Warn) // more often
	write(ranges[0], 4, "api", "pool is exhausted", Error)
	write(ranges[0], 9, "batch", "run", Error)  // of a service that was not asked about
	write(ranges[0], 9, "young", "boot", Error) // of one of which nothing is known
	write(Range{From: noon.Add(-10 * time.Minute)}, 50, "api", "between the times", Error)
	insert(t, db, 1, lines...)
	insert(t, db, 2, line{service: "api", body: "foreign", severity: Fatal})

	ask := func(environment string, factor uint64) []Growth {
		t.Helper()
		got, err := store.Growths(t.Context(), 1, GrowthQuery{Services: []string{"api", "young"}, Environment: environment, Factor: factor, Now: ranges[0], Earlier: ranges[1:]})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := ask("", 15)
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	if g := got[0]; g.Template != "pool is exhausted <*>" || g.Service != "api" || g.Count != 4 || g.Usual != 0 || g.Ranges != 2 || g.Level != Error || !g.First.Equal(noon) || len(g.Pattern) != 16 {
		t.Errorf("new: %+v", g)
	}
	if g := got[1]; g.Template != "retry of payment <*>" || g.Count != 30 || g.Usual != 2 || g.Level != Warn {
		t.Errorf("surged: %+v", g)
	}
	found, err := store.Search(t.Context(), 1, Query{Text: "service:api pattern:" + got[0].Pattern, From: noon, To: noon.Add(5 * time.Minute)}, false, "", 10)
	if err != nil || len(found.Items) != 4 {
		t.Errorf("searched for by its pattern: %d records, %v", len(found.Items), err)
	}
	if got := ask("", 16); len(got) != 1 || got[0].Usual != 0 {
		t.Errorf("sixteen times as many is only what is new: %+v", got)
	}
	if got := ask("production", 1); len(got) != 0 {
		t.Errorf("another environment: %+v", got)
	}
	if got, err := store.Growths(t.Context(), 1, GrowthQuery{Services: []string{"api"}, Now: ranges[0]}); err != nil || len(got) != 0 {
		t.Errorf("with nothing to compare with: %+v, %v", got, err)
	}
}
