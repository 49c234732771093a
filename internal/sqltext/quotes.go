package sqltext

import (
	"strings"

	sqllexer "github.com/DataDog/go-sqllexer"
)

// standardQuotes are the systems without a dialect of their own in which "…" is a name.
var standardQuotes = map[string]bool{
	"db2": true, "ibm.db2": true, "sqlite": true, "h2": true, "h2database": true, "hsqldb": true, "derby": true, "firebird": true,
	"firebirdsql": true, "hanadb": true, "sap.hana": true, "teradata": true, "trino": true, "presto": true, "maxdb": true, "sap.maxdb": true,
}

// quotesLiterals reports whether "…" may be a literal of the system.
func quotesLiterals(system string) bool {
	return dialect(system) == sqllexer.DBMSDB2 && !standardQuotes[system]
}

// quoted takes "…" for what it is, as far as the place tells.
func (r *sqlReader) quoted(v string) {
	switch {
	case r.doubtful != "" && r.touching: // "it""s"
	case r.quotes && r.valueDue():
		r.placeholder()
		r.doubtful = v
	default:
		r.name(v, false)
	}
}

// valueDue reports whether the place of the next token is that of a value.
func (r *sqlReader) valueDue() bool {
	f := &r.frames[len(r.frames)-1]
	return f.expect == nothing && (f.verb == other && r.inRow() || r.bound || beforeValue(r.prevText))
}

// beforeValue reports whether an operator or a keyword has a value behind it.
func beforeValue(v string) bool {
	switch strings.ToUpper(v) {
	case "":
		return false
	case "LIKE", "ILIKE", "BETWEEN":
		return true
	}
	return strings.ContainsAny(v[len(v)-1:], "=<>!|+-/%~^")
}
