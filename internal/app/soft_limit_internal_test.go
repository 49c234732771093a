package app

import (
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestASoftLimitIsToldInWordsAndByName(t *testing.T) {
	s := ai.SoftLimit{Budget: ai.Budget{ID: "b1", Scope: "person", Measure: "tokens", Period: "day", Limit: 100_000, SoftPercent: 80}, Subject: "7", Used: 80123, From: time.Unix(0, 0), To: time.Unix(86400, 0)}
	for language, want := range map[string][]string{
		"ko": {"사람 김하나의 AI 사용량이 하루 한도의 80%", "80123 토큰", "한도는 100000 토큰입니다"},
		"en": {"person 김하나 is over 80% of its limit of 100000 tokens a day: 80123 so far"},
	} {
		m := softLimitMessage(tenant.Project{ID: 3, Language: language}, s, "김하나", "https://matrix.test")
		for _, words := range want {
			if !strings.Contains(m.Text, words) {
				t.Errorf("%s: %q lacks %q", language, m.Text, words)
			}
		}
		if !strings.Contains(m.Subject, "김하나") || m.Link != "https://matrix.test/projects/3/ai-calls?from=1970-01-01T00%3A00%3A00Z&person=7&to=1970-01-02T00%3A00%3A00Z" {
			t.Errorf("%s: %q, %s", language, m.Subject, m.Link)
		}
	}
	s.Budget.Scope, s.Subject, s.Budget.Measure, s.Budget.Limit, s.Used = "all", "", "usd", 1.5, 1.2
	if m := softLimitMessage(tenant.Project{ID: 3, Language: "en"}, s, "", ""); !strings.Contains(m.Text, "by all callers together is over 80% of its limit of 1.5 USD a day: 1.2 so far") {
		t.Error(m.Text)
	}
	for scope, want := range map[string]string{"all": "", "org": "", "token": "&token=7%2Fwriter", "purpose": "&purpose=7%2Fwriter", "role": "&role=writer"} {
		got := countedCalls(ai.SoftLimit{Budget: ai.Budget{Scope: scope}, Subject: "7/writer"})
		if got = strings.Replace(got, "&to=0001-01-01T00%3A00%3A00Z", "", 1); got != "from=0001-01-01T00%3A00%3A00Z"+want {
			t.Errorf("calls of %s: %s", scope, got)
		}
	}
	if name, err := subjectName(t.Context(), nil, ai.SoftLimit{Budget: ai.Budget{Scope: "role"}, Subject: "7/order-assistant"}); err != nil || name != "order-assistant" {
		t.Errorf("an organisation's role is called %q, %v", name, err)
	}
}
