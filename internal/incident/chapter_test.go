package incident_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// The seed's chapter on incident reports names five situations that are analysed:
// "느린 SQL, 데이터베이스 커넥션 타임 지연, 네트워크 지연, 특정 예외 발생, 지나치게 많은 SQL 수행
// 혹은 호출(Fetch) 건수". Each is told of here from its spans to the messages of its
// channels: not only that a limit was passed, but what made it so, and what to do.
var situations = []struct {
	name, kind string
	params     rule.Params
	spans      func(start time.Time) []tracetest.Span
	alarm      []string // what the alarm says
	cause      []string // what the report says of the cause
}{
	{"느린 SQL", "slow_sql", rule.Params{"threshold_ms": 8000.0},
		func(start time.Time) []tracetest.Span { return slowTransaction(start.Add(11354 * time.Millisecond)) },
		[]string{"SQL Response time >= 8000 ms"}, []string{"8003ms", "test_tb1", "SELECT"}},
	{"데이터베이스 커넥션 타임 지연", "slow_connection", rule.Params{"threshold_ms": 500.0},
		func(start time.Time) []tracetest.Span {
			return []tracetest.Span{
				{ID: 1, Name: "GET /v1/orders", Kind: trace.KindServer, Start: start, Duration: 2 * time.Second},
				{ID: 2, Parent: 1, Name: "HikariDataSource.getConnection", Start: start, Duration: 1900 * time.Millisecond},
			}
		}, []string{">= 500 ms"}, []string{"DB 커넥션 대기에서 1900ms", "커넥션 풀"}},
	{"네트워크 지연", "network_delay", rule.Params{"threshold_ms": 500.0},
		func(start time.Time) []tracetest.Span {
			return []tracetest.Span{
				{ID: 1, Name: "GET /v1/orders", Kind: trace.KindServer, Start: start, Duration: 2100 * time.Millisecond},
				{ID: 2, Parent: 1, Name: "GET", Kind: trace.KindClient, Start: start, Duration: 2 * time.Second,
					Attributes: map[string]string{"http.request.method": "GET", "url.full": "http://stock.internal/stock", "server.address": "stock.internal"}},
				{ID: 3, Parent: 2, Service: "stock", Name: "GET /stock", Kind: trace.KindServer, Start: start.Add(time.Second), Duration: 300 * time.Millisecond},
			}
		}, []string{">= 500 ms"}, []string{"stock", "2000ms"}},
	{"특정 예외 발생", "exception", rule.Params{"type": "Timeout"},
		func(start time.Time) []tracetest.Span {
			return []tracetest.Span{{ID: 1, Name: "GET /v1/orders", Kind: trace.KindServer, Start: start, Duration: 40 * time.Millisecond, Error: true,
				Events: []tracetest.Event{tracetest.Exception(start, "java.net.SocketTimeoutException", "reading orders", "")}}}
		}, []string{"Timeout"}, []string{"java.net.SocketTimeoutException"}},
	{"지나치게 많은 SQL 수행", "many_sql", rule.Params{"calls": 50.0},
		func(start time.Time) []tracetest.Span { return loop(start, 120) },
		[]string{">= 50"}, []string{"120", "item"}},
	{"지나치게 많은 호출(Fetch) 건수", "many_sql", rule.Params{"calls": 1000.0, "rows": 600.0},
		func(start time.Time) []tracetest.Span {
			spans := loop(start, 3)
			for i := range spans[1:] {
				spans[1+i].Attributes["db.response.returned_rows"] = "400"
			}
			return spans
		}, []string{">= 600"}, []string{"item", "조회: 1200건", "3회 실행"}},
}

// loop is a transaction that asks for one item after the other.
func loop(start time.Time, times int) []tracetest.Span {
	spans := []tracetest.Span{{ID: 1, Name: "GET /v1/orders", Kind: trace.KindServer, Start: start, Duration: 2 * time.Second}}
	for i := range times {
		spans = append(spans, tracetest.Span{ID: trace.SpanID(2 + i), Parent: 1, Name: "SELECT item", Kind: trace.KindClient,
			Start: start.Add(time.Duration(i) * 15 * time.Millisecond), Duration: 10 * time.Millisecond,
			Attributes: map[string]string{"db.system": "mysql", "db.statement": fmt.Sprintf("SELECT * FROM item WHERE id = %d", i)}})
	}
	return spans
}

func TestEverySituationOfTheSeedBecomesAnAlarmAndAReportThatNamesTheCauseAndWhatToDo(t *testing.T) {
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			engine, h := openEngine(t), newHouse(t, metadbtest.SQLite(t))
			h.ask = func(context.Context, ai.Input) (*ai.Result, error) { return nil, ai.ErrNoModel }
			h.rule(s.kind, s.params)
			spans := s.spans(time.Now().Add(-20 * time.Second))
			for i := range spans {
				spans[i].Trace = tracetest.ID(1)
				if spans[i].Service == "" {
					spans[i].Service = "TEST-API"
				}
			}
			h.happen(engine, spans)

			// "임계값을 초과했다는 사실", at once and in every channel …
			h.slack.Expect(t, append([]string{"[MATRIX-APM]", "TEST-API", "occurred 1 times"}, s.alarm...)...)
			h.webhook.Expect(t, append([]string{"[MATRIX-APM]", "occurred 1 times"}, s.alarm...)...)
			// … then "알람을 발생시킨 구체적인 원인", and "조치에 필요한 실질적인 힌트".
			want := append([]string{"[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]"}, s.cause...)
			h.slack.Expect(t, want...)
			h.webhook.Expect(t, want...)
			d := h.get(1)
			// "no more than 3 bullet points each"
			if len(d.Report.Actions) == 0 || len(d.Report.Actions) > 3 || len(d.Report.Analysis) > 3 {
				t.Errorf("%d points of analysis, %d of what to do", len(d.Report.Analysis), len(d.Report.Actions))
			}
			for _, p := range append(d.Report.Analysis, d.Report.Actions...) {
				if len(p.Evidence) == 0 || strings.TrimSpace(p.Text) == "" {
					t.Errorf("%+v stands on no fact", p)
				}
			}
		})
	}
}

// rule makes a rule as a form would, that fires at its first match.
func (h *house) rule(kind string, params rule.Params) {
	h.t.Helper()
	r := rule.Rule{Name: kind, Kind: kind, Enabled: true, Params: rule.Params{}, Count: 1, WindowMinutes: 10, QuietMinutes: 10, Severity: rule.Warning}
	for _, k := range rule.Kinds() {
		for _, p := range k.Params {
			if k.Name == kind && p.Default != nil {
				r.Params[p.Name] = p.Default
			}
		}
	}
	maps.Copy(r.Params, params)
	if _, err := rule.NewStore(h.db, time.Now).Create(h.t.Context(), 1, "kim", r); err != nil {
		h.t.Fatal(err)
	}
}
