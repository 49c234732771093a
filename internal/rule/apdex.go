package rule

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// apdex fires when the Apdex of a service is too low: satisfied transactions take
// up to the target, tolerated ones, which count half, up to four times as long;
// failed ones count nothing (Apdex Alliance, Technical Specification 1.1).
var apdex = minutes(&Kind{
	Name: "apdex", Group: "transactions", Scoped: true,
	Params: append([]Param{
		{Name: "target_ms", Type: Number, Unit: "ms", Default: 500.0, Min: 1, Max: 600_000},
		{Name: "threshold", Type: Number, Default: 0.7, Min: 0, Max: 1},
		{Name: "calm", Type: Number, Optional: true, Min: 0, Max: 1},
	}, scopeParams(20)...),
	Count: 3, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		return Condition{Measure: r.of("Apdex (target " + plain(r.Params.number("target_ms")) + " ms)"), Op: "<=", Threshold: r.Params.number("threshold")}
	},
	low: func(*Rule) bool { return true },
}, &measure{
	late:   true,
	shared: func(r *Rule) string { return plain(r.Params.number("target_ms")) + "\x00" + sharedScope(r) },
	window: overMinutes, volume: minCalls,
	limits: func(r *Rule, _ float64) (float64, float64) {
		fire := r.Params.number("threshold")
		if r.Params.has("calm") {
			return fire, max(fire, r.Params.number("calm"))
		}
		return fire, fire
	},
	read: func(ctx context.Context, src *Sources, rules []*Rule, window time.Duration, ends []time.Time) ([]reading, error) {
		return measureServices(ctx, src, rules, window, ends, rules[0].Params.millis("target_ms"), false, func(m *trace.Measured) (float64, float64) {
			return (float64(m.Satisfied) + float64(m.Tolerated)/2) / float64(m.Count), float64(m.Count)
		})
	},
})
