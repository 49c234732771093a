package rule

import (
	"context"
	"sort"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
)

// remembered is how long a service that told of itself is missed.
const remembered = 24 * time.Hour

// absence fires when nothing comes any more from a service that told of itself
// within the last day.
var absence = minutes(&Kind{
	Name: "absence", Group: "resources", Scoped: true,
	Params: []Param{
		{Name: "signal", Type: Choice, Default: "traces", Choices: []string{"traces", "logs"}},
		{Name: "silent_minutes", Type: Number, Unit: "min", Default: 10.0, Min: 2, Max: 720, Whole: true},
	},
	Count: 1, WindowMinutes: 1, QuietMinutes: 5, Severity: Warning,
	condition: func(r *Rule) Condition {
		return Condition{Measure: "no " + r.Params.text("signal"), Op: ">=", Threshold: r.Params.number("silent_minutes"), Unit: "min"}
	},
}, &measure{
	settle: time.Minute,
	shared: func(r *Rule) string { return r.Params.text("signal") },
	window: func(*Rule) time.Duration { return time.Minute },
	limits: func(r *Rule, _ float64) (float64, float64) {
		return r.Params.number("silent_minutes"), r.Params.number("silent_minutes")
	},
	// Silence is believed only as far as this process was there to hear, by a clock
	// that ran evenly: else a clock that is set, or a pause of our own, would raise alarms.
	believes: func(r *Rule, src *Sources) bool {
		return src.even(time.Duration(r.Params.number("silent_minutes"))*time.Minute + time.Minute)
	},
	read: func(ctx context.Context, src *Sources, rules []*Rule, _ time.Duration, ends []time.Time) ([]reading, error) {
		last := ends[len(ends)-1]
		hear := src.Traces.Heard
		if rules[0].Params.text("signal") == "logs" {
			hear = src.Logs.Heard
		}
		heard, err := hear(ctx, projectsOf(rules), ends[0].Add(-remembered), last, len(ends) == 1)
		if err != nil {
			return nil, err
		}
		var readings []reading
		for _, h := range heard {
			for _, end := range ends {
				if silent, known := silence(&h, end); known {
					readings = append(readings, reading{Project: h.Project, Service: h.Service, Environment: h.Environment, End: end, Value: silent.Minutes()})
				}
			}
		}
		return readings, nil
	},
})

// silence returns how long a service had been silent at an end, if it was heard
// of within the day before.
func silence(h *otel.Heard, end time.Time) (time.Duration, bool) {
	i := sort.Search(len(h.Minutes), func(i int) bool { return !h.Minutes[i].Before(end) })
	if i == 0 {
		return 0, false
	}
	silent := end.Sub(h.Minutes[i-1].Add(time.Minute))
	return silent, silent < remembered
}
