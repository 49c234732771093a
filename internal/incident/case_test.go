package incident_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/report"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// slowTransaction is the seed's: a request of 11,354 ms, of it 8,003 ms in one statement.
func slowTransaction(ended time.Time) []tracetest.Span {
	const pod = "prod-test-api-pod-6945c568-2ghw8"
	start := ended.Add(-11354 * time.Millisecond)
	id := tracetest.ID(1)
	span := func(n, parent uint64, kind trace.Kind, name string, offset, ms int, attributes map[string]string) tracetest.Span {
		return tracetest.Span{Trace: id, ID: trace.SpanID(n), Parent: trace.SpanID(parent), Service: "TEST-API", Environment: "production",
			Instance: pod, Name: name, Kind: kind, Start: start.Add(time.Duration(offset) * time.Millisecond),
			Duration: time.Duration(ms) * time.Millisecond, Attributes: attributes}
	}
	sql := func(n uint64, offset, ms int, text string) tracetest.Span {
		return span(n, 2, trace.KindClient, "SELECT testdb", offset, ms, map[string]string{
			"db.system": "mysql", "db.name": "testdb", "db.statement": text, "server.address": "real-database-url.com"})
	}
	return []tracetest.Span{
		span(1, 0, trace.KindServer, "GET /v1/api/test", 0, 11354, map[string]string{
			"http.request.method": "GET", "http.route": "/v1/api/test", "http.response.status_code": "200"}),
		span(2, 1, trace.KindInternal, "TestRepository.selectTotalHistory", 10, 11330, nil),
		sql(3, 15, 3324, "SELECT id, name FROM test_tb4 WHERE owner = 'kim@example.com'"),
		sql(4, 3340, 8003, "/* test.selectTotalHistory */ SELECT COUNT(1) FROM test_tb1 a JOIN test_tb2 b ON a.id = b.id JOIN test_tb3 c ON c.id = a.id"),
	}
}

// openEngine returns the engine with all that evidence reads.
func openEngine(t *testing.T) *clickhouse.DB {
	t.Helper()
	engine, _ := tracetest.Open(t)
	for noun, migrations := range map[string][]clickhouse.Migration{"logs": logs.Migrations(), "metric": metric.Migrations()} {
		if err := engine.Migrate(t.Context(), noun, migrations); err != nil {
			t.Fatal(err)
		}
	}
	return engine
}

// slowQuery lets a transaction happen, such as the seed's, in a project with the
// rules it begins with.
func (h *house) slowQuery(engine *clickhouse.DB, spans []tracetest.Span) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(ctx context.Context, tx *metadb.Tx) error { return rule.SeedDefaults(ctx, tx, 1, time.Now()) })
	if err != nil {
		h.t.Fatal(err)
	}
	h.happen(engine, spans)
}

// happen lets spans come in: real ones in the real engine, the real rules and
// evidence, the house's incident, channels and queue. It waits for the incident.
func (h *house) happen(engine *clickhouse.DB, spans []tracetest.Span) {
	h.t.Helper()
	traces := trace.NewStore(engine)
	h.now = time.Now().Add(-30 * time.Second) // what the case puts off is due at once
	h.collectAbout = evidence.New(traces, logs.NewStore(engine), metric.NewEngine(metric.NewStore(engine), nil)).Collect
	rules, err := rule.NewEngine(rule.EngineOptions{DB: h.db, Sources: rule.Sources{Traces: traces}, OnFire: h.service.Open, OnFailure: h.service.RuleFailed})
	if err != nil {
		h.t.Fatal(err)
	}
	tracetest.Insert(h.t, engine, 1, spans...)
	h.work()
	for deadline := time.Now().Add(30 * time.Second); h.list(incident.Query{}).Total == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatal("the rule did not fire")
		}
		if err := rules.Evaluate(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := rules.Evaluate(h.t.Context()); err != nil { // another pass over the same spans
		h.t.Fatal(err)
	}
}

