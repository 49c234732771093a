package rule

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// burn is a pair of windows and how many times faster than allowed the budget of
// errors must burn in both: the long one says that it matters, the short one that
// it still goes on. Rates and windows are those of "Alerting on SLOs" in the Site
// Reliability Workbook (Google, 2018), chapter 5, for a page.
type burn struct {
	name        string
	long, short int // minutes
	rate        float64
}

var burns = []burn{
	{"fast", 60, 5, 14.4},
	{"slow", 360, 15, 6},
}

// sloBurn fires when a service uses up its budget of errors too fast.
var sloBurn = minutes(&Kind{
	Name: "slo_burn", Group: "transactions", Scoped: true,
	Params: []Param{
		{Name: "objective_percent", Type: Number, Unit: "%", Default: 99.9, Min: 50, Max: 99.9999},
		{Name: "good", Type: Choice, Default: "success", Choices: []string{"success", "fast"}},
		{Name: "target_ms", Type: Number, Unit: "ms", Optional: true, Min: 1, Max: 600_000},
		{Name: "endpoint", Type: Text, Optional: true},
	},
	Count: 1, WindowMinutes: 1, QuietMinutes: 15, Severity: Critical,
	check: func(p Params) error {
		if p.text("good") == "fast" && !p.has("target_ms") {
			return badParam("target_ms", "say up to how many milliseconds a transaction is a fast one")
		}
		return nil
	},
	condition: func(r *Rule) Condition {
		good := "success"
		if r.Params.text("good") == "fast" {
			good = "success within " + plain(r.Params.number("target_ms")) + " ms"
		}
		return Condition{Measure: r.of("burn rate of the " + plain(r.Params.number("objective_percent")) + "% objective of " + good)}
	},
}, &measure{
	late: true,
	shared: func(r *Rule) string {
		return sharedScope(r) + "\x00" + r.Params.text("good") + "\x00" + plain(r.Params.number("target_ms")) + "\x00" + plain(r.Params.number("objective_percent"))
	},
	window: func(*Rule) time.Duration { return time.Minute },
	limits: func(*Rule, float64) (float64, float64) { return 1, 1 },
	read:   readBurns,
})

// readBurns returns, for each pair of windows, by how many times the rate at which
// it fires the slower of both burned: 1 is just there.
func readBurns(ctx context.Context, src *Sources, rules []*Rule, _ time.Duration, ends []time.Time) ([]reading, error) {
	longest := slices.MaxFunc(burns, func(a, b burn) int { return a.long - b.long }).long
	first, last := ends[0], ends[len(ends)-1]
	params := rules[0].Params
	var target time.Duration
	if params.text("good") == "fast" {
		target = params.millis("target_ms")
	}
	counted, err := measureServices(ctx, src, rules, time.Minute, minutesIn(first.Add(-time.Duration(longest)*time.Minute), last), target, true,
		func(m *trace.Measured) (bad, volume float64) {
			if target > 0 {
				return float64(m.Count - m.Satisfied), float64(m.Count)
			}
			return float64(m.Errors), float64(m.Count)
		})
	if err != nil {
		return nil, err
	}
	// Sums from the beginning, so that any window is a difference.
	type sums struct{ bad, all []float64 }
	steps := int(last.Sub(first)/time.Minute) + longest + 1
	bySeries := map[series]*sums{}
	for i := range counted {
		of := counted[i].series()
		if bySeries[of] == nil {
			bySeries[of] = &sums{make([]float64, steps+1), make([]float64, steps+1)}
		}
		at := int(counted[i].End.Sub(first)/time.Minute) + longest
		bySeries[of].bad[at] += counted[i].Value
		bySeries[of].all[at] += counted[i].Volume
	}
	allowed := 1 - params.number("objective_percent")/100
	var readings []reading
	for of, s := range bySeries {
		for i := 1; i < len(s.all); i++ {
			s.bad[i] += s.bad[i-1]
			s.all[i] += s.all[i-1]
		}
		for _, end := range ends {
			at := int(end.Sub(first)/time.Minute) + longest
			rate := func(window int) float64 {
				if all := s.all[at] - s.all[at-window]; all > 0 {
					return (s.bad[at] - s.bad[at-window]) / all / allowed
				}
				return 0
			}
			for _, b := range burns {
				burning := min(rate(b.long), rate(b.short)) / b.rate
				subject := strings.TrimSpace(of.subject + " " + b.name)
				readings = append(readings, reading{Project: of.project, Service: of.service, Environment: of.environment, Subject: subject, End: end, Value: burning})
			}
		}
	}
	return readings, nil
}
