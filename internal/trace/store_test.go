package trace_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/sqltext"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

var noon = time.Date(2025, 6, 17, 14, 3, 0, 0, time.UTC)

const ms = time.Millisecond

// request is one GET /items of "api" with a query of 300 ms and a call of 100 ms.
func request(n uint64, at time.Time, elapsed time.Duration) []tracetest.Span {
	id := tracetest.ID(n)
	base := trace.SpanID(n * 10)
	span := func(own, parent trace.SpanID, kind trace.Kind, name string, from, length time.Duration, attrs map[string]string) tracetest.Span {
		return tracetest.Span{
			Trace: id, ID: base + own, Parent: parent, Service: "api", Environment: "PRODUCTION", Instance: "pod-1", Version: "1.2",
			Name: name, Kind: kind, Start: at.Add(from), Duration: length, Attributes: attrs,
		}
	}
	return []tracetest.Span{
		span(1, 0, trace.KindServer, "GET /items", 0, elapsed, map[string]string{
			"http.request.method": "GET", "http.route": "/items", "http.response.status_code": "200", "url.path": "/items", "thread.id": "7",
		}),
		span(2, base+1, trace.KindClient, "SELECT shop.items", 10*ms, 300*ms, map[string]string{
			"db.system": "mysql", "db.name": "shop", "db.statement": fmt.Sprintf("SELECT * FROM items WHERE id = %d", n), "server.address": "db.internal", "server.port": "3306",
		}),
		span(3, base+1, trace.KindClient, "GET", 320*ms, 100*ms, map[string]string{"http.request.method": "GET", "url.full": "https://pay.example.com/v1?x=1", "server.address": "pay.example.com"}),
	}
}

func TestATraceIsReadBackAsItWasSent(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	spans := request(1, noon, time.Second)
	spans[0].Events = []tracetest.Event{tracetest.Exception(noon.Add(900*ms), "Boom", "no", "Boom: no\n\tat com.shop.A.b(A.java:1)")}
	spans[0].Error = true
	tracetest.Insert(t, db, 1, spans...)
	tracetest.Insert(t, db, 1, spans[1]) // delivered twice

	got, err := store.Trace(ctx, 1, tracetest.ID(1))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Spans) != 3 || got.Truncated || got.DurationNs != 1e9 || !got.Start.Equal(noon) {
		t.Fatalf("%d spans, truncated %v, %d ns from %v", len(got.Spans), got.Truncated, got.DurationNs, got.Start)
	}
	entry, query := got.Spans[0], got.Spans[1]
	if !entry.Entry || entry.Operation != "GET /items" || entry.Attributes["thread.id"] != "7" || entry.Resource["service.version"] != "1.2" {
		t.Errorf("entry: %+v", entry)
	}
	if e := entry.Exception; e == nil || e.Type != "Boom" || e.Stacktrace == "" || entry.Events[0].OffsetNs != 900e6 {
		t.Errorf("exception: %+v, events %+v", entry.Exception, entry.Events)
	}
	want := &trace.DBCall{
		System: "mysql", Name: "shop", Operation: "SELECT", Statement: "SELECT * FROM items WHERE id = 1", Text: "SELECT * FROM items WHERE id = ?",
		Kinds: []string{"SELECT"}, Tables: []string{"items"}, Hash: trace.HashString(sqltext.Normalize("mysql", "SELECT * FROM items WHERE id = 1").Hash),
	}
	if diff := cmp.Diff(want, query.DB); diff != "" {
		t.Errorf("query (-want +got)\n%s", diff)
	}
	text, err := json.Marshal(query)
	if err != nil {
		t.Fatal(err)
	}
	var shown map[string]any
	if err := json.Unmarshal(text, &shown); err != nil {
		t.Fatal(err)
	}
	if shown["span_id"] != "000000000000000c" || shown["parent_id"] != "000000000000000b" || shown["kind"] != "client" || shown["start_offset_ns"] != 10e6 {
		t.Errorf("JSON: %s", text)
	}

	if _, err := store.Trace(ctx, 2, tracetest.ID(1)); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project sees it: %v", err)
	}
	p, err := store.Profile(ctx, 1, tracetest.ID(1), 12)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 4 || p.Transaction.SQLNs != 300e6 || p.Steps[2].Address != "pay.example.com" || p.Steps[1].Database != "shop" {
		t.Errorf("profile: %+v", p)
	}
}

