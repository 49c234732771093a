package ai_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func TestCallsAreNarrowedToATimeAndToWhoAskedAndWhatFor(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	g := h.node(t, ai.Usage{}, nil)
	began := h.clock()
	for _, from := range []ai.Caller{
		{Project: shop, Kind: "api", Person: 1, Token: 9, Purpose: "support"},
		{Project: shop, Kind: "api", Person: 2, Token: 9},
		{Project: shop, Kind: "incident"},
		{Project: shop, Kind: "api", Person: 1},
		{Project: neighbour, Kind: "api", Person: 3, Token: 8, Purpose: "theirs"},
	} {
		asked(t, h, g, from, writer)
		h.advance(time.Hour)
	}
	at := func(hours int) time.Time { return began.Add(time.Duration(hours) * time.Hour) }
	calls := func(filter ai.CallFilter) string {
		t.Helper()
		text, query := "", ai.CallQuery{Limit: 1, CallFilter: filter}
		for {
			page, err := g.Calls(t.Context(), shop, query)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page.Items {
				text += fmt.Sprintf("%d/%d/%s ", c.Person, c.Token, c.Purpose)
			}
			if query.Cursor = page.NextCursor; query.Cursor == "" {
				return fmt.Sprintf("%sof %d", text, page.Total)
			}
		}
	}
	for _, f := range []struct {
		filter ai.CallFilter
		want   string
	}{
		{ai.CallFilter{}, "1/0/api 0/0/incident 2/9/api 1/9/support of 4"},
		{ai.CallFilter{Person: "1"}, "1/0/api 1/9/support of 2"},
		{ai.CallFilter{Person: "0"}, "0/0/incident of 1"},
		{ai.CallFilter{Person: "3"}, "of 0"},
		{ai.CallFilter{Token: "9"}, "2/9/api 1/9/support of 2"},
		{ai.CallFilter{Token: "0", Purpose: "api"}, "1/0/api of 1"},
		{ai.CallFilter{Purpose: "support"}, "1/9/support of 1"},
		{ai.CallFilter{From: at(1), To: at(3)}, "0/0/incident 2/9/api of 2"},
		{ai.CallFilter{From: at(1)}, "1/0/api 0/0/incident 2/9/api of 3"},
		{ai.CallFilter{To: at(1), Person: "1"}, "1/9/support of 1"},
	} {
		if got := calls(f.filter); got != f.want {
			t.Errorf("%+v: %s, want %s", f.filter, got, f.want)
		}
	}
	for field, filter := range map[string]ai.CallFilter{"person": {Person: "kim"}, "token": {Token: "-1"}, "to": {From: at(1), To: at(1)}} {
		if _, err := g.Calls(t.Context(), shop, ai.CallQuery{CallFilter: filter}); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%+v: %v", filter, err)
		}
	}
	for _, f := range []struct {
		from, to time.Time
		want     string
	}{
		{time.Time{}, time.Time{}, "person 1: 2, person 0: 1, person 2: 1, purpose api: 2, purpose incident: 1, purpose support: 1, token 0: 2, token 9: 2, "},
		{at(1), at(3), "person 0: 1, person 2: 1, purpose api: 1, purpose incident: 1, token 0: 1, token 9: 1, "},
	} {
		askers, err := g.CallAskers(t.Context(), shop, f.from, f.to)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, by := range []string{"person", "purpose", "token"} {
			for _, a := range askers {
				if a.By == by {
					text += fmt.Sprintf("%s %s: %d, ", a.By, a.Key, a.Calls)
				}
			}
		}
		if text != f.want {
			t.Errorf("askers from %s to %s: %s, want %s", f.from, f.to, text, f.want)
		}
	}
	if facets, err := g.CallFacets(t.Context(), shop, at(2), at(3)); err != nil || len(facets) != 1 || facets[0].CallerKind != "incident" {
		t.Errorf("facets of one hour: %+v, %v", facets, err)
	}
	if _, err := g.CallAskers(t.Context(), shop, at(1), at(1)); !fault.Is(err, fault.Invalid) {
		t.Errorf("the askers of no time: %v", err)
	}
	if _, err := g.CallFacets(t.Context(), shop, at(1), at(1)); !fault.Is(err, fault.Invalid) {
		t.Errorf("the facets of no time: %v", err)
	}
}
