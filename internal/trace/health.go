package trace

import "math"

// HealthState is how a service is doing.
type HealthState string

// The states.
const (
	Critical HealthState = "critical"
	Warning  HealthState = "warning"
	Healthy  HealthState = "ok"
	Unknown  HealthState = "unknown" // too few transactions to say anything
)

// HealthReason is what a state is about.
type HealthReason string

// The reasons; a healthy service has none.
const (
	Failing HealthReason = "errors" // more errors than usual, or very many
	Slow    HealthReason = "slow"   // a higher p95 than usual
	Silent  HealthReason = "silent" // no transaction, where there usually are some
	Quiet   HealthReason = "quiet"  // far fewer transactions than usual
	Busy    HealthReason = "busy"   // far more, which is no fault
)

// ServiceHealth is a judgement on a service in its worst respect.
type ServiceHealth struct {
	State  HealthState  `json:"state" enum:"critical,warning,ok,unknown"`
	Reason HealthReason `json:"reason" enum:",errors,slow,silent,quiet,busy"`
	// Ratio is what it is now to what it was then; 0 when it was nothing then.
	Ratio float64 `json:"ratio"`
	// Against is the time it is compared with: "day" or "week" ago, "" when the
	// value speaks for itself.
	Against string `json:"against" enum:",day,week"`
	weight  float64
}

// What it takes to be noticed.
const (
	// fewest is how many transactions a time needs to say what is usual.
	fewest = 20
	// A share of errors below the first is never noticed, from the second on it is without a comparison.
	someErrors, manyErrors = 0.01, 0.05
	// A p95 that grew by less than this is never noticed: what takes 2 ms may well take 6.
	leastSlower = 20e6 // ns
)

// judge finds the worst that is to be said. What is usual is what was a week
// ago, since weekdays differ, and a day ago where nothing ran then.
func judge(c *Compared) ServiceHealth {
	usual, against := c.WeekAgo, "week"
	if usual == nil || usual.Count < fewest {
		usual, against = c.DayAgo, "day"
	}
	if usual == nil || usual.Count < fewest {
		usual, against = nil, ""
	}
	worst := ServiceHealth{State: Healthy}
	find := func(state HealthState, reason HealthReason, ratio float64, against string) {
		weight := math.Abs(math.Log(max(ratio, 0.001)))
		if ratio == 0 {
			weight = 10 // as if it had grown without limit
		}
		switch state {
		case Critical:
			weight += 200
		case Warning:
			weight += 100
		}
		if weight > worst.weight {
			worst = ServiceHealth{State: state, Reason: reason, Ratio: ratio, Against: against, weight: weight}
		}
	}
	if c.Now.Count == 0 {
		if usual != nil {
			find(Critical, Silent, 0, against)
			return worst
		}
		return ServiceHealth{State: Unknown, weight: -1}
	}
	if c.Now.ErrorShare >= someErrors && c.Now.Errors > 1 {
		state := Warning
		if c.Now.ErrorShare >= manyErrors {
			state = Critical
		}
		switch {
		case usual != nil && usual.Errors == 0:
			find(state, Failing, 0, against)
		case usual != nil && c.Now.ErrorShare >= 2*usual.ErrorShare:
			find(state, Failing, c.Now.ErrorShare/usual.ErrorShare, against)
		case state == Critical && usual == nil:
			find(state, Failing, 0, "")
		case state == Critical: // as bad as ever
			find(Warning, Failing, c.Now.ErrorShare/usual.ErrorShare, against)
		}
	}
	if usual == nil || c.Now.Count < fewest {
		if worst.Reason == "" && c.Now.Count < fewest {
			return ServiceHealth{State: Unknown}
		}
		return worst
	}
	if slower := float64(c.Now.P95Ns) / float64(max(usual.P95Ns, 1)); c.Now.P95Ns-usual.P95Ns >= leastSlower {
		switch {
		case slower >= 3:
			find(Critical, Slow, slower, against)
		case slower >= 1.5:
			find(Warning, Slow, slower, against)
		}
	}
	switch busier := c.Now.PerSecond / usual.PerSecond; {
	case busier <= 0.3:
		find(Warning, Quiet, busier, against)
	case busier >= 3:
		find(Healthy, Busy, busier, against)
	}
	return worst
}
