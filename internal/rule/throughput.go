package rule

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// throughput fires when a service takes in much less or much more than it usually
// does at that hour of the week.
var throughput = minutes(&Kind{
	Name: "throughput", Group: "transactions", Scoped: true,
	Params: append([]Param{
		{Name: "direction", Type: Choice, Default: "drop", Choices: []string{"drop", "surge"}},
		{Name: "percent", Type: Number, Unit: "%", Default: 50.0, Min: 1, Max: 100_000},
	}, scopeParams(100)...),
	Count: 5, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	check: func(p Params) error {
		if p.text("direction") == "drop" && p.number("percent") > 100 {
			return badParam("percent", "nothing drops by more than 100 %%")
		}
		return nil
	},
	condition: func(r *Rule) Condition {
		return Condition{Measure: r.of("throughput " + r.Params.text("direction") + " against the usual"), Op: ">=", Threshold: r.Params.number("percent"), Unit: "%"}
	},
	valueUnit: "per minute",
	low:       drops,
}, &measure{
	settle: time.Minute, // until transactions that began in the minute are told of
	late:   true, shared: sharedScope, window: overMinutes,
	compares: func(*Rule) bool { return true },
	// The hours that say what is usual must be made of so many calls, and of a surge
	// the minutes, too.
	volume: minCalls,
	limits: func(r *Rule, usual float64) (float64, float64) {
		part := r.Params.number("percent") / 100
		if drops(r) {
			return usual * (1 - part), usual * (1 - part)
		}
		return usual * (1 + part), usual * (1 + part)
	},
	read: func(ctx context.Context, src *Sources, rules []*Rule, window time.Duration, ends []time.Time) ([]reading, error) {
		return measureServices(ctx, src, rules, window, ends, 0, true, func(m *trace.Measured) (float64, float64) {
			return float64(m.Count) / window.Minutes(), float64(m.Count)
		})
	},
	silent: func(r *Rule, of series, end time.Time) *reading {
		if !drops(r) {
			return nil
		}
		return &reading{Project: of.project, Service: of.service, Environment: of.environment, Subject: of.subject, End: end}
	},
	believes: func(r *Rule, src *Sources) bool { return !drops(r) || src.even(overMinutes(r)+time.Minute) },
})

func drops(r *Rule) bool { return r.Params.text("direction") == "drop" }
