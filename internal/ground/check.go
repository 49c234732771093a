package ground

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Violation is something a text states that the evidence does not contain.
type Violation struct {
	Kind string // number, time, table, identifier, address
	Text string // as the text writes it
}

// String says it in English, fit to be sent to a model that is to repair its text.
func (v Violation) String() string {
	return fmt.Sprintf("the %s %q is not in the evidence", v.Kind, v.Text)
}

// Checker checks texts against one bundle.
type Checker struct {
	known *known
	found []Violation
}

// NewChecker reads the bundle once, for several texts.
func NewChecker(b *Bundle) *Checker { return &Checker{known: learn(b)} }

// Check is NewChecker(b).Check(text).
func Check(text string, b *Bundle) []Violation { return NewChecker(b).Check(text) }

// Check returns what text (Korean or English) states and the evidence does not,
// each thing once, in the order of the checks:
//
//   - addresses: URLs, hosts, IPs, paths, e-mails, long ids and versions must be
//     named by the evidence;
//   - dates and times of day must be those of the evidence;
//   - identifiers: names with an underscore, qualified names, words in backticks
//     and names used as a table must occur in the evidence, unless they are
//     words of SQL or settings of a database;
//   - numbers must be those of the evidence with a unit of the same kind (ms, s
//     and 분 are one kind), equal or rounded to the places written; a count is
//     grounded by counts and rows only, not by the number of a step or a status.
//     Percentages and ratios are not computed: they must be stated, spelled out
//     (두 배, half) as in digits. Free are list numbers, ordinals up to ten
//     (2가지), a count of one (1회) and counts of the facts themselves
//     (3 statements, 4 tables).
func (c *Checker) Check(text string) []Violation {
	c.found = nil
	text = norm.NFKC.String(text)
	text = listNumber.ReplaceAllStringFunc(text, blank)
	text = c.addresses(text)
	text = c.times(text)
	c.tables(text)
	text = c.identifiers(text)
	c.numbers(c.spelled(text))
	return c.found
}

func (c *Checker) refuse(kind, text string) {
	v := Violation{Kind: kind, Text: strings.TrimSpace(text)}
	if !slices.Contains(c.found, v) {
		c.found = append(c.found, v)
	}
}

var listNumber = regexp.MustCompile(`(?m)^\s*[0-9]{1,2}[.)](?:\s|$)`)

var (
	roughlyBefore = regexp.MustCompile(`(?i)(?:약|대략|거의|최대|최소|about|around|approximately|roughly|nearly|almost|over|more than|at least|up to|~|≈)\s*$`)
	roughlyAfter  = regexp.MustCompile(`(?i)^\s?(?:이상|초과|가량|정도|여|대|내외|수준|안팎|를 넘|을 넘|or more|and more|\+)`)
	manyToMany    = regexp.MustCompile(`\b[1N]:[1NM]\b|\bN\+1\b|\bHTTP/[0-9](?:\.[0-9])?\b`)
)

func (c *Checker) numbers(text string) {
	text = manyToMany.ReplaceAllStringFunc(text, blank)
	for _, q := range quantities(text) {
		loosely := roughlyBefore.MatchString(text[max(0, q.start-24):q.start]) || roughlyAfter.MatchString(text[q.end:])
		if !c.stated(q, loosely, strings.HasPrefix(strings.TrimLeft(text[q.end:], " "), "~")) {
			c.refuse("number", q.text)
		}
	}
}

// stated reports whether the evidence states q.
func (c *Checker) stated(q quantity, loosely, openRange bool) bool {
	switch q.dimension {
	case ordinal:
		if q.value <= 10 {
			return true
		}
	case plain, count, number:
		countable := q.things || q.bare
		if q.value == 1 || countable && q.ulp == 1 && q.value < 1e6 && c.known.counts[int(q.value)] {
			return true
		}
	}
	for _, k := range c.known.quantities {
		if q.says(k, loosely) && compatible(q, k, openRange) {
			return true
		}
	}
	// A share kept as a ratio may be told in percent.
	if q.dimension == percent {
		for _, k := range c.known.quantities {
			k.value *= 100
			if k.dimension == ratio && k.value <= 100 && q.says(k, loosely) {
				return true
			}
		}
	}
	return false
}

