package mask

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Limits of one policy; a policy is applied to every text of a conversation.
const (
	maxPatterns      = 50
	maxPatternLength = 1000
	maxProgram       = 1500 // instructions RE2 makes of a pattern: its time for a byte is bounded by them
	maxWords         = 2000 // of all dictionaries together
	maxAllowed       = 2000
	maxWordLength    = 200 // bytes of a word or of an allowed text
)

// Policy says what a role or a project masks beside and instead of the
// defaults. The zero value is the default: every class is on.
type Policy struct {
	// Off are the classes that are not masked. Secret and Cookie cannot be off.
	Off []Class `json:"off,omitempty"`
	// Always are the classes that are masked although another policy switches them off.
	Always []Class `json:"always,omitempty"`
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

// Empty says that the policy changes nothing.
func (p Policy) Empty() bool {
	return len(p.Off)+len(p.Always)+len(p.Patterns)+len(p.Dictionaries)+len(p.Allow) == 0
}

// Check returns fault.Invalid naming the field when the policy cannot be applied.
func (p Policy) Check() error {
	for i, c := range p.Off {
		field := fmt.Sprintf("off[%d]", i)
		switch {
		case !slices.Contains(Classes(), c):
			return fault.New(fault.Invalid, "there is no class %q", c).WithField(field)
		case c.Locked():
			return fault.New(fault.Invalid, "the class %q cannot be switched off", c).WithField(field)
		}
	}
	for i, c := range p.Always {
		field := fmt.Sprintf("always[%d]", i)
		switch {
		case !slices.Contains(Classes(), c):
			return fault.New(fault.Invalid, "there is no class %q", c).WithField(field)
		case slices.Contains(p.Off, c):
			return fault.New(fault.Invalid, "the class %q cannot be off and always on", c).WithField(field)
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
		if err := checkPattern(own.Pattern); err != nil {
			return err.WithField(field + ".pattern")
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

// checkPattern says why a pattern cannot be used, and where it is wrong.
func checkPattern(pattern string) *fault.Error {
	if len(pattern) > maxPatternLength {
		return fault.New(fault.Invalid, "a pattern has at most %d bytes", maxPatternLength)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return wrongPattern(pattern, err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return fault.New(fault.Invalid, "the pattern is not valid RE2: %s", err)
	}
	if len(program.Inst) > maxProgram {
		return fault.New(fault.Invalid, "the pattern is too large: RE2 makes %d instructions of it, at most %d are allowed", len(program.Inst), maxProgram)
	}
	if re, err := regexp.Compile(pattern); err != nil || pattern == "" || re.MatchString("") {
		return fault.New(fault.Invalid, "the pattern matches the empty text")
	}
	return nil
}

// wrongPattern says where a pattern is wrong.
func wrongPattern(pattern string, err error) *fault.Error {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return fault.New(fault.Invalid, "the pattern is not valid RE2: %s", err)
	}
	at := strings.Index(pattern, wrong.Expr)
	switch wrong.Code { // those that quote the whole pattern
	case syntax.ErrMissingParen:
		at = len(pattern)
	case syntax.ErrUnexpectedParen:
		at = 0
		for err := error(nil); err == nil && at < len(pattern); at++ {
			if pattern[at] == ')' {
				if _, err = syntax.Parse(pattern[:at+1], syntax.Perl); err != nil {
					break
				}
			}
		}
	}
	return fault.New(fault.Invalid, "the pattern is not valid RE2 at character %d: %s", len([]rune(pattern[:max(at, 0)]))+1, wrong.Code)
}

// Locked says that no policy can switch the class off.
func (c Class) Locked() bool { return c == Secret || c == Cookie }

// Compiled is a policy ready for use. It never changes, and many sessions may
// share it.
type Compiled struct {
	off   map[Class]bool
	own   []*regexp.Regexp
	words *matcher        // of the dictionaries
	allow map[string]bool // folded
}

// Compile checks the policies and makes them one that is ready for use, for any
// number of sessions. Their patterns, dictionaries and allowed texts are put
// together. A class is off when one of them switches it off, unless another one
// says it is always on. Errors are those of Check. Without policies, or with
// empty ones only, it returns nil: the defaults.
func Compile(policies ...Policy) (*Compiled, error) {
	r := &Compiled{off: map[Class]bool{}, allow: map[string]bool{}}
	empty := true
	for _, p := range policies {
		if err := p.Check(); err != nil {
			return nil, err
		}
		empty = empty && len(p.Off)+len(p.Patterns)+len(p.Dictionaries)+len(p.Allow) == 0
		for _, c := range p.Off {
			r.off[c] = true
		}
		for _, own := range p.Patterns {
			r.own = append(r.own, regexp.MustCompile(own.Pattern))
		}
		for _, text := range p.Allow {
			r.allow[fold(strings.TrimSpace(text))] = true
		}
	}
	if empty {
		return nil, nil
	}
	r.words = newMatcher(true, map[string]Class{})
	for _, p := range policies {
		for _, c := range p.Always {
			delete(r.off, c)
		}
	}
	for _, p := range policies {
		for _, list := range p.Dictionaries {
			for _, word := range list {
				if word = strings.TrimSpace(word); !common(Person, word) && !r.passes(Person, word) {
					r.words.add(fold(word), Person)
				}
			}
		}
	}
	return r, nil
}

// passes says that a piece of text is left as it is, by the policy.
func (r *Compiled) passes(class Class, text string) bool {
	return r.off[class] || len(r.allow) > 0 && r.allow[fold(text)]
}

// matches calls claim for what the own patterns match.
func (r *Compiled) matches(text string, claim func(start, end int)) {
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
