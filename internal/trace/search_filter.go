package trace

import (
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/search"
)

// The indexed expressions of schema_attribute_index.sql, letter by letter: the
// engine takes an index only for the expression it was made of.
const (
	attributeTokens      = `arrayMap((k, v) -> concat(k, '=', v), attr_keys, attr_values)`
	entryAttributeTokens = `if(entry, ` + attributeTokens + `, [])`
)

// around is how far before and behind its transaction the other spans of a
// trace are looked for.
const around = 5 * time.Minute

// columnValues is what an attribute that has a column was, as text: ” when
// the span did not carry it. By the field of its convention.
var columnValues = [fieldCount]string{
	fieldHTTPMethod:  "http_method",
	fieldHTTPRoute:   "http_route",
	fieldHTTPStatus:  "if(http_status = 0, '', toString(http_status))",
	fieldURL:         "url",
	fieldPath:        "path(url)",
	fieldQuery:       "queryString(url)",
	fieldRPCService:  "arrayStringConcat(arrayPopBack(splitByChar('/', rpc)), '/')",
	fieldRPCMethod:   "arrayElement(splitByChar('/', rpc), -1)",
	fieldDestination: "messaging",
	fieldDBSystem:    "db_system",
	fieldDBName:      "db_name",
	fieldDBOperation: "db_operation",
	fieldDBStatement: "db_statement",
	fieldDBRows:      "if(db_rows = 0, '', toString(db_rows))",
	fieldPeerAddress: "replaceRegexpOne(peer, ':[0-9]+$', '')",
	fieldPeerPort:    "extract(peer, ':([0-9]+)$')",
}

// rows says what a condition is about.
type rows uint8

const (
	ofTransaction rows = iota // a row of transactions
	ofEntry                   // the entry span of one
	ofCalls                   // the sums of transaction_calls of one
)

// condition is a part of a WHERE. Those on entry spans and sums are joined with
// their neighbours of the same kind before they become one on transactions, so
// that these tables are read once for all of them.
type condition struct {
	rows rows
	sql  string
	few  bool // an index finds what it admits, which is likely little
}

// searchFilter turns a search into a condition on transactions. Every value
// travels as a parameter, none becomes part of the SQL.
type searchFilter struct {
	sql    string // "" admits all
	params []clickhouse.Param
	terms  int
}

// newSearchFilter reads a search. Its SQL needs the parameters of lowParams, too.
func newSearchFilter(query string) (*searchFilter, error) {
	node, err := search.Parse(query)
	if err != nil {
		return nil, err
	}
	f := &searchFilter{}
	c, err := f.node(node)
	if err == nil && f.terms > 0 {
		f.sql = c.transaction()
	}
	return f, err
}

// lowParams are the parameters of every searchFilter. low is before the first
// span of any transaction that the rest of the query admits.
func lowParams(low time.Time) []clickhouse.Param {
	return []clickhouse.Param{clickhouse.P("low", low.UTC()), clickhouse.P("around", uint64(around.Milliseconds()))}
}

// param keeps a value and returns its place in the SQL.
func (f *searchFilter) param(kind string, value any) string {
	name := fmt.Sprintf("s%d", len(f.params))
	f.params = append(f.params, clickhouse.P(name, value))
	return "{" + name + ":" + kind + "}"
}

func (f *searchFilter) node(n search.Node) (condition, error) {
	switch n := n.(type) {
	case search.And:
		return f.list(n, and)
	case search.Or:
		return f.list(n, or)
	case search.Not:
		c, err := f.node(n.Node)
		return c.not(), err
	case *search.Term:
		if f.terms++; f.terms > maxTerms {
			return condition{}, search.Errorf(n.Column, "a search has at most %d terms", maxTerms)
		}
		t, err := checkTerm(n)
		if err != nil {
			return condition{}, err
		}
		c := f.term(&t)
		if t.not {
			c = c.not()
		}
		return c, nil
	}
	return condition{}, fmt.Errorf("unknown part of a query: %T", n)
}

const (
	and = " AND "
	or  = " OR "
)

