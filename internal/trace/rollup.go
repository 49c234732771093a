package trace

import (
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// maxRange is the longest time a rollup is read over: the longest retention.
const maxRange = 400 * 24 * time.Hour

const (
	day  = 24 * time.Hour
	week = 7 * day
	// hourly is the length from which a range is read in whole hours: merging
	// the states of every minute would cost more than the ends are worth.
	hourly = 12 * time.Hour
)

// Range is a stretch of time that rollups are read for: all the minutes that
// were asked for, or all the hours when it is 12 hours or longer. Make one with NewRange.
type Range struct {
	window
	unit  int64 // of the window, in s
	until int64 // how far of the window has passed, in Unix seconds
}

// NewRange returns the range from from to to, which is exclusive. It is Invalid
// when that is no range or longer than any telemetry is kept.
func NewRange(from, to, now time.Time) (Range, error) {
	switch {
	case !from.Before(to):
		return Range{}, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	case from.Before(earliest) || to.After(latest):
		return Range{}, fault.New(fault.Invalid, "the time range is not between the years %d and %d", earliest.Year(), latest.Year()).WithField("from")
	case to.Sub(from) > maxRange:
		return Range{}, fault.New(fault.Invalid, "at most %d days can be read at once: choose a later from", int(maxRange/day)).WithField("from")
	}
	r := Range{unit: 60}
	if to.Sub(from) >= hourly {
		r.unit = 3600
	}
	first, last := from.Unix(), to.Add(time.Second-time.Nanosecond).Unix()
	r.window = window{from: first - first%r.unit, to: ceil(last, r.unit)}
	r.until = r.to
	if t := now.Unix(); r.from < t && t < r.to {
		r.until = t
	}
	return r, nil
}

// From returns when the range begins.
func (r Range) From() time.Time { return time.Unix(r.from, 0).UTC() }

// To returns when the range ends.
func (r Range) To() time.Time { return time.Unix(r.to, 0).UTC() }

// windows returns the range, and the same one a day and a week before it.
func (r Range) windows() []window {
	return []window{r.window, r.before(day), r.before(week)}
}

// The windows by their numbers.
const (
	present = iota
	dayAgo
	weekAgo
)

// window is a range in whole minutes, in Unix seconds.
type window struct{ from, to int64 }

func (w window) before(d time.Duration) window {
	return window{w.from - int64(d/time.Second), w.to - int64(d/time.Second)}
}

// rollup is a pair of tables of which the one per hour sums up the other.
type rollup struct{ minute, hour string }

var (
	byService   = rollup{"service_minute", "service_hour"}
	byOperation = rollup{"red_minute", "red_hour"}
	byStatement = rollup{"sql_minute", "sql_hour"}
)

// over returns a table expression with the rows of every window: columns, the
// number of the window as w, and as t when the row begins, in Unix seconds moved
// to where it would be in the first window. The windows begin and end with a unit.
func (r rollup) over(columns, filter string, unit int64, windows ...window) string {
	table, column := r.minute, "minute"
	if unit >= 3600 {
		table, column = r.hour, "hour"
	}
	parts := make([]string, len(windows))
	for i, w := range windows {
		parts[i] = fmt.Sprintf("SELECT toUInt8(%d) AS w, toInt64(toUnixTimestamp(%s)) + %d AS t, %s FROM %s WHERE project_id = {project:UInt32} AND %s AND (%s)",
			i, column, windows[0].from-w.from, columns, table, between(column, w), filter)
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ")"
}

// between is the condition on a time column for a window.
func between(column string, w window) string {
	return fmt.Sprintf("%s >= toDateTime(%d, 'UTC') AND %s < toDateTime(%d, 'UTC')", column, w.from, column, w.to)
}

func ceil(t, unit int64) int64 { return (t + unit - 1) / unit * unit }

// stepLengths are the lengths of steps that people like to read, in seconds.
// A week is a multiple of each, so that a week ago has the same steps.
var stepLengths = []int64{60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800}

// step returns the shortest length of which at most n make up the window.
func (w window) step(n int64) int64 {
	for _, s := range stepLengths {
		if (w.to-w.from)/s <= n {
			return s
		}
	}
	return stepLengths[len(stepLengths)-1]
}

// RED is rate, errors and duration of calls over a time. The durations of none
// are 0. Quantiles are within 2 % of a duration that occurred.
type RED struct {
	Count      uint64  `json:"count"`
	PerSecond  float64 `json:"per_second"`
	Errors     uint64  `json:"errors"`
	ErrorShare float64 `json:"error_share"` // 0 to 1
	TotalNs    int64   `json:"total_ns"`    // all durations added up
	AverageNs  int64   `json:"average_ns"`
	P50Ns      int64   `json:"p50_ns"`
	P90Ns      int64   `json:"p90_ns"`
	P95Ns      int64   `json:"p95_ns"`
	P99Ns      int64   `json:"p99_ns"`
	MaxNs      int64   `json:"max_ns"`
}

// Compared is something of a time beside the same a day and a week before it.
type Compared struct {
	Now     RED  `json:"now"`
	DayAgo  *RED `json:"day_ago"`  // null when there was none
	WeekAgo *RED `json:"week_ago"` // null when there was none
}

// set puts the RED of one of Range.windows in its place.
func (c *Compared) set(w uint8, red RED) {
	switch w {
	case present:
		c.Now = red
	case dayAgo:
		c.DayAgo = &red
	case weekAgo:
		c.WeekAgo = &red
	}
}

// redRow is the sums of a group of rows of a rollup: redStates over the rows,
// redSums over what of them is selected.
type redRow struct {
	Window    uint8     `ch:"w"`
	Count     uint64    `ch:"n"`
	Errors    uint64    `ch:"failed"`
	Total     uint64    `ch:"took"`
	Max       uint64    `ch:"longest"`
	Quantiles []float64 `ch:"quantiles"`
}

const (
	redStates = "count, errors, duration_sum, duration_max, duration_state"
	// The levels that a state is read with need not be those it was made with.
	redSums = `sum(count) AS n, sum(errors) AS failed, sum(duration_sum) AS took, max(duration_max) AS longest,
		quantilesDDMerge(0.02, 0.5, 0.9, 0.95, 0.99)(duration_state) AS quantiles`
	// redRaw is redSums over single transactions.
	redRaw = `count() AS n, countIf(error) AS failed, sum(elapsed) AS took, max(elapsed) AS longest,
		quantilesDD(0.02, 0.5, 0.9, 0.95, 0.99)(elapsed) AS quantiles`
)

// red returns what the row says about a time of that many seconds.
func (r *redRow) red(seconds float64) RED {
	out := RED{Count: r.Count, Errors: r.Errors, TotalNs: int64(r.Total), MaxNs: int64(r.Max)}
	if r.Count == 0 {
		return out
	}
	out.PerSecond, out.ErrorShare = float64(r.Count)/seconds, float64(r.Errors)/float64(r.Count)
	out.AverageNs = int64(r.Total / r.Count)
	for i, at := range []*int64{&out.P50Ns, &out.P90Ns, &out.P95Ns, &out.P99Ns} {
		if i < len(r.Quantiles) {
			*at = min(int64(r.Quantiles[i]), out.MaxNs)
		}
	}
	return out
}

// seconds is the length of each of windows, as far as it has passed.
func (r Range) seconds(w uint8) float64 { return r.covered(w, r.from, r.to-r.from) }

// covered is how many seconds of a step of a window, which begins at the Unix
// time at, lie within the range and have passed.
func (r Range) covered(w uint8, at, step int64) float64 {
	to := r.to
	if w == present {
		to = r.until
	}
	return float64(max(min(at+step, to)-max(at, r.from), 1))
}
