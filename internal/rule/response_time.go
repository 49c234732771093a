package rule

import (
	"context"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// responseTime fires when a quantile of the response times of a service, or of
// each of its endpoints, is beyond a limit for some minutes.
var responseTime = minutes(&Kind{
	Name: "response_time", Group: "transactions", Scoped: true,
	Params: append([]Param{
		{Name: "quantile", Type: Choice, Default: "p95", Choices: []string{"p50", "p90", "p95", "p99"}},
		{Name: "threshold_ms", Type: Number, Unit: "ms", Default: 1000.0, Min: 1, Max: 24 * 60 * 60 * 1000},
		{Name: "calm_ms", Type: Number, Unit: "ms", Optional: true, Min: 1},
		timesUsual,
	}, scopeParams(20)...),
	Count: 3, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		return r.against(Condition{Measure: r.of(r.Params.text("quantile") + " response time"), Op: ">=", Threshold: r.Params.number("threshold_ms"), Unit: "ms"})
	},
}, &measure{
	late:   true,
	shared: func(r *Rule) string { return r.Params.text("quantile") + "\x00" + sharedScope(r) },
	window: overMinutes, volume: minCalls, compares: comparesTimes,
	limits: func(r *Rule, usual float64) (float64, float64) {
		return limitsAbove(r, usual, "threshold_ms", "calm_ms")
	},
	read: func(ctx context.Context, src *Sources, rules []*Rule, window time.Duration, ends []time.Time) ([]reading, error) {
		quantile := rules[0].Params.text("quantile")
		return measureServices(ctx, src, rules, window, ends, 0, false, func(m *trace.Measured) (float64, float64) {
			ns := m.P95
			switch strings.TrimPrefix(quantile, "p") {
			case "50":
				ns = m.P50
			case "90":
				ns = m.P90
			case "99":
				ns = m.P99
			}
			return float64(ns) / 1e6, float64(m.Count)
		})
	},
})
