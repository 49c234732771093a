package trace

import (
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
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

// searchFilter turns terms into conditions on transactions. Every value travels
// as a parameter, none becomes part of the SQL.
type searchFilter struct {
	conditions []string
	params     []clickhouse.Param
	sums       []string // conditions on sums of transaction_calls
	entry      []string // on the entry span
}

// newSearchFilter returns the conditions of terms. low is before the first span
// of any transaction that the rest of the query admits.
func newSearchFilter(terms []searchTerm, low time.Time) *searchFilter {
	f := &searchFilter{}
	if len(terms) == 0 {
		return f
	}
	f.params = []clickhouse.Param{
		clickhouse.P("low", low.UTC()), clickhouse.P("around", uint64(around.Milliseconds())),
	}
	for i := range terms {
		f.add(&terms[i])
	}
	if len(f.sums) > 0 {
		f.conditions = append(f.conditions, `cityHash64(trace_id, service, instance) IN (
			SELECT cityHash64(trace_id, service, instance) FROM transaction_calls
			WHERE project_id = {project:UInt32} AND day >= toDate({low:DateTime64(9)}) AND day <= toDate({to:DateTime64(9)})
				AND end_max >= {low:DateTime64(9)} AND start_min < {to:DateTime64(9)}
			GROUP BY trace_id, service, instance HAVING `+strings.Join(f.sums, " AND ")+`)`)
	}
	if len(f.entry) > 0 {
		f.conditions = append(f.conditions, entrySpans("IN", strings.Join(f.entry, " AND ")))
	}
	return f
}

// sql returns the conditions, each with AND before it.
func (f *searchFilter) sql() string {
	if len(f.conditions) == 0 {
		return ""
	}
	return "\n\tAND " + strings.Join(f.conditions, "\n\tAND ")
}

// param keeps a value and returns its place in the SQL.
func (f *searchFilter) param(kind string, value any) string {
	name := fmt.Sprintf("s%d", len(f.params))
	f.params = append(f.params, clickhouse.P(name, value))
	return "{" + name + ":" + kind + "}"
}

func (f *searchFilter) add(t *searchTerm) {
	not := ""
	if t.not {
		not = "NOT "
	}
	field := searchFields[t.field]
	switch {
	case t.field == "attr", t.field == "has" && t.scope == "attr":
		condition := f.attribute(t, entryAttributeTokens)
		if t.not {
			f.conditions = append(f.conditions, entrySpans("NOT IN", condition))
		} else {
			f.entry = append(f.entry, condition)
		}
	case t.field == "span", t.field == "has":
		f.conditions = append(f.conditions, `trace_id `+not+`IN (SELECT trace_id FROM spans WHERE `+spansAround+` AND `+f.attribute(t, attributeTokens)+`)`)
	case t.field == "text":
		f.conditions = append(f.conditions, `cityHash64(trace_id, service, instance) `+not+`IN (
			SELECT cityHash64(trace_id, service, instance) FROM spans
			WHERE `+spansAround+` AND positionCaseInsensitive(db_statement, `+f.param("String", t.values[0])+`) > 0)`)
	case field.kind == statusField:
		f.conditions = append(f.conditions, not+field.column)
	case field.kind == textField && t.op == "=":
		f.conditions = append(f.conditions, field.column+` `+not+`IN `+f.param("Array(String)", t.values))
	case field.kind == textField:
		f.conditions = append(f.conditions, not+`match(`+field.column+`, `+f.param("String", t.values[0])+`)`)
	case field.sum:
		f.sums = append(f.sums, not+`(sum(`+field.column+`) `+t.op+` `+f.param("UInt64", t.number)+`)`)
	default:
		f.conditions = append(f.conditions, not+`(`+field.column+` `+t.op+` `+f.param("UInt64", t.number)+`)`)
	}
}

// spansAround admits the spans of the traces of the transactions that the rest
// of the query admits. What it admits beside them does no harm, so the times
// choose granules only and are not read.
const spansAround = `project_id = {project:UInt32} AND indexHint(start >= {low:DateTime64(9)} - toIntervalMillisecond({around:UInt64})
	AND start < {to:DateTime64(9)} + toIntervalMillisecond({around:UInt64}))`

// entrySpans compares a transaction with the entry spans that a condition
// holds for. It does so by the span id alone, 64 random bits: to read the trace
// id too takes four times as long.
func entrySpans(in, condition string) string {
	return `span_id ` + in + ` (SELECT span_id FROM spans
		WHERE project_id = {project:UInt32} AND indexHint(start >= {low:DateTime64(9)} AND start < {to:DateTime64(9)}) AND entry AND ` + condition + `)`
}

// attribute is a condition on one attribute of a row of spans; tokens is the
// expression whose index answers for equality.
func (f *searchFilter) attribute(t *searchTerm, tokens string) string {
	column := ""
	if c, ok := conventionOf([]byte(t.key)); ok {
		column = columnValues[c.field]
	}
	switch {
	case t.field == "has" && column != "":
		return column + " != ''"
	case t.field == "has":
		return `has(attr_keys, ` + f.param("String", t.key) + `)`
	case t.op == "=" && column != "":
		return column + ` IN ` + f.param("Array(String)", t.values)
	case t.op == "=":
		any := make([]string, len(t.values))
		for i, value := range t.values {
			any[i] = `has(` + tokens + `, ` + f.param("String", t.key+"="+value) + `)`
		}
		return `(` + strings.Join(any, " OR ") + `)`
	case column != "":
		return `(` + column + ` != '' AND match(` + column + `, ` + f.param("String", t.values[0]) + `))`
	}
	key := f.param("String", t.key)
	return `(has(attr_keys, ` + key + `) AND match(attr_values[indexOf(attr_keys, ` + key + `)], ` + f.param("String", t.values[0]) + `))`
}