// list joins parts with those of their kind, and the kinds with each other.
func (f *searchFilter) list(nodes []search.Node, word string) (condition, error) {
	var kinds [ofCalls + 1][]string
	any, all := false, true
	for _, n := range nodes {
		c, err := f.node(n)
		if err != nil {
			return c, err
		}
		kinds[c.rows] = append(kinds[c.rows], c.sql)
		if c.rows == ofEntry {
			any, all = any || c.few, all && c.few
		}
	}
	var parts []condition
	for kind, sql := range kinds {
		if len(sql) > 0 {
			parts = append(parts, condition{rows: rows(kind), sql: join(sql, word), few: any && (all || word == and)})
		}
	}
	switch len(parts) {
	case 0:
		return condition{sql: "true"}, nil // "()" asks for nothing
	case 1:
		return parts[0], nil
	}
	sql := make([]string, len(parts))
	for i, part := range parts {
		sql[i] = part.transaction()
	}
	return condition{sql: join(sql, word)}, nil
}

func join(sql []string, word string) string {
	if len(sql) == 1 {
		return sql[0]
	}
	return "(" + strings.Join(sql, word) + ")"
}

// transaction returns the condition as one on rows of transactions.
func (c condition) transaction() string {
	switch c.rows {
	case ofEntry:
		return entrySpans("IN", c)
	case ofCalls:
		return `cityHash64(trace_id, service, instance) IN (
			SELECT cityHash64(trace_id, service, instance) FROM transaction_calls
			WHERE project_id = {project:UInt32} AND day >= toDate({low:DateTime64(9)}) AND day <= toDate({to:DateTime64(9)})
				AND end_max >= {low:DateTime64(9)} AND start_min < {to:DateTime64(9)}
			GROUP BY trace_id, service, instance HAVING ` + c.sql + `)`
	}
	return c.sql
}

// not turns a condition round. What does not hold for an entry span is asked of
// the transactions: the index finds those for which it does.
func (c condition) not() condition {
	if c.rows == ofEntry {
		return condition{sql: entrySpans("NOT IN", condition{sql: c.sql})}
	}
	return condition{rows: c.rows, sql: "NOT (" + c.sql + ")"}
}

// term is the condition of a term, without its opposite.
func (f *searchFilter) term(t *searchTerm) condition {
	field := searchFields[t.Field]
	switch {
	case t.scope == "attr":
		sql, indexed := f.attribute(t, entryAttributeTokens)
		return condition{ofEntry, sql, indexed}
	case t.scope == "span":
		sql, _ := f.attribute(t, attributeTokens)
		return condition{sql: `trace_id IN (SELECT trace_id FROM spans WHERE ` + spansAround + ` AND ` + sql + `)`}
	case t.scope == "resource":
		return condition{rows: ofEntry, sql: f.resource(t)}
	case t.Field == "":
		return condition{sql: `cityHash64(trace_id, service, instance) IN (
			SELECT cityHash64(trace_id, service, instance) FROM spans
			WHERE ` + spansAround + ` AND ` + f.text(t) + `)`}
	case field.kind == statusField:
		return condition{sql: field.column}
	case field.kind == textField:
		return condition{sql: f.compare(t, field.column)}
	}
	c := condition{sql: field.column + ` ` + t.op + ` ` + f.param("UInt64", t.number)}
	if field.sum {
		c = condition{rows: ofCalls, sql: `(sum(` + field.column + `) ` + t.op + ` ` + f.param("UInt64", t.number) + `)`}
	}
	return c
}

// text looks for words in statements.
func (f *searchFilter) text(t *searchTerm) string {
	if pattern, ok := search.Like(t.Value); ok && t.Op == search.Word {
		return `db_statement ILIKE ` + f.param("String", "%"+pattern+"%")
	}
	return `positionCaseInsensitive(db_statement, ` + f.param("String", t.Value) + `) > 0`
}

// compare is a condition on a text.
func (f *searchFilter) compare(t *searchTerm, column string) string {
	if t.Op == search.Match || t.Op == search.NotMatch {
		return `match(` + column + `, ` + f.param("String", t.Value) + `)`
	}
	exact, patterns := values(t)
	var any []string
	if len(exact) > 0 {
		any = append(any, column+` IN `+f.param("Array(String)", exact))
	}
	for _, pattern := range patterns {
		any = append(any, column+` LIKE `+f.param("String", pattern))
	}
	return join(any, or)
}

