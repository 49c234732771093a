package ground

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// dimension keeps milliseconds from grounding a count.
type dimension int

const (
	plain dimension = iota
	duration
	percent
	ratio
	size
	ordinal
)

// quantity is a number with what it measures.
type quantity struct {
	value     float64 // as written
	unit      float64 // size of one written unit in the dimension's base: ms, bytes, 1
	dimension dimension
	bare      bool    // no unit was written
	ulp       float64 // the last written place, in written units
	zeros     float64 // 10^trailing zeros of an integer
	text      string
	start     int
	end       int
}

func (q quantity) base() float64 { return q.value * q.unit }

type unitOf struct {
	dimension dimension
	factor    float64
}

const day = 24 * 3600e3 // ms

var units = map[string]unitOf{
	"ns": {duration, 1e-6}, "나노초": {duration, 1e-6}, "us": {duration, 1e-3}, "µs": {duration, 1e-3}, "μs": {duration, 1e-3}, "마이크로초": {duration, 1e-3},
	"ms": {duration, 1}, "msec": {duration, 1}, "msecs": {duration, 1}, "millisecond": {duration, 1}, "milliseconds": {duration, 1}, "밀리초": {duration, 1},
	"s": {duration, 1e3}, "sec": {duration, 1e3}, "secs": {duration, 1e3}, "second": {duration, 1e3}, "seconds": {duration, 1e3}, "초": {duration, 1e3},
	"m": {duration, 60e3}, "min": {duration, 60e3}, "mins": {duration, 60e3}, "minute": {duration, 60e3}, "minutes": {duration, 60e3}, "분": {duration, 60e3},
	"h": {duration, 3600e3}, "hr": {duration, 3600e3}, "hrs": {duration, 3600e3}, "hour": {duration, 3600e3}, "hours": {duration, 3600e3}, "시간": {duration, 3600e3},
	"d": {duration, day}, "day": {duration, day}, "days": {duration, day}, "일": {duration, day}, "week": {duration, 7 * day}, "weeks": {duration, 7 * day}, "주": {duration, 7 * day},
	"%": {percent, 1}, "percent": {percent, 1}, "퍼센트": {percent, 1}, "프로": {percent, 1},
	"배": {ratio, 1}, "x": {ratio, 1}, "×": {ratio, 1}, "times": {ratio, 1}, "fold": {ratio, 1},
	"b": {size, 1}, "byte": {size, 1}, "bytes": {size, 1}, "바이트": {size, 1}, "kb": {size, 1e3}, "mb": {size, 1e6}, "gb": {size, 1e9}, "kib": {size, 1 << 10}, "mib": {size, 1 << 20}, "gib": {size, 1 << 30},
	"번째": {ordinal, 1}, "차": {ordinal, 1}, "가지": {ordinal, 1}, "단계": {ordinal, 1}, "순위": {ordinal, 1}, "위": {ordinal, 1}, "st": {ordinal, 1}, "nd": {ordinal, 1}, "rd": {ordinal, 1}, "th": {ordinal, 1},
	"회": {plain, 1}, "건": {plain, 1}, "번": {plain, 1}, "개": {plain, 1}, "행": {plain, 1}, "줄": {plain, 1}, "rows": {plain, 1}, "row": {plain, 1}, "count": {plain, 1}, "calls": {plain, 1},
}

var (
	numeral    = regexp.MustCompile(`(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?`)
	latinUnit  = regexp.MustCompile(`^[ \x{00A0}-]?(%|×|fold|[A-Za-zµμ]+)`)
	koreanUnit = regexp.MustCompile(`^ ?(나노초|마이크로초|밀리초|초|분|시간|일|주|퍼센트|프로|배|바이트|번째|차|가지|단계|순위|위|회|건|번|개|행|줄)`)
	multiplier = regexp.MustCompile(`^ ?(천|만|억|[kKM]\b)`)
	scale      = map[string]float64{"천": 1e3, "만": 1e4, "억": 1e8, "k": 1e3, "K": 1e3, "M": 1e6}
)

// quantities reads every number of text with its unit. Digits inside a word
// (p95, utf8mb4) are part of the word, not numbers.
func quantities(text string) []quantity {
	var all []quantity
	for _, loc := range numeral.FindAllStringIndex(text, -1) {
		if loc[0] > 0 && (letterByte(text[loc[0]-1]) || text[loc[0]-1] == '_') {
			continue
		}
		q := parseNumber(text[loc[0]:loc[1]])
		q.start, q.end = loc[0], loc[1]
		rest := text[loc[1]:]
		if m := multiplier.FindStringSubmatch(rest); m != nil {
			by := scale[m[1]]
			q.value, q.ulp, q.zeros = q.value*by, q.ulp*by, q.zeros*by
			rest, q.end = rest[len(m[0]):], q.end+len(m[0])
		}
		name, n := unitName(rest)
		if n == 0 && rest != "" && letterByte(rest[0]) {
			continue // 2ghw8, 5xx: a word that begins with a digit
		}
		if q.bare = n == 0; !q.bare {
			q.dimension, q.unit = units[name].dimension, units[name].factor
			q.end += n
		}
		q.text = strings.TrimSpace(text[q.start:q.end])
		all = append(all, q)
	}
	return all
}

func parseNumber(written string) quantity {
	digits := strings.ReplaceAll(written, ",", "")
	value, _ := strconv.ParseFloat(digits, 64) // out of range is +Inf, which no evidence states
	q := quantity{value: value, unit: 1, ulp: 1, zeros: 1}
	if _, fraction, ok := strings.Cut(digits, "."); ok {
		q.ulp = math.Pow10(-len(fraction))
		return q
	}
	for n := len(digits) - 1; n > 0 && digits[n] == '0'; n-- {
		q.zeros *= 10
	}
	return q
}

// unitName returns the unit at the start of rest and its length, spaces included.
func unitName(rest string) (name string, n int) {
	if m := koreanUnit.FindStringSubmatch(rest); m != nil {
		after := rest[len(m[0]):]
		// 8000초과 exceeds 8000, 3분석 is no minutes.
		if m[1] == "초" && strings.HasPrefix(after, "과") || m[1] == "분" && (strings.HasPrefix(after, "석") || strings.HasPrefix(after, "기")) {
			return "", 0
		}
		return m[1], len(m[0])
	}
	m := latinUnit.FindStringSubmatch(rest)
	if m == nil {
		return "", 0
	}
	name = strings.ToLower(m[1])
	if _, ok := units[name]; !ok {
		return "", 0
	}
	return name, len(m[0])
}

// says reports whether q, as written, states the known quantity k: equal,
// rounded to the places written, or cut off there when that hides less than a
// tenth. Loosely also allows trailing zeros to be rounding ("about 11,000 ms").
func (q quantity) says(k quantity, loosely bool) bool {
	known := k.base() / q.unit
	if q.value == 0 || known == 0 {
		return q.value == known
	}
	ulp := q.ulp
	if loosely && q.zeros > 1 {
		ulp = math.Min(q.zeros, math.Pow10(int(math.Log10(q.value))-1))
		ulp = math.Max(ulp, q.ulp)
	}
	const epsilon = 1e-9
	difference := known - q.value
	tolerance := epsilon * math.Abs(known)
	if math.Abs(difference) <= ulp/2+tolerance {
		return true
	}
	return difference > 0 && difference < ulp-tolerance && difference < known/10
}

func letterByte(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
