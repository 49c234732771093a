package rule

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// What the kinds about transactions have in common: they measure services, or
// endpoints of theirs, over some minutes, and say nothing of too few calls.

// The parameters that all of them have.
func scopeParams(minCalls float64) []Param {
	return []Param{
		{Name: "endpoint", Type: Text, Optional: true},
		{Name: "apart", Type: Choice, Default: "service", Choices: []string{"service", "endpoint"}},
		{Name: "min_calls", Type: Number, Default: minCalls, Min: 1, Max: 1e9, Whole: true},
		{Name: "over_minutes", Type: Number, Unit: "min", Default: 5.0, Min: 1, Max: 60, Whole: true},
	}
}

// timesUsual is the parameter of kinds that compare with what is usual.
var timesUsual = Param{Name: "times_usual", Type: Number, Unit: "times", Optional: true, Min: 1, Max: 1000}

// comparesTimes reports whether a rule compares with what is usual.
func comparesTimes(r *Rule) bool { return r.Params.has("times_usual") }

func overMinutes(r *Rule) time.Duration {
	return time.Duration(r.Params.number("over_minutes")) * time.Minute
}

func minCalls(r *Rule) float64 { return r.Params.number("min_calls") }

// sharedScope names the reads that rules about services share.
func sharedScope(r *Rule) string { return r.Params.text("apart") + "\x00" + r.Params.text("endpoint") }

// limitsAbove are the limits of a measure that is worse the higher it is: beyond
// the threshold and, when the rule asks, beyond so many times what is usual; calm
// is where it ends, the threshold when the rule does not say.
func limitsAbove(r *Rule, usual float64, threshold, calm string) (float64, float64) {
	fire := r.Params.number(threshold)
	end := fire
	if r.Params.has(calm) {
		end = min(fire, r.Params.number(calm))
	}
	if comparesTimes(r) {
		fire = max(fire, usual*r.Params.number("times_usual"))
		if !r.Params.has(calm) {
			end = fire
		}
	}
	return fire, end
}

// measureServices reads what the scope of the rules did, and makes readings of it.
func measureServices(ctx context.Context, src *Sources, rules []*Rule, window time.Duration, ends []time.Time, target time.Duration, counts bool,
	value func(m *trace.Measured) (value, volume float64)) ([]reading, error) {
	scope := rules[0].Params
	measured, err := src.Traces.Measure(ctx, trace.MeasureQuery{
		Projects: projectsOf(rules), Ends: ends, Window: window, Target: target, Counts: counts,
		Endpoints: scope.text("apart") == "endpoint" || scope.has("endpoint"), Endpoint: scope.text("endpoint"),
	})
	if err != nil {
		return nil, err
	}
	readings := make([]reading, len(measured))
	for i := range measured {
		m := &measured[i]
		readings[i] = reading{Project: m.Project, Service: m.Service, Environment: m.Environment, Subject: m.Endpoint, End: m.End}
		readings[i].Value, readings[i].Volume = value(m)
	}
	return readings, nil
}

// of writes the endpoint of a rule behind a measure.
func (r *Rule) of(measure string) string {
	if endpoint := r.Params.text("endpoint"); endpoint != "" {
		measure += " of " + endpoint
	}
	return measure
}

// against writes a condition that may compare with what is usual.
func (r *Rule) against(c Condition) Condition {
	if comparesTimes(r) {
		c.Measure += " at least " + plain(r.Params.number("times_usual")) + " times the usual, and"
	}
	return c
}
