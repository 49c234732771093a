// Package sqltext reads the statements that programs send to databases: their
// normalised text without values, their operation and tables, and the literals in
// them. It reads text only: it knows no connection, no schema and no table of MATRIX.
package sqltext

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

// Limits of Normalize, in bytes. A longer raw statement is read up to the first
// limit; a longer normalised text is cut at the second, visibly.
const (
	maxRawStatement  = 64 << 10
	maxStatementText = 8 << 10
	cutMark          = " …"
)

// Statement is one statement as MATRIX groups, shows and reasons about it: the
// same query with other values has the same Text and Hash.
type Statement struct {
	System string `json:"system"` // db.system as sent, lower case
	// Name is what the program calls the statement, read from a leading comment
	// such as MyBatis mappers and sqlc write: "test.selectTotalHistory". It is
	// no part of Text or Hash.
	Name      string   `json:"name,omitempty"`
	Text      string   `json:"text"`            // literals replaced by ?, comments gone, ≤ 8 KiB
	Operation string   `json:"operation"`       // SELECT, INSERT, …, GET, find; "" when unknown
	Kinds     []string `json:"kinds,omitempty"` // every SELECT, INSERT, UPDATE, DELETE, MERGE, REPLACE inside, CTEs included
	Tables    []string `json:"tables"`          // in order of appearance, without CTE names
	Joins     int      `json:"joins,omitempty"` // JOIN keywords
	// Hash is xxhash64 over system and text. 0 marks a statement that is not
	// SQL (Redis, MongoDB, …): it is shown, but no SQL rule or rollup counts it.
	Hash uint64 `json:"-"`
}

// Normalize reads a raw statement of the given db.system. It never fails: of
// garbage and of truncated SQL it keeps what it understands, and no literal
// value ever reaches Text. It takes a few microseconds per KiB and may be
// called from many goroutines.
func Normalize(system, raw string) Statement {
	system = strings.ToLower(strings.TrimSpace(system))
	raw = strings.TrimSpace(clip(raw, maxRawStatement))
	if raw == "" {
		return Statement{System: system, Tables: []string{}}
	}
	var s Statement
	switch family(system) {
	case inCommands:
		s = readCommands(raw)
	case inDocuments:
		s = readDocument(raw)
	default:
		s = readSQL(system, raw)
	}
	s.System = system
	if len(s.Text) > maxStatementText {
		s.Text = clip(s.Text, maxStatementText-len(cutMark)) + cutMark
	}
	if s.Tables == nil {
		s.Tables = []string{}
	}
	if family(system) == inSQL && s.Text != "" {
		s.Hash = statementHash(system, s.Text)
	}
	return s
}

// statementHash never returns 0, which is the mark of "no SQL".
func statementHash(system, text string) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(system)
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(text)
	return max(d.Sum64(), 1)
}

// language is how the statements of a database are written.
type language uint8

const (
	inSQL       language = iota
	inCommands           // a verb and its arguments, one command a line
	inDocuments          // JSON whose first key is the operation
)

// notSQL lists the systems of the semantic conventions, old and new names,
// whose statements are no SQL. Whatever is not listed is read as SQL: new SQL
// systems appear more often than new other ones, and reading is robust.
var notSQL = map[string]language{
	"redis": inCommands, "valkey": inCommands, "memcached": inCommands, "dynamodb": inCommands, "aws.dynamodb": inCommands,
	"hbase": inCommands, "geode": inCommands, "couchdb": inDocuments, "mongodb": inDocuments, "elasticsearch": inDocuments,
	"opensearch": inDocuments, "solr": inDocuments,
}

func family(system string) language { return notSQL[system] }

// IsSQL reports whether statements of this db.system are read as SQL.
func IsSQL(system string) bool {
	return family(strings.ToLower(strings.TrimSpace(system))) == inSQL
}

// clip cuts s to at most n bytes without splitting a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// addOnce appends v unless it is there, ignoring case: SQL names do.
func addOnce(list []string, v string) []string {
	if slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, v) }) {
		return list
	}
	return append(list, v)
}