func TestASlowQueryBecomesAnAlarmAndThenAReport(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		engine := openEngine(t)
		h := newHouse(t, db)
		h.ask = func(context.Context, ai.Input) (*ai.Result, error) { return nil, ai.ErrNoModel }
		h.slowQuery(engine, slowTransaction(time.Now().Add(-time.Second)))

		h.slack.Expect(t, "[MATRIX-APM]\nPhase: PRODUCTION\nTEST-API(TEST-PROJECT)\nRule Name: SlowSQL 알람\n"+
			"[SQL Response time >= 8000 ms] occurred 1 times.\n", "\n[prod-test-api-pod-6945c568-2ghw8: 1 times]")
		want := []string{"[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]", "8003ms", "test_tb1", "11354ms", "/v1/api/test", "※"}
		h.slack.Expect(t, want...)
		h.webhook.Expect(t, want...)

		d := h.get(1)
		if d.Matches != 1 || h.list(incident.Query{}).Total != 1 {
			t.Errorf("incident %+v", d.Incident)
		}
		if d.Report.Source != report.ByRules || d.Report.Reason != report.NoModel {
			t.Errorf("report %+v", d.Report)
		}
		if window := "\n[" + d.Evidence[0].Get("from") + " ~ " + d.Evidence[0].Get("to") + "]"; !strings.Contains(d.Alarm, window) || d.Evidence[0].Get("zone") != "KST" {
			t.Errorf("the evidence is of %s, the alarm says\n%s", window, d.Alarm)
		}
		i := slices.IndexFunc(d.Evidence, func(f ground.Fact) bool {
			return f.Kind == ground.Statement && strings.Contains(f.Text, "8003")
		})
		if i < 0 || d.Evidence[i].SpanID != trace.SpanID(4).String() || d.Evidence[i].TraceID != tracetest.ID(1).String() || d.Evidence[i].Step == 0 {
			t.Errorf("the slow statement cannot be found in its trace: %+v", d.Evidence)
		}
	})
}

func TestAModelWritesTheReportWithoutSeeingWhatIsSensitive(t *testing.T) {
	engine := openEngine(t)
	h := newHouse(t, metadbtest.SQLite(t))
	h.ask = h.gateway(engine)
	h.slowQuery(engine, slowTransaction(time.Now().Add(-time.Second)))

	h.slack.Expect(t, "[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]", "8003ms", "test_tb1")
	d := h.get(1)
	if d.Report.Source != report.ByModel || d.Report.Model != "gpt-test" || d.Report.CallID == "" || d.Report.RoleVersion != 1 {
		t.Errorf("report %+v", d.Report)
	}
	if !slices.ContainsFunc(d.Masking.Tokens, func(m mask.Token) bool { return m.Value == "test_tb1" && m.Token != "" }) {
		t.Errorf("the page does not say what was masked: %+v", d.Masking)
	}
	if faults := h.model.Faults(); len(faults) > 0 || len(h.model.Requests()) != 1 {
		t.Fatalf("%d requests, faults %q", len(h.model.Requests()), faults)
	}
	asked := string(h.model.Requests()[0].Raw)
	for _, secret := range []string{"test_tb1", "test_tb2", "test_tb3", "test_tb4", "testdb", "real-database-url", "kim@example.com"} {
		if strings.Contains(asked, secret) {
			t.Errorf("%s went to the model", secret)
		}
	}
}

// gateway is the real way to a model, with a fake one at its end.
func (h *house) gateway(engine *clickhouse.DB) func(context.Context, ai.Input) (*ai.Result, error) {
	h.t.Helper()
	var err error
	if h.model, err = llm.Start("sk-test"); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = h.model.Close() })
	provider, err := openai.New(openai.Options{BaseURL: h.model.URL})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := engine.Migrate(h.t.Context(), "ai", ai.Migrations()); err != nil {
		h.t.Fatal(err)
	}
	gateway, err := ai.New(ai.Options{DB: h.db, Telemetry: engine, Dir: h.t.TempDir(), Services: map[string]ai.Service{"openai": {Kind: "openai", Provider: provider, Keys: []ai.Key{{Alias: "main", Secret: "sk-test"}}}},
		DefaultChain: []ai.Entry{{Provider: "openai", Model: "gpt-test"}}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = gateway.Close(context.Background()) })
	if err := gateway.Roles().Seed(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	as := func(role string) func(context.Context, ai.Input) (*ai.Result, error) {
		return func(ctx context.Context, in ai.Input) (*ai.Result, error) {
			return gateway.Run(ctx, ai.Caller{Project: 1, Kind: "incident", Name: "analysis", Ref: "incident/1"}, role, in)
		}
	}
	h.inquire = as(ai.Investigator)
	return as(incident.Role)
}
