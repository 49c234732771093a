package sqltext

import (
	"bytes"
	"regexp"
	"strings"

	sqllexer "github.com/DataDog/go-sqllexer"
)

// readSQL walks the tokens of go-sqllexer once and writes the normalised text
// while it follows just enough grammar to know the verb, the tables and the
// CTEs. The library's own normaliser is not used, because it
//   - knows only the first name of a WITH list as a CTE,
//   - takes y for a table in EXTRACT(x FROM y), TRIM(… FROM y), IS DISTINCT
//     FROM y, FOR UPDATE OF y and ON DUPLICATE KEY UPDATE y,
//   - has no main verb, drops the names of comments, and keeps rows of VALUES
//     apart, so that a batch of 3 and of 4 rows are two statements.
//
// Its lexer has habits that are undone here: an identifier swallows / ? ! and a
// following comment or quoted name (a/b, a?, t/*x*/, s."a b"), a keyword that touches an operator
// (SELECT*) is an identifier, "=:" and ">?" are one operator, a-1 is an
// identifier and the number -1, in a>-1 the sign is the operator's, x'ff' and N'text' are an identifier and a
// string, and what it cannot finish (a truncated comment or identifier) comes
// back raw: that is replaced like a literal. Not handled: Oracle's q'[…]'
// quoting, and \' under a db.system that nobody knows: an inner quote ends the
// literal early. "…" is a name or, as MySQL and BigQuery have it, a literal:
// under a system that nobody knows, it is one where a value is due.
func readSQL(system, raw string) Statement {
	raw = untangle.Replace(raw)
	r := sqlReader{
		strictCTE: strings.HasPrefix(system, "postgres") || system == "mysql" || system == "mariadb",
		intoTable: dialect(system) == sqllexer.DBMSSQLServer,
		quotes:    quotesLiterals(system),
		out:       make([]byte, 0, min(len(raw)+16, 2*maxStatementText)),
		frames:    make([]frame, 1, 8),
	}
	r.read(sqllexer.New(raw, sqllexer.WithDBMS(dialect(system))))
	r.s.Text = strings.TrimRight(string(r.out), "; ")
	return r.s
}

// untangle adds the spaces that keep the lexer from reading a comment, or a
// quoted name behind a dot, as a part of the identifier before it. Inside of
// literals it does no harm: they are replaced.
var untangle = strings.NewReplacer("/*", " /*", `."`, `. "`)

// dialect picks the lexer's reading of quotes, backslashes, # and @. Systems
// with standard strings (no backslash escapes) and no rules of their own are
// read as Db2, in which the lexer does exactly that.
func dialect(system string) sqllexer.DBMSType {
	switch system {
	case "mysql", "mariadb", "tidb", "vitess", "clickhouse", "hive", "spark":
		return sqllexer.DBMSMySQL
	case "postgresql", "postgres", "cockroachdb", "redshift", "aws.redshift", "greenplum", "edb", "alloydb", "netezza", "vertica":
		return sqllexer.DBMSPostgres
	case "mssql", "microsoft.sql_server", "sqlserver", "sql-server", "sybase":
		return sqllexer.DBMSSQLServer
	case "oracle", "oracle.db":
		return sqllexer.DBMSOracle
	case "snowflake":
		return sqllexer.DBMSSnowflake
	default:
		return sqllexer.DBMSDB2
	}
}

// expectation is what the next name means.
type expectation uint8

const (
	nothing    expectation = iota
	aSource                // after FROM, JOIN: a table, unless it is called like a function
	aTarget                // after INTO, TABLE, UPDATE: a table, also when a column list touches it
	aCTE                   // after WITH: the name of a CTE, if AS follows
	aQualified             // a table's name ended in a dot: its next part
)

// frame is one level of parentheses.
type frame struct {
	open      int  // where in out its "(" stands
	verb      word // the verb that rules here now
	expect    expectation
	inFrom    bool   // a comma brings another table
	recursive bool   // WITH RECURSIVE
	candidate string // the name that becomes a CTE when AS and a body follow
	as        bool   // that AS was read
	body      string // the CTE whose body this is
	lists     bool   // WITH list: a comma after a body brings another name
	rows      bool   // a list of rows: IN (…) and VALUES (…), (…)
	in        bool   // an IN list, written (?) when it holds only values
	values    int    // placeholders so far
	other     bool   // something that is no placeholder was written
	rowStart  int    // the last row in out, rowEnd 0 when none
	rowEnd    int
}

