package rule

import (
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Mute is a time of the week in which a rule opens no incident: what matches is
// recorded, and counts when the time is over.
type Mute struct {
	Days []time.Weekday `json:"days" doc:"0 is Sunday; empty is every day"`
	From string         `json:"from" doc:"HH:MM"`
	To   string         `json:"to" doc:"HH:MM; before from: on the next day; the same: the whole day"`
	Zone string         `json:"zone" doc:"IANA name, such as Asia/Seoul"`
}

// check reports what is wrong with the i-th mute timing of a rule.
func (m *Mute) check(i int) error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(fmt.Sprintf("mutes[%d].%s", i, field))
	}
	for _, d := range m.Days {
		if d < time.Sunday || d > time.Saturday {
			return bad("days", "%d is no day of the week: 0 is Sunday and 6 Saturday", d)
		}
	}
	if _, err := clockMinutes(m.From); err != nil {
		return bad("from", "%q is no time of day: write HH:MM", m.From)
	}
	if _, err := clockMinutes(m.To); err != nil {
		return bad("to", "%q is no time of day: write HH:MM", m.To)
	}
	if _, err := time.LoadLocation(m.Zone); err != nil || m.Zone == "" || m.Zone == "Local" {
		return bad("zone", "%q is no time zone: write a name such as Asia/Seoul", m.Zone)
	}
	return nil
}

// holds reports whether t lies in the mute timing. One that goes over midnight
// belongs to the day on which it begins.
func (m *Mute) holds(t time.Time) bool {
	zone, err := time.LoadLocation(m.Zone)
	from, err1 := clockMinutes(m.From)
	to, err2 := clockMinutes(m.To)
	if err != nil || err1 != nil || err2 != nil {
		return false // such a timing is refused by check
	}
	t = t.In(zone)
	minute, today := t.Hour()*60+t.Minute(), t.Weekday()
	on := func(day time.Weekday) bool { return len(m.Days) == 0 || slices.Contains(m.Days, day) }
	switch {
	case from == to:
		return on(today)
	case from < to:
		return on(today) && minute >= from && minute < to
	default:
		yesterday := (today + 6) % 7
		return on(today) && minute >= from || on(yesterday) && minute < to
	}
}

// muted reports whether the rule opens no incident at t.
func (r *Rule) muted(t time.Time) bool {
	return slices.ContainsFunc(r.Mutes, func(m Mute) bool { return m.holds(t) })
}

// clockMinutes returns a time of day as minutes since midnight.
func clockMinutes(text string) (int, error) {
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err
}
