package api

import (
	"math"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// Each place holds two spans, one log record, three samples and no profile,
// all of this minute or the last one.
func TestHomeTellsWhichSignalsArrive(t *testing.T) {
	later := time.Now()
	h := newNeighboursAt(t, metadbtest.SQLite(t), func() time.Time { return later })
	home := func(after time.Duration) map[string]SignalArrival {
		t.Helper()
		later = time.Now().Add(after)
		var home Home
		h.decode(h.a.login.do(http.MethodGet, h.a.under("home"), nil, nil), http.StatusOK, &home)
		if len(home.Signals) != 4 || !home.Receiving {
			t.Fatalf("%+v", home)
		}
		bySignal := map[string]SignalArrival{}
		for _, s := range home.Signals {
			bySignal[s.Signal] = s
		}
		return bySignal
	}
	perMinutes := func(s SignalArrival) float64 { return math.Round(s.PerSecond * 300) }
	got := home(2 * time.Minute)
	if perMinutes(got["traces"]) != 2 || perMinutes(got["logs"]) != 1 || perMinutes(got["metrics"]) < 2 || got["profiles"].PerSecond != 0 {
		t.Errorf("two minutes later: %+v", got)
	}
	if got["traces"].Last == nil || time.Since(*got["traces"].Last) > 3*time.Minute || got["profiles"].Last != nil {
		t.Errorf("the newest: %+v", got)
	}
	got = home(20 * time.Minute)
	if s := got["logs"]; s.PerSecond != 0 || s.Last == nil {
		t.Errorf("after twenty minutes of silence: %+v", s)
	}
	got = home(3 * time.Hour)
	if s := got["logs"]; s.PerSecond != 0 || s.Last != nil {
		t.Errorf("after three hours of silence: %+v", s)
	}
}

func TestWhatModelsCostIsAddedUpForATime(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	spent := func(from, to time.Time) (s ai.Spending) {
		t.Helper()
		q := url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
		h.decode(h.a.login.do(http.MethodGet, h.a.under("ai-spending")+"?"+q.Encode(), nil, nil), http.StatusOK, &s)
		return s
	}
	now := time.Now()
	if s := spent(now.Add(-time.Hour), now.Add(time.Hour)); s.Calls != 1 || s.Failed != 0 {
		t.Errorf("an hour with one call: %+v", s)
	}
	if s := spent(now.Add(-2*time.Hour), now.Add(-time.Hour)); s != (ai.Spending{}) {
		t.Errorf("an hour without any: %+v", s)
	}
	h.problem(h.a.login.do(http.MethodGet, h.a.under("ai-spending")+"?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", nil, nil), http.StatusUnprocessableEntity)
}
