package investigate

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/mask"
)

// Lengths in bytes at which texts are cut.
const (
	maxName     = 200
	maxLine     = 300 // of a log pattern, of a statement
	maxQuestion = 500
)

// much is the ratio from which on something deviates.
const much = 2

// fact makes a fact of a text and its values.
func fact(kind, text string, values ...ground.Value) ground.Fact {
	f := ground.Fact{Kind: kind, Text: ground.Line(text)}
	for _, v := range values {
		if v.Value != "" {
			f.Values = append(f.Values, v)
		}
	}
	return f
}

func text(name, value string) ground.Value { return ground.Value{Name: name, Value: value} }

func named(name, value string, class mask.Class) ground.Value {
	return ground.Value{Name: name, Value: value, Class: class}
}

func service(name string) ground.Value { return named("service", name, mask.Name) }

// address classes a host, which may be an address of IP.
func address(name, value string) ground.Value {
	host := value
	if h, _, err := net.SplitHostPort(value); err == nil {
		host = h
	}
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return named(name, value, mask.IP)
	}
	return named(name, value, mask.Host)
}

func count(name string, n uint64) ground.Value {
	return ground.Value{Name: name, Value: strconv.FormatUint(n, 10), Unit: "count"}
}

func ms(name string, ns int64) ground.Value {
	return ground.Value{Name: name, Value: milliseconds(ns), Unit: "ms"}
}

// deviates is how many times as much now is as it usually is, with words that
// say so; nothing when it is less than twice, or when what is usual is not known.
func deviates(now, usual float64, known bool) (ground.Value, string) {
	switch {
	case !known || now <= 0 || now < much*usual:
		return ground.Value{}, ""
	case usual <= 0:
		return text(ground.Deviates, "new"), ", which is new"
	}
	ratio := number(now / usual)
	return ground.Value{Name: ground.Deviates, Value: ratio, Unit: "ratio"}, ", " + ratio + " times as much"
}

// perMinute is how often something came in a minute of a time.
func perMinute(n uint64, from, to time.Time) float64 {
	return float64(n) / max(to.Sub(from).Minutes(), 1)
}

// milliseconds writes ns as whole ms from 100 ms on, below with two places.
func milliseconds(ns int64) string {
	v := float64(ns) / 1e6
	if v >= 100 {
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	}
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

// number writes v with at most four places that tell, never as a power of ten.
func number(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strings.ToLower(fmt.Sprint(v))
	}
	places := max(0, 3-int(math.Floor(math.Log10(math.Abs(v)))))
	rounded := strconv.FormatFloat(v, 'f', min(places, 12), 64)
	if strings.Contains(rounded, ".") {
		rounded = strings.TrimRight(strings.TrimRight(rounded, "0"), ".")
	}
	return rounded
}

// clip cuts a text visibly at n bytes, between runes.
func clip(s string, n int) string {
	const mark = "…"
	if len(s) <= n {
		return s
	}
	for n -= len(mark); n > 0 && !utf8.RuneStart(s[n]); {
		n--
	}
	return s[:n] + mark
}
