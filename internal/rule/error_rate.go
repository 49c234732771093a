package rule

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// errorRate fires when too many of a service's transactions fail.
var errorRate = minutes(&Kind{
	Name: "error_rate", Group: "transactions", Scoped: true,
	Params: append([]Param{
		{Name: "threshold_percent", Type: Number, Unit: "%", Default: 5.0, Min: 0.001, Max: 100},
		{Name: "calm_percent", Type: Number, Unit: "%", Optional: true, Min: 0.001, Max: 100},
		timesUsual,
	}, scopeParams(20)...),
	Count: 3, WindowMinutes: 5, QuietMinutes: 10, Severity: Critical,
	condition: func(r *Rule) Condition {
		return r.against(Condition{Measure: r.of("error rate"), Op: ">=", Threshold: r.Params.number("threshold_percent"), Unit: "%"})
	},
}, &measure{
	late: true, shared: sharedScope, window: overMinutes, volume: minCalls, compares: comparesTimes,
	limits: func(r *Rule, usual float64) (float64, float64) {
		return limitsAbove(r, usual, "threshold_percent", "calm_percent")
	},
	read: func(ctx context.Context, src *Sources, rules []*Rule, window time.Duration, ends []time.Time) ([]reading, error) {
		return measureServices(ctx, src, rules, window, ends, 0, true, func(m *trace.Measured) (float64, float64) {
			return 100 * float64(m.Errors) / float64(m.Count), float64(m.Count)
		})
	},
})
