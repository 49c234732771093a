package trace

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// What one search may hold.
const (
	maxSearch       = 2_000 // characters
	maxTerms        = 20
	maxPattern      = 200 // characters of a regular expression
	minFreeText     = 3   // characters: shorter ones are in nearly every statement
	maxAlternatives = 50  // values of one term
)

// searchTerm is one condition of a search; all of them hold for what is found.
//
//	query = { term }
//	term  = [ "-" ] ( text | field operator value { "," value } | "has:" ( "attr." | "span." ) key )
//	text  = word | '"' … '"'
//
// In quotes \" is a quote and \\ a backslash. A word ends at white space, and
// as a value at a comma as well.
type searchTerm struct {
	field  string // of searchFields, "attr", "span", "has" or "text"
	key    string // of attr, span and has
	scope  string // of has: attr or span
	op     string // = ~ > >= < <=; what was != and !~ is not
	not    bool
	values []string // of =, any of them; of the others one
	number uint64   // of a numeric field: ns, a count, a status
}

// fieldKind says how the values of a field are written.
type fieldKind uint8

const (
	textField fieldKind = iota
	countField
	durationField
	statusField
)

// searchField is a field beside attributes. A sum is what the application did
// for the transaction, by transaction_calls.
type searchField struct {
	kind   fieldKind
	column string
	sum    bool
}

var searchFields = map[string]searchField{
	"service":     {textField, "service", false},
	"environment": {textField, "environment", false},
	"endpoint":    {textField, "endpoint", false},
	"instance":    {textField, "instance", false},
	"version":     {textField, "version", false},
	"exception":   {textField, "exception_type", false},
	"status":      {statusField, "error", false},
	"http":        {countField, "http_status", false},
	"duration":    {durationField, "elapsed", false},
	"sql.count":   {countField, "sql_count", true},
	"sql.time":    {durationField, "sql_time", true},
	"sql.rows":    {countField, "sql_rows", true},
	"calls.count": {countField, "call_count", true},
	"calls.time":  {durationField, "call_time", true},
}

const fieldList = "service, environment, endpoint, instance, version, exception, status, http, duration, sql.count, sql.time, sql.rows, " +
	"calls.count, calls.time, attr.<key>, span.<key>, has"

// CheckSearch returns nil for what TransactionQuery.Search takes, else
// fault.Invalid of the field q whose message begins with "column <n>: ", the
// 1-based character at fault.
func CheckSearch(query string) error {
	_, err := parseSearch(query)
	return err
}