type sqlReader struct {
	s         Statement
	strictCTE bool // a CTE sees itself only after WITH RECURSIVE
	intoTable bool // SELECT … INTO makes a table
	quotes    bool // "…" may be a literal
	out       []byte
	frames    []frame
	ctes      []string

	prev     word   // the previous token as a word, other when it was none
	prevText string // its text
	words    int    // value tokens so far
	hadOther bool   // frame.other before the previous token
	tooDeep  int    // parentheses open beyond maxFrames
	full     bool   // the text is over its limit: only verbs and tables are still followed
	touching bool   // no space since the previous token
	glue     bool   // write the next token without a space
	sign     string // the sign that ended an operator: of a number it is dropped
	bind     bool   // a colon was read: a touching name is a bind variable
	lastName bool   // the previous token was a name or value: a colon after it is a path or label
	tableDot bool   // the previous token completed a table name
	doubtful string // the "…" that the previous token replaced
	between  bool   // BETWEEN was read and its AND is due
	bound    bool   // the previous token was that AND
}

func (r *sqlReader) read(lexer *sqllexer.Lexer) {
	for {
		tok := scan(lexer)
		switch tok.Type {
		case sqllexer.EOF:
			return
		case sqllexer.SPACE:
			r.touching, r.bind = false, false
			continue
		case sqllexer.COMMENT, sqllexer.MULTILINE_COMMENT:
			if r.s.Name == "" && r.words <= 1 {
				r.s.Name = statementName(tok.Value)
			}
			r.touching = false
			continue
		}
		r.token(tok)
		r.words++
		r.touching = true
	}
}

// scan returns EOF where the lexer panics: it is fuzzed, and so are we, but a
// statement of a stranger must not end the process that stores spans.
func scan(lexer *sqllexer.Lexer) (tok *sqllexer.Token) {
	defer func() {
		if recover() != nil {
			tok = &sqllexer.Token{Type: sqllexer.EOF}
		}
	}()
	return lexer.Scan()
}

func (r *sqlReader) token(tok *sqllexer.Token) {
	v := tok.Value
	bound := r.bind && r.touching
	r.bind = false
	if r.sign != "" && tok.Type != sqllexer.NUMBER {
		r.write(r.sign, other)
	}
	r.sign = ""
	switch tok.Type {
	case sqllexer.STRING, sqllexer.INCOMPLETE_STRING:
		if r.touching && isStringPrefix(r.prevText) {
			r.unwrite(r.prevText)
		}
		r.placeholder()
	case sqllexer.NUMBER:
		if r.touching && r.prevText == "?" { // ?1 of JPA
			return
		}
		if (v[0] == '-' || v[0] == '+') && r.lastName {
			r.write(v[:1], other)
		}
		r.placeholder()
	case sqllexer.DOLLAR_QUOTED_STRING, sqllexer.DOLLAR_QUOTED_FUNCTION, sqllexer.POSITIONAL_PARAMETER,
		sqllexer.BIND_PARAMETER, sqllexer.ERROR:
		r.placeholder()
	case sqllexer.NULL, sqllexer.BOOLEAN:
		if r.inRow() {
			r.placeholder()
		} else {
			r.write(v, other)
			r.lastName = true
		}
	case sqllexer.OPERATOR:
		r.operator(v)
	case sqllexer.PUNCTUATION:
		r.punctuation(v)
	case sqllexer.QUOTED_IDENT:
		r.quoted(v)
	case sqllexer.UNKNOWN:
		if v != "`" { // a quote of MySQL in a dialect that does not know it
			r.write(v, other)
		}
	case sqllexer.WILDCARD, sqllexer.JSON_OP, sqllexer.SYSTEM_VARIABLE:
		r.write(v, other)
	default:
		if bound {
			r.placeholder()
			return
		}
		r.identifier(v, tok.Type)
	}
}

