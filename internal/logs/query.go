package logs

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/search"
)

// Query selects log records.
type Query struct {
	// Text is in the language of package search. A word is found in the body as a
	// whole word of letters and digits, in any case; words of other scripts and
	// words with a * also within words. Fields are those of fields, "resource."
	// and the key of a resource attribute, and any attribute, with or without
	// "attr." before its key.
	Text     string
	Levels   []string  // any of these; none: all
	From, To time.Time // by the time of the record; To is exclusive
}

// fields are the names under which columns are searched.
var fields = map[string]string{
	"service": "service", "environment": "environment", "env": "environment", "instance": "instance", "version": "version",
	"logger": "scope", "scope": "scope", "event": "event", "exception": "exception_type", "exception.type": "exception_type",
	"exception.message": "exception_message", "body": "body", "severity_text": "severity_text",
}

// condition is a query as a condition of SQL, its values as parameters.
type condition struct {
	sql    strings.Builder
	params []clickhouse.Param
	// coarse says that only service, environment and level are asked about, so
	// that log_minute can answer.
	coarse bool
}

// compile reads the query.
func (q Query) compile() (*condition, error) {
	switch {
	case !q.From.Before(q.To):
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	case q.From.Year() < 1970 || q.To.Year() > 2200:
		return nil, fault.New(fault.Invalid, "the time range is not between the years 1970 and 2200").WithField("from")
	}
	node, err := search.Parse(q.Text)
	if err != nil {
		return nil, err
	}
	c := &condition{coarse: true}
	if err := c.node(node); err != nil {
		return nil, err
	}
	if err := c.levels(q.Levels); err != nil {
		return nil, err
	}
	return c, nil
}

// CheckSearch refuses a search that cannot be run: fault.Invalid, as Search does.
func CheckSearch(text string) error {
	node, err := search.Parse(text)
	if err != nil {
		return err
	}
	return (&condition{}).node(node)
}

// levels asks for one of the named levels.
func (c *condition) levels(names []string) error {
	for i, name := range names {
		from, behind, err := ParseLevel(name)
		if err != nil {
			return fault.As(err).WithField("levels")
		}
		between := " OR "
		if i == 0 {
			between = " AND ("
		}
		_ = c.write(between, "severity >= ", strconv.Itoa(int(from)), " AND severity < ", strconv.Itoa(int(behind)))
	}
	if len(names) > 0 {
		return c.write(")")
	}
	return nil
}

// param adds a value and returns how SQL names it.
func (c *condition) param(kind string, value any) string {
	name := "q" + strconv.Itoa(len(c.params))
	c.params = append(c.params, clickhouse.P(name, value))
	return "{" + name + ":" + kind + "}"
}

func (c *condition) write(parts ...string) error {
	for _, p := range parts {
		c.sql.WriteString(p)
	}
	return nil
}

func (c *condition) node(n search.Node) error {
	switch n := n.(type) {
	case search.And:
		return c.list("1", " AND ", n)
	case search.Or:
		return c.list("0", " OR ", n)
	case search.Not:
		_ = c.write("NOT (")
		if err := c.node(n.Node); err != nil {
			return err
		}
		return c.write(")")
	case *search.Term:
		return c.term(n)
	}
	return fmt.Errorf("unknown part of a query: %T", n)
}

func (c *condition) list(empty, between string, nodes []search.Node) error {
	_ = c.write("(")
	for i, n := range nodes {
		if i > 0 {
			_ = c.write(between)
		}
		if err := c.node(n); err != nil {
			return err
		}
	}
	if len(nodes) == 0 {
		_ = c.write(empty)
	}
	return c.write(")")
}

func (c *condition) term(t *search.Term) error {
	if len(t.More) > 0 {
		any := make(search.Or, 0, len(t.More)+1)
		for _, value := range t.Values() {
			any = append(any, &search.Term{Field: t.Field, Op: search.Equal, Value: value, Column: t.Column, ValueColumn: t.ValueColumn})
		}
		if t.Op == search.NotEqual {
			return c.node(search.Not{Node: any})
		}
		return c.node(any)
	}
	switch t.Op {
	case search.Word, search.Phrase:
		c.coarse = false
		return c.text(t.Value, t.Op == search.Phrase)
	}
	name := strings.ToLower(t.Field)
	if name != "service" && name != "environment" && name != "env" && name != "level" {
		c.coarse = false
	}
	switch name {
	case "level", "severity":
		return c.level(t)
	case "trace", "trace_id":
		return c.id(t, 32, "hex(trace_id)")
	case "span", "span_id":
		return c.id(t, 16, "hex(span_id)")
	case "pattern":
		return c.id(t, 16, "hex(pattern)")
	}
	if column, ok := fields[name]; ok {
		return c.compare(t, column, column+" != ''")
	}
	if key, ok := strings.CutPrefix(t.Field, "resource."); ok {
		key = c.param("String", key)
		_ = c.write("resource_id IN (SELECT resource_id FROM resources WHERE project_id = {project:UInt32} AND ")
		if err := c.compare(t, "values[indexOf(keys, "+key+")]", "has(keys, "+key+")"); err != nil {
			return err
		}
		return c.write(")")
	}
	key := c.param("String", strings.TrimPrefix(t.Field, "attr."))
	return c.compare(t, "attr_values[indexOf(attr_keys, "+key+")]", "has(attr_keys, "+key+")")
}