// compatible reports whether a number of q's kind may state k.
func compatible(q, k quantity, openRange bool) bool {
	switch q.dimension {
	case k.dimension:
		return true
	case often:
		return k.dimension == ratio || k.dimension == count
	case number:
		return k.dimension == step || k.dimension == count
	case ordinal:
		return k.dimension == plain || k.dimension == step || k.dimension == count
	case plain:
		switch k.dimension {
		case step, status, count, ratio:
			return true
		}
		// A bare number has lost its unit when it opens a range or is too
		// particular to be anything else.
		return q.value >= 100 || q.ulp < 1 || openRange
	}
	return false
}

var (
	koreanDate  = regexp.MustCompile(`(?:([0-9]{4})년\s*)?([0-9]{1,2})월\s*([0-9]{1,2})일`)
	koreanDay   = regexp.MustCompile(`\b([0-9]{1,2})일`)
	koreanClock = regexp.MustCompile(`(오전|오후)?\s*([0-9]{1,2})시(?:\s*([0-9]{1,2})분)?(간?)`)
	months      = `jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?`
	englishDate = regexp.MustCompile(`(?i)\b(?:(` + months + `)\.?\s+([0-9]{1,2})(?:st|nd|rd|th)?|([0-9]{1,2})(?:st|nd|rd|th)?\s+(` + months + `))\b(?:,?\s+([0-9]{4})\b)?`)
)

// times checks dates and times of day and takes them out of the text.
func (c *Checker) times(text string) string {
	k := c.known
	check := func(re *regexp.Regexp, ok func(m []string) (valid, taken bool)) {
		text = re.ReplaceAllStringFunc(text, func(s string) string {
			valid, taken := ok(re.FindStringSubmatch(s))
			if taken && !valid {
				c.refuse("time", s)
			}
			if taken {
				return blank(s)
			}
			return s
		})
	}
	check(dateForm, func(m []string) (bool, bool) { return k.dates[m[1]+"-"+pad(m[2])+"-"+pad(m[3])], true })
	check(koreanDate, func(m []string) (bool, bool) {
		if m[1] != "" {
			return k.dates[m[1]+"-"+pad(m[2])+"-"+pad(m[3])], true
		}
		return k.days[pad(m[2])+"-"+pad(m[3])], true
	})
	check(koreanDay, func(m []string) (bool, bool) { return true, k.days[pad(m[1])] })
	check(englishDate, func(m []string) (bool, bool) {
		month := strings.ToLower(m[1] + m[4])[:3]
		number := pad(fmt.Sprint(strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", month)/3 + 1))
		day := number + "-" + pad(m[2]+m[3])
		if m[5] != "" {
			return k.dates[m[5]+"-"+day], true
		}
		return k.days[day], true
	})
	check(clock, func(m []string) (bool, bool) {
		at := pad(m[1]) + ":" + m[2]
		if m[3] != "" {
			at += ":" + m[3]
		}
		return k.clocks[at], true
	})
	check(koreanClock, func(m []string) (bool, bool) {
		if m[4] != "" { // 3시간 is a duration
			return true, false
		}
		hours := []string{pad(m[2])}
		if m[1] == "오후" && m[2] != "12" {
			if h, err := strconv.Atoi(m[2]); err == nil {
				hours = append(hours, strconv.Itoa(h+12))
			}
		}
		for _, h := range hours {
			if m[3] == "" && k.clocks[h] || m[3] != "" && k.clocks[h+":"+pad(m[3])] {
				return true, true
			}
		}
		return false, true
	})
	return text
}