// identifier takes a keyword or a name, or several that the lexer left together
// around an operator.
func (r *sqlReader) identifier(v string, kind sqllexer.TokenType) {
	i := -1
	if (kind == sqllexer.IDENT || kind == sqllexer.FUNCTION) && !strings.Contains(v, `"`) {
		i = strings.IndexAny(v, "/?!")
	}
	switch {
	case i == 0:
		r.operator(v[:1])
		if v = v[1:]; v != "" {
			r.identifier(v, kind)
		}
	case i > 0:
		r.identifier(v[:i], sqllexer.IDENT)
		r.identifier(v[i:], kind)
	case v[0] >= '0' && v[0] <= '9':
		r.placeholder()
	default:
		if w := wordOf(v); w != other {
			r.word(w, v)
			return
		}
		r.name(v, kind == sqllexer.FUNCTION)
	}
}

// operator splits placeholders and the colon of bind variables off operators.
func (r *sqlReader) operator(v string) {
	for {
		i := strings.IndexByte(v, '?')
		if i < 0 {
			break
		}
		if i > 0 {
			r.operator(v[:i])
		}
		r.placeholder()
		v = v[i+1:]
	}
	switch {
	case v == "":
	case strings.HasSuffix(v, "::"):
		r.glue = true
		r.write(v, other)
		r.glue = true
	case strings.HasSuffix(v, ":"):
		if v == ":" && r.lastName && r.touching { // a path of Snowflake, a label
			r.glue = true
			r.write(v, other)
			r.glue = true
			return
		}
		if v = v[:len(v)-1]; v != "" {
			r.write(v, other)
		}
		r.bind = true
	case len(v) > 1 && strings.ContainsRune("<>=", rune(v[len(v)-2])) && strings.ContainsRune("+-", rune(v[len(v)-1])):
		r.sign = v[len(v)-1:]
		r.write(v[:len(v)-1], other)
	case v == "=" && strings.HasSuffix(r.prevText, "!") && r.touching:
		r.glue = true
		r.write(v, other)
	default:
		r.write(v, other)
	}
}

func (r *sqlReader) punctuation(v string) {
	f := &r.frames[len(r.frames)-1]
	switch v {
	case "(":
		r.openFrame(f)
	case ")":
		r.closeFrame()
	case ",":
		r.write(v, other)
		if f.inFrom {
			f.expect = aSource
		} else if f.lists {
			f.expect = aCTE
		}
	case ";":
		r.write(v, other)
		if len(r.frames) == 1 {
			*f = frame{}
		}
	case ".":
		if r.doubtful != "" && r.touching && !r.full { // a name after all: = "t"."id"
			r.out = append(bytes.TrimSuffix(r.out, []byte("?")), r.doubtful...)
			f.values, f.other = f.values-1, true
		}
		if r.tableDot {
			f.expect = aQualified
		}
		r.glue = true
		r.write(v, other)
		r.glue = true
	case "[", ":":
		r.glue = true
		r.write(v, other)
		r.glue = true
	default:
		r.write(v, other)
	}
}

func (r *sqlReader) openFrame(f *frame) {
	var child frame
	switch {
	case f.as:
		child.body, f.as, f.inFrom = f.candidate, false, false
	case f.expect == aSource && r.prev != wordUsing:
		child.expect, child.inFrom, child.verb = aSource, true, wordSelect
	case r.prev == wordIn:
		child.rows, child.in = true, true
	}
	if f.expect == aCTE { // WITH (NOLOCK)
		f.lists = false
	}
	f.expect = nothing
	r.write("(", other)
	if len(r.frames) == maxFrames {
		r.tooDeep++
		return
	}
	child.open = len(r.out) - 1
	r.frames = append(r.frames, child)
}

// maxFrames bounds the parentheses that are followed; deeper ones are written
// but count as part of the one around them.
const maxFrames = 256

func (r *sqlReader) closeFrame() {
	last := len(r.frames) - 1
	if last == 0 || r.tooDeep > 0 { // begun before the truncated text, or too deep
		r.tooDeep = max(r.tooDeep-1, 0)
		r.write(")", other)
		r.lastName = true
		return
	}
	child := r.frames[last]
	r.write(")", other)
	r.lastName = true
	r.frames = r.frames[:last]
	f := &r.frames[last-1]
	if child.body != "" {
		r.ctes = append(r.ctes, child.body)
		f.candidate = ""
	}
	if r.full {
		return
	}
	if child.in && !child.other && child.values > 0 {
		r.out = append(r.out[:child.open], "(?)"...)
	}
	if !f.rows {
		return
	}
	if f.rowEnd > 0 && string(r.out[f.rowEnd:child.open]) == ", " &&
		string(r.out[f.rowStart:f.rowEnd]) == string(r.out[child.open:]) {
		r.out = r.out[:f.rowEnd]
		return
	}
	f.rowStart, f.rowEnd = child.open, len(r.out)
}