// text looks for words in the body. The words that the engine's index knows,
// runs of ASCII letters and digits, are looked up in it; what else was said about
// them is then checked on the few rows that are left.
func (c *condition) text(value string, phrase bool) error {
	if pattern, ok := search.Like(value); ok && !phrase {
		return c.write("body ILIKE ", c.param("String", "%"+pattern+"%"))
	}
	var words []string
	plain := true // the value is one such word
	for i := 0; i < len(value); {
		if !isWordByte(value[i]) {
			plain = false
			i++
			continue
		}
		start, ascii := i, true
		for i < len(value) && isWordByte(value[i]) {
			ascii = ascii && value[i] < utf8.RuneSelf
			i++
		}
		if ascii {
			words = append(words, strings.ToLower(value[start:i]))
		} else {
			plain = false
		}
	}
	if len(words) > 0 {
		_ = c.write("hasAllTokens(body, ", c.param("Array(String)", words), ")")
		if plain {
			return nil
		}
		_ = c.write(" AND ")
	}
	return c.write("positionCaseInsensitiveUTF8(body, ", c.param("String", value), ") > 0")
}

// isWordByte says what the index's tokenizer takes for a part of a word.
func isWordByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= utf8.RuneSelf
}

func (c *condition) level(t *search.Term) error {
	if t.Op == search.Has {
		return c.write("severity > 0")
	}
	from, behind, err := ParseLevel(t.Value)
	if err != nil {
		return search.Errorf(t.ValueColumn, "%s", fault.As(err).Message)
	}
	at, end := strconv.Itoa(int(from)), strconv.Itoa(int(behind))
	switch t.Op {
	case search.Equal:
		return c.write("(severity >= ", at, " AND severity < ", end, ")")
	case search.NotEqual:
		return c.write("(severity < ", at, " OR severity >= ", end, ")")
	case search.GreaterEq:
		return c.write("severity >= ", at)
	case search.Greater:
		return c.write("severity >= ", end)
	case search.Less:
		return c.write("severity < ", at)
	case search.LessEq:
		return c.write("severity < ", end)
	}
	return search.Errorf(t.Column, "a level is compared with : = != < <= > >=")
}

// id compares an id of that many hexadecimal digits.
func (c *condition) id(t *search.Term, digits int, column string) error {
	bytes := "unhex(" + c.param("String", strings.ToLower(t.Value)) + ")"
	name := strings.TrimSuffix(strings.TrimPrefix(column, "hex("), ")")
	if digits == 32 {
		bytes = "toFixedString(" + bytes + ", 16)"
	} else {
		bytes = "reinterpretAsUInt64(reverse(" + bytes + "))"
	}
	switch t.Op {
	case search.Has:
		if digits == 32 {
			return c.write(name, " != toFixedString('', 16)")
		}
		return c.write(name, " != 0")
	case search.Equal, search.NotEqual:
		if len(t.Value) != digits || strings.Trim(strings.ToLower(t.Value), "0123456789abcdef") != "" {
			return search.Errorf(t.ValueColumn, "this id has %d hexadecimal digits", digits)
		}
		return c.write(name, " ", string(t.Op), " ", bytes)
	}
	return search.Errorf(t.Column, "an id is compared with : or !=")
}

// compare compares a text. A negation holds also where the field is not there.
func (c *condition) compare(t *search.Term, column, exists string) error {
	switch t.Op {
	case search.Has:
		return c.write("(", exists, ")")
	case search.Equal, search.NotEqual:
		operator := " = "
		value := t.Value
		if pattern, ok := search.Like(value); ok {
			operator, value = " LIKE ", pattern
		}
		if t.Op == search.NotEqual {
			_ = c.write("NOT ")
		}
		if value == "" { // an attribute that is not there reads as empty
			return c.write("(", exists, " AND ", column, " = '')")
		}
		return c.write("(", column, operator, c.param("String", value), ")")
	case search.Match, search.NotMatch:
		if err := t.Regexp(); err != nil {
			return err
		}
		if t.Op == search.NotMatch {
			_ = c.write("NOT ")
		}
		return c.write("match(", column, ", ", c.param("String", t.Value), ")")
	default:
		number, err := strconv.ParseFloat(t.Value, 64)
		if err != nil {
			return search.Errorf(t.ValueColumn, "%s needs a number", t.Op)
		}
		return c.write("(", exists, " AND toFloat64OrNull(", column, ") ", string(t.Op), " ", c.param("Float64", number), ")")
	}
}
