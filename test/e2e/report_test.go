package e2e

import (
	"slices"
	"strings"
	"testing"

	fakewebhook "github.com/matrix-aiops/matrix/internal/fake/webhook"
)

const slowStatement = "order.selectTotalHistory"

func TestASlowQueryBecomesAnAlarmAndThenAReport(t *testing.T) {
	hook := fakewebhook.New(t, "a secret of sixteen")
	h := start(t)
	h.channel("webhook", "on-call", hook.Config())
	market := h.shop()
	market.SlowSQL()
	h.runShop(market)

	alarm := hook.Expect(t, "[MATRIX-APM]")
	expectInOrder(t, alarm.Text, "[MATRIX-APM]\nPhase: PRODUCTION\norder-api(", "Rule Name: SlowSQL 알람\n",
		"[SQL Response time >= 8000 ms] occurred 1 times.\n[", " ~ ", ": 1 times]")
	report := hook.Expect(t, "[요약]")
	expectInOrder(t, report.Text, "[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]")
	if !strings.HasPrefix(report.Link, h.app.URL()+"/projects/") {
		t.Errorf("link = %q, want the incident page of %s", report.Link, h.app.URL())
	}
	h.eventually("the report on the console", func() bool { return strings.Contains(h.console.String(), "[조치 방안]") })
	expectInOrder(t, h.console.String(), "[MATRIX-APM]", "[요약]", "[조치 방안]")

	detail := h.analysed()
	if detail.Report.Source != "rules" || detail.Report.Reason != "no_model" {
		t.Errorf("report by %s (%s), want rules because there is no model", detail.Report.Source, detail.Report.Reason)
	}
	if !strings.Contains(report.Text, slowStatement) {
		t.Errorf("the report does not name the statement %s:\n%s", slowStatement, report.Text)
	}
	known := map[string]bool{}
	for _, fact := range detail.Evidence {
		known[fact.ID] = true
	}
	for _, p := range slices.Concat(detail.Report.Analysis, detail.Report.Actions, []point{detail.Report.Summary}) {
		if len(p.Evidence) == 0 {
			t.Errorf("%q stands on no evidence", p.Text)
		}
		for _, id := range p.Evidence {
			if !known[id] {
				t.Errorf("%q cites %s, which does not exist", p.Text, id)
			}
		}
	}
}

func TestAModelSeesOnlyTokensAndItsReportComesBackUnmasked(t *testing.T) {
	model, useModel := startModel(t)
	hook := fakewebhook.New(t, "a secret of sixteen")
	h := start(t, useModel)
	h.channel("webhook", "on-call", hook.Config())
	market := h.shop()
	market.SlowSQL()
	h.runShop(market)

	report := hook.Expect(t, "[요약]")
	expectInOrder(t, report.Text, "[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]")
	detail := h.analysed()
	if detail.Report.Source != "model" || detail.Report.Model != "analyst-1" || detail.Report.Role != "agent-alert-analyzer" {
		t.Fatalf("report = %+v, want it made by the model", detail.Report)
	}
	if len(detail.Masking.Counts) == 0 {
		t.Error("the incident does not say what was masked")
	}

	requests := model.Requests()
	if len(requests) == 0 {
		t.Fatal("the model was never asked")
	}
	sent := ""
	for _, r := range requests {
		sent += string(r.Raw)
	}
	tables := 0
	for _, fact := range detail.Evidence {
		for _, v := range fact.Values {
			if v.Class == "" || v.Value == "" {
				continue
			}
			if v.Class == "table" {
				tables++
			}
			if len(v.Value) > 3 && strings.Contains(sent, v.Value) {
				t.Errorf("the %s %q reached the model", v.Class, v.Value)
			}
		}
	}
	if tables == 0 {
		t.Error("the evidence names no table: the canary test proves nothing")
	}

	var calls struct {
		Items []struct {
			Role   string `json:"role"`
			Model  string `json:"model"`
			Status string `json:"status"`
			Caller struct {
				Ref string `json:"ref"`
			} `json:"caller"`
		} `json:"items"`
	}
	h.eventually("the call log", func() bool {
		h.get(h.path("/ai-calls"), &calls)
		return len(calls.Items) > 0
	})
	if calls.Items[0].Role != "agent-alert-analyzer" {
		t.Errorf("call = %+v", calls.Items[0])
	}
}