func TestAGiantTraceIsReadUpToItsLimitAndSaysSo(t *testing.T) {
	db, store := tracetest.Open(t)
	if err := db.Exec(context.Background(), `INSERT INTO spans (project_id, retention_days, trace_id, span_id, parent_id, service, name, start, duration)
		SELECT 1, 20000, toFixedString(unhex('ab000000000000000000000000000001'), 16), number + 1, if(number = 0, 0, 1), 'api', 's',
			toDateTime64('2025-06-17 14:03:00', 9, 'UTC') + toIntervalMillisecond(number), 1000000 FROM numbers(50001)`); err != nil {
		t.Fatal(err)
	}
	got, err := store.Trace(context.Background(), 1, tracetest.ID(1))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Spans) != 50_000 || !got.Truncated {
		t.Errorf("%d spans, truncated %v", len(got.Spans), got.Truncated)
	}
}

func TestTransactionsAreListedPageByPage(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	for n := range uint64(7) {
		tracetest.Insert(t, db, 1, request(n+1, noon.Add(time.Duration(n)*time.Minute), time.Duration(500+(n*37)%5*100)*ms)...)
	}
	tracetest.Insert(t, db, 2, request(99, noon, time.Second)...)

	f := func(q trace.TransactionQuery, want ...uint64) {
		t.Helper()
		if total, err := store.CountTransactions(ctx, 1, q); err != nil || total != uint64(len(want)) {
			t.Errorf("total %d, want %d, %v", total, len(want), err)
		}
		var got []uint64
		for {
			page, err := store.Transactions(ctx, 1, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, tx := range page.Items {
				got = append(got, uint64(tx.SpanID)/10)
				if tx.SQLCount != 1 || tx.SQLNs != 300e6 || tx.CallCount != 1 || tx.CallNs != 100e6 || tx.Endpoint != "GET /items" {
					t.Errorf("%+v", tx)
				}
			}
			if q.Cursor = page.NextCursor; q.Cursor == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v (-want +got)\n%s", q, diff)
		}
	}
	f(trace.TransactionQuery{}, 7, 6, 5, 4, 3, 2, 1)
	f(trace.TransactionQuery{Limit: 2}, 7, 6, 5, 4, 3, 2, 1)
	// elapsed by n: 1:500 2:700 3:900 4:600 5:800 6:500 7:700
	f(trace.TransactionQuery{Limit: 2, Order: trace.Slowest}, 3, 5, 7, 2, 4, 6, 1)
	f(trace.TransactionQuery{MinElapsed: 800 * ms}, 5, 3)
	f(trace.TransactionQuery{MaxElapsed: 500 * ms, Service: "api", Environment: "PRODUCTION", Endpoint: "GET /items", Instance: "pod-1"}, 6, 1)
	f(trace.TransactionQuery{From: noon.Add(5 * time.Minute), To: noon.Add(6 * time.Minute)}, 6)
	f(trace.TransactionQuery{ErrorsOnly: true})
	f(trace.TransactionQuery{Service: "other"})

	page, err := store.Transactions(ctx, 1, trace.TransactionQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []trace.TransactionQuery{
		{Cursor: "garbage"}, {Cursor: page.NextCursor, Order: trace.Slowest}, {Order: "best"}, {Limit: 501}, {From: noon, To: noon},
	} {
		if _, err := store.Transactions(ctx, 1, q); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestUsualSaysWhatATransactionIsLike(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	for n := range uint64(10) {
		tracetest.Insert(t, db, 1, request(n+1, noon.Add(time.Duration(n)*time.Second), time.Duration(500+n*10)*ms)...)
	}
	tracetest.Insert(t, db, 1, request(50, noon.Add(2*time.Hour), 9*time.Second)...)
	q := trace.UsualQuery{Service: "api", Environment: "PRODUCTION", Endpoint: "GET /items", From: noon, To: noon.Add(time.Hour)}
	u, err := store.Usual(ctx, 1, q)
	if err != nil {
		t.Fatal(err)
	}
	if u.Count != 10 || u.P50Ns < 540e6 || u.P50Ns > 550e6 || u.P95Ns != 590e6 || u.ErrorShare != 0 || u.SQLNs != 300e6 || u.SQLCount != 1 {
		t.Errorf("%+v", u)
	}
	if st := u.Statements[sqltext.Normalize("mysql", "SELECT * FROM items WHERE id = 1").Hash]; st.PerTransaction != 1 || st.AverageNs != 300e6 || st.Runs != 10 {
		t.Errorf("statements %+v", u.Statements)
	}
	q.From, q.To = noon.Add(-time.Hour), noon
	if u, err = store.Usual(ctx, 1, q); err != nil || u.Count != 0 {
		t.Errorf("nothing ran then: %+v, %v", u, err)
	}
}

func TestUsualAddsUpTheSQLOfTheTransactionOnly(t *testing.T) {
	db, store := tracetest.Open(t)
	for n := range uint64(4) {
		spans := request(n+1, noon, time.Second)
		base := trace.SpanID((n + 1) * 10)
		parallel, inner, below := spans[1], spans[0], spans[1]
		parallel.ID = base + 4
		// The application calls itself, in between of its own statements.
		inner.ID, inner.Parent, inner.Start, inner.Duration = base+5, base+3, noon.Add(330*ms), 80*ms
		inner.Attributes = map[string]string{"http.request.method": "GET", "http.route": "/stock"}
		below.ID, below.Parent, below.Start, below.Duration = base+6, base+5, noon.Add(340*ms), 50*ms
		late := spans[1]
		late.ID, late.Start, late.Duration = base+7, noon.Add(500*ms), 200*ms
		tracetest.Insert(t, db, 1, append(spans, parallel, inner, below, late)...)
	}
	without := request(9, noon, time.Second) // a transaction without SQL is one too
	tracetest.Insert(t, db, 1, without[0], without[2])
	q := trace.UsualQuery{Service: "api", Environment: "PRODUCTION", Endpoint: "GET /items", From: noon, To: noon.Add(time.Hour)}
	u, err := store.Usual(context.Background(), 1, q)
	if err != nil {
		t.Fatal(err)
	}
	if u.Count != 5 || u.Sample != 5 || u.SQLNs != 640e6 || u.SQLCount != 2.4 {
		t.Errorf("%+v", u)
	}
	q.Endpoint = "GET /stock"
	if u, err = store.Usual(context.Background(), 1, q); err != nil || u.Sample != 4 || u.SQLNs != 50e6 || u.SQLCount != 1 {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestSlowCallsComeInTheOrderTheyArrived(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	before := time.Now().Add(-time.Minute)
	tracetest.Insert(t, db, 1, request(1, noon, time.Second)...)
	tracetest.Insert(t, db, 1, request(2, noon.Add(-time.Hour), time.Second)...)
	tracetest.Insert(t, db, 2, request(3, noon, time.Second)...)
	q := trace.SlowQuery{Projects: []project.ID{1}, After: before, Until: time.Now().Add(time.Minute), Floor: 300 * ms}
	calls, err := store.SlowSQL(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	if len(calls) != 2 || calls[0].TraceID != tracetest.ID(1) || calls[1].TraceID != tracetest.ID(2) {
		t.Fatalf("%+v", calls)
	}
	if c := calls[0]; c.Service != "api" || c.Environment != "PRODUCTION" || c.Instance != "pod-1" || !c.Start.Equal(noon.Add(10*ms)) || c.DurationNs != 300e6 || c.SpanID != 12 || c.Hash == 0 {
		t.Errorf("%+v", c)
	}
	q.Newest, q.Limit = true, 1
	if calls, err = store.SlowSQL(ctx, q); err != nil || len(calls) != 1 || calls[0].TraceID != tracetest.ID(2) {
		t.Errorf("newest: %+v, %v", calls, err)
	}
	q.Floor = 301 * ms
	if calls, err = store.SlowSQL(ctx, q); err != nil || len(calls) != 0 {
		t.Errorf("above the floor: %+v, %v", calls, err)
	}
}

func TestOneStatementThatMapperAndDriverBothRecordIsOneSlowCall(t *testing.T) {
	db, store := tracetest.Open(t)
	spans := request(1, noon, time.Second)
	driver := spans[1]
	driver.ID, driver.Parent = 19, spans[1].ID
	tracetest.Insert(t, db, 1, driver) // it ends first, and may arrive first
	tracetest.Insert(t, db, 1, spans...)
	calls, err := store.SlowSQL(t.Context(), trace.SlowQuery{Projects: []project.ID{1}, After: time.Now().Add(-time.Minute), Until: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if len(calls) != 1 || calls[0].SpanID != driver.ID {
		t.Errorf("slow calls: %+v, want that of the driver", calls)
	}
}

func TestRollupsSayWhatTheSpansSay(t *testing.T) {
	db, _ := tracetest.Open(t)
	for n := range uint64(20) { // of 100, 200, … 2,000 ms, in two minutes
		spans := request(n+1, noon.Add(time.Duration(n%2)*time.Minute), time.Duration(n+1)*100*ms)
		spans[0].Error = n >= 18
		tracetest.Insert(t, db, 1, spans...)
	}
	tracetest.Insert(t, db, 2, request(99, noon, time.Hour)...)

	var red []struct {
		Minute time.Time `ch:"minute"`
		Count  uint64    `ch:"n"`
		Errors uint64    `ch:"failed"`
		Sum    uint64    `ch:"total"`
		Max    uint64    `ch:"longest"`
		Half   float64   `ch:"half"`
	}
	if err := db.Select(t.Context(), 1, &red, `SELECT minute, sum(count) AS n, sum(errors) AS failed, sum(duration_sum) AS total, max(duration_max) AS longest,
		toFloat64(quantilesDDMerge(0.02, 0.5, 0.95, 0.99)(duration_state)[1]) AS half
		FROM red_minute WHERE project_id = {project:UInt32} AND service = 'api' AND operation = 'GET /items' AND entry GROUP BY minute ORDER BY minute`); err != nil {
		t.Fatal(err)
	}
	if len(red) != 2 {
		t.Fatalf("%d minutes, want 2", len(red))
	}
	for i, want := range []struct{ sum, longest, half uint64 }{{10_000, 1_900, 900}, {11_000, 2_000, 1_000}} {
		r := red[i]
		if !r.Minute.Equal(noon.Add(time.Duration(i)*time.Minute)) || r.Count != 10 || r.Errors != 1 || r.Sum != want.sum*1e6 || r.Max != want.longest*1e6 {
			t.Errorf("minute %d: %+v", i, r)
		}
		if off := r.Half/float64(want.half*1e6) - 1; off < -0.021 || off > 0.121 { // 2 %, and any value between the two middle ones
			t.Errorf("median of minute %d is %.0f ms, want %d ms", i, r.Half/1e6, want.half)
		}
	}

	var sql []struct {
		Count uint64 `ch:"n"`
		Sum   uint64 `ch:"total"`
		Hash  uint64 `ch:"db_hash"`
	}
	if err := db.Select(t.Context(), 1, &sql, `SELECT db_hash, sum(count) AS n, sum(duration_sum) AS total FROM sql_minute WHERE project_id = {project:UInt32} GROUP BY db_hash`); err != nil {
		t.Fatal(err)
	}
	if len(sql) != 1 || sql[0].Count != 20 || sql[0].Sum != 20*300e6 || sql[0].Hash != sqltext.Normalize("mysql", "SELECT * FROM items WHERE id = 1").Hash {
		t.Errorf("statements: %+v", sql)
	}
}

func TestATransactionDeliveredTwiceIsCountedOnce(t *testing.T) {
	db, store := tracetest.Open(t)
	tracetest.Insert(t, db, 1, request(1, noon, time.Second)...)
	tracetest.Insert(t, db, 1, request(1, noon, time.Second)...)
	page, err := store.Transactions(t.Context(), 1, trace.TransactionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	total, err := store.CountTransactions(t.Context(), 1, trace.TransactionQuery{})
	if err != nil || total != 1 || len(page.Items) != 1 {
		t.Errorf("%d of %d transactions, want 1 of 1, %v", len(page.Items), total, err)
	}
}

// A batch job ends many at the same moment, and a sender that heard no answer sends them again.
func TestTheNewestAreFoundHoweverFarApartTheyAre(t *testing.T) {
	db, store := tracetest.Open(t)
	now := time.Now().Truncate(time.Second)
	var want []uint64
	for i, ago := range []time.Duration{
		-5 * time.Minute, // of a clock that is ahead
		time.Second, 59 * time.Second, time.Minute, 9 * time.Minute, time.Hour, 5 * time.Hour, 5*time.Hour + 1, 40 * time.Hour, 900 * time.Hour, 9_000 * time.Hour,
	} {
		tracetest.Insert(t, db, 1, tracetest.Span{Trace: tracetest.ID(uint64(i)), ID: trace.SpanID(i + 1), Kind: trace.KindServer, Name: "GET /", Start: now.Add(-ago)})
		want = append(want, uint64(i+1))
	}
	for _, limit := range []int{1, 2, 4, 50} {
		var got []uint64
		for q := (trace.TransactionQuery{Limit: limit}); ; {
			page, err := store.Transactions(t.Context(), 1, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, tx := range page.Items {
				got = append(got, uint64(tx.SpanID))
			}
			if q.Cursor = page.NextCursor; q.Cursor == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by pages of %d (-want +got)\n%s", limit, diff)
		}
	}
}

func TestTransactionsThatEndedAtOnceAreListedOnceEach(t *testing.T) {
	db, store := tracetest.Open(t)
	insert := func() {
		t.Helper()
		if err := db.Exec(t.Context(), `INSERT INTO spans (project_id, retention_days, trace_id, span_id, service, name, entry, start, duration)
			SELECT 1, 20000, toFixedString(unhex(hex(MD5(toString(number)))), 16), number + 1, 'api', 's', true,
				toDateTime64('2025-06-17 14:03:00', 9, 'UTC') + toIntervalMillisecond(number < 150 ? 0 : number), 1000
			FROM numbers(200)`); err != nil {
			t.Fatal(err)
		}
	}
	insert()
	insert()
	seen := map[trace.SpanID]int{}
	last := time.Now()
	q := trace.TransactionQuery{Limit: 7}
	for {
		page, err := store.Transactions(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range page.Items {
			seen[tx.SpanID]++
			if tx.Start.After(last) {
				t.Errorf("%v comes after %v", tx.Start, last)
			}
			last = tx.Start
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
		if len(page.Items) != 7 {
			t.Errorf("a page of %d that is not the last", len(page.Items))
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is listed %d times", id, n)
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d of 200 are listed", len(seen))
	}
}

func TestAnOutlineIsReadWithItsStatements(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	spans := request(1, noon, time.Second)
	spans[2].Links = []trace.Link{{TraceID: tracetest.ID(7), SpanID: 9, Attributes: map[string]any{"why": "batch"}}}
	tracetest.Insert(t, db, 1, spans...)
	tracetest.Insert(t, db, 1, spans[1]) // delivered twice

	o, err := store.Outline(ctx, 1, tracetest.ID(1))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range o.Spans {
		names = append(names, o.Operations[n.Operation].Name)
	}
	if diff := cmp.Diff([]string{"GET /items", "SELECT items", "GET pay.example.com"}, names); diff != "" {
		t.Errorf("spans (-want +got)\n%s", diff)
	}
	if !o.Start.Equal(noon) || o.DurationNs != 1e9 || o.Stored != 4 || o.Truncated || o.Spans[0].HTTPStatus != 200 || !o.Spans[2].Linked || o.Spans[1].Linked {
		t.Errorf("%+v", o)
	}
	if len(o.Statements) != 1 || o.Statements[0].Text != "SELECT * FROM items WHERE id = ?" || o.Statements[0].Count != 1 {
		t.Errorf("statements: %+v", o.Statements)
	}
	if _, err := store.Outline(ctx, 2, tracetest.ID(1)); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project sees it: %v", err)
	}
}

func TestOneSpanIsReadWhole(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	spans := request(1, noon, time.Second)
	spans[2].Links = []trace.Link{{TraceID: tracetest.ID(7), SpanID: 9, Attributes: map[string]any{"why": "batch"}}}
	twin := spans[2] // the other side of a call, with its id as Zipkin makes it
	twin.Kind, twin.Service, twin.Links = trace.KindServer, "pay", nil
	tracetest.Insert(t, db, 1, append(spans, twin)...)

	s, err := store.Span(ctx, 1, tracetest.ID(1), 13, trace.KindClient)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(spans[2].Links, s.Links); diff != "" || s.Service != "api" || s.StartOffsetNs != 320e6 || s.Resource["service.version"] != "1.2" || s.Events == nil {
		t.Errorf("%+v\nlinks (-want +got)\n%s", s, diff)
	}
	if s, err = store.Span(ctx, 1, tracetest.ID(1), 13, trace.KindServer); err != nil || s.Service != "pay" {
		t.Errorf("the server's side: %+v, %v", s, err)
	}
	if s, err = store.Span(ctx, 1, tracetest.ID(1), 11, 0); err != nil || s.Attributes["thread.id"] != "7" {
		t.Errorf("of any kind: %+v, %v", s, err)
	}
	if _, err := store.Span(ctx, 1, tracetest.ID(1), 99, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("a span that is not there: %v", err)
	}
	if _, err := store.Span(ctx, 2, tracetest.ID(1), 13, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project sees it: %v", err)
	}
}

func TestASearchWithinATraceLooksAtAllThatSpansSay(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	spans := request(1, noon, time.Second)
	spans[0].Events = []tracetest.Event{tracetest.Exception(noon.Add(900*ms), "주문오류", "재고 없음", "")}
	tracetest.Insert(t, db, 1, spans...)
	tracetest.Insert(t, db, 1, request(2, noon, time.Second)...)
	f := func(text string, want ...trace.SpanID) {
		t.Helper()
		got, err := store.Search(ctx, 1, tracetest.ID(1), text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
	}
	f("FROM ITEMS", 12)
	f("pay.example", 13)
	f("thread.id=7", 11)
	f("재고", 11)
	f("000000000000000d", 13)
	f("pod-1", 11, 12, 13)
	f("%")
	f("' OR 1 = 1")
}
