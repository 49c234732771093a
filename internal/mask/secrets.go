package mask

import (
	_ "embed" // the rules of gitleaks
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// gitleaksJSON are the rules of gitleaks as data, with their MIT licence.
//
//go:embed gitleaks.json
var gitleaksJSON []byte

// rule is one rule of gitleaks. A near rule is about a value beside the name of its
// vendor; any other one knows a secret by its own form.
type rule struct {
	ID       string   `json:"id"`
	Regex    string   `json:"regex"`
	Keywords []string `json:"keywords"`
	Near     bool     `json:"near"`
	Group    int      `json:"group"`
	atStart  bool     // the secret begins with the keyword, at the beginning of a word
	re       func() *regexp.Regexp
}

// secretRules are the rules with the automaton of their keywords. No regular
// expression is compiled before its keyword was seen.
type secretRules struct {
	rules   []rule
	words   *automaton
	keyword []string
	of      [][]int // rules by keyword
}

var loadRules = sync.OnceValue(func() *secretRules {
	var file struct {
		Rules []rule `json:"rules"`
	}
	if err := json.Unmarshal(gitleaksJSON, &file); err != nil {
		panic("mask: the embedded rules of gitleaks: " + err.Error()) // a fault of the build; a test reads them
	}
	s := &secretRules{rules: file.Rules}
	index := map[string]int{}
	for i := range s.rules {
		r := &s.rules[i]
		r.atStart = strings.HasPrefix(r.Regex, `\b`) || strings.HasPrefix(r.Regex, `(?i)\b`)
		r.re = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(r.Regex) })
		for _, word := range r.Keywords {
			k, ok := index[word]
			if !ok {
				k = len(s.keyword)
				index[word] = k
				s.keyword = append(s.keyword, word)
				s.of = append(s.of, nil)
			}
			s.of[k] = append(s.of[k], i)
		}
	}
	s.words = newAutomaton(s.keyword)
	return s
})

const (
	minSecret   = 12 // characters of the shortest value a rule is asked about
	vendorReach = 48 // bytes before a value in which its vendor is looked for
)

// token looks at a long word of letters and digits and claims it when it has
// the form of a secret. It returns where it ends, else 0.
func (sc *scanner) token(w word) int {
	text := sc.text
	end := w.end
	for end < len(text) && (wordByte(text[end]) || strings.IndexByte("-._~+/=", text[end]) >= 0) {
		end++
	}
	value := text[w.start:end]
	if n := ownForm(value); n > 0 {
		sc.claim(w.start, w.start+n, Secret, true)
		return w.start + n
	}
	rules := loadRules()
	claimed := 0
	// The rules about a form see the word; those about a vendor what stands before it, too.
	from := w.start
	near := assigned(text, w.start)
	if near {
		from = max(0, w.start-vendorReach)
	}
	seen := text[from:min(end, w.start+160)]
	recent := &sc.recent[keyOf(seen).hash()>>59]
	if *recent == seen {
		return 0
	}
	rules.words.find(seen, func(k, at int) {
		for _, i := range rules.of[k] {
			r := &rules.rules[i]
			if begin := from + at - len(rules.keyword[k]); claimed > 0 || r.Near && !near || !r.Near && (begin < w.start || begin > w.start && r.atStart) {
				continue
			}
			begin := w.start
			if r.Near {
				begin = from
			} else if begin > 0 {
				begin-- // what stands before decides about \b
			}
			for _, loc := range r.re().FindAllStringSubmatchIndex(text[begin:min(len(text), end+2)], -1) {
				g := 2 * r.Group
				if r.Group == 0 && len(loc) > 2 && loc[2] >= 0 {
					g = 2
				}
				if start, stop := begin+loc[g], begin+loc[g+1]; start >= w.start && stop > start {
					sc.claim(start, stop, Secret, true)
					claimed = stop
				}
			}
		}
	})
	if claimed == 0 {
		*recent = seen
	}
	return claimed
}

// assigned says that the value at i is assigned to something, or the next of a list.
func assigned(text string, i int) bool {
	for n := 0; i > 0 && n < 6; n++ {
		i--
		switch text[i] {
		case '=', ':', '>', '|', ',':
			return true
		case ' ', '\'', '"', '`', '\t', '\\':
		default:
			return false
		}
	}
	return false
}

// ownForm returns the length of the secret a value begins with by forms that need no
// rule: JSON web tokens, keys of OpenAI and of AWS, Twilio, Vault and Azure.
func ownForm(value string) int {
	name := 0
	for name < len(value) && (wordByte(value[name]) || value[name] == '-') {
		name++
	}
	switch {
	case strings.HasPrefix(value, "eyJ") && len(value) >= 20:
		n := 0
		for n < len(value) && (wordByte(value[n]) || value[n] == '-' || value[n] == '.' || value[n] == '=') {
			n++
		}
		if strings.Contains(value[:n], ".") && n > 24 {
			return len(strings.TrimRight(value[:n], "."))
		}
	case strings.HasPrefix(value, "sk-") && name >= 19 && strings.ContainsAny(value[:name], "0123456789"):
		return name
	case len(value) >= 20 && (strings.HasPrefix(value, "AKIA") || strings.HasPrefix(value, "ASIA")) && name == 20:
		return name
	case name == 34 && (value[:2] == "SK" || value[:2] == "AC") && strings.Trim(value[2:name], "0123456789abcdefABCDEF") == "":
		return name
	case len(value) >= 26 && value[:2] == "s." && strings.Trim(value[2:26], "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && strings.ContainsAny(value, "0123456789"):
		return 26
	case len(value) >= 37 && value[4:6] == "Q~":
		n := 0
		for n < len(value) && (wordByte(value[n]) || value[n] == '~' || value[n] == '.' || value[n] == '-') {
			n++
		}
		return n
	}
	return 0
}

// privateKey returns the length of the private key in PEM that text begins with,
// to its end or, when it was cut, to where its lines end; also with its line
// breaks escaped.
func privateKey(text string) int {
	if !strings.HasPrefix(text, "-----BEGIN ") {
		return 0
	}
	line := text[:min(len(text), 80)]
	if !strings.Contains(line, "PRIVATE KEY") {
		return 0
	}
	body := strings.Index(text[11:], "-----")
	if body < 0 {
		return len(text)
	}
	body += 11 + 5
	if end := strings.Index(text[body:], "-----END "); end >= 0 {
		if last := strings.Index(text[body+end+9:], "-----"); last >= 0 && last < 60 {
			return body + end + 9 + last + 5
		}
	}
	n := body
	for n < len(text) && (wordByte(text[n]) || strings.IndexByte("+/=\n\r\\ :,-", text[n]) >= 0) {
		n++
	}
	return n
}
