package notify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Chart is what an alarm measured, minute by minute. It travels as numbers and
// is drawn when it is sent, in the time zone and the language of who gets it.
type Chart struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// FiringFrom and FiringTo are when the alarm's trouble was.
	FiringFrom time.Time `json:"firing_from"`
	FiringTo   time.Time `json:"firing_to"`
	// Limit is from where a value counts, upwards or, when it is Below,
	// downwards; nil when values are not compared with one number.
	Limit *float64 `json:"limit,omitempty"`
	Below bool     `json:"below,omitempty"`
	Unit  string   `json:"unit,omitempty"` // of values: ms, %, "" for a plain number
	// Calls says that single calls are counted, not minutes.
	Calls  bool    `json:"calls,omitempty"`
	Points []Point `json:"points"` // oldest first, at most one for a minute
}

// Point is the worst value of one minute.
type Point struct {
	At    time.Time `json:"at"` // when the minute begins
	Value float64   `json:"value"`
	// Usual is what is measured at that hour of the week, nil when it is not known.
	Usual *float64 `json:"usual,omitempty"`
	// Count is how many calls were beyond the limit, 1 for a minute that was, and
	// 0 for one that was back within it but not yet calm.
	Count int `json:"count"`
}

// quantity writes a value of the chart with its unit, with at most three
// significant digits below a thousand and none behind the point above.
func (c *Chart) quantity(v float64) string {
	digits := 0
	if v != 0 && math.Abs(v) < 1000 {
		digits = max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	}
	text := strconv.FormatFloat(v, 'f', min(digits, 6), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	switch c.Unit {
	case "":
		return whole
	case "%":
		return whole + "%"
	}
	return whole + " " + c.Unit
}

// worst returns the point that is furthest beyond the limit.
func (c *Chart) worst() Point {
	return slices.MaxFunc(c.Points, func(a, b Point) int {
		order := cmp.Compare(a.Value, b.Value)
		if c.Below {
			order = -order
		}
		return order
	})
}

// limit says from where a value counts, in signs.
func (c *Chart) limit() string {
	sign := "≥ "
	if c.Below {
		sign = "≤ "
	}
	return sign + c.quantity(*c.Limit)
}

// words say what the picture shows.
func (c *Chart) words(language string, zone *time.Location) string {
	ko := language == "ko"
	count := 0
	for _, p := range c.Points {
		count += p.Count
	}
	worst := c.worst()
	from, to := c.From.In(zone), c.To.In(zone)
	span := from.Format("15:04") + "–" + to.Format("15:04 MST")
	var parts []string
	add := func(korean, english string, args ...any) {
		if ko {
			english = korean
		}
		parts = append(parts, fmt.Sprintf(english, args...))
	}
	switch {
	case c.Limit != nil && c.Calls:
		add("기준(%[1]s)을 벗어난 호출 %[2]d건", "%[2]d calls beyond the limit (%[1]s)", c.limit(), count)
	case c.Limit != nil:
		add("기준(%[1]s)을 벗어난 시간 %[2]d분", "%[2]d minutes beyond the limit (%[1]s)", c.limit(), count)
	case c.Calls:
		add("감지된 호출 %d건", "%d calls were counted", count)
	default:
		add("감지된 시간 %d분", "%d minutes were counted", count)
	}
	add("가장 나쁜 값 %s(%s)", "at worst %s (%s)", c.quantity(worst.Value), worst.At.In(zone).Format("15:04"))
	if worst.Usual != nil {
		add("평소 %s", "usually %s", c.quantity(*worst.Usual))
	}
	return span + ": " + strings.Join(parts, ", ")
}

// Picture draws the chart for a reader of a language in a time zone; nil when
// there is nothing to draw.
func (c *Chart) Picture(language string, zone *time.Location) *Picture {
	drawn := *c
	drawn.Points = slices.DeleteFunc(slices.Clone(c.Points), func(p Point) bool {
		return p.At.Before(c.From) || !p.At.Before(c.To) || math.IsNaN(p.Value) || math.IsInf(p.Value, 0)
	})
	if len(drawn.Points) == 0 || !c.From.Before(c.To) || c.To.Sub(c.From) > 24*time.Hour {
		return nil
	}
	return &Picture{Name: "chart", Alt: drawn.words(language, zone), PNG: drawn.draw(zone), Width: chartWidth / 2}
}
