package trace_test

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestExecutionsAreThoseOfWholeTracesOfATimeAndOfManyAlwaysTheSame(t *testing.T) {
	db, store := tracetest.Open(t)
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var spans []tracetest.Span
	for i := range 30 {
		began := at.Add(time.Duration(i) * 10 * time.Second) // the last begin after the time
		id := tracetest.ID(uint64(i + 1))
		spans = append(spans, tracetest.Span{Trace: id, ID: 1, Service: "front", Name: "GET /order", Kind: trace.KindServer, Start: began, Duration: time.Second},
			tracetest.Span{Trace: id, ID: 2, Parent: 1, Service: "front", Name: "GET", Kind: trace.KindClient, Start: began.Add(time.Millisecond), Duration: 500 * time.Millisecond},
			tracetest.Span{Trace: id, ID: 3, Parent: 2, Service: "orders", Name: "list", Kind: trace.KindServer, Start: began.Add(2 * time.Minute), Duration: time.Millisecond})
	}
	tracetest.Insert(t, db, 7, spans...)
	tracetest.Insert(t, db, 8, tracetest.Span{Trace: tracetest.ID(99), ID: 1, Service: "neighbour", Name: "GET", Start: at, Duration: time.Second})
	read := func(traces int) []trace.Execution {
		t.Helper()
		all, err := store.Executions(t.Context(), 7, at, at.Add(3*time.Minute), traces)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := read(100)
	if len(all) != 18*3 {
		t.Fatalf("%d executions, want those of 18 traces", len(all))
	}
	for i := 0; i < len(all); i += 3 {
		if all[i].Trace != all[i+2].Trace || all[i].Parent != 0 || all[i+1].Kind != trace.KindClient || all[i+2].Service != "orders" || all[i+2].Parent != 2 || all[i+1].DurationNs != 5e8 {
			t.Fatalf("a trace is %+v", all[i:i+3])
		}
	}
	few := read(5)
	if len(few) != 5*3 {
		t.Fatalf("%d executions of 5 traces", len(few))
	}
	for i, e := range read(5) {
		if e != few[i] {
			t.Fatalf("once more it is %+v, and was %+v", e, few[i])
		}
	}
}
