package rule

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/view"
)

// savedQuery fires when a saved search of transactions or logs finds too much.
var savedQuery = minutes(&Kind{
	Name: "saved_query", Group: "expressions", Scoped: true,
	Params: []Param{
		{Name: "view", Type: View, Min: 1, Whole: true},
		{Name: "threshold", Type: Number, Default: 1.0, Min: 1, Max: 1e12},
		{Name: "over_minutes", Type: Number, Unit: "min", Default: 5.0, Min: 1, Max: 60, Whole: true},
	},
	Count: 1, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	condition: func(r *Rule) Condition {
		return Condition{Measure: "results of saved query " + plain(r.Params.number("view")) + " in " + plain(r.Params.number("over_minutes")) + " min",
			Op: ">=", Threshold: r.Params.number("threshold")}
	},
}, &measure{
	shared: func(r *Rule) string { return fmt.Sprintf("%d\x00%s", r.Project, plain(r.Params.number("view"))) },
	window: overMinutes,
	limits: func(r *Rule, _ float64) (float64, float64) {
		return r.Params.number("threshold"), r.Params.number("threshold")
	},
	read: func(ctx context.Context, src *Sources, rules []*Rule, window time.Duration, ends []time.Time) ([]reading, error) {
		r := rules[0]
		var views []view.View
		for _, kind := range view.Kinds {
			of, err := src.Views.List(ctx, r.Project, kind)
			if err != nil {
				return nil, err
			}
			views = append(views, of...)
		}
		i := slices.IndexFunc(views, func(v view.View) bool { return v.ID == int64(r.Params.number("view")) })
		if i < 0 {
			return nil, fault.New(fault.Invalid, "the saved query of the rule does not exist any more: choose another")
		}
		var readings []reading
		for _, s := range stretches(window, ends) {
			var counts []otel.MinuteCount
			var err error
			if views[i].Kind == "logs" {
				counts, err = src.Logs.CountMinutes(ctx, r.Project, logs.Query{Text: views[i].Query, From: s.from, To: s.to})
			} else {
				counts, err = src.Traces.CountMinutes(ctx, r.Project, trace.TransactionQuery{Search: views[i].Query, From: s.from, To: s.to})
			}
			if err != nil {
				return nil, err
			}
			readings = append(readings, sumUp(r.Project, counts, window, s, 1)...)
		}
		return readings, nil
	},
})
