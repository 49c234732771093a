package rule_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
	"github.com/matrix-aiops/matrix/internal/view"
)

// station is all that rules read, on real stores, and an engine whose clock stands
// at a whole minute. What is written arrives by the real clock, so it is about now.
type station struct {
	t         *testing.T
	db        *metadb.DB
	telemetry *clickhouse.DB
	metrics   *metric.Writer
	rules     *rule.Store
	engine    *rule.Engine
	even      bool

	minute   time.Time     // the last one's begin that is not judged yet
	later    time.Duration // than now it is when the engine looks
	now      time.Time
	traces   uint64
	fired    map[string]rule.Firing // last, by "rule service subject"
	failures []string
}

func newStation(t *testing.T) *station {
	t.Helper()
	s := &station{t: t, db: metadbtest.SQLite(t), telemetry: clickhousetest.New(t), even: true, fired: map[string]rule.Firing{}}
	for noun, migrations := range map[string][]clickhouse.Migration{
		"trace": trace.Migrations(), "logs": logs.Migrations(), "metric": metric.Migrations(), "issue": issue.Migrations(),
	} {
		if err := s.telemetry.Migrate(t.Context(), noun, migrations); err != nil {
			t.Fatal(err)
		}
	}
	s.metrics = metric.NewWriter(s.telemetry, metric.Limits{}, clickhouse.BatchOptions{MaxDelay: time.Microsecond})
	t.Cleanup(func() {
		if err := s.metrics.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	// The last minute that is judged: one has to be over for ten seconds.
	s.minute = time.Now().UTC().Add(-10 * time.Second).Truncate(time.Minute)
	s.now = s.minute.Add(-20 * time.Minute)
	s.rules = rule.NewStore(s.db, s.clock)
	var err error
	s.engine, err = rule.NewEngine(rule.EngineOptions{
		DB: s.db, Now: s.clock,
		Sources: rule.Sources{
			Traces: trace.NewStore(s.telemetry), Logs: logs.NewStore(s.telemetry), Metrics: metric.NewEngine(metric.NewStore(s.telemetry), nil),
			Issues: issue.NewStore(s.db, s.telemetry, s.clock), Views: view.NewStore(s.db, s.clock), Even: func(time.Duration) bool { return s.even },
		},
		OnFire: func(_ context.Context, _ *metadb.Tx, f rule.Firing) error {
			key := strings.Join(strings.Fields(f.Rule.Name+" "+f.Service+" "+f.Subject), " ")
			if f.Met || !s.fired[key].Met {
				s.fired[key] = f
			}
			return nil
		},
		OnFailure: func(_ context.Context, _ *metadb.Tx, r rule.Rule, why string) error {
			s.failures = append(s.failures, r.Name+": "+why)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *station) clock() time.Time { return s.now }

// rule makes a rule of a kind as a form would, of that name.
func (s *station) rule(name, kind string, params rule.Params, edit ...func(*rule.Rule)) rule.Rule {
	s.t.Helper()
	r := s.fresh(name, kind, params, edit...)
	r, err := s.rules.Create(s.t.Context(), 1, "kim", r)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// fresh is a rule with what its kind begins with.
func (s *station) fresh(name, kind string, params rule.Params, edit ...func(*rule.Rule)) rule.Rule {
	s.t.Helper()
	r := rule.Rule{Name: name, Kind: kind, Enabled: true, Params: rule.Params{}}
	for _, k := range rule.Kinds() {
		if k.Name == kind {
			r.Count, r.WindowMinutes, r.QuietMinutes, r.Severity = k.Count, k.WindowMinutes, k.QuietMinutes, k.Severity
			for _, p := range k.Params {
				if p.Default != nil {
					r.Params[p.Name] = p.Default
				}
			}
		}
	}
	maps.Copy(r.Params, params)
	for _, e := range edit {
		e(&r)
	}
	return r
}

// once makes a rule fire at its first match.
func once(r *rule.Rule) { r.Count, r.WindowMinutes = 1, 10 }

// evaluate lets the engine see everything that has arrived.
func (s *station) evaluate() {
	s.t.Helper()
	s.now = time.Now().UTC().Add(2*time.Second + s.later)
	if err := s.engine.Evaluate(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// expect compares what fired, as "rule service subject: count, worst".
func (s *station) expect(want ...string) {
	s.t.Helper()
	var got []string
	for key, f := range s.fired {
		if f.Met {
			got = append(got, fmt.Sprintf("%s: %d, %s", key, f.Count, strconv.FormatFloat(f.Window[0].Value, 'f', -1, 64)))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.t.Errorf("fired\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// ago is a time in the minutes before the present one.
func (s *station) ago(minutes float64) time.Time {
	return s.minute.Add(-time.Duration(minutes * float64(time.Minute)))
}

// spans stores the spans of one trace.
func (s *station) spans(spans ...tracetest.Span) {
	s.t.Helper()
	s.traces++
	for i := range spans {
		spans[i].Trace = tracetest.ID(s.traces)
	}
	tracetest.Insert(s.t, s.telemetry, 1, spans...)
}

// served stores n transactions of a service that took so long, some of them failed.
func (s *station) served(service, endpoint string, at time.Time, n, failed int, took time.Duration) {
	s.t.Helper()
	spans := make([]tracetest.Span, n)
	for i := range spans {
		s.traces++
		spans[i] = tracetest.Span{Trace: tracetest.ID(s.traces), ID: 1, Service: service, Name: endpoint, Kind: trace.KindServer,
			Start: at.Add(time.Duration(i) * time.Millisecond), Duration: took, Error: i < failed}
	}
	tracetest.Insert(s.t, s.telemetry, 1, spans...)
}

// past stores five transactions of services in each minute of two hours.
func (s *station) past(begin time.Time, services ...string) {
	s.t.Helper()
	var spans []tracetest.Span
	for _, service := range services {
		for i := range 120 * 5 {
			s.traces++
			spans = append(spans, tracetest.Span{Trace: tracetest.ID(s.traces), ID: 1, Service: service, Name: "GET /", Kind: trace.KindServer,
				Start: begin.Add(time.Duration(i) * 12 * time.Second), Duration: 10 * time.Millisecond})
		}
	}
	tracetest.Insert(s.t, s.telemetry, 1, spans...)
}

// wrote stores n log records.
func (s *station) wrote(service string, at time.Time, n int, severity logs.Severity, body string) {
	s.t.Helper()
	if err := s.telemetry.Exec(s.t.Context(), `INSERT INTO logs (project_id, retention_days, time, id, service, severity, body)
		SELECT 1, 30, {at:DateTime64(9)} + toIntervalMillisecond(number), generateSnowflakeID(), {service:String}, {severity:UInt8}, {body:String} FROM numbers({n:UInt32})`,
		clickhouse.P("at", at), clickhouse.P("service", service), clickhouse.P("severity", uint8(severity)), clickhouse.P("body", body), clickhouse.P("n", uint32(n))); err != nil {
		s.t.Fatal(err)
	}
}

// sample stores a value of a series for each of the last minutes.
func (s *station) sample(minutes int, value func(minute int) float64, of ...string) {
	s.t.Helper()
	b := s.metrics.Begin(1, 30, time.Now())
	defer s.metrics.Release(b)
	series, err := b.Series(labels.FromStrings(of...))
	if err != nil {
		s.t.Fatal(err)
	}
	for m := minutes; m >= 0; m-- {
		if err := b.Sample(series, 0, s.ago(float64(m)).Add(-10*time.Second).UnixMilli(), value(m)); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := s.metrics.Write(s.t.Context(), b); err != nil {
		s.t.Fatal(err)
	}
}

func TestGettingADatabaseConnectionTakesTooLong(t *testing.T) {
	s := newStation(t)
	s.rule("pool", "slow_connection", rule.Params{"threshold_ms": 500.0}, once)
	s.spans(
		tracetest.Span{ID: 1, Service: "shop", Name: "GET /", Kind: trace.KindServer, Start: s.ago(2), Duration: 2 * time.Second},
		tracetest.Span{ID: 2, Parent: 1, Service: "shop", Name: "HikariDataSource.getConnection", Start: s.ago(2), Duration: 900 * time.Millisecond},
		tracetest.Span{ID: 3, Parent: 1, Service: "shop", Name: "pg-pool.connect", Start: s.ago(2), Duration: 400 * time.Millisecond},
		tracetest.Span{ID: 4, Parent: 1, Service: "shop", Name: "connect", Start: s.ago(2), Duration: 900 * time.Millisecond},
		tracetest.Span{ID: 5, Parent: 1, Service: "py", Name: "connect", Start: s.ago(2), Duration: 700 * time.Millisecond, Attributes: map[string]string{"db.system": "postgresql"}},
	)
	s.evaluate()
	s.expect("pool shop: 1, 900", "pool py: 1, 700")
}

func TestACallLosesItsTimeOnTheNetworkWhateverTheClocksSay(t *testing.T) {
	s := newStation(t)
	s.rule("network", "network_delay", rule.Params{"threshold_ms": 500.0}, once)
	call := func(id trace.SpanID, took, served time.Duration, callee string, skew time.Duration) []tracetest.Span {
		return []tracetest.Span{
			{ID: id, Service: "shop", Name: "GET", Kind: trace.KindClient, Start: s.ago(2), Duration: took},
			{ID: id + 100, Parent: id, Service: callee, Name: "GET /stock", Kind: trace.KindServer, Start: s.ago(2).Add(skew), Duration: served},
		}
	}
	s.spans(slices.Concat(
		call(1, 2*time.Second, 300*time.Millisecond, "stock", 3*time.Minute), // its clock is three minutes ahead
		call(2, 2*time.Second, 1900*time.Millisecond, "slow-itself", 0),
		[]tracetest.Span{{ID: 3, Service: "shop", Name: "GET", Kind: trace.KindClient, Start: s.ago(2), Duration: 5 * time.Second}, // nobody knows where its time went
			{ID: 4, Service: "shop", Name: "tls.connect", Start: s.ago(2), Duration: 600 * time.Millisecond}},
	)...)
	s.evaluate()
	s.expect("network shop stock: 1, 1700", "network shop tls.connect: 1, 600")
}

func TestAnExceptionOfATypeOrWithAMessageIsCounted(t *testing.T) {
	s := newStation(t)
	s.rule("timeouts", "exception", rule.Params{"type": "Timeout", "message": "(?i)orders"}, func(r *rule.Rule) { r.Count = 2 })
	s.rule("any", "exception", nil, once)
	throw := func(kind, message string) {
		s.spans(tracetest.Span{ID: 1, Service: "shop", Name: "GET /", Kind: trace.KindServer, Start: s.ago(1), Duration: time.Millisecond,
			Events: []tracetest.Event{tracetest.Exception(s.ago(1), kind, message, "")}})
	}
	throw("java.net.SocketTimeoutException", "reading ORDERS")
	throw("java.net.SocketTimeoutException", "reading orders again")
	throw("java.net.SocketTimeoutException", "reading stock")
	throw("java.lang.IllegalStateException", "orders")
	s.evaluate()
	s.expect("timeouts shop java.net.SocketTimeoutException: 2, 1", "any shop java.net.SocketTimeoutException: 3, 1", "any shop java.lang.IllegalStateException: 1, 1")
}

func TestCallsToOthersAreSlowOrFail(t *testing.T) {
	s := newStation(t)
	s.rule("slow", "slow_external_call", rule.Params{"threshold_ms": 1000.0}, once)
	s.rule("slow pay", "slow_external_call", rule.Params{"threshold_ms": 1000.0, "callee": "pay.example:443"}, once)
	s.rule("failed", "failed_external_call", nil, func(r *rule.Rule) { r.Count = 2 })
	to := func(peer string, took time.Duration, failed bool) {
		s.spans(tracetest.Span{ID: 1, Service: "shop", Name: "POST", Kind: trace.KindClient, Start: s.ago(1), Duration: took, Error: failed,
			Attributes: map[string]string{"server.address": peer, "server.port": "443"}})
	}
	to("pay.example", 3*time.Second, false)
	to("mail.example", 2*time.Second, true)
	to("mail.example", 20*time.Millisecond, true)
	to("map.example", 20*time.Millisecond, true)
	s.spans(tracetest.Span{ID: 1, Service: "shop", Name: "SELECT", Kind: trace.KindClient, Start: s.ago(1), Duration: 9 * time.Second,
		Attributes: map[string]string{"db.system": "mysql", "db.statement": "SELECT 1"}}) // a database is none of theirs
	s.evaluate()
	s.expect("slow shop pay.example:443: 1, 3000", "slow shop mail.example:443: 1, 2000", "slow pay shop pay.example:443: 1, 3000", "failed shop mail.example:443: 2, 2000")
}

// selects are n SQL spans under a parent.
func selects(parent trace.SpanID, n int, statement func(i int) string, at time.Time, took func(i int) time.Duration) []tracetest.Span {
	spans := make([]tracetest.Span, n)
	for i := range spans {
		spans[i] = tracetest.Span{ID: trace.SpanID(1000 + i), Parent: parent, Service: "shop", Name: "SELECT", Kind: trace.KindClient,
			Start: at.Add(time.Duration(i) * time.Millisecond), Duration: took(i),
			Attributes: map[string]string{"db.system": "mysql", "db.statement": statement(i), "db.response.returned_rows": "10"}}
	}
	return spans
}

func TestATransactionRunsTooMuchSQLHoweverItsPartsArrive(t *testing.T) {
	s := newStation(t)
	s.rule("calls", "many_sql", rule.Params{"calls": 50.0}, once)
	s.rule("rows", "many_sql", rule.Params{"calls": 1000.0, "rows": 600.0}, once)
	s.rule("n+1", "repeated_sql", rule.Params{"repeats": 30.0}, once)
	same := func(int) string { return "SELECT * FROM item WHERE id = 1" }
	other := func(i int) string { return fmt.Sprintf("SELECT c%d FROM t%d", i, i) }
	steady := func(int) time.Duration { return time.Millisecond }
	entry := tracetest.Span{ID: 1, Service: "shop", Name: "GET /list", Kind: trace.KindServer, Start: s.ago(2), Duration: time.Second}

	s.traces++
	all := append(selects(1, 60, other, s.ago(2), steady), entry)
	for part := range slices.Chunk(all, 16) { // each a request of its own
		for i := range part {
			part[i].Trace = tracetest.ID(s.traces)
		}
		tracetest.Insert(t, s.telemetry, 1, part...)
		s.evaluate()
	}
	s.expect("calls shop: 1, 60", "rows shop: 1, 60")

	s.fired = map[string]rule.Firing{}
	s.spans(append(selects(1, 40, same, s.ago(1), steady), entry)...)
	// A batch whose statements only look alike takes as long as its data wants.
	s.spans(append(selects(1, 31, same, s.ago(1), func(i int) time.Duration {
		if i == 7 {
			return time.Minute
		}
		return time.Microsecond
	}), entry)...)
	s.evaluate()
	s.expect("n+1 shop: 1, 40")
}

func TestANewIssueAndOneThatCameBackAreIncidents(t *testing.T) {
	s := newStation(t)
	s.rule("new", "issue", rule.Params{"event": "new"})
	s.rule("any", "issue", nil)
	for id, state := range map[int]string{1: "new", 2: "regressed", 3: "ongoing"} {
		_, err := s.db.Exec(t.Context(), `INSERT INTO issue (id, project_id, state, state_since, type, message, culprit, language, words, first_seen, last_seen,
			first_version, last_version, resolved_version, ignored_until, ignored_count, assignee_id, assignee, merged_into, version)
			VALUES ($1, 1, $2, $3, 'IllegalState', 'm', 'c', 'java', '', 0, 0, '', '', '', 0, 0, 0, '', 0, 1)`, id, state, metadb.Micros(s.ago(1)))
		if err == nil {
			_, err = s.db.Exec(t.Context(), `INSERT INTO issue_tag (issue_id, kind, value, first_seen) VALUES ($1, 'service', 'shop', 1)`, id)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.evaluate()
	s.expect("new shop #1 IllegalState: 1, 1", "any shop #1 IllegalState: 1, 1", "any shop #2 IllegalState: 1, 1")
}

func TestAnAlertOfAnotherSystemIsARuleOfItsName(t *testing.T) {
	s := newStation(t)
	s.now = time.Now()
	push := func(alerts ...rule.Alert) {
		t.Helper()
		if err := s.engine.Push(t.Context(), 1, alerts); err != nil {
			t.Fatal(err)
		}
	}
	alert := rule.Alert{Name: "DiskFull", Labels: map[string]string{"alertname": "DiskFull", "job": "node", "instance": "db1:9100"}, Severity: rule.Critical, Runbook: "javascript:alert(1)"}
	push(alert, rule.Alert{Name: "DiskFull", Labels: map[string]string{"alertname": "DiskFull", "job": "node", "instance": "db2:9100"}, Resolved: true})
	push(alert)
	s.expect("DiskFull node alertname=DiskFull, instance=db1:9100: 1, 0")
	rules, err := s.rules.List(t.Context(), 1)
	if err != nil || len(rules) != 1 || rules[0].Kind != "alert" || rules[0].Severity != rule.Critical || rules[0].Runbook != "" {
		t.Fatalf("rules %+v, %v", rules, err)
	}
	rules[0].Enabled = false
	if _, err := s.rules.Update(t.Context(), 1, "kim", rules[0]); err != nil {
		t.Fatal(err)
	}
	s.fired, s.now = map[string]rule.Firing{}, s.now.Add(time.Minute)
	push(alert)
	s.expect()
}

func TestATrialSaysWhatARuleWouldHaveDone(t *testing.T) {
	s := newStation(t)
	s.now = time.Now()
	for _, at := range []time.Time{s.ago(3 * 24 * 60), s.ago(3*24*60 - 1), s.ago(26 * 60), s.ago(40)} {
		s.served("shop", "GET /", at, 10, 6, time.Millisecond)
	}
	trial := func(r rule.Rule) *rule.Trial {
		t.Helper()
		got, err := s.engine.Try(t.Context(), 1, r)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	one := func(r *rule.Rule) { r.Count, r.WindowMinutes = 1, 1 }
	got := trial(s.fresh("errors", "error_rate", rule.Params{"threshold_percent": 50.0, "over_minutes": 1.0, "min_calls": 5.0}, one))
	if got.Total != 3 || got.Matches != 4 || !got.Complete || got.Fired[2].Count != 2 || got.Fired[2].Service != "shop" || got.Fired[2].Value != 60 {
		t.Errorf("trial %+v", got)
	}
	muted := s.fresh("errors", "error_rate", rule.Params{"threshold_percent": 50.0, "over_minutes": 1.0, "min_calls": 5.0}, one, func(r *rule.Rule) {
		r.Mutes = []rule.Mute{{From: "00:00", To: "00:00", Zone: "UTC"}}
	})
	if got := trial(muted); got.Total != 0 || got.Matches != 4 {
		t.Errorf("always muted: %+v", got)
	}
	s.spans(selects(0, 1, func(int) string { return "SELECT 1" }, s.ago(2), func(int) time.Duration { return 9 * time.Second })...)
	s.now = time.Now().Add(2 * time.Minute)
	if got := trial(s.fresh("sql", rule.SlowSQL, nil)); got.Total != 1 || got.Fired[0].Value != 9000 {
		t.Errorf("slow SQL: %+v", got)
	}
	if rules, err := s.rules.List(t.Context(), 1); err != nil || len(rules) != 0 {
		t.Errorf("a trial leaves rules: %v %v", rules, err)
	}
}
