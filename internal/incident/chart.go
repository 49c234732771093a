package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/rule"
)

const (
	chartSpan = time.Hour // what a chart shows
	// courseKept is how many minutes with matches an incident remembers: a chart's and
	// as many again, for matches that come late.
	courseKept = 120
)

// withMatches adds matches to the course of an incident: of each minute the worst
// value is kept, and how many matches counted.
func withMatches(course []notify.Point, matches []rule.Match, low bool) []notify.Point {
	course = slices.Clone(course)
	for _, m := range matches {
		minute := m.Start.UTC().Truncate(time.Minute)
		i, found := slices.BinarySearchFunc(course, minute, func(p notify.Point, at time.Time) int { return p.At.Compare(at) })
		if !found {
			course = slices.Insert(course, i, notify.Point{At: minute, Value: m.Value, Usual: m.Usual})
		}
		p := &course[i]
		if m.Counts {
			p.Count++
		}
		if m.Value > p.Value != low && m.Value != p.Value {
			p.Value, p.Usual = m.Value, m.Usual
		}
	}
	return course[max(0, len(course)-courseKept):]
}

// lowIsWorse reports whether of two values of a firing the lower is the worse: by
// the rule's limit, or since it is compared with the usual and lies below it.
func lowIsWorse(f *rule.Firing) bool {
	if f.Rule.Condition().Op == "<=" {
		return true
	}
	return len(f.Window) > 0 && f.Window[0].Usual != nil && f.Window[0].Value < *f.Window[0].Usual
}

// measuredIn is the unit of a rule's values.
func measuredIn(r *rule.Rule) string {
	return strings.TrimSpace(strings.TrimPrefix(r.Measured(0), "0"))
}

// chart is what an incident's rule counted in the last hour of its trouble, nil
// for a rule that measures nothing.
func (c *record) chart(now time.Time) *notify.Chart {
	about, course := &c.scope, c.scope.Course
	if len(course) == 0 || about.Op == "" {
		return nil
	}
	last := course[len(course)-1].At.Add(time.Minute)
	to := last
	// The present is shown too, as long as the trouble is not far back in it.
	if end := now.UTC().Truncate(time.Minute); end.After(to) && end.Sub(to) < chartSpan/2 {
		to = end
	}
	chart := &notify.Chart{From: to.Add(-chartSpan), To: to, FiringFrom: course[0].At, FiringTo: last, Below: about.Low,
		Unit: cmp.Or(about.ValueUnit, about.Unit), Calls: !about.Minutes, Points: course}
	if chart.Unit == about.Unit { // else the limit is one of something else, like a share of the usual
		chart.Limit = &about.Threshold
	}
	return chart
}
