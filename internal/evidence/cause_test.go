package evidence_test

import (
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// orders stores n orders: shop asks pay, which asks bank; and as many runs of a
// batch that has nothing to do with them.
func orders(t *testing.T, db *clickhouse.DB, first uint64, n int, begin time.Time, bank, batch time.Duration) {
	t.Helper()
	var spans []tracetest.Span
	for i := range n {
		start := begin.Add(time.Duration(i) * time.Second)
		id := tracetest.ID(first + uint64(2*i))
		jitter := time.Duration(i%7) * ms
		spans = append(spans,
			tracetest.Span{Trace: id, ID: 1, Service: "shop", Name: "POST /order", Kind: trace.KindServer, Start: start, Duration: bank + 60*ms + jitter},
			tracetest.Span{Trace: id, ID: 2, Parent: 1, Service: "shop", Name: "POST pay", Kind: trace.KindClient, Start: start.Add(5 * ms), Duration: bank + 50*ms + jitter},
			tracetest.Span{Trace: id, ID: 3, Parent: 2, Service: "pay", Name: "POST /pay", Kind: trace.KindServer, Start: start.Add(8 * ms), Duration: bank + 40*ms + jitter},
			tracetest.Span{Trace: id, ID: 4, Parent: 3, Service: "pay", Name: "POST bank", Kind: trace.KindClient, Start: start.Add(15 * ms), Duration: bank + 10*ms + jitter},
			tracetest.Span{Trace: id, ID: 5, Parent: 4, Service: "bank", Name: "POST /transfer", Kind: trace.KindServer, Start: start.Add(18 * ms), Duration: bank + jitter},
			tracetest.Span{Trace: tracetest.ID(first + uint64(2*i) + 1), ID: 1, Service: "batch", Name: "run", Kind: trace.KindServer, Start: start, Duration: batch + jitter},
		)
	}
	tracetest.Insert(t, db, 1, spans...)
}

// slowShop is an alarm that counts minutes: it has no call of its own to look at.
func slowShop(now time.Time) evidence.Input {
	return evidence.Input{Rule: "slow", Service: "shop", Condition: "p95 response time >= 500 ms", Threshold: 500, Unit: "ms", Minutes: true,
		Count: 3, WindowMinutes: 5, From: now.Add(-5 * time.Minute), To: now, Now: now}
}

func causesOf(b *ground.Bundle) (causes []string, text string) {
	for _, f := range b.Facts {
		if f.Kind == ground.Cause {
			causes = append(causes, f.Get("service")+" "+f.Get("change")+" "+f.Get("operation"))
		}
		text += f.Text + "\n"
	}
	return causes, text
}

func TestTheCauseIsLookedForBelowTheServiceOfTheAlarm(t *testing.T) {
	db, collector := open(t)
	now := time.Now().UTC().Truncate(time.Minute)
	for i, back := range []time.Duration{20 * time.Minute, time.Hour, 24 * time.Hour} {
		orders(t, db, uint64(1000*(i+1)), 40, now.Add(-back-4*time.Minute), 30*ms, 100*ms)
	}
	orders(t, db, 9000, 40, now.Add(-4*time.Minute), 900*ms, 20*time.Second) // the batch is the louder one
	b := collect(t, collector, slowShop(now))
	causes, text := causesOf(b)
	if len(causes) == 0 || causes[0] != "bank slower POST /transfer" {
		t.Errorf("causes %q", causes)
	}
	if strings.Contains(text, "batch") {
		t.Errorf("what shop does not call is blamed:\n%s", text)
	}
	transactions := 0
	for _, f := range b.Facts {
		if f.Kind == ground.Transaction {
			transactions++
		}
	}
	if transactions == 0 {
		t.Errorf("no transaction of the window was looked at:\n%s", text)
	}
}

func TestATimeOfAnotherIncidentIsNotTakenForUsual(t *testing.T) {
	db, collector := open(t)
	now := time.Now().UTC().Truncate(time.Minute)
	orders(t, db, 1000, 40, now.Add(-20*time.Minute-4*time.Minute), 900*ms, 100*ms) // the same trouble, twenty minutes before
	orders(t, db, 2000, 40, now.Add(-time.Hour-4*time.Minute), 30*ms, 100*ms)
	orders(t, db, 9000, 40, now.Add(-4*time.Minute), 900*ms, 100*ms)
	in := slowShop(now)
	if causes, _ := causesOf(collect(t, collector, in)); len(causes) != 0 {
		t.Errorf("with the trouble before taken for usual: %q", causes)
	}
	in.Disturbed = []evidence.Period{{From: now.Add(-26 * time.Minute), To: now.Add(-15 * time.Minute)}}
	if causes, _ := causesOf(collect(t, collector, in)); len(causes) == 0 || causes[0] != "bank slower POST /transfer" {
		t.Errorf("causes %q", causes)
	}
}

func TestWhatIsAsUsualIsSaidToBe(t *testing.T) {
	db, collector := open(t)
	now := time.Now().UTC().Truncate(time.Minute)
	for i, back := range []time.Duration{0, 20 * time.Minute, time.Hour, 24 * time.Hour} {
		orders(t, db, uint64(1000*(i+1)), 40, now.Add(-back-4*time.Minute), 30*ms, 100*ms)
	}
	b := collect(t, collector, slowShop(now))
	for _, f := range b.Facts {
		if f.Get("verdict") == "as_usual" {
			return
		}
	}
	_, text := causesOf(b)
	t.Errorf("nothing says that all is as usual:\n%s", text)
}
