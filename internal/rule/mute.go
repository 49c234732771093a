package rule

import (
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clock"
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

func (m *Mute) weekly() clock.Weekly { return clock.Weekly{Days: m.Days, From: m.From, To: m.To} }

// check reports what is wrong with the i-th mute timing of a rule.
func (m *Mute) check(i int) error {
	part, why := m.weekly().Check()
	if _, err := clock.Zone(m.Zone); err != nil && part == "" {
		part, why = "zone", fmt.Sprintf("%q is no time zone: write a name such as Asia/Seoul", m.Zone)
	}
	if part != "" {
		return fault.New(fault.Invalid, "%s", why).WithField(fmt.Sprintf("mutes[%d].%s", i, part))
	}
	return nil
}

// holds reports whether t lies in the mute timing.
func (m *Mute) holds(t time.Time) bool {
	zone, err := clock.Zone(m.Zone)
	if err != nil {
		return false // the machine does not know a zone that another did
	}
	_, in := m.weekly().Window(t.In(zone))
	return in
}

// muted reports whether the rule opens no incident at t.
func (r *Rule) muted(t time.Time) bool {
	return slices.ContainsFunc(r.Mutes, func(m Mute) bool { return m.holds(t) })
}
