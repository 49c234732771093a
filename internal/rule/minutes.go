package rule

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	// settle is how long after its end a minute is judged: senders hold back what
	// they have for some seconds. What comes later has the minute judged again.
	settle = 10 * time.Second
	// maxBacklog is how old a minute may be that is judged for the first time.
	maxBacklog = 24 * time.Hour
)

// reading is what was measured of one subject of a service before an end.
type reading struct {
	Project                                 project.ID
	Service, Environment, Subject, Instance string
	End                                     time.Time
	Value                                   float64
	Volume                                  float64 // how much it is made of: too little says nothing
}

// series names what a reading is of.
type series struct {
	project                       project.ID
	service, environment, subject string
}

func (r *reading) series() series { return series{r.Project, r.Service, r.Environment, r.Subject} }

// measure is how rules of a kind measure: kinds that count minutes are made of one.
type measure struct {
	// settle is how long after its end a minute is judged, when that is not settle.
	settle time.Duration
	// Minutes are judged again with the next ones for as long as overlap. late says
	// that those of transactions are, too, whenever rows arrive for them, however late.
	late bool
	// shared names what rules have in common that one read serves, "" for rules that
	// all share one.
	shared func(r *Rule) string
	// window is how long before an end a rule looks.
	window func(r *Rule) time.Duration
	// read returns the readings of rules that share it, at ends from early to late.
	// A fault.Invalid is the rules' own.
	read func(ctx context.Context, src *Sources, rules []*Rule, window time.Duration, ends []time.Time) ([]reading, error)
	// limits is from where a rule counts a value and, when it is not the same, from
	// where it keeps an incident open; usual is what is usual then, if it asks.
	limits func(r *Rule, usual float64) (fire, calm float64)
	// volume is how much a reading must be made of; nil for anything.
	volume func(r *Rule) float64
	// compares reports whether a rule asks for what is usual.
	compares func(r *Rule) bool
	// silent returns readings of series of which nothing was read at an end, from
	// what is usual of them; nil when nothing is to be said of them.
	silent func(r *Rule, of series, end time.Time) *reading
	// believes reports whether what a rule concludes from silence may be believed
	// now; nil is always.
	believes func(r *Rule, src *Sources) bool

	low func(r *Rule) bool // the kind's
}

// minutes makes a kind that counts minutes of a measure.
func minutes(k *Kind, m *measure) *Kind {
	k.Minutes, k.find, m.low = true, m.find, k.low
	return k
}

// find is Kind.find of a measure.
func (m *measure) find(ctx context.Context, src *Sources, ask search) (results, error) {
	wait := cmp.Or(m.settle, settle)
	after, until := ask.After.Add(-wait), ask.Until.Add(-wait)
	if oldest := until.Add(-maxBacklog); after.Before(oldest) && !ask.past {
		after = oldest
	}
	ends := minutesIn(after, until)
	if len(ends) > 0 && !ask.past {
		ends = minutesIn(after.Add(-overlap), until)
	}
	byProject := map[project.ID][]time.Time{}
	if m.late && !ask.past {
		var err error
		if byProject, err = src.Traces.LateMinutes(ctx, ask.projects(), ask.After.Add(-overlap), ask.Until, ask.After.Add(-overlap-wait)); err != nil {
			return results{}, err
		}
	}
	found := results{idle: len(ends) == 0 && len(byProject) == 0}
	for _, rules := range m.together(ask.Rules) {
		at := ends
		for _, p := range projectsOf(rules) {
			at = append(at, byProject[p]...)
		}
		if len(at) == 0 {
			continue
		}
		at = slices.CompactFunc(slices.SortedFunc(slices.Values(at), time.Time.Compare), time.Time.Equal)
		err := m.judge(ctx, src, rules, at, ask.past, &found)
		switch {
		case fault.Is(err, fault.Invalid):
			for _, r := range rules {
				found.fail(r.ID, err)
			}
		case err != nil:
			return results{}, err
		}
	}
	return found, nil
}

