package clock

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Weekly is a time of the week by the clocks of a place. One that goes past
// midnight belongs to the day on which it begins.
type Weekly struct {
	Days     []time.Weekday // none for every day
	From, To string         // HH:MM; To before From is of the next day, the same is a whole day
}

const dayTime = "15:04"

// Check returns which part is wrong and why: "days", "from" or "to"; "" for none.
func (w Weekly) Check() (part, why string) {
	for _, d := range w.Days {
		if d < time.Sunday || d > time.Saturday {
			return "days", fmt.Sprintf("%d is no day of the week: 0 is Sunday and 6 Saturday", d)
		}
	}
	for part, text := range map[string]string{"from": w.From, "to": w.To} {
		if t, err := time.Parse(dayTime, text); err != nil || t.Format(dayTime) != text {
			return part, fmt.Sprintf("%q is no time of day: write HH:MM", text)
		}
	}
	return "", ""
}

// Window reports whether at, in the zone whose clocks count, lies in w, and when
// that ends. w has passed Check.
func (w Weekly) Window(at time.Time) (end time.Time, ok bool) {
	for _, back := range []int{0, 1} {
		day := at.AddDate(0, 0, -back)
		if len(w.Days) > 0 && !slices.Contains(w.Days, day.Weekday()) {
			continue
		}
		from, to := onDay(day, w.From), onDay(day, w.To)
		if !to.After(from) {
			to = onDay(day.AddDate(0, 0, 1), w.To)
		}
		if !at.Before(from) && at.Before(to) {
			return to, true
		}
	}
	return time.Time{}, false
}

// onDay is a time of day of the day of t, in its zone.
func onDay(t time.Time, text string) time.Time {
	of, _ := time.Parse(dayTime, text) // passed Check
	return time.Date(t.Year(), t.Month(), t.Day(), of.Hour(), of.Minute(), 0, 0, t.Location())
}

// Zone returns a time zone by its IANA name, such as Asia/Seoul. The zone of the
// machine has no such name: nodes may stand anywhere.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errors.New("a time zone needs a name such as Asia/Seoul")
	}
	return time.LoadLocation(name)
}
