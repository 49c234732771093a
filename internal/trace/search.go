package trace

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/search"
)

const (
	maxTerms    = 20 // of one search: each may read spans
	minFreeText = 3  // characters: shorter ones are in nearly every statement
)

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
	"calls.count, calls.time, attr.<key>, span.<key>, resource.<key>, has"

// CheckSearch returns nil for what TransactionQuery.Search takes, else
// fault.Invalid of the field q whose message begins with "column <n>: ", the
// 1-based character at fault.
func CheckSearch(query string) error {
	_, err := newSearchFilter(query)
	return err
}

// searchTerm is a term of a search, checked.
type searchTerm struct {
	*search.Term
	scope  string // attr, span or resource, of an attribute
	key    string // of an attribute
	op     string // of a number
	number uint64 // ns or a count
	not    bool   // the opposite is asked for
}

// checkTerm reads what a term means for transactions.
func checkTerm(t *search.Term) (searchTerm, error) {
	s := searchTerm{Term: t}
	switch t.Op {
	case search.Word, search.Phrase:
		if utf8.RuneCountInString(t.Value) < minFreeText {
			return s, search.Errorf(t.Column, "text to look for in statements has at least %d characters", minFreeText)
		}
		return s, nil
	case search.NotEqual, search.NotMatch:
		s.not = true
	}
	if scope, key, ok := strings.Cut(t.Field, "."); ok && slices.Contains([]string{"attr", "span", "resource"}, scope) {
		s.scope, s.key = scope, key
	}
	field, known := searchFields[t.Field]
	switch {
	case t.Op == search.Has && s.key == "":
		return s, search.Errorf(t.Column, "has takes one attribute, as in has:attr.coupon or has:span.coupon")
	case t.Op == search.Has:
		return s, nil
	case s.scope != "" && s.key == "":
		return s, search.Errorf(t.Column, "the attribute's key is missing, as in attr.customer.id=42")
	case s.scope == "" && !known && strings.Contains(t.Field, "."):
		return s, search.Errorf(t.Column, "there is no field %q; an attribute is attr.%s, span.%s or resource.%s", t.Field, t.Field, t.Field, t.Field)
	case s.scope == "" && !known:
		return s, search.Errorf(t.Column, "there is no field %q; the fields are %s", t.Field, fieldList)
	case t.Op == search.Match, t.Op == search.NotMatch:
		if known && field.kind != textField {
			return s, search.Errorf(t.OperatorColumn(), "%s takes no regular expression", t.Field)
		}
		return s, t.Regexp()
	case !known || field.kind == textField:
		if t.Op != search.Equal && t.Op != search.NotEqual {
			return s, search.Errorf(t.OperatorColumn(), "%s takes =, !=, ~ and !~: it is text", t.Field)
		}
		return s, nil
	case len(t.More) > 0:
		return s, search.Errorf(t.ValueColumn, "%s takes one value", t.Field)
	}
	s.op = strings.TrimPrefix(string(t.Op), "!")
	switch field.kind {
	case statusField:
		if s.op != "=" || !slices.Contains([]string{"ok", "error"}, t.Value) {
			return s, search.Errorf(t.ValueColumn, "status is ok or error")
		}
		s.not = s.not != (t.Value == "ok")
	case durationField:
		d, err := time.ParseDuration(t.Value)
		if err != nil || d < 0 {
			return s, search.Errorf(t.ValueColumn, "%q is not a duration; write it like 200ms, 1.5s or 2m", t.Value)
		}
		s.number = uint64(d)
	default:
		n, err := strconv.ParseUint(t.Value, 10, 63)
		if err != nil {
			return s, search.Errorf(t.ValueColumn, "%q is not a whole number", t.Value)
		}
		s.number = n
	}
	return s, nil
}