func parseSearch(query string) ([]searchTerm, error) {
	if n := utf8.RuneCountInString(query); n > maxSearch {
		return nil, fault.New(fault.Invalid, "column %d: a search has at most %d characters", maxSearch+1, maxSearch).WithField("q")
	}
	p := &searchParser{text: []rune(query)}
	var terms []searchTerm
	for p.skip(); p.at < len(p.text); p.skip() {
		if len(terms) == maxTerms {
			return nil, p.fault(p.at, "a search has at most %d terms", maxTerms)
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	return terms, nil
}

type searchParser struct {
	text []rune
	at   int
}

func (p *searchParser) fault(at int, format string, args ...any) error {
	f := fault.New(fault.Invalid, format, args...).WithField("q")
	f.Message = "column " + strconv.Itoa(at+1) + ": " + f.Message
	return f
}

func (p *searchParser) skip() {
	for p.at < len(p.text) && unicode.IsSpace(p.text[p.at]) {
		p.at++
	}
}

func (p *searchParser) peek() rune {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return ' '
}

func (p *searchParser) term() (t searchTerm, err error) {
	if p.peek() == '-' {
		t.not = true
		p.at++
	}
	begin := p.at
	if p.peek() == '"' {
		text, err := p.quoted()
		if err != nil {
			return t, err
		}
		return p.free(t, begin, text)
	}
	for p.at < len(p.text) && !unicode.IsSpace(p.peek()) && !strings.ContainsRune(`:=!~<>",`, p.peek()) {
		p.at++
	}
	word := string(p.text[begin:p.at])
	operator := p.at
	op := p.operator()
	switch {
	case op == "" && (p.at == len(p.text) || unicode.IsSpace(p.peek())) && word != "":
		return p.free(t, begin, word)
	case op == "":
		return t, p.fault(p.at, "%q is not expected here; put text that holds it into double quotes", string(p.peek()))
	case word == "":
		return t, p.fault(operator, "a field is missing before %s", op)
	}
	if strings.HasPrefix(op, "!") {
		t.not = !t.not
	}
	t.op = strings.Replace(strings.TrimPrefix(op, "!"), ":", "=", 1)
	if err := p.name(&t, begin, word); err != nil {
		return t, err
	}
	value := p.at
	if t.values, err = p.valueList(op); err != nil {
		return t, err
	}
	return t, p.settle(&t, operator, value)
}

// free makes a term of words that are looked for in statements.
func (p *searchParser) free(t searchTerm, at int, text string) (searchTerm, error) {
	if utf8.RuneCountInString(text) < minFreeText {
		return t, p.fault(at, "text to look for in statements has at least %d characters", minFreeText)
	}
	t.field, t.op, t.values = "text", "=", []string{text}
	return t, nil
}

var searchOperators = []string{"!=", "!~", ">=", "<=", ":", "=", "~", ">", "<"} // a longer one before its beginning

func (p *searchParser) operator() string {
	for _, op := range searchOperators {
		if end := p.at + len(op); end <= len(p.text) && string(p.text[p.at:end]) == op {
			p.at = end
			return op
		}
	}
	return ""
}

// name reads what stands before the operator.
func (p *searchParser) name(t *searchTerm, at int, word string) error {
	if scope, key, ok := strings.Cut(word, "."); ok && (scope == "attr" || scope == "span") {
		if key == "" {
			return p.fault(at, "the attribute's key is missing, as in attr.customer.id=42")
		}
		t.field, t.key = scope, key
		return nil
	}
	if _, ok := searchFields[word]; !ok && word != "has" {
		return p.fault(at, "there is no field %q; the fields are %s", word, fieldList)
	}
	t.field = word
	return nil
}

// valueList reads what stands behind the operator. Only equality takes several
// values; a regular expression may hold commas.
func (p *searchParser) valueList(op string) (values []string, err error) {
	several := op == ":" || op == "=" || op == "!="
	for {
		begin := p.at
		var value string
		if p.peek() == '"' {
			if value, err = p.quoted(); err != nil {
				return nil, err
			}
		} else {
			for p.at < len(p.text) && !unicode.IsSpace(p.peek()) && (!several || p.peek() != ',') {
				p.at++
			}
			if value = string(p.text[begin:p.at]); value == "" {
				return nil, p.fault(begin, "a value is missing")
			}
		}
		if values = append(values, value); len(values) > maxAlternatives {
			return nil, p.fault(begin, "a term has at most %d values", maxAlternatives)
		}
		if !several || p.peek() != ',' {
			break
		}
		p.at++
	}
	if p.at < len(p.text) && !unicode.IsSpace(p.peek()) {
		return nil, p.fault(p.at, "a space is missing between two terms")
	}
	return values, nil
}

func (p *searchParser) quoted() (string, error) {
	begin := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch r := p.text[p.at]; {
		case r == '"':
			p.at++
			return b.String(), nil
		case r == '\\' && p.at+1 < len(p.text) && (p.text[p.at+1] == '"' || p.text[p.at+1] == '\\'):
			p.at++
			b.WriteRune(p.text[p.at])
		default:
			b.WriteRune(r)
		}
	}
	return "", p.fault(begin, "this double quote is not closed")
}

// settle checks that operator and values suit the field, and reads numbers.
func (p *searchParser) settle(t *searchTerm, operator, value int) error {
	field, known := searchFields[t.field]
	switch {
	case t.field == "has":
		scope, key, _ := strings.Cut(t.values[0], ".")
		if t.op != "=" || len(t.values) > 1 || (scope != "attr" && scope != "span") || key == "" {
			return p.fault(value, "has takes one attribute, as in has:attr.coupon or has:span.coupon")
		}
		t.scope, t.key = scope, key
		return nil
	case t.op == "~":
		if known && field.kind != textField {
			return p.fault(operator, "%s takes no regular expression", t.field)
		}
		if utf8.RuneCountInString(t.values[0]) > maxPattern {
			return p.fault(value, "a regular expression has at most %d characters", maxPattern)
		}
		if _, err := regexp.Compile(t.values[0]); err != nil {
			return p.fault(value, "the regular expression is wrong: %s (RE2 syntax)", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		return nil
	case !known || field.kind == textField:
		if t.op != "=" {
			return p.fault(operator, "%s takes =, !=, ~ and !~: it is text", t.label())
		}
		return nil
	}
	if len(t.values) > 1 {
		return p.fault(value, "%s takes one value", t.field)
	}
	switch field.kind {
	case statusField:
		if t.op != "=" || !slices.Contains([]string{"ok", "error"}, t.values[0]) {
			return p.fault(value, "status is ok or error")
		}
		if t.values[0] == "ok" {
			t.not = !t.not
		}
	case durationField:
		d, err := time.ParseDuration(t.values[0])
		if err != nil || d < 0 {
			return p.fault(value, "%q is not a duration; write it like 200ms, 1.5s or 2m", t.values[0])
		}
		t.number = uint64(d)
	default:
		n, err := strconv.ParseUint(t.values[0], 10, 63)
		if err != nil {
			return p.fault(value, "%q is not a whole number", t.values[0])
		}
		t.number = n
	}
	return nil
}

func (t *searchTerm) label() string {
	if t.key != "" {
		return t.field + "." + t.key
	}
	return t.field
}
