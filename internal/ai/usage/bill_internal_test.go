package usage

import (
	"math"
	"testing"
	"time"
)

func TestABillIsEstimatedFromTheDaysThereAre(t *testing.T) {
	noon := time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC) // a Monday; 14 and a half days are to come
	costs := func(days int, cost func(time.Weekday) float64) map[int64]float64 {
		byDay := map[int64]float64{}
		for i := 1; i <= days; i++ {
			d := noon.Truncate(day).Add(time.Duration(-i) * day)
			byDay[d.Unix()] = cost(d.Weekday())
		}
		return byDay
	}
	same := func(time.Weekday) float64 { return 10 }
	working := func(d time.Weekday) float64 {
		if d == time.Saturday || d == time.Sunday {
			return 0
		}
		return 10
	}
	f := func(name string, byDay map[int64]float64, method string, days int, expected float64, sure bool) {
		t.Helper()
		b := Bill{Until: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), Spent: 100}
		b.estimate(noon, byDay)
		if b.Method != method || b.Days != days || math.Abs(b.Expected-expected) > 1e-9 || b.Low > b.Expected || b.High < b.Expected || b.Low < b.Spent || (b.High == b.Low) != sure {
			t.Errorf("%s: %+v, want %s of %d days, %v", name, b, method, days, expected)
		}
	}
	f("nothing is known", nil, "none", 0, 100, true)
	f("a day tells what a day costs", costs(1, same), "daily", 1, 100+145, false)
	f("equal days are sure", costs(5, same), "daily", 5, 100+145, true)
	f("days without calls count once there were some", map[int64]float64{noon.Truncate(day).Add(-4 * day).Unix(): 40}, "daily", 4, 100+145, false)
	// To come are half of Monday and ten more working days.
	f("weekdays differ", costs(28, working), "weekday", 28, 100+5+100, true)
	f("in two weeks, too", costs(14, working), "weekday", 14, 100+5+100, true)
	f("only today is known", map[int64]float64{noon.Truncate(day).Unix(): 5}, "daily", 0, 100+145, false)
}
