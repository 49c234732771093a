package app

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// subjectName is the name that people know whom a budget is counted for by; ""
// when it has none any more, or is about all.
func subjectName(ctx context.Context, tenants *tenant.Store, s ai.SoftLimit) (string, error) {
	switch {
	case s.Budget.Scope == "role":
		return ai.RoleCode(s.Subject), nil
	case !tenant.Named(s.Budget.Scope):
		return s.Subject, nil
	}
	id, _ := strconv.ParseInt(s.Subject, 10, 64) // 0: nobody's
	if id == 0 {
		return "", nil
	}
	names, err := tenants.Names(ctx, s.Budget.Scope, []int64{id})
	return names[id], err
}

var (
	scopeWords = map[string][2]string{
		"all": {"전체", "all callers together"}, "org": {"조직", "organisation"}, "group": {"그룹", "group"}, "project": {"프로젝트", "project"},
		"person": {"사람", "person"}, "token": {"API 토큰", "API token"}, "role": {"롤", "role"}, "purpose": {"용도", "purpose"},
	}
	periodWords  = map[string][2]string{"minute": {"1분", "a minute"}, "hour": {"1시간", "an hour"}, "day": {"하루", "a day"}, "month": {"한 달", "a month"}}
	measureWords = map[string][2]string{"requests": {"호출", "calls"}, "tokens": {"토큰", "tokens"}, "usd": {"달러(USD)", "USD"}}
)

// softLimitMessage tells the people of a project that a budget is nearly spent.
func softLimitMessage(p tenant.Project, s ai.SoftLimit, name, base string) notify.Message {
	b := s.Budget
	whose := func(language int) string { return strings.TrimSpace(scopeWords[b.Scope][language] + " " + name) }
	m := notify.Message{
		Project: p.ID, Key: fmt.Sprintf("ai-budget/%s/%s/%d", b.ID, s.Subject, s.From.Unix()), Kind: "ai.budget", Ref: "ai-budget/" + b.ID,
		Link: fmt.Sprintf("%s/projects/%d/ai-calls?%s", base, p.ID, countedCalls(s)), Data: s,
		Subject: fmt.Sprintf("[MATRIX] AI 예산의 %d%%를 썼습니다: %s", b.SoftPercent, whose(0)),
		Text: fmt.Sprintf("%s의 AI 사용량이 %s 한도의 %d%%를 넘었습니다. 지금까지 %s %s, 한도는 %s %s입니다. 한도에 이르면 이 기간이 끝날 때까지 호출이 거부됩니다.",
			whose(0), periodWords[b.Period][0], b.SoftPercent, amount(s.Used), measureWords[b.Measure][0], amount(b.Limit), measureWords[b.Measure][0]),
		LinkText: "AI 호출 보기", Severity: notify.Warning, Language: p.Language,
	}
	if p.Language == "en" {
		m.Subject = fmt.Sprintf("[MATRIX] %d%% of an AI budget is used: %s", b.SoftPercent, whose(1))
		m.Text = fmt.Sprintf("The use of AI by %s is over %d%% of its limit of %s %s %s: %s so far. At the limit calls are refused until the period ends.",
			whose(1), b.SoftPercent, amount(b.Limit), measureWords[b.Measure][1], periodWords[b.Period][1], amount(s.Used))
		m.LinkText = "AI calls"
	}
	return m
}

// countedCalls narrows the page of a project's calls to those that were counted, as
// far as they are its own.
func countedCalls(s ai.SoftLimit) string {
	query := url.Values{"from": {s.From.UTC().Format(time.RFC3339)}, "to": {s.To.UTC().Format(time.RFC3339)}}
	switch s.Budget.Scope {
	case "person", "token", "purpose":
		query.Set(s.Budget.Scope, s.Subject)
	case "role":
		query.Set("role", ai.RoleCode(s.Subject))
	}
	return query.Encode()
}

// amount writes a number with as many decimals as it has, four at most.
func amount(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.4f", v), "0"), ".")
}
