package rule

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// SlowSQL is the kind of rule that counts slow SQL calls: "SQL response time
// >= N ms occurred K times in W minutes", per application and phase.
const SlowSQL = "slow_sql"

var slowSQL = &Kind{
	Name: SlowSQL, Group: "database", Scoped: true,
	Params: []Param{thresholdMs(8000)},
	Count:  1, WindowMinutes: 10, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		return Condition{Measure: "SQL Response time", Op: ">=", Threshold: r.Params.number("threshold_ms"), Unit: "ms"}
	},
	find: func(ctx context.Context, src *Sources, ask search) (results, error) {
		query := trace.SlowQuery{Projects: ask.projects(), After: ask.After, Until: ask.Until, Newest: ask.Newest, Limit: ask.Limit,
			Floor: ask.Rules[0].Params.millis("threshold_ms")}
		for _, r := range ask.Rules {
			query.Floor = min(query.Floor, r.Params.millis("threshold_ms"))
		}
		calls, err := src.Traces.SlowSQL(ctx, query)
		if err != nil {
			return results{}, err
		}
		var found results
		if len(calls) >= ask.Limit && !ask.Newest {
			found.reached = calls[len(calls)-1].Arrived
		}
		for i := range calls {
			c := &calls[i]
			for _, r := range ask.Rules {
				if c.Project == r.Project && c.DurationNs >= r.Params.millis("threshold_ms").Nanoseconds() && r.covers(c.Service, c.Environment) {
					found.add(r.ID, hit{matchOf(c), c.Arrived})
				}
			}
		}
		return found, nil
	},
}

// thresholdMs is the parameter of kinds that count slow calls. Faster ones than
// trace.SlowFloor are not kept for rules.
func thresholdMs(usual float64) Param {
	return Param{Name: "threshold_ms", Type: Number, Unit: "ms", Default: usual, Whole: true,
		Min: float64(trace.SlowFloor.Milliseconds()), Max: 24 * 60 * 60 * 1000}
}

func matchOf(c *trace.SlowCall) Match {
	return Match{
		TraceID: c.TraceID, SpanID: c.SpanID, Service: c.Service, Environment: c.Environment, Instance: c.Instance,
		Start: c.Start, DurationNs: c.DurationNs, Statement: trace.HashString(c.Hash), Value: float64(c.DurationNs) / 1e6,
		Counts: true,
	}
}
