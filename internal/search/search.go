// Package search reads the one query language of all search fields:
//
//	timeout "connection reset" service:order-api level>=warn -path:/health (a OR b)
//
// A query is terms. Terms beside each other must all hold; OR between them asks
// for either, - or NOT in front of one for its opposite, parentheses group. A
// term is a word, a "phrase", or a field, an operator and a value. What fields
// there are and what a term means is the noun's business that is searched.
//
// Errors are fault.Invalid with the field "q" and name the column, from 1.
package search

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Op is how a term compares.
type Op string

// The operators. Word and Phrase stand alone, without a field.
const (
	Word      Op = "word"
	Phrase    Op = "phrase"
	Equal     Op = "="
	NotEqual  Op = "!="
	Match     Op = "~" // regular expression
	NotMatch  Op = "!~"
	Less      Op = "<"
	LessEq    Op = "<="
	Greater   Op = ">"
	GreaterEq Op = ">="
	Has       Op = "has" // the field is there
)

// Node is a part of a query: And, Or, Not or *Term.
type Node interface{ node() }

// And holds when all its parts hold; an empty one always holds.
type And []Node

// Or holds when one of its parts holds.
type Or []Node

// Not holds when its part does not.
type Not struct{ Node Node }

// Term is one condition.
type Term struct {
	Field  string // "" for Word and Phrase
	Op     Op
	Value  string // "" for Has
	Column int    // where the term starts in the query, from 1, in characters
	// ValueColumn is where the value starts.
	ValueColumn int
}

func (And) node()   {}
func (Or) node()    {}
func (Not) node()   {}
func (*Term) node() {}

// What a query may be, so that it stays a question of a person.
const (
	MaxLength = 4 << 10 // bytes
	maxTerms  = 64
	maxDepth  = 16
)

// Parse reads a query. An empty one is an empty And.
func Parse(query string) (Node, error) {
	if len(query) > MaxLength {
		return nil, fault.New(fault.Invalid, "the query has %d bytes, at most %d are read: say less", len(query), MaxLength).WithField("q")
	}
	if !utf8.ValidString(query) {
		return nil, fault.New(fault.Invalid, "the query is not valid UTF-8").WithField("q")
	}
	p := &parser{text: []rune(query)}
	node, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.at < len(p.text) {
		return nil, Errorf(p.at+1, "this parenthesis closes nothing")
	}
	return node, nil
}

// Errorf is the error of a query at a column, for what Parse cannot know: that a
// field or a value makes no sense.
func Errorf(column int, format string, args ...any) error {
	return fault.New(fault.Invalid, "column %d: %s", column, fmt.Sprintf(format, args...)).WithField("q")
}

type parser struct {
	text  []rune
	at    int
	terms int
}

func (p *parser) skipSpace() {
	for p.at < len(p.text) && unicode.IsSpace(p.text[p.at]) {
		p.at++
	}
}

// keyword reads an upper-case word that stands alone.
func (p *parser) keyword(word string) bool {
	end := p.at + len(word)
	if end > len(p.text) || string(p.text[p.at:end]) != word {
		return false
	}
	if end < len(p.text) && !unicode.IsSpace(p.text[end]) && p.text[end] != '(' {
		return false
	}
	p.at = end
	return true
}

