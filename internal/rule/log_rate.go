package rule

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/logs"
)

// logRate fires when a service writes too many log records of a level, or that say
// something.
var logRate = minutes(&Kind{
	Name: "log_rate", Group: "logs", Scoped: true,
	Params: []Param{
		{Name: "level", Type: Choice, Default: "error", Choices: []string{"fatal", "error", "warn", "info", "any"}},
		{Name: "text", Type: Text, Optional: true},
		{Name: "threshold", Type: Number, Default: 100.0, Min: 1, Max: 1e12},
		{Name: "calm", Type: Number, Optional: true, Min: 0, Max: 1e12},
		timesUsual,
		{Name: "over_minutes", Type: Number, Unit: "min", Default: 5.0, Min: 1, Max: 60, Whole: true},
	},
	Count: 1, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
	check: func(p Params) error {
		if err := logs.CheckSearch(p.text("text")); err != nil {
			return badParam("text", "%v", err)
		}
		return nil
	},
	condition: func(r *Rule) Condition {
		c := Condition{Measure: "log records", Op: ">=", Threshold: r.Params.number("threshold")}
		if level := r.Params.text("level"); level != "any" {
			c.Measure = level + " " + c.Measure
		}
		if r.Params.has("text") {
			c.Measure += " with " + r.Params.text("text")
		}
		c.Measure += " in " + plain(r.Params.number("over_minutes")) + " min"
		return r.against(c)
	},
}, &measure{
	shared: func(r *Rule) string {
		return fmt.Sprintf("%d\x00%s\x00%s", r.Project, r.Params.text("level"), r.Params.text("text"))
	},
	window: overMinutes, compares: comparesTimes,
	limits: func(r *Rule, usual float64) (float64, float64) { return limitsAbove(r, usual, "threshold", "calm") },
	read: func(ctx context.Context, src *Sources, rules []*Rule, window time.Duration, ends []time.Time) ([]reading, error) {
		r := rules[0]
		q := logs.Query{Text: r.Params.text("text")}
		if level := r.Params.text("level"); level != "any" {
			q.Levels = []string{level}
		}
		var readings []reading
		for _, s := range stretches(window, ends) {
			q.From, q.To = s.from, s.to
			counts, err := src.Logs.CountMinutes(ctx, r.Project, q)
			if err != nil {
				return nil, err
			}
			readings = append(readings, sumUp(r.Project, counts, window, s, float64(overMinutes(r))/float64(window))...)
		}
		return readings, nil
	},
})
