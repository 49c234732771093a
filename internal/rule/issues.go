package rule

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/issue"
)

// issues counts errors that nobody has seen before, or that came back after they
// were resolved. Each issue is a subject of its own.
var issues = &Kind{
	Name: "issue", Group: "logs", Scoped: true,
	Params: []Param{{Name: "event", Type: Choice, Default: "any", Choices: []string{"new", "regressed", "any"}}},
	Count:  1, WindowMinutes: 10, QuietMinutes: 30, Severity: Warning,
	condition: func(r *Rule) Condition {
		switch r.Params.text("event") {
		case "new":
			return Condition{Measure: "New issue"}
		case "regressed":
			return Condition{Measure: "Issue that came back"}
		}
		return Condition{Measure: "Issue that is new or came back"}
	},
	find: func(ctx context.Context, src *Sources, ask search) (results, error) {
		changes, err := src.Issues.Appeared(ctx, ask.projects(), ask.After, ask.Until)
		if err != nil {
			return results{}, err
		}
		var found results
		for _, r := range ask.Rules {
			event := issue.State(r.Params.text("event"))
			for _, c := range changes {
				if c.Project != r.Project || event != "any" && event != c.State || !r.covers(c.Service, c.Environment) {
					continue
				}
				found.add(r.ID, hit{Match{
					Service: c.Service, Environment: c.Environment, Subject: c.Title, Start: c.At.Add(-time.Second), DurationNs: int64(time.Second),
					Value: 1, Counts: true,
				}, c.At})
			}
		}
		return found, nil
	},
}
