package mask

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Limits of one policy; a policy is applied to every text of a conversation.
const (
	maxPatterns      = 50
	maxPatternLength = 1000
	maxWords         = 2000 // of all dictionaries together
	maxAllowed       = 2000
	maxWordLength    = 200 // bytes of a word or of an allowed text
)

// Policy says what a role or a project masks beside and instead of the
// defaults. The zero value is the default: every class is on.
type Policy struct {
	// Off are the classes that are not masked. Secret and Cookie cannot be off.
	Off []Class `json:"off,omitempty"`
	// Patterns are matched in free text, and what they match is of the class Custom.
	Patterns []Pattern `json:"patterns,omitempty"`
	// Dictionaries hold words by the name of the list, such as names of people.
	// They are masked as the class Person wherever they stand as whole words.
	Dictionaries map[string][]string `json:"dictionaries,omitempty"`
	// Allow are exact texts that are never masked, in any case of letters.
	Allow []string `json:"allow,omitempty"`
}

// Pattern is an own pattern in RE2 syntax. Its first group is masked when it has
// one, else the whole match.
type Pattern struct {
	Name    string `json:"name"`
	Pattern string `json:"pattern"`
}

// Check returns fault.Invalid naming the field when the policy cannot be applied.
func (p Policy) Check() error {
	for i, c := range p.Off {
		field := fmt.Sprintf("off[%d]", i)
		switch {
		case !slices.Contains(Classes(), c):
			return fault.New(fault.Invalid, "there is no class %q", c).WithField(field)
		case secret(c):
			return fault.New(fault.Invalid, "the class %q cannot be switched off", c).WithField(field)
		}
	}
	if len(p.Patterns) > maxPatterns {
		return fault.New(fault.Invalid, "at most %d patterns", maxPatterns).WithField("patterns")
	}
	names := map[string]bool{}
	for i, own := range p.Patterns {
		field := fmt.Sprintf("patterns[%d]", i)
		if own.Name == "" || names[own.Name] {
			return fault.New(fault.Invalid, "a pattern needs a name of its own").WithField(field + ".name")
		}
		names[own.Name] = true
		if len(own.Pattern) > maxPatternLength {
			return fault.New(fault.Invalid, "a pattern has at most %d bytes", maxPatternLength).WithField(field + ".pattern")
		}
		re, err := regexp.Compile(own.Pattern)
		if err != nil {
			return fault.New(fault.Invalid, "the pattern is not valid RE2: %s", err).WithField(field + ".pattern")
		}
		if own.Pattern == "" || re.MatchString("") {
			return fault.New(fault.Invalid, "the pattern matches the empty text").WithField(field + ".pattern")
		}
	}
	words := 0
	for name, list := range p.Dictionaries {
		field := fmt.Sprintf("dictionaries[%q]", name)
		if strings.TrimSpace(name) == "" {
			return fault.New(fault.Invalid, "a dictionary needs a name").WithField("dictionaries")
		}
		for i, word := range list {
			if n := len([]rune(strings.TrimSpace(word))); n < 2 || len(word) > maxWordLength {
				return fault.New(fault.Invalid, "a word has between 2 characters and %d bytes", maxWordLength).WithField(fmt.Sprintf("%s[%d]", field, i))
			}
		}
		if words += len(list); words > maxWords {
			return fault.New(fault.Invalid, "at most %d words in all dictionaries together", maxWords).WithField(field)
		}
	}
	if len(p.Allow) > maxAllowed {
		return fault.New(fault.Invalid, "at most %d allowed texts", maxAllowed).WithField("allow")
	}
	for i, text := range p.Allow {
		if strings.TrimSpace(text) == "" || len(text) > maxWordLength {
			return fault.New(fault.Invalid, "an allowed text has between 1 and %d bytes", maxWordLength).WithField(fmt.Sprintf("allow[%d]", i))
		}
	}
	return nil
}

// secret says that a class can never be switched off.
func secret(c Class) bool { return c == Secret || c == Cookie }

// rules is a policy made ready for use.
type rules struct {
	off   map[Class]bool
	own   []*regexp.Regexp
	words []string
	allow map[string]bool // folded
}

// rules returns the policy ready for use. What Check would refuse is left out
// in the direction of masking more: unknown patterns aside, nothing is allowed
// or switched off that may not be.
func (p Policy) rules() (*rules, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	r := &rules{off: map[Class]bool{}, allow: map[string]bool{}}
	for _, c := range p.Off {
		r.off[c] = true
	}
	for _, own := range p.Patterns {
		r.own = append(r.own, regexp.MustCompile(own.Pattern))
	}
	for _, list := range p.Dictionaries {
		for _, word := range list {
			r.words = append(r.words, strings.TrimSpace(word))
		}
	}
	for _, text := range p.Allow {
		r.allow[fold(strings.TrimSpace(text))] = true
	}
	slices.Sort(r.words)
	return r, nil
}

// passes says that a piece of text is left as it is, by the policy.
func (r *rules) passes(class Class, text string) bool {
	return r.off[class] || len(r.allow) > 0 && r.allow[fold(text)]
}

// matches calls claim for what the own patterns match.
func (r *rules) matches(text string, claim func(start, end int)) {
	for _, re := range r.own {
		for _, loc := range re.FindAllStringSubmatchIndex(text, -1) {
			start, end := loc[0], loc[1]
			if len(loc) > 2 && loc[2] >= 0 {
				start, end = loc[2], loc[3]
			}
			if end > start {
				claim(start, end)
			}
		}
	}
}
