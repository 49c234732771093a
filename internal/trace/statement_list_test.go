package trace_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/sqltext"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// ran returns a transaction that runs a statement of the given duration.
func ran(n uint64, service, statement string, at time.Time, took time.Duration, failed bool) []tracetest.Span {
	id := trace.SpanID(n * 10)
	entry := tracetest.Span{
		Trace: tracetest.ID(n), ID: id, Service: service, Environment: "PRODUCTION", Instance: "pod-1", Name: "GET /" + service, Kind: trace.KindServer,
		Start: at, Duration: took + 10*ms, Attributes: map[string]string{"http.request.method": "GET", "http.route": "/" + service},
	}
	query := entry
	query.ID, query.Parent, query.Name, query.Kind, query.Start, query.Duration, query.Error = id+1, id, "SELECT", trace.KindClient, at.Add(ms), took, failed
	query.Attributes = map[string]string{"db.system": "mysql", "db.statement": statement, "db.response.returned_rows": "3"}
	return []tracetest.Span{entry, query}
}

func hashOf(statement string) string {
	return trace.HashString(sqltext.Normalize("mysql", statement).Hash)
}

func statements(t *testing.T) (*trace.Store, trace.StatementQuery) {
	t.Helper()
	db, store := tracetest.Open(t)
	var spans []tracetest.Span
	for n := range uint64(100) {
		at := noon.Add(time.Duration(n) * time.Second)
		spans = append(spans, ran(1+n, "api", fmt.Sprintf("SELECT * FROM items WHERE id = %d", n), at, time.Duration(n+1)*ms, n < 10)...)
		spans = append(spans, ran(1001+n, "api", fmt.Sprintf("SELECT * FROM items WHERE id = %d", n), at.Add(-aWeek), time.Duration(n+1)*ms/2, false)...)
	}
	for n := range uint64(10) {
		spans = append(spans, ran(2001+n, "stock", fmt.Sprintf("UPDATE Stock SET n = %d", n), noon.Add(-time.Minute), time.Second, false)...)
		spans = append(spans, ran(3001+n, "stock", "SELECT * FROM items WHERE id = 1", noon, ms, false)...)
	}
	tracetest.Insert(t, db, 1, spans...)
	tracetest.Insert(t, db, 2, ran(1, "secret", "SELECT secret FROM t", noon, time.Second, false)...)
	return store, trace.StatementQuery{Range: hour(t, noon.Add(-10*time.Minute))}
}

func TestStatementsAreGroupedByWhatTheySay(t *testing.T) {
	store, q := statements(t)
	top, err := store.Statements(t.Context(), 1, q)
	if err != nil {
		t.Fatal(err)
	}
	if top.Total != 2 || len(top.Items) != 2 {
		t.Fatalf("%d of %d statements: %+v", len(top.Items), top.Total, top.Items)
	}
	update, items := top.Items[0], top.Items[1]
	if update.Hash != hashOf("UPDATE Stock SET n = 1") || update.Text != "UPDATE Stock SET n = ?" || update.Operation != "UPDATE" || update.System != "mysql" ||
		update.Now.TotalNs != 10e9 || !cmp.Equal(update.Services, []string{"stock"}) || update.WeekAgo != nil || !cmp.Equal(update.Tables, []string{"Stock"}) {
		t.Errorf("%+v", update)
	}
	if items.Now.Count != 110 || items.Now.Errors != 10 || items.Rows != 330 || !cmp.Equal(items.Services, []string{"api", "stock"}) {
		t.Errorf("%+v", items)
	}
	if items.WeekAgo == nil || items.WeekAgo.Count != 100 || !near(items.WeekAgo.P95Ns, 47500*time.Microsecond) || !near(items.Now.P99Ns, 99*ms) {
		t.Errorf("now %+v, a week ago %+v", items.Now, items.WeekAgo)
	}
	if sum := update.Share + items.Share; sum < 0.999 || sum > 1.001 {
		t.Errorf("shares add up to %v", sum)
	}
}

