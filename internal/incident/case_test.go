package incident_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
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

func TestASlowQueryBecomesAnAlarmAndThenAReport(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		spans, traces := tracetest.Open(t)
		h := newHouse(t, db)
		h.now = time.Now().Add(-30 * time.Second) // the case's clock: what it puts off is due at once
		collector := evidence.NewCollector(traces)
		h.collectAbout = collector.Collect
		h.ask = func(context.Context, ai.Input) (*ai.Result, error) { return nil, ai.ErrNoModel }

		err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error { return rule.SeedDefaults(ctx, tx, 1, time.Now()) })
		if err != nil {
			t.Fatal(err)
		}
		rules := rule.NewEngine(rule.EngineOptions{DB: db, Traces: traces, OnFire: h.service.Open})
		h.work()
		tracetest.Insert(t, spans, 1, slowTransaction(time.Now().Add(-time.Second))...)
		for deadline := time.Now().Add(30 * time.Second); h.list(incident.Query{}).Total == 0; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the rule did not fire")
			}
			if err := rules.Evaluate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}

		h.slack.Expect(t, "[MATRIX-APM]\nPhase: PRODUCTION\nTEST-API(TEST-PROJECT)\nRule Name: SlowSQL 알람\n"+
			"[SQL Response time >= 8000 ms] occurred 1 times.\n", "\n[prod-test-api-pod-6945c568-2ghw8: 1 times]")
		want := []string{"[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]", "8003ms", "test_tb1", "11354ms", "/v1/api/test"}
		h.slack.Expect(t, want...)
		written := h.webhook.Expect(t, want...)
		t.Log(written.Text)

		d := h.get(1)
		cited, ok := ground.Fact{}, false
		for _, f := range d.Evidence {
			if f.Kind == ground.Statement && strings.Contains(f.Text, "8003") {
				cited, ok = f, true
			}
		}
		if !ok || cited.SpanID != trace.SpanID(4).String() || cited.TraceID != tracetest.ID(1).String() || cited.Step == 0 {
			t.Errorf("the slow statement's fact leads to %+v", cited)
		}
		if d.Report.Source != report.ByRules || d.Report.Reason != report.NoModel {
			t.Errorf("report %+v", d.Report)
		}
		if err := rules.Evaluate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if page := h.list(incident.Query{}); page.Total != 1 || page.Items[0].Matches != 1 {
			t.Errorf("another pass over the same spans: %+v", page)
		}
	})
}
