package mask

import (
	"slices"
	"strings"
)

// Recorded returns the tokens that stand in texts which another session masked,
// by their shapes, each spelling once. What they stand for is not known: Value is
// empty. A text that nobody masked may hold values of these shapes, and is not
// for it.
func Recorded(texts ...string) []Token {
	var found []Token
	for _, text := range texts {
		folded := fold(text)
		add := func(class Class, start, end int) {
			if token := text[start:end]; !slices.ContainsFunc(found, func(t Token) bool { return t.Token == token }) {
				found = append(found, Token{Class: class, Token: token})
			}
		}
		for i := 2; i+coreLength <= len(folded); i++ {
			if !isCore(folded[i:]) || i+coreLength < len(folded) && wordByte(folded[i+coreLength]) || strings.HasPrefix(folded[i+coreLength:], "@x.example") {
				continue
			}
			start := i
			for start > 0 && letter(folded[start-1]) {
				start--
			}
			class, known := classOfPrefix[folded[start:i]]
			if known && (start == 0 || !wordByte(folded[start-1])) {
				add(class, start, i+coreLength)
			}
		}
		for _, sp := range detect(nil, text, nil) {
			if class := sp.class(); ours(class, text[sp.start:sp.end]) || class == Phone && madeUp(text[sp.start:sp.end]) {
				add(class, sp.start, sp.end)
			}
		}
	}
	return found
}

var classOfPrefix = func() map[string]Class {
	m := map[string]Class{}
	for class, p := range prefix {
		m[p] = class
	}
	return m
}()

// madeUp says that a number is one that phoneShape makes: behind the first group
// stands a 0.
func madeUp(number string) bool {
	kept := 0
	for i, c := range []byte(number) {
		switch digit := c >= '0' && c <= '9'; {
		case digit && kept < 3:
			kept++
		case digit:
			return c == '0'
		case kept > 0:
			rest := strings.TrimLeft(number[i:], "-. ()")
			return strings.HasPrefix(rest, "0")
		}
	}
	return false
}

// Adopt makes tokens of another session those of this one, so that texts that
// hold them stay as they are. A token whose Value is not known stands for itself:
// Unmask leaves it. The others are put back, and their values are masked by them
// wherever they stand. It is for a session that has masked nothing yet.
func (s *Session) Adopt(tokens ...Token) {
	for _, t := range tokens {
		folded := fold(t.Token)
		if folded == "" {
			continue
		}
		if s.owner(folded) == nil {
			e := entry{class: t.Class, key: folded, token: folded, first: folded}
			if t.Value != "" {
				e.key, e.first = fold(t.Value), t.Value
				if s.entries[e.key] != nil { // a further spelling of a value that is known
					e.key = "\x00" + t.Value
				}
			}
			s.register(e)
			if t.Value != "" {
				s.learn(t.Class, t.Value)
			}
		}
		if e := s.owner(folded); e != nil && !e.stands() && t.Token != folded {
			s.vary(t.Token, t.Token)
		}
	}
}

// stands says that what the token of e stands for is known.
func (e *entry) stands() bool { return e.first != e.token }
