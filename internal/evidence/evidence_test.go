package evidence_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	ms       = time.Millisecond
	service  = "TEST-API"
	instance = "prod-test-api-pod-6945c568-2ghw8"
	history  = `/* test.selectTotalHistory */ SELECT COUNT(1) FROM (WITH step1 AS (SELECT a.id FROM test_tb1 a JOIN test_tb2 b ON a.id = b.id
		WHERE a.owner = 'owner@canary.example' AND a.phone = '010-9876-5432'), step2 AS (SELECT s.id FROM step1 s JOIN test_tb3 c ON c.id = s.id)
		SELECT * FROM step2 JOIN test_tb4 d ON d.id = step2.id WHERE d.kind IN ('A', 'B')) t`
)

var at = time.Date(2025, 6, 17, 14, 4, 0, 0, time.UTC)

// story writes the spans of one transaction in the order of its steps.
type story struct {
	trace trace.TraceID
	start time.Time
	spans []tracetest.Span
}

func (s *story) span(id, parent trace.SpanID, kind trace.Kind, name string, from, length time.Duration, attributes ...string) *tracetest.Span {
	span := tracetest.Span{
		Trace: s.trace, ID: id, Parent: parent, Service: service, Environment: "PRODUCTION", Instance: instance,
		Name: name, Kind: kind, Start: s.start.Add(from), Duration: length, Attributes: map[string]string{},
	}
	for i := 0; i < len(attributes); i += 2 {
		span.Attributes[attributes[i]] = attributes[i+1]
	}
	s.spans = append(s.spans, span)
	return &s.spans[len(s.spans)-1]
}

func (s *story) sql(id, parent trace.SpanID, statement string, from, length time.Duration) *tracetest.Span {
	return s.span(id, parent, trace.KindClient, "SELECT real_db", from, length, "db.system", "mysql", "db.name", "real_db",
		"db.statement", statement, "server.address", "real-database-url.com", "server.port", "3306", "db.connection_string", "mysql://real-database-url.com:3306")
}

// seed is the transaction of the seed's report: 11,354 ms in all, of which
// 11,327 ms SQL, 8,003 ms of these at index 11.
func seed() *story {
	s := &story{trace: tracetest.ID(1), start: at}
	s.span(1, 0, trace.KindServer, "GET /v1/api/test", 0, 11354*ms, "http.request.method", "GET", "http.route", "/v1/api/test",
		"url.path", "/v1/api/test", "url.query", "member=kim@canary.example", "http.response.status_code", "200") // 1
	s.span(2, 1, trace.KindInternal, "TestController.history", 2*ms, 11350*ms)      // 2
	s.span(3, 2, trace.KindInternal, "HikariDataSource.getConnection", 2*ms, 11*ms) // 3
	s.span(4, 2, trace.KindInternal, "MemberMapper.find", 13*ms, 3310*ms)           // 4
	for i := range time.Duration(5) {                                               // 5 to 9
		s.sql(trace.SpanID(5+i), 4, fmt.Sprintf("SELECT name FROM members WHERE id = %d", 700001+i), 13*ms+i*662*ms, 662*ms)
	}
	s.span(10, 2, trace.KindInternal, "TestMapper.selectTotalHistory", 3324*ms, 8005*ms, "code.namespace", "com.kakao.test.TestMapper", "code.function", "selectTotalHistory") // 10
	s.sql(11, 10, history, 3325*ms, 8003*ms)                                                                                                                                   // 11
	s.sql(12, 2, "INSERT INTO audit_log (who) VALUES ('kim')", 11329*ms, 14*ms)                                                                                                // 12
	s.span(13, 2, trace.KindClient, "GET", 11345*ms, 5*ms, "http.request.method", "GET",
		"url.full", "https://user:secret@pay.canary.example/v2/cards?token=abc", "server.address", "pay.canary.example", "http.response.status_code", "503").Error = true // 13
	s.spans[12].Events = []tracetest.Event{tracetest.Exception(at.Add(11349*ms), "java.net.SocketTimeoutException", "10.20.30.40:443 for owner@canary.example timed out", "")}
	return s
}

func input() evidence.Input {
	return evidence.Input{
		Rule: "SlowSQL 알람", Service: service, Environment: "PRODUCTION", Condition: "SQL Response time >= 8000 ms", Threshold: 8000, Unit: "ms", Count: 1, WindowMinutes: 10,
		From: at.Add(-time.Minute), To: at.Add(9 * time.Minute), Now: at.Add(10 * time.Minute),
		Instances: []evidence.Instance{{Name: instance, Count: 1}}, Worst: []evidence.Sample{{TraceID: tracetest.ID(1), SpanID: 11}},
	}
}

