// Package search reads the one query language of all search fields:
//
//	timeout "connection reset" service:order-api level>=warn -path:/health (a OR b)
//
// A query is terms. Terms beside each other must all hold; OR between them asks
// for either, - or NOT in front of one for its opposite, parentheses group. A
// term is a word, a "phrase", or a field, an operator and a value; : = and != take
// several values between commas, any of which may be meant. What fields there are
// and what a term means is the noun's business that is searched.
//
// In quotes \" is a quote and \\ a backslash. A word ends at white space, and as
// one of several values at a comma.
//
// Errors are fault.Invalid with the field "q" and name the column, from 1.
package search

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
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
	Field string // "" for Word and Phrase
	Op    Op
	Value string // "" for Has
	// More are further values of Equal and NotEqual: the term is about any of
	// Value and More.
	More   []string
	Column int // where the term starts in the query, from 1, in characters
	// ValueColumn is where the value starts.
	ValueColumn int
}

// Values returns all values of a term.
func (t *Term) Values() []string { return append([]string{t.Value}, t.More...) }

// OperatorColumn is where the operator behind the field starts.
func (t *Term) OperatorColumn() int { return t.Column + utf8.RuneCountInString(t.Field) }

// Regexp checks the value of Match and NotMatch: a regular expression as the
// engine reads it, RE2.
func (t *Term) Regexp() error {
	if utf8.RuneCountInString(t.Value) > maxPattern {
		return Errorf(t.ValueColumn, "a regular expression has at most %d characters", maxPattern)
	}
	_, err := regexp.Compile(t.Value)
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		column := t.ValueColumn
		if i := strings.Index(t.Value, wrong.Expr); i > 0 {
			column += utf8.RuneCountInString(t.Value[:i])
		}
		return Errorf(column, "this regular expression has a fault: %s: %s", wrong.Code, wrong.Expr)
	}
	return err
}

// Like returns a value with * for any text as LIKE writes it, and false when it
// has no *.
func Like(value string) (string, bool) {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`, "*", "%").Replace(value), strings.Contains(value, "*")
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
	maxValues = 50 // of one term
	// maxPattern is the longest regular expression, in characters.
	maxPattern = 1000
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
		return t, p.ended()
	}
	from := p.at
	for p.at < len(p.text) && isFieldRune(p.text[p.at]) {
		p.at++
	}
	if name := string(p.text[from:p.at]); name != "" {
		if op, ok := p.operator(); ok {
			t.Field, t.Op, t.ValueColumn = name, op, p.at+1
			several := op == Equal || op == NotEqual
			var err error
			if t.Value, err = p.value(several); err != nil {
				return nil, err
			}
			for several && p.at < len(p.text) && p.text[p.at] == ',' {
				p.at++
				if len(t.More)+1 == maxValues {
					return nil, Errorf(p.at+1, "a term has at most %d values", maxValues)
				}
				value, err := p.value(several)
				if err != nil {
					return nil, err
				}
				t.More = append(t.More, value)
			}
			if name == "has" && op == Equal {
				if len(t.More) > 0 {
					return nil, Errorf(t.ValueColumn, "has takes one field")
				}
				t.Field, t.Op, t.Value, t.Column = t.Value, Has, "", t.ValueColumn
			}
			return t, p.ended()
		}
	}
	p.at = from
	value, err := p.value(false)
	t.Op, t.Value = Word, value
	return t, err
}

// ended is an error when something stands right behind a term.
func (p *parser) ended() error {
	if p.at < len(p.text) && !unicode.IsSpace(p.text[p.at]) && p.text[p.at] != ')' {
		return Errorf(p.at+1, "a space is missing between two terms")
	}
	return nil
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

// value reads up to the next space or closing parenthesis, of several values up to
// a comma, or a quoted value.
func (p *parser) value(several bool) (string, error) {
	if p.at == len(p.text) || unicode.IsSpace(p.text[p.at]) || p.text[p.at] == ')' || several && p.text[p.at] == ',' {
		return "", Errorf(p.at+1, "a value is missing here; write \"\" for an empty one")
	}
	if p.text[p.at] == '"' {
		return p.quoted()
	}
	from, open := p.at, 0
	for ; p.at < len(p.text) && !unicode.IsSpace(p.text[p.at]); p.at++ {
		if c := p.text[p.at]; several && c == ',' {
			break
		} else if c == '(' {
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
	return "", Errorf(from+1, "this double quote is not closed")
}