// values returns what a term compares with, and those with a * as LIKE writes them.
func values(t *searchTerm) (exact, patterns []string) {
	for _, value := range t.Values() {
		if pattern, ok := search.Like(value); ok {
			patterns = append(patterns, pattern)
		} else {
			exact = append(exact, value)
		}
	}
	return exact, patterns
}

// spansAround admits the spans of the traces of the transactions that the rest
// of the query admits. What it admits beside them does no harm, so the times
// choose granules only and are not read: by day, and within it by the five
// minutes that the table is sorted by.
const spansAround = `project_id = {project:UInt32} AND indexHint(start >= {low:DateTime64(9)} - toIntervalMillisecond({around:UInt64})
	AND start < {to:DateTime64(9)} + toIntervalMillisecond({around:UInt64})
	AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes({low:DateTime64(9)} - toIntervalMillisecond({around:UInt64}))
	AND toStartOfFiveMinutes(start) <= {to:DateTime64(9)} + toIntervalMillisecond({around:UInt64}))`

// entrySpans compares a transaction with the entry spans that a condition
// holds for. It does so by the span id alone, 64 random bits: to read the trace
// id too takes four times as long. Where they are few it compares the time they
// ended too, which is in the key of transactions: their rows alone are read.
func entrySpans(in string, c condition) string {
	of, as := "span_id", "span_id"
	if c.few {
		of, as = "(ended, span_id)", "fromUnixTimestamp64Nano(toUnixTimestamp64Nano(start) + toInt64(duration), 'UTC'), span_id"
	}
	return of + ` ` + in + ` (SELECT ` + as + ` FROM spans
		WHERE project_id = {project:UInt32} AND indexHint(start >= {low:DateTime64(9)} AND start < {to:DateTime64(9)}
			AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes({low:DateTime64(9)}) AND toStartOfFiveMinutes(start) <= {to:DateTime64(9)}) AND entry AND ` + c.sql + `)`
}

// resource is a condition on one attribute of the sender of a row of spans. The
// few resources it holds for are found first, among those that were seen since the
// first span began: one is stored on each day that something of it arrives. A
// sender's clock may be a day ahead.
func (f *searchFilter) resource(t *searchTerm) string {
	key := f.param("String", t.key)
	held := `has(keys, ` + key + `)`
	if t.Op != search.Has {
		held += ` AND (` + f.compare(t, `values[indexOf(keys, `+key+`)]`) + `)`
	}
	return `resource_id IN (SELECT resource_id FROM resources
		WHERE project_id = {project:UInt32} AND day >= toDate({low:DateTime64(9)}) - 1 AND ` + held + `)`
}

// attribute is a condition on one attribute of a row of spans; tokens is the
// expression whose index answers for equality, which indexed says it does.
func (f *searchFilter) attribute(t *searchTerm, tokens string) (sql string, indexed bool) {
	if c, ok := conventionOf([]byte(t.key)); ok && columnValues[c.field] != "" {
		column := columnValues[c.field]
		switch t.Op {
		case search.Has:
			return column + " != ''", false
		case search.Equal, search.NotEqual:
			return f.compare(t, column), false
		}
		return `(` + column + ` != '' AND ` + f.compare(t, column) + `)`, false
	}
	key := f.param("String", t.key)
	there, value := `has(attr_keys, `+key+`)`, `attr_values[indexOf(attr_keys, `+key+`)]`
	switch t.Op {
	case search.Has:
		return there, false
	case search.Match, search.NotMatch:
		return `(` + there + ` AND ` + f.compare(t, value) + `)`, false
	}
	exact, patterns := values(t)
	var any []string
	for _, each := range exact {
		any = append(any, `has(`+tokens+`, `+f.param("String", t.key+"="+each)+`)`)
	}
	for _, pattern := range patterns {
		any = append(any, `(`+there+` AND `+value+` LIKE `+f.param("String", pattern)+`)`)
	}
	return join(any, or), len(patterns) == 0
}
