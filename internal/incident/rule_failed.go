package incident

import (
	"context"
	"fmt"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/report"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// RuleFailed tells the people of a rule, once for each time it begins, that the
// rule cannot be evaluated: an alarm that cannot sound is worth one. It is rule's
// OnFailure.
func (s *Service) RuleFailed(ctx context.Context, tx *metadb.Tx, r rule.Rule, why string) error {
	p, err := s.opts.Project(ctx, r.Project)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tell of a failing rule: %w", err)
	}
	subject, text := "규칙을 평가할 수 없습니다: ", "이 규칙은 지금 알람을 울릴 수 없습니다. 규칙을 고치면 다시 평가합니다.\n\n"
	if p.Language == report.English {
		subject, text = "A rule cannot be evaluated: ", "This rule cannot sound an alarm now. Edit it, and it is evaluated again.\n\n"
	}
	return s.opts.Outbox.Enqueue(ctx, tx, r.Channels, notify.Message{
		Project: r.Project, Key: fmt.Sprintf("rule/%d/failing/%d", r.ID, s.opts.Now().UnixMicro()), Kind: "rule.failing",
		Ref: fmt.Sprintf("rule/%d", r.ID), Subject: subject + oneLine(r.Name), Text: text + why,
		Link: fmt.Sprintf("%s/projects/%d/rules", s.opts.BaseURL, r.Project), LinkText: linkText(p.Language),
		Data: map[string]any{"rule": r, "why": why}, Severity: notify.Warning, Owner: r.Owner, Labels: r.Labels, Language: p.Language,
	})
}