func TestStatementsAreFilteredAndOrdered(t *testing.T) {
	store, q := statements(t)
	const items, update = "SELECT * FROM items WHERE id = ?", "UPDATE Stock SET n = ?"
	f := func(change func(*trace.StatementQuery), want ...string) {
		t.Helper()
		q := q
		change(&q)
		top, err := store.Statements(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range top.Items {
			got = append(got, s.Text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v (-want +got)\n%s", q, diff)
		}
	}
	f(func(q *trace.StatementQuery) { q.Order = trace.StatementsByRate }, items, update)
	f(func(q *trace.StatementQuery) { q.Order = trace.StatementsByAverage }, update, items)
	f(func(q *trace.StatementQuery) { q.Order = trace.StatementsByP95 }, update, items)
	f(func(q *trace.StatementQuery) { q.Order = trace.StatementsByErrors }, items, update)
	f(func(q *trace.StatementQuery) { q.Order = trace.StatementsByRows }, items, update)
	f(func(q *trace.StatementQuery) { q.Limit = 1 }, update)
	f(func(q *trace.StatementQuery) { q.Service = "api" }, items)
	f(func(q *trace.StatementQuery) { q.System = "postgresql" })
	f(func(q *trace.StatementQuery) { q.Environment = "STAGING" })
	f(func(q *trace.StatementQuery) { q.Text = "stock SET" }, update)
	f(func(q *trace.StatementQuery) { q.Text = "secret" })
	q.Order = "worst"
	if _, err := store.Statements(t.Context(), 1, q); !fault.Is(err, fault.Invalid) {
		t.Errorf("an order there is not: %v", err)
	}
}

func TestAStatementShowsWhoRunsItAndSomeOfItsCalls(t *testing.T) {
	store, q := statements(t)
	hash, err := trace.ParseHash(hashOf("SELECT * FROM items WHERE id = 1"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := store.Statement(t.Context(), 1, hash, q)
	if err != nil {
		t.Fatal(err)
	}
	if page.Text != "SELECT * FROM items WHERE id = ?" || page.Raw != "SELECT * FROM items WHERE id = 99" || page.Now.Count != 110 || page.Rows != 330 {
		t.Errorf("%q, %q, %+v, %d rows", page.Text, page.Raw, page.Now, page.Rows)
	}
	if len(page.Callers) != 2 || page.Callers[0].Service != "api" || page.Callers[0].Count != 100 || page.Callers[1].Count != 10 {
		t.Errorf("callers: %+v", page.Callers)
	}
	want := []trace.CallingEndpoint{
		{Service: "api", Endpoint: "GET /api", Calls: 100, AverageNs: 50_500_000}, {Service: "stock", Endpoint: "GET /stock", Calls: 10, AverageNs: 1e6},
	}
	if diff := cmp.Diff(want, page.Endpoints); diff != "" || page.Sampled != 110 {
		t.Errorf("%d sampled, endpoints (-want +got)\n%s", page.Sampled, diff)
	}
	if len(page.Slowest) != 20 || page.Slowest[0].DurationNs != 100e6 || page.Slowest[0].SpanID != 1001 || page.Slowest[0].Rows != 3 {
		t.Errorf("slowest: %+v", page.Slowest)
	}
	if len(page.Newest) != 20 || !page.Newest[0].Start.Equal(noon.Add(99*time.Second+ms)) {
		t.Errorf("newest: %+v", page.Newest)
	}
	if len(page.Series.Now) != 2 || len(page.Series.WeekAgo) != 2 {
		t.Errorf("series: %+v", page.Series)
	}

	q.Range = hour(t, noon.Add(9*time.Hour))
	if page, err = store.Statement(t.Context(), 1, hash, q); err != nil || page.Now.Count != 0 || len(page.Slowest) != 0 || page.Text == "" {
		t.Errorf("hours later: %+v, %v", page, err)
	}
	if _, err := store.Statement(t.Context(), 1, 7, q); !fault.Is(err, fault.NotFound) {
		t.Errorf("a statement that never ran: %v", err)
	}
	if _, err := store.Statement(t.Context(), 2, hash, q); !fault.Is(err, fault.NotFound) {
		t.Errorf("one of another project: %v", err)
	}
	for _, text := range []string{"", "7", "000000000000000g", "0000000000000000"} {
		if _, err := trace.ParseHash(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
