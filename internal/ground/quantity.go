package ground

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// dimension keeps milliseconds from grounding a count, and the number of a step
// from grounding how often it ran.
type dimension int

const (
	plain dimension = iota // a bare number: of what, nothing says
	duration
	percent
	ratio
	size
	ordinal
	count  // how many or how often: executions, rows, tables
	often  // "3 times": a count or a ratio
	number // "3번": a count or the number of a step
	step   // the number of a step
	status // an HTTP status
)

// quantity is a number with what it measures.
type quantity struct {
	value     float64 // as written
	unit      float64 // size of one written unit in the dimension's base: ms, bytes, 1
	dimension dimension
	bare      bool    // no unit was written
	things    bool    // a count of things (3개, 3 tables), which may be counted in the facts
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
	"배": {ratio, 1}, "x": {ratio, 1}, "×": {ratio, 1}, "times": {often, 1}, "fold": {ratio, 1},
	"b": {size, 1}, "byte": {size, 1}, "bytes": {size, 1}, "바이트": {size, 1}, "kb": {size, 1e3}, "mb": {size, 1e6}, "gb": {size, 1e9}, "kib": {size, 1 << 10}, "mib": {size, 1 << 20}, "gib": {size, 1 << 30},
	"번째": {ordinal, 1}, "차": {ordinal, 1}, "가지": {ordinal, 1}, "단계": {ordinal, 1}, "순위": {ordinal, 1}, "위": {ordinal, 1}, "st": {ordinal, 1}, "nd": {ordinal, 1}, "rd": {ordinal, 1}, "th": {ordinal, 1},
	"회": {count, 1}, "건": {count, 1}, "번": {number, 1}, "개": {count, 1}, "행": {count, 1}, "줄": {count, 1}, "rows": {count, 1}, "row": {count, 1}, "count": {count, 1}, "calls": {count, 1},
}

var (
	numeral    = regexp.MustCompile(`(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?`)
	latinUnit  = regexp.MustCompile(`^[ \x{00A0}-]?(%|×|fold|[A-Za-zµμ]+)`)
	koreanUnit = regexp.MustCompile(`^ ?(나노초|마이크로초|밀리초|초|분|시간|일|주|퍼센트|프로|배|바이트|번째|차|가지|단계|순위|위|회|건|번|개|행|줄)`)
	multiplier = regexp.MustCompile(`^ ?(천|만|억|[kKM]\b)`)
	stepBefore = regexp.MustCompile(`(?i)(?:인덱스|스텝|단계|\bstep|\bindex)\s*(?:번호\s*)?[#:]?\s*$`)
	codeBefore = regexp.MustCompile(`(?i)(?:\bstatus(?: code)?|상태(?:\s*코드)?|응답\s*코드|\bhttp)(?:는|가|은|이| of| is)?[:=]?\s*$`)
	thingAfter = regexp.MustCompile(`(?i)^(?: [a-z-]+){0,2} (?:statements|queries|executions|calls|requests|tables|exceptions|instances|steps|samples|transactions|traces|facts)\b`)
	timesAfter = regexp.MustCompile(`^\s*(?:이나\s*)?(?:실행|수행|호출|발생|반복|조회|감지|시도|기록|조인|JOIN)`)
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
		before := text[max(0, q.start-24):q.start]
		switch q.bare = n == 0; {
		case q.bare && stepBefore.MatchString(before), name == "번" && stepBefore.MatchString(before):
			q.dimension = step
		case q.bare && codeBefore.MatchString(before):
			q.dimension = status
		case q.bare && thingAfter.MatchString(rest):
			q.dimension, q.things = count, true
		case !q.bare:
			q.dimension, q.unit, q.things = units[name].dimension, units[name].factor, name == "개" || name == "건"
			q.end += n
			if q.dimension == number && timesAfter.MatchString(rest[n:]) {
				q.dimension = count
			}
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
	if _, ok := units[name]; !ok || len(m[0]) < len(rest) && nameByte(rest[len(m[0])]) && rest[len(m[0])] != '-' {
		return "", 0 // 3d6945 is no three days
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
