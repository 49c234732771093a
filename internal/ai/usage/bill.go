package usage

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Bill is an estimate of what models cost a scope in the present month of UTC.
type Bill struct {
	Month time.Time `json:"month" doc:"its begin"`
	Until time.Time `json:"until" doc:"its end"`
	Spent float64   `json:"spent" doc:"USD so far, of the calls whose cost is known"`
	// Expected is Spent and what the rest of the month will cost by Method.
	Expected float64 `json:"expected"`
	// Low and High bound it in four of five months, as far as days have differed so far.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Method is weekday (each day to come costs what its weekday did in the last
	// four weeks), daily (each costs what a day did so far) or none.
	Method string `json:"method" enum:"weekday,daily,none"`
	// Days is on how many whole days it is based, from the first with a call.
	Days           int     `json:"days"`
	Unpriced       uint64  `json:"unpriced" doc:"calls of the month with tokens whose cost is not known: they are in no number above"`
	UnpricedTokens uint64  `json:"unpriced_tokens"`
	UnpricedShare  float64 `json:"unpriced_share" doc:"of the month's tokens, 0 to 1"`
}

const (
	billDays = 28
	// billWeeks is how many whole days show that weekdays differ.
	billWeeks = 14
	// spread80 is how many standard deviations around its mean hold four fifths of
	// a normal distribution.
	spread80 = 1.2816
)

// Bill estimates what models cost a scope this month.
func (l *Ledger) Bill(ctx context.Context, scope Scope, where map[string]string) (*Bill, error) {
	now := l.now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	from := now.Truncate(day).Add(-billDays * day)
	if from.After(month) {
		from = month
	}
	for name := range where {
		if Dimensions[name] == "" {
			return nil, fault.New(fault.Invalid, "use is not told apart by %q", name).WithField(name)
		}
	}
	byDay := map[int64]float64{}
	b := &Bill{Month: month, Until: month.AddDate(0, 1, 0)}
	if len(scope.Projects) > 0 {
		all := span{from: from, now: from, to: now.Add(time.Millisecond), rolled: rolledBefore(now), step: int64(day / time.Second)}
		rows, err := l.usedOver(ctx, scope, &Query{Where: where}, all, []string{""})
		if err != nil {
			return nil, fmt.Errorf("estimate the bill: %w", err)
		}
		var tokens uint64
		for i := range rows {
			byDay[rows[i].At] = rows[i].Cost
			if rows[i].At >= month.Unix() {
				b.Spent += rows[i].Cost
				b.Unpriced += rows[i].Unpriced
				b.UnpricedTokens += rows[i].UnTokens
				tokens += rows[i].Input + rows[i].Output
			}
		}
		if tokens > 0 {
			b.UnpricedShare = float64(b.UnpricedTokens) / float64(tokens)
		}
	}
	b.estimate(now, byDay)
	return b, nil
}

// estimate tells what the rest of the month costs from the cost of days, by their
// begin. A day without calls before the first one with some is no day at all; a
// day without calls after it cost nothing.
func (b *Bill) estimate(now time.Time, byDay map[int64]float64) {
	today := now.Truncate(day)
	var costs []float64 // of whole days, the latest first
	last := 0
	for i := 1; i <= billDays; i++ {
		cost, used := byDay[today.Add(time.Duration(-i)*day).Unix()]
		costs = append(costs, cost)
		if used {
			last = i
		}
	}
	costs = costs[:last]
	b.Days, b.Method = len(costs), "daily"
	b.Expected, b.Low, b.High = b.Spent, b.Spent, b.Spent
	passed := now.Sub(today)
	switch {
	case len(costs) == 0 && byDay[today.Unix()] > 0 && passed >= time.Hour: // only today tells anything
		costs = []float64{byDay[today.Unix()] / passed.Hours() * 24}
	case len(costs) == 0:
		b.Method = "none"
		return
	}
	all, weekday := mean(costs), map[time.Weekday]float64{}
	if len(costs) >= billWeeks {
		b.Method = "weekday"
		of := map[time.Weekday][]float64{}
		for i, cost := range costs {
			d := today.Add(time.Duration(-i-1) * day).Weekday()
			of[d] = append(of[d], cost)
		}
		for d, each := range of {
			weekday[d] = mean(each)
		}
	}
	expect := func(t time.Time) float64 {
		if b.Method == "weekday" {
			return weekday[t.Weekday()]
		}
		return all
	}
	var off float64
	for i, cost := range costs {
		off += math.Pow(cost-expect(today.Add(time.Duration(-i-1)*day)), 2)
	}
	rest, days := expect(today)*(1-passed.Hours()/24), 1-passed.Hours()/24
	for t := today.Add(day); t.Before(b.Until); t = t.Add(day) {
		rest += expect(t)
		days++
	}
	b.Expected += rest
	deviation := all // of one day nothing is known of how days differ
	if free := len(costs) - len(weekday); b.Method == "weekday" && free > 0 {
		deviation = math.Sqrt(off / float64(free))
	} else if len(costs) > 1 {
		deviation = math.Sqrt(off / float64(len(costs)-1))
	}
	// The days to come differ, and so does the mean that was taken for them.
	spread := spread80 * deviation * math.Sqrt(days+days*days/float64(len(costs)))
	b.Low, b.High = math.Max(b.Spent, b.Expected-spread), b.Expected+spread
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
