package rule

import "github.com/matrix-aiops/matrix/internal/trace"

// Calls to others, slow and failed: each callee is a subject of its own.

var calleeParam = Param{Name: "callee", Type: Text, Optional: true}

var slowExternalCall = &Kind{
	Name: "slow_external_call", Group: "calls", Scoped: true,
	Params: []Param{thresholdMs(3000), calleeParam},
	Count:  5, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		return Condition{Measure: toCallee(r, "Response time of calls"), Op: ">=", Threshold: r.Params.number("threshold_ms"), Unit: "ms"}
	},
	find: notable(trace.SlowCalls, func(r *Rule) func(*trace.Notable) (Match, bool) {
		least, callee := r.Params.millis("threshold_ms").Nanoseconds(), r.Params.text("callee")
		return func(n *trace.Notable) (Match, bool) {
			return matchOfSpan(n, n.Callee), n.DurationNs >= least && (callee == "" || callee == n.Callee)
		}
	}),
}

var failedExternalCall = &Kind{
	Name: "failed_external_call", Group: "calls", Scoped: true,
	Params: []Param{calleeParam},
	Count:  10, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition { return Condition{Measure: toCallee(r, "Failed calls")} },
	find: notable(trace.FailedCalls, func(r *Rule) func(*trace.Notable) (Match, bool) {
		callee := r.Params.text("callee")
		return func(n *trace.Notable) (Match, bool) {
			return matchOfSpan(n, n.Callee), callee == "" || callee == n.Callee
		}
	}),
}

func toCallee(r *Rule, measure string) string {
	if callee := r.Params.text("callee"); callee != "" {
		measure += " to " + callee
	}
	return measure
}