// inRow reports whether the reader stands in a row of VALUES or an IN list, where NULL
// is a value like any other.
func (r *sqlReader) inRow() bool {
	n := len(r.frames)
	return r.frames[n-1].in || n > 1 && r.frames[n-2].rows
}

func (r *sqlReader) placeholder() {
	f := &r.frames[len(r.frames)-1]
	wasOther := f.other
	f.values++
	f.expect = nothing
	r.write("?", other)
	f.other = wasOther
	r.lastName = true
}

// write appends one token, with a space before it where SQL is usually written so.
func (r *sqlReader) write(v string, w word) {
	f := &r.frames[len(r.frames)-1]
	r.hadOther = f.other
	if v != "," {
		f.other = true
	}
	n := len(r.out)
	r.full = r.full || n > 2*maxStatementText
	if !r.full {
		if n > 0 && !r.glue && v != "," && v != ")" && v != ";" && v != "]" && r.out[n-1] != '(' && r.out[n-1] != '.' {
			r.out = append(r.out, ' ')
		}
		r.out = append(r.out, v...)
	}
	if r.quotes {
		switch {
		case strings.EqualFold(v, "BETWEEN"):
			r.between = true
		case strings.EqualFold(v, "AND"):
			r.bound, r.between = r.between, false
		default:
			r.bound = false
		}
	}
	r.glue, r.lastName, r.tableDot, r.doubtful = false, false, false, ""
	r.prev, r.prevText = w, v
}

// unwrite takes the prefix of a string literal back out of the text.
func (r *sqlReader) unwrite(v string) {
	if !r.full {
		r.out = bytes.TrimSuffix(bytes.TrimSuffix(r.out, []byte(v)), []byte(" "))
	}
	r.frames[len(r.frames)-1].other = r.hadOther
}

// isStringPrefix reports whether an identifier that touches a string is part of
// the literal: N'…', x'…', E'…', U&'…' and the character sets of MySQL.
func isStringPrefix(v string) bool {
	switch v {
	case "N", "n", "X", "x", "B", "b", "E", "e", "Q", "q", "U&", "u&":
		return true
	}
	return strings.HasPrefix(v, "_") && len(v) < 16
}

// A statement's name is a dotted path or a single word; an optimiser's hint
// or prose is not. sqlc writes "name: GetUser :one".
var namePattern = regexp.MustCompile(`^(?:name:\s*)?([A-Za-z_][\w$.:#-]{2,127})(?:\s+:\w+)?$`)

func statementName(comment string) string {
	comment = strings.TrimSuffix(strings.TrimLeft(comment, "/*-# \t"), "*/")
	m := namePattern.FindStringSubmatch(strings.TrimSpace(comment))
	if m == nil {
		return ""
	}
	return strings.Clone(m[1])
}

// Literals returns the string literals of a raw statement, and its numbers of
// six digits and more, without their quotes: what may be somebody's data.
func Literals(system, raw string) []string {
	system = strings.ToLower(strings.TrimSpace(system))
	if family(system) != inSQL {
		return nil
	}
	var all []string
	quotes, before := quotesLiterals(system), ""
	lexer := sqllexer.New(untangle.Replace(clip(raw, maxRawStatement)), sqllexer.WithDBMS(dialect(system)))
	for {
		tok := scan(lexer)
		kind, v := tok.Type, tok.Value
		if kind == sqllexer.QUOTED_IDENT && quotes && beforeValue(before) {
			kind = sqllexer.STRING
		}
		if kind != sqllexer.SPACE {
			before = v
		}
		switch kind {
		case sqllexer.EOF:
			return all
		case sqllexer.STRING, sqllexer.INCOMPLETE_STRING, sqllexer.DOLLAR_QUOTED_STRING:
			if v = strings.Trim(v, `'"$`); v != "" {
				all = append(all, strings.Clone(strings.ReplaceAll(v, "''", "'")))
			}
		case sqllexer.NUMBER:
			if len(strings.Trim(v, "+-.")) >= 6 {
				all = append(all, strings.Clone(strings.TrimLeft(v, "+-")))
			}
		}
	}
}
