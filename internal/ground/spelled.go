package ground

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// spelledNumber are the number words of counts and ratios, 번 and 배 behind them.
var spelledNumber = map[string]float64{
	"두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10,
	"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"twice": 2, "thrice": 3,
}

var (
	koreanSpelled  = regexp.MustCompile(`(두|세|네|다섯|여섯|일곱|여덟|아홉|열)\s*(배|번|차례)`)
	englishSpelled = regexp.MustCompile(`(?i)\b(?:(twice|thrice)|(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?: times|-?fold))\b`)
	aHalf          = regexp.MustCompile(`(?i)절반|\bhalf\b`)
	// What 배 and 번 begin when they are no units: 두 배포, 세 번째.
	otherNoun  = regexp.MustCompile(`^(?:배(?:포|치|열|경|분|달|송|당|율)|번(?:째|호|갈))`)
	moreBefore = regexp.MustCompile(`(?i)(?:over|more than|at least)\s*$`)
	moreAfter  = regexp.MustCompile(`(?i)^\s?(?:이상|초과|(?:를|을) 넘|or more)`)
)

// spelled checks counts and ratios that are written as words, and takes them
// out of the text.
func (c *Checker) spelled(text string) string {
	out := []byte(text)
	check := func(start, end int, q quantity) {
		q.unit, q.ulp, q.zeros = 1, 1, 1
		if !c.stated(q, false, false) {
			c.refuse("number", text[start:end])
		}
		copy(out[start:end], blank(text[start:end]))
	}
	for _, m := range koreanSpelled.FindAllStringSubmatchIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:m[0]])
		if unicode.Is(unicode.Hangul, before) || otherNoun.MatchString(text[m[4]:]) {
			continue // 추세 배포
		}
		q := quantity{value: spelledNumber[text[m[2]:m[3]]], dimension: count}
		if text[m[4]:m[5]] == "배" {
			q.dimension = ratio
		}
		check(m[0], m[1], q)
	}
	for _, m := range englishSpelled.FindAllStringSubmatchIndex(text, -1) {
		word := text[max(m[2], m[4]):max(m[3], m[5])]
		check(m[0], m[1], quantity{value: spelledNumber[strings.ToLower(word)], dimension: often})
	}
	for _, m := range aHalf.FindAllStringIndex(text, -1) {
		more := moreBefore.MatchString(text[:m[0]]) || moreAfter.MatchString(text[m[1]:])
		if !c.known.half(more) {
			c.refuse("number", text[m[0]:m[1]])
		}
	}
	return string(out)
}

// half reports whether the evidence states about a half of something, or, for
// "more than half", a larger share.
func (k *known) half(more bool) bool {
	for _, q := range k.quantities {
		switch v := q.base(); q.dimension {
		case percent:
			if v >= 45 && (v <= 55 || more) {
				return true
			}
		case ratio:
			if v >= 0.45 && v <= 0.55 || v >= 1.8 && v <= 2.2 {
				return true
			}
		}
	}
	return false
}