// open returns the engine with all that evidence reads, and a Collector over it.
func open(t *testing.T) (*clickhouse.DB, *evidence.Collector) {
	t.Helper()
	db, traces := tracetest.Open(t)
	for noun, migrations := range map[string][]clickhouse.Migration{"logs": logs.Migrations(), "metric": metric.Migrations()} {
		if err := db.Migrate(t.Context(), noun, migrations); err != nil {
			t.Fatal(err)
		}
	}
	return db, evidence.New(traces, logs.NewStore(db), metric.NewEngine(metric.NewStore(db), nil))
}

func collect(t *testing.T, store *evidence.Collector, in evidence.Input) *ground.Bundle {
	t.Helper()
	b, err := store.Collect(context.Background(), 1, in)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range b.Facts {
		if f.ID != fmt.Sprintf("E%d", i+1) || strings.ContainsAny(f.Text, "\r\n") || f.Text == "" {
			t.Errorf("fact %d: id %s, text %q", i+1, f.ID, f.Text)
		}
	}
	return b
}

// askedFor is what a model would read of the bundle.
func askedFor(t *testing.T, b *ground.Bundle) string {
	t.Helper()
	session := mask.NewSession()
	session.Learn(b.Sensitive()...)
	masked, err := session.Mask(b.Prompt())
	if err != nil {
		t.Fatal(err)
	}
	return masked
}

// usual are quick transactions of the same endpoint, an hour and a day before.
func usual(t *testing.T) []tracetest.Span {
	t.Helper()
	var all []tracetest.Span
	for n := range uint64(8) {
		s := &story{trace: tracetest.ID(100 + n), start: at.Add(-time.Hour)}
		if n >= 4 {
			s.start = at.Add(-24 * time.Hour)
		}
		s.span(1, 0, trace.KindServer, "GET /v1/api/test", 0, 800*ms, "http.request.method", "GET", "http.route", "/v1/api/test")
		s.sql(2, 1, history, 10*ms, time.Duration(500+n)*ms)
		all = append(all, s.spans...)
	}
	return all
}

func TestTheSeedsCaseGivesTheSeedsFacts(t *testing.T) {
	db, store := open(t)
	tracetest.Insert(t, db, 1, seed().spans...)
	tracetest.Insert(t, db, 1, usual(t)...)
	b := collect(t, store, input())

	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(b); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "seed.bundle.json")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("bundle (-want +got)\n%s", diff)
	}

	// What the seed's report cites.
	for _, f := range b.Facts {
		switch {
		case f.Kind == ground.Transaction:
			if f.Get("elapsed") != "11354" || f.Get("sql_time") != "11327" || f.Get("endpoint") != "GET /v1/api/test" || f.Get("instance") != instance {
				t.Errorf("transaction: %+v", f)
			}
		case f.Kind == ground.Statement && f.Step == 11:
			if diff := cmp.Diff([]string{"test_tb1", "test_tb2", "test_tb3", "test_tb4"}, f.All("table")); diff != "" {
				t.Error(diff)
			}
			if f.Get("name") != "test.selectTotalHistory" || f.Get("elapsed") != "8003" || f.Get("operation") != "SELECT" {
				t.Errorf("statement: %+v", f)
			}
		}
	}
}

func TestNothingSensitiveIsLeftWhenTheValuesAreMasked(t *testing.T) {
	db, store := open(t)
	tracetest.Insert(t, db, 1, seed().spans...)
	masked := askedFor(t, collect(t, store, input()))
	for _, canary := range []string{
		"canary", "owner@", "010-9876", "real-database", "real_db", "test_tb1", "test_tb4", "members", "audit_log",
		"10.20.30.40", "secret", "token=abc", "700001", "TEST-API", "prod-test-api",
	} {
		if strings.Contains(masked, canary) {
			t.Errorf("%q would reach the model:\n%s", canary, masked)
		}
	}
}

func TestARepeatedStatementIsOneFact(t *testing.T) {
	db, store := open(t)
	tracetest.Insert(t, db, 1, seed().spans...)
	for _, f := range collect(t, store, input()).Facts {
		if f.Kind == ground.Statement && f.Get("table") == "members" {
			if f.Get("calls") != "5" || f.Get("total") != "3310" || f.Get("elapsed") != "662" {
				t.Errorf("%+v", f)
			}
			return
		}
	}
	t.Error("the repeated statement is missing")
}

