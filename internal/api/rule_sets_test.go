package api

import (
	"net/http"
	"testing"

	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/rule"
)

func TestARuleFileIsLookedAtInADryRunAndThenMadeOnce(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin := h.admin()
	path := h.projectPath("/rules/prometheus")
	const text = "groups:\n- name: x\n  rules:\n  - record: a:b\n    expr: up\n  - alert: Down\n    expr: up == 0\n    for: 5m\n"
	ask := func(request RuleFileRequest) (got RuleFile) {
		t.Helper()
		h.decode(admin.do(http.MethodPost, path, request, nil), http.StatusOK, &got)
		return got
	}
	count := func() (n int) {
		t.Helper()
		var page Page[rule.Rule]
		h.decode(admin.do(http.MethodGet, h.projectPath("/rules"), nil, nil), http.StatusOK, &page)
		for _, r := range page.Items {
			if r.Kind == "promql" {
				n++
			}
		}
		return n
	}
	dry := ask(RuleFileRequest{Text: text, DryRun: true})
	if len(dry.Rules) != 2 || dry.Rules[0].Left != "recording" || dry.Rules[1].Rule.Count != 5 || dry.Made != 0 || count() != 0 {
		t.Errorf("a dry run: %+v, %d rules", dry, count())
	}
	if made := ask(RuleFileRequest{Text: text}); made.Made != 1 || count() != 1 {
		t.Errorf("an import: %+v, %d rules", made, count())
	}
	if again := ask(RuleFileRequest{Text: text}); again.Made != 0 || again.Rules[1].Left != "exists" || count() != 1 {
		t.Errorf("a second import: %+v, %d rules", again, count())
	}
	if faulty := ask(RuleFileRequest{Text: "groups:\n- name: x\n  rules:\n  - alert: Down\n    expr: up ==\n"}); faulty.Made != 0 || len(faulty.Faults) != 1 || faulty.Faults[0].Line != 5 {
		t.Errorf("a file with a fault: %+v", faulty)
	}
	if p := h.problem(admin.do(http.MethodPost, path, RuleFileRequest{Text: text, Channels: []int64{999}}, nil), http.StatusUnprocessableEntity); p.Field != "channels" {
		t.Errorf("a channel of nobody: %+v", p)
	}
}

func TestATemplateMakesWhatIsMissing(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin := h.admin()
	var templates Page[rule.Template]
	h.decode(admin.do(http.MethodGet, h.projectPath("/rule-templates"), nil, nil), http.StatusOK, &templates)
	if len(templates.Items) < 5 {
		t.Fatalf("%d templates", len(templates.Items))
	}
	apply := func(language string) (got RulesMade) {
		t.Helper()
		h.decode(admin.do(http.MethodPost, h.projectPath("/rule-templates/hosts"), TemplateRequest{Language: language}, nil), http.StatusOK, &got)
		return got
	}
	if got := apply("ko"); len(got.Made) != 4 || len(got.Skipped) != 0 {
		t.Errorf("first: %d made, %v skipped", len(got.Made), got.Skipped)
	}
	if got := apply("ko"); len(got.Made) != 0 || len(got.Skipped) != 4 {
		t.Errorf("again: %d made, %v skipped", len(got.Made), got.Skipped)
	}
	h.problem(admin.do(http.MethodPost, h.projectPath("/rule-templates/mainframe"), TemplateRequest{Language: "en"}, nil), http.StatusNotFound)
}