func (p *parser) or(depth int) (Node, error) {
	var parts Or
	for {
		part, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		from := p.at
		if !p.keyword("OR") {
			break
		}
		if len(part.(And)) == 0 {
			return nil, Errorf(from+1, "OR needs something on both sides")
		}
		if p.skipSpace(); p.at == len(p.text) || p.text[p.at] == ')' {
			return nil, Errorf(from+1, "OR needs something on both sides")
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) and(depth int) (Node, error) {
	parts := And{}
	for {
		p.skipSpace()
		if p.at == len(p.text) || p.text[p.at] == ')' {
			return parts, nil
		}
		if from := p.at; p.keyword("OR") {
			p.at = from
			return parts, nil
		}
		part, err := p.unary(depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		p.skipSpace()
		p.keyword("AND") // is what the space says anyway
	}
}

func (p *parser) unary(depth int) (Node, error) {
	if depth > maxDepth {
		return nil, Errorf(p.at+1, "parentheses nest deeper than %d", maxDepth)
	}
	from := p.at
	switch {
	case p.text[p.at] == '-' && p.at+1 < len(p.text) && !unicode.IsSpace(p.text[p.at+1]):
		p.at++
	case p.keyword("NOT"):
		if p.skipSpace(); p.at == len(p.text) || p.text[p.at] == ')' {
			return nil, Errorf(from+1, "NOT needs something behind it")
		}
	case p.text[p.at] == '(':
		p.at++
		inner, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.skipSpace(); p.at == len(p.text) {
			return nil, Errorf(from+1, "this parenthesis is not closed")
		}
		p.at++
		return inner, nil
	default:
		return p.term()
	}
	inner, err := p.unary(depth + 1)
	if err != nil {
		return nil, err
	}
	return Not{inner}, nil
}

// operators, the longer of two that begin alike first.
var operators = []Op{NotMatch, NotEqual, LessEq, GreaterEq, Equal, Match, Less, Greater}

func (p *parser) term() (Node, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, Errorf(p.at+1, "a query has at most %d terms", maxTerms)
	}
	t := &Term{Column: p.at + 1, ValueColumn: p.at + 1}
	if p.text[p.at] == '"' {
		value, err := p.quoted()
		if err != nil {
			return nil, err
		}
		t.Op, t.Value = Phrase, value
		return t, nil
	}
	from := p.at
	for p.at < len(p.text) && isFieldRune(p.text[p.at]) {
		p.at++
	}
	if name := string(p.text[from:p.at]); name != "" {
		if op, ok := p.operator(); ok {
			t.Field, t.Op, t.ValueColumn = name, op, p.at+1
			var err error
			if t.Value, err = p.value(); err != nil {
				return nil, err
			}
			if name == "has" && op == Equal {
				t.Field, t.Op, t.Value, t.Column = t.Value, Has, "", t.ValueColumn
			}
			return t, nil
		}
	}
	p.at = from
	value, err := p.value()
	t.Op, t.Value = Word, value
	return t, err
}

func isFieldRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-/@", r)
}

// operator reads an operator behind a field; a colon is Equal, or the operator
// that follows it.
func (p *parser) operator() (Op, bool) {
	if p.at == len(p.text) {
		return "", false
	}
	colon := p.text[p.at] == ':'
	if colon {
		p.at++
	}
	for _, op := range operators {
		if end := p.at + len(op); end <= len(p.text) && string(p.text[p.at:end]) == string(op) {
			p.at = end
			return op, true
		}
	}
	return Equal, colon
}

// value reads up to the next space or closing parenthesis, or a quoted value.
func (p *parser) value() (string, error) {
	if p.at == len(p.text) || unicode.IsSpace(p.text[p.at]) || p.text[p.at] == ')' {
		return "", Errorf(p.at+1, "a value is missing here; write \"\" for an empty one")
	}
	if p.text[p.at] == '"' {
		return p.quoted()
	}
	from, open := p.at, 0
	for ; p.at < len(p.text) && !unicode.IsSpace(p.text[p.at]); p.at++ {
		if c := p.text[p.at]; c == '(' {
			open++
		} else if c == ')' {
			if open--; open < 0 {
				break
			}
		}
	}
	return string(p.text[from:p.at]), nil
}

// quoted reads a value in quotes; a backslash takes the next character as it is.
func (p *parser) quoted() (string, error) {
	from := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return b.String(), nil
		case c == '\\' && p.at+1 < len(p.text) && (p.text[p.at+1] == '"' || p.text[p.at+1] == '\\'):
			p.at++
			b.WriteRune(p.text[p.at])
		default:
			b.WriteRune(c)
		}
	}
	return "", Errorf(from+1, "this quote is not closed")
}