func TestTheThreeWorstTransactionsAreDescribedSlowestFirstAndOnce(t *testing.T) {
	db, store := open(t)
	in := input()
	in.Worst = nil
	for n := range uint64(5) {
		s := seed()
		s.trace = tracetest.ID(n + 1)
		for i := range s.spans {
			s.spans[i].Trace = s.trace
		}
		s.spans[0].Duration += time.Duration(n) * time.Second
		tracetest.Insert(t, db, 1, s.spans...)
		in.Worst = append(in.Worst, evidence.Sample{TraceID: s.trace, SpanID: 11}, evidence.Sample{TraceID: s.trace, SpanID: 5})
	}
	var elapsed []string
	for _, f := range collect(t, store, in).Facts {
		if f.Kind == ground.Transaction {
			elapsed = append(elapsed, f.Get("elapsed"))
		}
	}
	if diff := cmp.Diff([]string{"13354", "12354", "11354"}, elapsed); diff != "" {
		t.Error(diff)
	}
}

func TestWaitsAndGapsAreFacts(t *testing.T) {
	db, store := open(t)
	s := &story{trace: tracetest.ID(1), start: at}
	s.span(1, 0, trace.KindServer, "GET /slow", 0, 10000*ms)
	s.span(2, 1, trace.KindClient, "pg-pool.connect", 0, 3000*ms, "db.system", "postgresql")
	s.span(3, 2, trace.KindClient, "pg.connect", 100*ms, 2900*ms, "db.system", "postgresql")
	s.sql(4, 1, "SELECT 1", 5000*ms, 1000*ms)
	s.span(5, 1, trace.KindInternal, "Render.page", 6000*ms, 2000*ms)
	tracetest.Insert(t, db, 1, s.spans...)
	in := input()
	in.Worst[0].SpanID = 4
	var waits []string
	for _, f := range collect(t, store, in).Facts {
		if f.Kind == ground.Wait || f.Kind == ground.Step {
			waits = append(waits, fmt.Sprintf("%s %d %s %s", f.Kind, f.Step, f.Get("what"), f.Get("elapsed")))
		}
	}
	if diff := cmp.Diff([]string{"wait 2 connection 3000", "wait 1 gap 2000", "wait 4 gap 2000", "step 5  2000"}, waits); diff != "" {
		t.Error(diff)
	}
}

func TestATraceThatIsGoneIsANoteAndNoError(t *testing.T) {
	_, store := open(t)
	b := collect(t, store, input())
	if len(b.Facts) != 4 || b.Facts[0].Kind != ground.Alarm || b.Facts[1].Kind != ground.Note || b.Facts[2].Kind != ground.Note || b.Facts[3].Kind != ground.Note {
		t.Errorf("%+v", b.Facts)
	}
}

func TestAnEngineThatIsDownIsAnError(t *testing.T) {
	db, store := open(t)
	db.Close()
	if _, err := store.Collect(context.Background(), 1, input()); err == nil {
		t.Error("want an error")
	}
}

func TestABundleIsBoundedAndSaysWhatWasCut(t *testing.T) {
	db, store := open(t)
	in := input()
	in.Worst = nil
	wide := strings.Repeat("a_rather_long_column_name, ", 400)
	for n := range uint64(3) {
		s := &story{trace: tracetest.ID(n + 1), start: at}
		s.span(1, 0, trace.KindServer, "GET /"+strings.Repeat("x", 500), 0, 10000*ms)
		for i := range 20 {
			from := time.Duration(i) * 450 * ms
			s.sql(trace.SpanID(10+i), 1, fmt.Sprintf("SELECT %s b%d FROM %s", wide, i, strings.Repeat("table_", 30)), from, 440*ms)
			failed := s.span(trace.SpanID(50+i), 1, trace.KindClient, "GET", from, 440*ms, "url.full", fmt.Sprintf("http://h%d/%s", i, strings.Repeat("p", 400)))
			failed.Error = true
			failed.Events = []tracetest.Event{tracetest.Exception(s.start, fmt.Sprint("E", i), strings.Repeat("line\n", 1000), "")}
		}
		tracetest.Insert(t, db, 1, s.spans...)
		in.Worst = append(in.Worst, evidence.Sample{TraceID: s.trace, SpanID: 10})
	}
	b := collect(t, store, in)
	size := 0
	for _, f := range b.Facts {
		size += len(f.Text)
		if len(f.Text) > 4<<10 {
			t.Errorf("%s has %d bytes", f.ID, len(f.Text))
		}
	}
	if len(b.Facts) > 60 || size > 24<<10 {
		t.Errorf("%d facts of %d bytes", len(b.Facts), size)
	}
	if again := collect(t, store, in); cmp.Diff(b, again) != "" {
		t.Error("the same data gives the same bundle")
	}
}

