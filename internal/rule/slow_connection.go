package rule

import "github.com/matrix-aiops/matrix/internal/trace"

// slowConnection counts how often getting a database connection took too long.
var slowConnection = &Kind{
	Name: "slow_connection", Group: "database", Scoped: true,
	Params: []Param{thresholdMs(1000)},
	Count:  3, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		return Condition{Measure: "Database connection time", Op: ">=", Threshold: r.Params.number("threshold_ms"), Unit: "ms"}
	},
	find: notable(trace.SlowSteps, func(r *Rule) func(*trace.Notable) (Match, bool) {
		least := r.Params.millis("threshold_ms").Nanoseconds()
		return func(n *trace.Notable) (Match, bool) { return matchOfSpan(n, ""), n.DurationNs >= least }
	}),
}
