package sqltext

import (
	"slices"
	"strings"
)

// word is a keyword that the SQL reader acts on.
type word uint8

const (
	other word = iota
	wordSelect
	wordInsert
	wordUpdate
	wordDelete
	wordMerge
	wordReplace
	wordVerb // a verb that may only begin a statement: CREATE, CALL, COMMIT, …
	wordTruncate
	wordTable
	wordFrom
	wordJoin
	wordInto
	wordUsing
	wordWith
	wordRecursive
	wordAs
	wordValues
	wordIn
	wordSet
	wordClause   // ends a FROM list: WHERE, GROUP, …
	wordModifier // may stand between an indicator and its table: ONLY, IF, IGNORE, …
	wordGuard    // makes UPDATE or FROM after it mean something else: FOR, ON, DISTINCT
	wordUpsert   // the same, but rows are written: KEY, DO, THEN
)

var wordsByText = func() map[string]word {
	m := map[string]word{
		"SELECT": wordSelect, "INSERT": wordInsert, "UPDATE": wordUpdate, "DELETE": wordDelete, "MERGE": wordMerge,
		"REPLACE": wordReplace, "TRUNCATE": wordTruncate, "TABLE": wordTable, "FROM": wordFrom, "JOIN": wordJoin,
		"STRAIGHT_JOIN": wordJoin, "INTO": wordInto, "USING": wordUsing, "WITH": wordWith, "RECURSIVE": wordRecursive,
		"AS": wordAs, "VALUES": wordValues, "IN": wordIn, "SET": wordSet,
	}
	for w, texts := range map[word]string{
		wordVerb: "CREATE ALTER DROP GRANT REVOKE COMMIT ROLLBACK BEGIN START SAVEPOINT RELEASE CALL EXEC EXECUTE EXPLAIN " +
			"USE SHOW VACUUM ANALYZE COPY LOCK DECLARE FETCH DESCRIBE PRAGMA LOAD UPSERT OPTIMIZE REFRESH COMMENT",
		wordClause:   "WHERE GROUP ORDER HAVING LIMIT UNION INTERSECT EXCEPT MINUS RETURNING WINDOW OFFSET CONNECT QUALIFY",
		wordModifier: "ONLY LATERAL IF NOT EXISTS IGNORE LOW_PRIORITY HIGH_PRIORITY DELAYED QUICK OUTFILE DUMPFILE",
		wordGuard:    "FOR ON DISTINCT BEFORE AFTER OR",
		wordUpsert:   "KEY DO THEN",
	} {
		for text := range strings.FieldsSeq(texts) {
			m[text] = w
		}
	}
	return m
}()

