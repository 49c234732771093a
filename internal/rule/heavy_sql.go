package rule

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// manySQL counts transactions with too many SQL calls or fetched rows.
var manySQL = &Kind{
	Name: "many_sql", Group: "database", Scoped: true,
	Params: []Param{
		{Name: "calls", Type: Number, Default: 100.0, Min: 10, Max: 1e6, Whole: true},
		{Name: "rows", Type: Number, Optional: true, Min: 400, Max: 1e9, Whole: true},
	},
	Count: 3, WindowMinutes: 10, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		c := Condition{Measure: "SQL calls of a transaction", Op: ">=", Threshold: r.Params.number("calls")}
		if r.Params.has("rows") {
			c.Measure = "Fetched rows of a transaction >= " + plain(r.Params.number("rows")) + " or " + c.Measure
		}
		return c
	},
	find: func(ctx context.Context, src *Sources, ask search) (results, error) {
		calls, rows := ask.Rules[0].Params.number("calls"), 0.0
		for _, r := range ask.Rules {
			calls = min(calls, r.Params.number("calls"))
			if r.Params.has("rows") && (rows == 0 || rows > r.Params.number("rows")) {
				rows = r.Params.number("rows")
			}
		}
		return heavy(ctx, src, ask, uint64(calls), uint64(rows), 0, func(r *Rule, u *trace.SQLUse) (float64, bool) {
			return float64(u.Calls), float64(u.Calls) >= r.Params.number("calls") || r.Params.has("rows") && float64(u.Rows) >= r.Params.number("rows")
		})
	},
}

// repeatedSQL counts transactions that run one statement again and again under one
// parent, the N+1 of mappers: a list is read, and then each of its items.
var repeatedSQL = &Kind{
	Name: "repeated_sql", Group: "database", Scoped: true,
	Params: []Param{{Name: "repeats", Type: Number, Default: 20.0, Min: 10, Max: 1e6, Whole: true}},
	Count:  3, WindowMinutes: 10, QuietMinutes: 10, Severity: Info,
	condition: func(r *Rule) Condition {
		return Condition{Measure: "Repetitions of a statement in a transaction", Op: ">=", Threshold: r.Params.number("repeats")}
	},
	find: func(ctx context.Context, src *Sources, ask search) (results, error) {
		least := ask.Rules[0].Params.number("repeats")
		for _, r := range ask.Rules {
			least = min(least, r.Params.number("repeats"))
		}
		return heavy(ctx, src, ask, 0, 0, uint64(least), func(r *Rule, u *trace.SQLUse) (float64, bool) {
			return float64(u.Repeats), float64(u.Repeats) >= r.Params.number("repeats") && isRepetition(u, r.Params.number("repeats"))
		})
	},
}

// isRepetition reports whether a statement is run per item rather than by chance.
// Agents that strip literals make different statements look the same, so the
// statement alone is no proof: a mapper that made it is, or that its runs take
// about as long as each other, as reading one row after another does; and what is
// run many times as often as is much needs none.
func isRepetition(u *trace.SQLUse, much float64) bool {
	const alike = 1 // standard deviation by mean
	return u.Mapper || u.Variation <= alike || float64(u.Repeats) >= 3*much
}

// heavy finds the traces that rules count for the SQL in them.
func heavy(ctx context.Context, src *Sources, ask search, calls, rows, repeats uint64, counts func(r *Rule, u *trace.SQLUse) (float64, bool)) (results, error) {
	used, reached, err := src.Traces.HeavySQL(ctx, ask.arrivals(), calls, rows, repeats)
	if err != nil {
		return results{}, err
	}
	var found results
	if !ask.Newest {
		found.reached = reached
	}
	for _, r := range ask.Rules {
		for i := range used {
			u := &used[i]
			if u.Project != r.Project || !r.covers(u.Service, u.Environment) {
				continue
			}
			value, ok := counts(r, u)
			if !ok {
				continue
			}
			m := Match{TraceID: u.TraceID, SpanID: u.SpanID, Service: u.Service, Environment: u.Environment, Instance: u.Instance,
				Start: u.Start, DurationNs: u.DurationNs, Value: value, Counts: true,
				as: u.TraceID.String() + u.Service + "\x00" + u.Instance} // its entry span may be still to come
			if u.Statement != 0 {
				m.Statement = trace.HashString(u.Statement)
			}
			found.add(r.ID, hit{m, u.Arrived})
		}
	}
	return found, nil
}
