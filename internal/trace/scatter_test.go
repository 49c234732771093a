package trace_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// dot is one dot of a scatter as a client reads it.
type dot struct {
	ended   int64  // unix ms
	elapsed uint64 // µs
	failed  bool
}

func dots(s trace.Scatter) []dot {
	out := make([]dot, len(s.Ended))
	var at int64
	for i := range out {
		at += s.Ended[i]
		out[i] = dot{ended: at, elapsed: s.Elapsed[i]}
	}
	var index uint32
	for _, step := range s.Failed {
		index += step
		out[index].failed = true
	}
	return out
}

func picture(q trace.TransactionQuery) trace.ScatterQuery {
	if q.From.IsZero() {
		q.From, q.To = noon, noon.Add(time.Hour)
	}
	return trace.ScatterQuery{TransactionQuery: q, Width: 600, Height: 200}
}

func TestEveryTransactionIsADot(t *testing.T) {
	store := market(t)
	s, err := store.Scatter(t.Context(), 1, picture(trace.TransactionQuery{}))
	if err != nil {
		t.Fatal(err)
	}
	at := func(n int, d time.Duration, failed bool) dot {
		return dot{noon.Add(time.Duration(n)*time.Minute + d).UnixMilli(), uint64(d.Microseconds()), failed}
	}
	want := []dot{at(1, 100*ms, false), at(2, 900*ms, true), at(3, 3*time.Second, false), at(4, 200*ms, true), at(5, 10*time.Minute, false)}
	if diff := cmp.Diff(want, dots(s), cmp.AllowUnexported(dot{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s.Total != 5 || s.Errors != 2 || s.LongestNs != uint64(10*time.Minute) || s.Thinned {
		t.Errorf("%+v", s)
	}
	if s, err = store.Scatter(t.Context(), 1, picture(trace.TransactionQuery{Search: "attr.customer.id=42 duration>1s"})); err != nil || len(s.Ended) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = store.Scatter(t.Context(), 3, picture(trace.TransactionQuery{})); err != nil || s.Total != 0 || s.Ended == nil {
		t.Errorf("another project: %+v, %v", s, err)
	}
}

func TestThinningKeepsACellOfEveryError(t *testing.T) {
	db, store := tracetest.Open(t)
	if err := db.Exec(t.Context(), `INSERT INTO spans (project_id, retention_days, trace_id, span_id, service, name, entry, status, start, duration)
		SELECT 1, 20000, toFixedString(unhex(hex(MD5(toString(number)))), 16), number + 1, 'api', 's', true, if(number % 1000 = 7, 2, 1),
			toDateTime64('2025-06-17 14:03:00', 9, 'UTC') + toIntervalMillisecond(cityHash64(number) % 3600000), 1000 + cityHash64(number, 1) % 2000000000
		FROM numbers(20000)`); err != nil {
		t.Fatal(err)
	}
	start := time.Date(2025, 6, 17, 14, 3, 0, 0, time.UTC)
	for _, log := range []bool{false, true} {
		q := picture(trace.TransactionQuery{From: start, To: start.Add(time.Hour + time.Minute)})
		all, err := store.Scatter(t.Context(), 1, q)
		if err != nil || all.Total != 20_000 || len(all.Ended) != 20_000 || all.Thinned {
			t.Fatalf("%d of %d, %v", len(all.Ended), all.Total, err)
		}
		q.Dots, q.Log = 3_000, log
		thin, err := store.Scatter(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		if !thin.Thinned || thin.Total != 20_000 || thin.Errors != 20 || len(thin.Ended) > 3_000 || len(thin.Ended) < 500 || thin.CellPx < 2 {
			t.Errorf("log %v: %d dots of %d in cells of %d px", log, len(thin.Ended), thin.Total, thin.CellPx)
		}
		known := dots(all)
		shown := dots(thin)
		for _, d := range shown {
			if !slices.Contains(known, d) {
				t.Fatalf("log %v: no transaction is where %+v is", log, d)
			}
		}
		if len(thin.Failed) != 20 { // no two of the failed ones share a cell
			t.Errorf("log %v: %d failed dots, want 20", log, len(thin.Failed))
		}
		q.Width, q.Height = 60, 20
		heat, err := store.Heat(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		var n, failed uint64
		for i := range heat.X {
			n, failed = n+heat.Count[i], failed+heat.Failed[i]
			if heat.X[i] >= 60 || heat.Y[i] >= 20 {
				t.Errorf("a cell at %d, %d", heat.X[i], heat.Y[i])
			}
		}
		if n != 20_000 || failed != 20 {
			t.Errorf("log %v: the cells hold %d transactions, %d of them failed", log, n, failed)
		}
	}
}

func TestAFollowerGetsEveryTransactionOnceHoweverLate(t *testing.T) {
	db, store := tracetest.Open(t)
	q := picture(trace.TransactionQuery{})
	q.Live = true
	seen := map[dot]int{}
	n := uint64(0)
	// Before each question two arrive: one that ended before everything else, and one after
	// the picture's right edge by its sender's clock. What arrived within the
	// last millisecond may wait for the next question.
	for range 10 {
		for _, start := range []time.Time{noon.Add(time.Minute - time.Duration(n)*time.Second), noon.Add(2*time.Hour + time.Duration(n)*time.Second)} {
			n++
			tracetest.Insert(t, db, 1, tracetest.Span{Trace: tracetest.ID(n), ID: trace.SpanID(n), Kind: trace.KindServer, Start: start, Duration: ms})
		}
		s, err := store.Scatter(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dots(s) {
			seen[d]++
		}
		q.Since = s.Cursor
	}
	for deadline := time.Now().Add(10 * time.Second); uint64(len(seen)) < n && time.Now().Before(deadline); {
		s, err := store.Scatter(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dots(s) {
			seen[d]++
		}
		q.Since = s.Cursor
	}
	if uint64(len(seen)) != n {
		t.Errorf("%d of %d were seen", len(seen), n)
	}
	for d, times := range seen {
		if times != 1 {
			t.Errorf("%+v came %d times", d, times)
		}
	}
}

func TestAPictureThatCannotBeIsRefused(t *testing.T) {
	_, store := tracetest.Open(t)
	ok := picture(trace.TransactionQuery{})
	for i, change := range []func(*trace.ScatterQuery){
		func(q *trace.ScatterQuery) { q.Width = 0 }, func(q *trace.ScatterQuery) { q.Height = 10_000 },
		func(q *trace.ScatterQuery) { q.Dots = 100_001 }, func(q *trace.ScatterQuery) { q.Since = "yesterday" },
		func(q *trace.ScatterQuery) { q.Since = "-1" }, func(q *trace.ScatterQuery) { q.Search = "servce:a" },
		func(q *trace.ScatterQuery) { q.To = q.From },
	} {
		q := ok
		change(&q)
		if _, err := store.Scatter(t.Context(), 1, q); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, err := store.Heat(t.Context(), 1, ok); !fault.Is(err, fault.Invalid) {
		t.Errorf("a heatmap of %s cells: %v", fmt.Sprint(ok.Width*ok.Height), err)
	}
}

func TestSamplingIsToldOnlyWhenSpansSaySo(t *testing.T) {
	db, store := tracetest.Open(t)
	f := func(attributes map[string]string, want trace.Sampling) {
		t.Helper()
		tracetest.Insert(t, db, 1, tracetest.Span{Trace: tracetest.ID(1), ID: 1, Kind: trace.KindServer, Start: noon, Duration: ms, Attributes: attributes})
		got, err := store.Sampling(t.Context(), 1, noon, noon.Add(time.Minute))
		if err != nil || got != want {
			t.Errorf("%v: %+v, %v", attributes, got, err)
		}
	}
	f(nil, trace.Sampling{})
	f(map[string]string{"sampling.probability": "1", "sampler.param": "true"}, trace.Sampling{})
	f(map[string]string{"SampleRate": "4"}, trace.Sampling{Known: true, Probability: 0.25})
	f(map[string]string{"sampling.probability": "0.1"}, trace.Sampling{Known: true, Probability: 0.1})
	if got, err := store.Sampling(t.Context(), 2, noon, noon.Add(time.Minute)); err != nil || got.Known {
		t.Errorf("another project: %+v, %v", got, err)
	}
}