// wordOf looks v up in upper case without allocating.
func wordOf(v string) word {
	var buf [16]byte
	if len(v) > len(buf) {
		return other
	}
	for i := range len(v) {
		c := v[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		buf[i] = c
	}
	return wordsByText[string(buf[:len(v)])]
}

// word acts on a keyword. Words that only matter beside others fall through
// to the end, where they are written.
func (r *sqlReader) word(w word, v string) {
	f := &r.frames[len(r.frames)-1]
	if f.expect == aQualified || f.expect != nothing && !keywordBeatsName(w) {
		r.name(v, false)
		r.prev = w
		return
	}
	asVerb := f.verb == other
	switch w {
	case wordSelect, wordInsert, wordDelete, wordMerge:
		r.verb(f, w, v)
	case wordUpdate:
		switch r.prev {
		case wordGuard:
		case wordUpsert:
			r.s.Kinds = addOnce(r.s.Kinds, "UPDATE")
		default:
			r.verb(f, w, v)
			f.expect, f.inFrom = aTarget, true
		}
	case wordReplace, wordVerb, wordTruncate:
		if asVerb {
			r.verb(f, w, v)
		}
		if w == wordTruncate && asVerb {
			f.expect = aTarget
		}
	case wordSet, wordValues, wordClause:
		if asVerb && w != wordClause {
			r.verb(f, w, v)
		}
		f.inFrom, f.expect = false, nothing
		f.rows, f.rowEnd = w == wordValues, 0
	case wordFrom:
		if r.prev != wordGuard && (f.verb == wordSelect || f.verb == wordDelete || f.verb == wordUpdate) {
			f.expect, f.inFrom = aSource, true
		}
	case wordJoin:
		r.s.Joins++
		f.expect, f.inFrom = aSource, true
	case wordInto:
		if f.verb != wordSelect || r.intoTable {
			f.expect = aTarget
		}
	case wordTable:
		f.expect = aTarget
	case wordUsing:
		if f.verb == wordMerge || f.verb == wordDelete {
			f.expect = aSource
		}
	case wordWith:
		f.expect, f.lists = aCTE, true
	case wordRecursive:
		f.recursive = true
	case wordAs:
		f.as = f.lists && f.candidate != ""
	}
	r.write(v, w)
}

// keywordBeatsName reports whether w, where a name is due, is still a keyword.
// KEY, SET and the like are then names.
func keywordBeatsName(w word) bool {
	switch w {
	case wordSelect, wordInsert, wordUpdate, wordDelete, wordMerge, wordTable, wordFrom, wordInto, wordWith, wordAs,
		wordValues, wordModifier, wordRecursive, wordClause:
		return true
	}
	return false
}

// verb notes the verb that rules the frame from here.
func (r *sqlReader) verb(f *frame, w word, v string) {
	begins := f.verb == other
	f.verb, f.inFrom, f.expect, f.lists, f.rows = w, false, nothing, false, false
	crud := w >= wordSelect && w <= wordReplace
	if crud {
		r.s.Kinds = addOnce(r.s.Kinds, strings.ToUpper(v))
	}
	opened := len(r.out) == len(r.frames)-1 // nothing but "(" so far: (SELECT …) UNION
	if !begins || len(r.frames) > 1 && !opened {
		return
	}
	// BEGIN; UPDATE … and SET NOCOUNT ON; SELECT … are what they do.
	if r.s.Operation == "" || crud && !slices.Contains(r.s.Kinds, r.s.Operation) {
		r.s.Operation = strings.ToUpper(v)
	}
}

// name writes an identifier and notes what it names.
func (r *sqlReader) name(v string, called bool) {
	f := &r.frames[len(r.frames)-1]
	expect := f.expect
	f.expect = nothing
	table := false
	switch expect {
	case aSource, aTarget:
		if !called || expect == aTarget {
			table = r.addTable(v)
		}
	case aQualified:
		if n := len(r.s.Tables); n > 0 {
			full := strings.TrimSuffix(r.s.Tables[n-1], ".") + "." + unquote(v)
			r.s.Tables = addOnce(r.s.Tables[:n-1], full)
			table = true
		}
	case aCTE:
		f.candidate = unquote(v)
	}
	r.write(v, other)
	r.lastName, r.tableDot = true, table
	if table && strings.HasSuffix(v, ".") {
		f.expect = aQualified
	}
	if called { // its "(" touches it
		r.glue = true
	}
}

// maxTables is how many tables of a statement are noted.
const maxTables = 100

// addTable notes a table, unless it names a CTE that is complete or, where the
// dialect lets it, the one whose body this is. It reports whether the table is
// now the last one.
func (r *sqlReader) addTable(v string) bool {
	name := unquote(v)
	if name == "" || strings.EqualFold(name, "dual") || len(r.s.Tables) == maxTables {
		return false
	}
	for i := len(r.frames) - 1; i >= 0; i-- {
		body := r.frames[i].body
		if strings.EqualFold(body, name) && (!r.strictCTE || i > 0 && r.frames[i-1].recursive) {
			return false
		}
	}
	for _, cte := range r.ctes {
		if strings.EqualFold(cte, name) {
			return false
		}
	}
	before := len(r.s.Tables)
	r.s.Tables = addOnce(r.s.Tables, name)
	return len(r.s.Tables) > before
}

// unquote drops the quotes of every dialect from a possibly qualified name.
func unquote(v string) string {
	if !strings.ContainsAny(v, "`\"[]") {
		return strings.Clone(v)
	}
	return strings.Map(func(c rune) rune {
		switch c {
		case '`', '"', '[', ']':
			return -1
		}
		return c
	}, v)
}