func TestTimesAreThoseOfTheAlarmsZone(t *testing.T) {
	db, store := open(t)
	tracetest.Insert(t, db, 1, seed().spans...)
	in := input()
	in.Location = time.FixedZone("KST", 9*60*60)
	b := collect(t, store, in)
	alarm, transaction := b.Facts[0], b.Facts[1]
	if alarm.Get("from") != "2025-06-17 23:03" || alarm.Get("to") != "2025-06-17 23:13" || alarm.Get("zone") != "KST" || transaction.Get("started") != "2025-06-17 23:04:00" {
		t.Errorf("%+v\n%+v", alarm, transaction)
	}
	if text := b.Prompt(); strings.Count(text, "KST") != 1 || strings.Contains(text, "UTC") || !strings.Contains(text, "from 2025-06-17 23:03 to 2025-06-17 23:13 KST") {
		t.Errorf("the zone is not named once:\n%s", text)
	}
}

func about(span trace.SpanID) evidence.Input {
	in := input()
	in.Worst[0].SpanID = span
	return in
}

func TestADatabaseCallIsToldByItsOperationAndNotByItsSpansName(t *testing.T) {
	db, store := open(t)
	s := &story{trace: tracetest.ID(1), start: at}
	s.span(1, 0, trace.KindServer, "GET /slow", 0, 10000*ms)
	s.span(2, 1, trace.KindClient, "find shopdb.customers", 0, 9000*ms, "db.system", "mongodb", "db.name", "shopdb", "db.operation", "find",
		"db.mongodb.collection", "customers", "server.address", "mongo-prod01")
	failed := s.span(3, 1, trace.KindClient, "HGETALL cart:kim", 9000*ms, 900*ms, "db.system", "redis", "db.statement", "HGETALL cart:kim")
	failed.Error = true
	failed.Events = []tracetest.Event{tracetest.Exception(s.start, "MongoWriteException", "E11000 duplicate key error collection: shopdb.customers index: mail_1", "")}
	tracetest.Insert(t, db, 1, s.spans...)
	b := collect(t, store, about(2))
	var calls []string
	for _, f := range b.Facts {
		if f.Kind == ground.Call {
			calls = append(calls, f.Text)
		}
	}
	want := []string{
		"Step 2: mongodb find on customers in database shopdb at mongo-prod01 took 9000 ms (90 % of the transaction).",
		"Step 3: redis HGETALL took 900 ms (9 % of the transaction), failed.",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
	masked := askedFor(t, b)
	for _, canary := range []string{"customers", "shopdb", "mongo-prod01", "cart", "kim"} {
		if strings.Contains(masked, canary) {
			t.Errorf("%q would reach the model:\n%s", canary, masked)
		}
	}
}

func TestAStatementSentWithoutItsTextIsAFactLikeAnyOther(t *testing.T) {
	db, store := open(t)
	s := &story{trace: tracetest.ID(1), start: at}
	s.span(1, 0, trace.KindServer, "GET /slow", 0, 10000*ms)
	s.span(2, 1, trace.KindClient, "UPDATE shopdb.invoices", 0, 9000*ms, "db.system", "postgresql", "db.name", "shopdb", "db.operation", "UPDATE", "db.sql.table", "invoices")
	tracetest.Insert(t, db, 1, s.spans...)
	b := collect(t, store, about(2))
	if tx := b.Facts[1]; tx.Get("sql_count") != "1" || tx.Get("sql_time") != "9000" {
		t.Errorf("%+v", tx)
	}
	f := b.Facts[2]
	if f.Kind != ground.Statement || f.Get("operation") != "UPDATE" || f.Get("table") != "invoices" || f.Get("elapsed") != "9000" {
		t.Errorf("%+v", f)
	}
	if masked := askedFor(t, b); strings.Contains(masked, "invoices") || strings.Contains(masked, "shopdb") || !strings.Contains(masked, "UPDATE") {
		t.Errorf("a model would read\n%s", masked)
	}
}

func TestAKoreanNameOfAStatementIsMaskedInAnException(t *testing.T) {
	db, store := open(t)
	s := &story{trace: tracetest.ID(1), start: at}
	s.span(1, 0, trace.KindServer, "GET /slow", 0, 10000*ms)
	s.sql(2, 1, "SELECT pg_sleep(9)", 0, 9000*ms)
	failed := s.sql(3, 1, "SELECT id FROM members WHERE name LIKE '%홍길동%' AND city = '서울'", 9000*ms, 2*ms)
	failed.Error = true
	failed.Events = []tracetest.Event{tracetest.Exception(s.start, "MemberException", "no member 홍길동 in 서울", "")}
	tracetest.Insert(t, db, 1, s.spans...)
	if masked := askedFor(t, collect(t, store, about(2))); strings.Contains(masked, "홍길동") || strings.Contains(masked, "서울") {
		t.Errorf("a model would read\n%s", masked)
	}
}
