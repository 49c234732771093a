package rule

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/project"
)

// What is usual at a time is the median of what was measured in the same hour of
// the week in the weeks before. As long as there are fewer than leastUsual of
// them, the same hour of the days before helps out. Medians, because one bad week
// must not make the next one good.
const (
	usualWeeks = 4
	usualDays  = 6
	leastUsual = 2
	week       = 7 * 24 * time.Hour
	day        = 24 * time.Hour
)

// history is what was measured in hours, by series and the end of the hour in
// Unix seconds.
type history map[series]map[int64]reading

// at returns what is usual for a series at a time, of hours made of at least
// least each; not known when there are too few of them.
func (h history) at(of series, end time.Time, least float64) (usual float64, known bool) {
	hours := h[of]
	if len(hours) == 0 {
		return 0, false
	}
	slot := hourOf(end)
	var values []float64
	add := func(back time.Duration) {
		if r, ok := hours[slot.Add(-back).Unix()]; ok && r.Volume >= least {
			values = append(values, r.Value)
		}
	}
	for w := range usualWeeks {
		add(time.Duration(w+1) * week)
	}
	for d := 0; d < usualDays && len(values) < leastUsual+d; d++ {
		add(time.Duration(d+1) * day)
	}
	if len(values) < leastUsual {
		return 0, false
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2, true
	}
	return values[middle], true
}

// hourOf returns the end of the hour that a minute belongs to, by its end.
func hourOf(end time.Time) time.Time {
	return end.Add(-time.Nanosecond).Truncate(time.Hour).Add(time.Hour)
}

// history reads what was measured in the hours that say what is usual at ends.
func (m *measure) history(ctx context.Context, src *Sources, rules []*Rule, ends []time.Time) (history, error) {
	wanted := map[int64]bool{}
	for _, end := range ends {
		slot := hourOf(end)
		for w := range usualWeeks {
			wanted[slot.Add(-time.Duration(w+1)*week).Unix()] = true
		}
		for d := range usualDays {
			wanted[slot.Add(-time.Duration(d+1)*day).Unix()] = true
		}
	}
	key := ""
	if m.shared != nil {
		key = m.shared(rules[0])
	}
	hours := src.past.of(m, key, projectsOf(rules))
	hours.Lock()
	defer hours.Unlock()
	var missing []time.Time
	for at := range wanted {
		if !hours.read[at] {
			missing = append(missing, time.Unix(at, 0).UTC())
		}
	}
	if len(missing) > 0 {
		slices.SortFunc(missing, time.Time.Compare)
		readings, err := m.read(ctx, src, rules, time.Hour, missing)
		if err != nil {
			return nil, err
		}
		for _, r := range readings {
			of := r.series()
			if hours.kept[of] == nil {
				hours.kept[of] = map[int64]reading{}
			}
			hours.kept[of][r.End.Unix()] = r
		}
		for _, at := range missing {
			hours.read[at.Unix()] = true
		}
	}
	return hours.forget(wanted, ends[len(ends)-1]), nil
}

// past remembers hours that were read: they are over, and what is usual changes
// with the hour. The zero value is empty and ready for use.
type past struct {
	mu    sync.Mutex
	hours map[pastKey]*pastHours
}

type pastKey struct {
	measure  *measure
	shared   string
	projects string
}

type pastHours struct {
	sync.Mutex
	kept history
	read map[int64]bool
}

func (p *past) of(m *measure, shared string, projects []project.ID) *pastHours {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := pastKey{m, shared, fmt.Sprint(projects)}
	if p.hours == nil || len(p.hours) > maxPast {
		p.hours = map[pastKey]*pastHours{}
	}
	if p.hours[key] == nil {
		p.hours[key] = &pastHours{kept: history{}, read: map[int64]bool{}}
	}
	return p.hours[key]
}

// maxPast is how many reads are remembered.
const maxPast = 1000

// forget drops the hours that nobody asks for any more once there are many, and
// returns the rest as it is now.
func (p *pastHours) forget(wanted map[int64]bool, newest time.Time) history {
	if len(p.read) > 4*len(wanted)+1000 {
		oldest := newest.Add(-usualWeeks*week - week).Unix()
		for at := range p.read {
			if at < oldest {
				delete(p.read, at)
			}
		}
		for of, hours := range p.kept {
			for at := range hours {
				if at < oldest {
					delete(hours, at)
				}
			}
			if len(hours) == 0 {
				delete(p.kept, of)
			}
		}
	}
	view := make(history, len(p.kept))
	for of, hours := range p.kept {
		mine := make(map[int64]reading, len(wanted))
		for at := range wanted {
			if r, ok := hours[at]; ok {
				mine[at] = r
			}
		}
		view[of] = mine
	}
	return view
}
