package rule

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// networkDelay counts calls that spent too long between their caller and their
// callee: the length of the caller's span without that of the callee's, in which
// no clock is compared with another, and the ways to a peer (DNS, TCP, TLS) that
// took so long themselves. A call whose callee tells nothing is not counted: where
// its time went is not known.
var networkDelay = &Kind{
	Name: "network_delay", Group: "calls", Scoped: true,
	Params: []Param{thresholdMs(500)},
	Count:  3, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		return Condition{Measure: "Network time of calls", Op: ">=", Threshold: r.Params.number("threshold_ms"), Unit: "ms"}
	},
	find: func(ctx context.Context, src *Sources, ask search) (results, error) {
		spans, reached, err := readNotable(ctx, src, ask, trace.SlowWays)
		if err != nil {
			return results{}, err
		}
		served, err := src.Traces.Served(ctx, spans)
		if err != nil {
			return results{}, err
		}
		found := results{reached: reached}
		countNotable(ask.Rules, spans, func(r *Rule) func(*trace.Notable) (Match, bool) {
			least := r.Params.millis("threshold_ms").Nanoseconds()
			return func(n *trace.Notable) (Match, bool) {
				if n.Step == trace.ConnectStep {
					return matchOfSpan(n, n.Name), n.DurationNs >= least
				}
				callee, told := served[trace.SpanKey{Project: n.Project, Trace: n.TraceID, Span: n.SpanID}]
				between := n.DurationNs - callee.DurationNs
				m := matchOfSpan(n, callee.Service)
				m.Value = float64(between) / 1e6
				return m, told && between >= least
			}
		}, &found)
		return found, nil
	},
}