// together groups rules that one read serves.
func (m *measure) together(rules []*Rule) [][]*Rule {
	groups := map[string][]*Rule{}
	for _, r := range rules {
		key := fmt.Sprint(m.window(r), m.compares != nil && m.compares(r))
		if m.shared != nil {
			key += "\x00" + m.shared(r)
		}
		groups[key] = append(groups[key], r)
	}
	var all [][]*Rule
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, groups[key])
	}
	return all
}

// judge adds what rules that share a read count at ends.
func (m *measure) judge(ctx context.Context, src *Sources, rules []*Rule, ends []time.Time, past bool, found *results) error {
	window := m.window(rules[0])
	readings, err := m.read(ctx, src, rules, window, ends)
	if err != nil {
		return err
	}
	var usual history
	if m.compares != nil && m.compares(rules[0]) {
		if usual, err = m.history(ctx, src, rules, ends); err != nil {
			return err
		}
		readings = append(readings, m.silence(rules[0], readings, usual, ends)...)
	}
	for i := range readings {
		got := &readings[i]
		for _, r := range rules {
			if got.Project != r.Project || !r.covers(got.Service, got.Environment) || !past && m.believes != nil && !m.believes(r, src) {
				continue
			}
			if h, ok := m.compare(r, got, usual); ok {
				found.add(r.ID, h)
			}
		}
	}
	return nil
}

// compare reports whether a rule counts a reading, or is kept awake by it.
func (m *measure) compare(r *Rule, got *reading, usual history) (hit, bool) {
	// Too little says nothing, unless it is compared with what was much.
	compares, low := m.compares != nil && m.compares(r), m.low != nil && m.low(r)
	if got.Volume < m.least(r) && (!compares || !low) {
		return hit{}, false
	}
	var was float64
	var ordinary *float64
	if compares {
		var known bool
		if was, known = usual.at(got.series(), got.End, m.least(r)); !known {
			return hit{}, false // nothing is unusual where nothing is usual yet
		}
		ordinary = &was
	}
	fire, calm := m.limits(r, was)
	counts, holds := got.Value >= fire, got.Value >= calm
	if low {
		counts, holds = got.Value <= fire, got.Value <= calm
	}
	if !counts && !holds {
		return hit{}, false
	}
	return hit{Match{
		Service: got.Service, Environment: got.Environment, Subject: got.Subject, Instance: got.Instance,
		Start: got.End.Add(-time.Minute), DurationNs: int64(time.Minute), Value: got.Value, Usual: ordinary, Counts: counts,
	}, got.End.Add(cmp.Or(m.settle, settle))}, true
}

// least is how much a reading must be made of.
func (m *measure) least(r *Rule) float64 {
	if m.volume == nil {
		return 0
	}
	return m.volume(r)
}

// silence returns readings for what usually does something and did nothing.
func (m *measure) silence(r *Rule, readings []reading, usual history, ends []time.Time) []reading {
	if m.silent == nil {
		return nil
	}
	type at struct {
		series
		end int64
	}
	seen := map[at]bool{}
	for i := range readings {
		seen[at{readings[i].series(), readings[i].End.Unix()}] = true
	}
	var more []reading
	for of := range usual {
		for _, end := range ends {
			if !seen[at{of, end.Unix()}] {
				if got := m.silent(r, of, end); got != nil {
					more = append(more, *got)
				}
			}
		}
	}
	return more
}

// minutesIn returns the ends of the minutes in (after, until].
func minutesIn(after, until time.Time) []time.Time {
	var ends []time.Time
	for end := after.Truncate(time.Minute).Add(time.Minute); !end.After(until); end = end.Add(time.Minute) {
		ends = append(ends, end.UTC())
	}
	return ends
}

func projectsOf(rules []*Rule) []project.ID {
	s := search{Rules: rules}
	return s.projects()
}

// fail notes that a rule cannot be evaluated.
func (r *results) fail(rule int64, why error) {
	if r.failed == nil {
		r.failed = map[int64]error{}
	}
	r.failed[rule] = why
}
