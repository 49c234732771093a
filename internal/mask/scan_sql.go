package mask

import "strings"

// statement walks over a SQL statement that begins with the word w and claims
// its tables, columns and literals. It returns where the statement ends, or 0
// when the word only is one of prose.
func (sc *scanner) statement(w word, verb string) int {
	if n := sc.statementOn(w, verb); n > 0 {
		return n
	}
	s := sqlWalk{sc: sc, verb: verb, quote: quoteBefore(sc.text, w.start), mark: len(sc.spans), shouted: !w.lower()}
	if !s.begins(w.end) {
		return 0
	}
	end, ok := s.walk(w.end)
	if !ok {
		sc.spans = sc.spans[:s.mark]
		return 0
	}
	return end
}

// statementOn claims the tables of a statement that is spoken of: SELECT on orders, members took …
func (sc *scanner) statementOn(w word, verb string) int {
	text := sc.text
	if w.lower() || !strings.HasPrefix(text[w.end:], " on ") || verb != "select" && verb != "insert" && verb != "update" && verb != "delete" && verb != "merge" {
		return 0
	}
	i := w.end + len(" on ")
	for {
		end := i
		for end < len(text) && (wordByte(text[end]) || text[end] == '.' || text[end] >= 0x80) {
			end++
		}
		if end < len(text) && text[end] != ' ' && text[end] != ',' && text[end] != '\n' || end == i || stopWord[fold(text[i:end])] {
			return i
		}
		sc.qualified(i, end, Table)
		i = end
		if !strings.HasPrefix(text[i:], ", ") {
			return i
		}
		i += 2
	}
}

// quoteBefore returns the quote the statement stands in, 0 for none.
func quoteBefore(text string, i int) byte {
	if i > 0 && (text[i-1] == '"' || text[i-1] == '\'' || text[i-1] == '`') {
		return text[i-1]
	}
	return 0
}

// sqlWalk is one statement under way.
type sqlWalk struct {
	sc      *scanner
	verb    string
	quote   byte // the quote that ends the statement
	mark    int  // the claims before the statement
	shouted bool // the verb is in capitals

	parts   [6]piece  // of the name read last
	aliases [8]string // folded
	naming  int       // aliases used
	sure    bool      // something stood there that prose does not have
}

// states of a walk: what a name stands for.
const (
	inList    = iota // expressions: select list, conditions, values
	wantTable        // behind FROM, JOIN, INTO, UPDATE, TABLE
	hadTable         // behind a table: an alias may follow
	hadAlias         // behind an alias or an AS
)

// begins says that what follows a verb can be the beginning of a statement.
func (s *sqlWalk) begins(i int) bool {
	next, end := s.peek(i)
	switch s.verb {
	case "select":
		if next == "" {
			return end < len(s.sc.text) && strings.IndexByte("*'\"`(0123456789?@[:/", s.sc.text[end]) >= 0 && s.hasFrom(i)
		}
		if stopWord[next] && !s.shouted && next != "distinct" {
			after, at := s.peek(end)
			if next != "a" || after != "from" && (at >= len(s.sc.text) || s.sc.text[at] != ',') {
				return false
			}
		}
		return s.hasFrom(i)
	case "insert":
		return next == "into" || next == "ignore" || next == "overwrite" || next == "all" && s.shouted
	case "replace", "merge":
		return next == "into"
	case "delete":
		return next == "from" || s.shouted && next != "" && s.hasFrom(i)
	case "update":
		if next == "" {
			return end < len(s.sc.text) && strings.IndexByte("`\"[", s.sc.text[end]) >= 0
		}
		return !stopWord[next] && s.hasSet(end)
	case "create", "alter", "drop", "truncate":
		for sqlModifier[next] {
			next, end = s.peek(end)
		}
		return next == "table" || next == "view" || next == "index" || next == "database" || next == "schema" || next == "sequence"
	case "with":
		if next == "recursive" {
			next, end = s.peek(end)
		}
		if next == "" {
			return false
		}
		after, at := s.peek(end)
		if after == "" && at < len(s.sc.text) && s.sc.text[at] == '(' {
			return strings.Contains(strings.ToLower(s.sc.text[at:min(len(s.sc.text), at+200)]), ") as (")
		}
		_, at = s.peek(at)
		return after == "as" && at < len(s.sc.text) && s.sc.text[at] == '('
	case "call", "exec", "execute":
		if next == "" || stopWord[next] {
			return false
		}
		text := s.sc.text
		for end < len(text) && (wordByte(text[end]) || text[end] == '.' || text[end] == '$') {
			end++
		}
		return s.shouted && end < len(text) && (text[end] == '(' || text[end] == ' ' && s.verb != "call" && end+1 < len(text) && text[end+1] == '@')
	}
	return false
}

// peek returns the word at i in lower case and where it ends; "" and the offset
// of the sign when there is none.
func (s *sqlWalk) peek(i int) (string, int) {
	text := s.sc.text
	for i < len(text) && text[i] <= ' ' {
		i++
	}
	start := i
	for i < len(text) && (wordByte(text[i]) || text[i] >= 0x80) && i-start < 64 {
		i++
	}
	if i > start && text[start] >= '0' && text[start] <= '9' {
		return "", start
	}
	return fold(text[start:i]), i
}

// statementReach is how far a FROM or a SET is looked for.
const statementReach = 6000

// hasFrom looks for FROM before the statement must have ended.
func (s *sqlWalk) hasFrom(i int) bool {
	text := s.sc.text[i:min(len(s.sc.text), i+statementReach)]
	words := 0
	for j := 0; j < len(text); j++ {
		switch c := text[j]; {
		case c == ';':
			return false
		case (c|0x20) == 'f' && j > 0 && !wordByte(text[j-1]) && j+4 < len(text) && strings.EqualFold(text[j:j+4], "from") && !wordByte(text[j+4]):
			return true
		case c == ' ' || c == '\n':
			words++
		case c == ',' || c == '(' || c == '*' || c == '.' || c == '=' || c == '`' || c == '/' || c == '|' || c == ':':
			words = 0
		}
		if words > 12 && !s.shouted || words > 60 { // prose
			return false
		}
	}
	return false
}

// hasSet looks for SET behind the table of an UPDATE.
func (s *sqlWalk) hasSet(i int) bool {
	text := s.sc.text[i:min(len(s.sc.text), i+200)]
	for range 7 {
		j := strings.IndexAny(text, " \t\n\r")
		if j < 0 {
			return false
		}
		text = strings.TrimLeft(text[j:], " \t\r\n")
		if len(text) > 4 && strings.EqualFold(text[:3], "set") && text[3] <= ' ' {
			return true
		}
	}
	return false
}

// walk reads tokens from i on to the end of the statement; ok is false when it
// turned out to be prose.
func (s *sqlWalk) walk(i int) (int, bool) {
	sc, text := s.sc, s.sc.text
	state := inList
	operand := false // the last token was a value or a name: a bare name cannot follow
	selecting := s.verb == "select"
	plain := 0         // bare names in a row
	afterAs := false   // the next name is an alias
	limited := false   // behind LIMIT, OFFSET, TOP: numbers are counts
	var depth [32]bool // for every parenthesis: in a select list
	level := 0
	if s.verb == "update" || s.verb == "truncate" {
		state = wantTable
	}
	word := ""      // the last keyword
	ended := false  // the last token was a literal
	closed := false // the last token closed a parenthesis: an alias may follow
	for i < len(text) {
		c := text[i]
		if c <= ' ' {
			i++
			continue
		}
		behind, literal := closed, ended
		closed, ended = false, false
		switch {
		case c == ';':
			return i, true
		case c == '/' && i+1 < len(text) && text[i+1] == '*':
			i = s.comment(i, "*/")
			continue
		case c == '-' && i+1 < len(text) && text[i+1] == '-' && (i+2 >= len(text) || text[i+2] == ' ' || text[i+2] == '\n'):
			i = s.comment(i, "\n")
			continue
		case c == '\'':
			if s.quote == '\'' {
				return i, true
			}
			end := literalEnd(text, i)
			if end == 0 {
				return i, true
			}
			if end > i+1 && !dateFormat(text[i+1:end]) {
				sc.inside(i+1, end) // first: a more specific class wins
				sc.claim(i+1, end, Literal, true)
			}
			i, operand, plain, s.sure, ended = end+1, true, 0, true, true
			continue
		case c == '\\':
			if i+1 < len(text) && (text[i+1] == 'n' || text[i+1] == 't' || text[i+1] == 'r') {
				i += 2
				continue
			}
			if i+1 < len(text) && text[i+1] == '"' && state != wantTable && !(text[max(i-1, 0)] == '.') {
				start, end := inQuotes(text, i)
				if operand || end == 0 || s.quote == '"' && end == 0 {
					return i, true
				}
				sc.claim(start, end, Literal, true)
				i, operand = end+2, true
				continue
			}
			i++
			continue
		case c == '"' && s.quote == '"':
			return i, true
		case c == '"' && state == inList && text[max(i-1, 0)] != '.' && !s.quotedName(i):
			end := strings.IndexByte(text[i+1:], '"')
			if operand || end < 0 || strings.IndexByte(text[i+1:i+1+end], '\n') >= 0 {
				return i, true
			}
			if end > 0 {
				sc.claim(i+1, i+1+end, Literal, true)
			}
			i, operand, plain, s.sure = i+end+2, true, 0, true
			continue
		case c >= '0' && c <= '9':
			if operand && plain > 0 && !afterAs || state == hadTable || state == hadAlias {
				return i, true
			}
			end := i
			for end < len(text) && (wordByte(text[end]) || text[end] == '.' && end+1 < len(text) && text[end+1] >= '0' && text[end+1] <= '9') {
				end++
			}
			if digits := text[i:end]; !limited && len(digits) >= 5 && strings.Trim(digits, "0123456789") == "" {
				sc.claim(i, end, Literal, len(digits) >= 7)
			}
			i, operand, plain = end, !(limited && word == "top"), 0
			continue
		case c == '(' && literal:
			return i, true // nothing is called behind a value: the sentence goes on
		case c == '(':
			if state == wantTable || state == hadTable && s.verb != "insert" && s.verb != "replace" && s.verb != "create" {
				state = inList
			}
			if level < len(depth) {
				depth[level] = selecting
			}
			level++
			if state == hadTable || state == hadAlias {
				state = inList
			}
			i, operand, plain, limited = i+1, false, 0, false
			continue
		case c == ')':
			if level == 0 {
				return i, true
			}
			level--
			if level < len(depth) {
				selecting = depth[level]
			}
			i, operand, plain, limited, closed = i+1, true, 0, false, true
			state = inList
			continue
		case c == ',':
			if state == hadTable || state == hadAlias {
				state = wantTable
			}
			i, operand, plain, afterAs, limited = i+1, false, 0, false, false
			s.sure = true
			continue
		case c == '?' || c == '$' || c == ':' || c == '#' || c == '@':
			if i+1 < len(text) && text[i+1] == c { // ::text, @@x
				i++
			}
			if c == ':' && operand && !(i+1 < len(text) && (wordByte(text[i+1]) || text[i+1] == ':')) {
				return i, true
			}
			i++
			if i < len(text) && text[i] == '{' {
				if n := strings.IndexByte(text[i:], '}'); n > 0 {
					i += n + 1
				}
			}
			for i < len(text) && wordByte(text[i]) {
				i++
			}
			operand, plain = true, 0
			continue
		case identByte(c) || c == '"' || c == '`' || c == '[':
		case strings.IndexByte("*=<>+-/%|&!.^~", c) >= 0:
			if state == hadTable || state == hadAlias {
				if c == '-' || c == '*' || c == '=' || c == '|' {
					return i, true
				}
			}
			s.sure = true
			i, operand, plain = i+1, c == '*' && !operand, 0
			continue
		default:
			return i, true
		}
		if c == '[' && operand {
			return i, true
		}
		if i+1 < len(text) && text[i+1] == '\'' && strings.IndexByte("NnEeBbXxUu", c) >= 0 { // N'…'
			i++
			continue
		}
		name, end := s.identifier(i)
		if end == i {
			i++
			continue
		}
		folded := ""
		if len(name) == 1 && !name[0].quoted {
			folded = fold(text[name[0].start:name[0].end])
		}
		if next, isKeyword := sqlKeyword[folded]; isKeyword && !(state == wantTable && next == 0 && folded != "only" && folded != "if" && folded != "exists" && folded != "not" && folded != "select" && folded != "lateral" && folded != "table") && folded != "" {
			if prose(folded, operand, s.shouted, text[i]) {
				return i, s.sure || s.shouted
			}
			if folded == "on" && selecting && operand {
				return i, false // "SELECT on orders took …" is said of a statement
			}
			switch {
			case folded == "update" && (word == "do" || word == "for" || word == "key" || word == "then" || word == "on"):
				state = inList
			case next == keywordTable, folded == "using" && (s.verb == "merge" || s.verb == "delete"):
				state, selecting = wantTable, false
			case folded == "only" || folded == "if" || folded == "exists" || folded == "not" || folded == "lateral" || folded == "temporary" || folded == "ignore":
			case folded == "as":
				afterAs = true
			case folded == "select":
				state, selecting = inList, true
			case state == hadTable && folded == "partition":
			default:
				state = inList
			}
			word = folded
			limited = folded == "limit" || folded == "offset" || folded == "top" || folded == "fetch" || limited && (folded == "next" || folded == "first")
			if folded != "as" {
				operand = folded == "null" || folded == "true" || folded == "false" || folded == "end" || folded == "sysdate" || folded == "current_timestamp"
			}
			i, plain = end, 0
			if folded != "as" {
				afterAs = false
			}
			continue
		}
		switch {
		case state == wantTable:
			if folded != "" && stopWord[folded] {
				return i, s.sure || s.shouted
			}
			if strings.HasPrefix(text[end:], "://") || strings.HasPrefix(text[end:], "@") {
				return i, s.sure && s.shouted
			}
			if !s.cte(name, folded, end) {
				s.table(name)
			}
			state, operand, plain = hadTable, true, 0
			if s.verb == "insert" || s.verb == "replace" || s.verb == "create" {
				state = inList
				operand = false
			}
		case state == hadTable && len(name) == 1:
			s.alias(name[0])
			state, afterAs = hadAlias, false
		case state == hadAlias:
			return i, true
		case s.cte(name, folded, end):
		case end < len(text) && text[end] == '(' && !strings.HasPrefix(text[end:], "(+)") && !name[len(name)-1].quoted && !(s.verb == "insert" && level == 0):
			operand, plain, s.sure = false, 0, true // a function
			if s.verb == "call" || s.verb == "exec" || s.verb == "execute" {
				for _, p := range name[:len(name)-1] {
					sc.claim(p.start, p.end, Database, true)
				}
			}
		case afterAs && len(name) == 1:
			s.alias(name[0])
			afterAs, operand = false, true
		case len(name) == 1 && behind:
			s.alias(name[0])
			plain = 1
		case len(name) == 1 && plain > 0 && operand && (!selecting || plain > 1):
			if !s.sure && !s.shouted {
				return i, false
			}
			return i, true
		case len(name) == 1 && operand && selecting && level >= 0:
			if plain == 0 && !s.sure && !s.shouted {
				return i, false
			}
			s.alias(name[0])
			plain = 2
		case len(name) == 1 && operand:
			return i, true
		default:
			s.column(name)
			operand = true
			plain++
		}
		i = end
	}
	return i, true
}

// prose says that a word which is a keyword too is one of the sentence around the
// statement: in small letters behind a statement in capitals.
func prose(folded string, operand, shouted bool, first byte) bool {
	return shouted && operand && first >= 'a' && first <= 'z' && proseKeyword[folded]
}

// comment looks at what stands in a comment and returns where it ends.
func (s *sqlWalk) comment(i int, closing string) int {
	n := strings.Index(s.sc.text[i+2:], closing)
	end := len(s.sc.text)
	if n >= 0 {
		end = i + 2 + n
	}
	s.sc.inside(i+2, end)
	return min(end+len(closing), len(s.sc.text))
}

// inside looks at a part of the text by itself.
func (sc *scanner) inside(start, end int) {
	if end-start < 6 {
		return
	}
	sub := scanner{text: sc.text[start:end], rules: sc.rules}
	sub.run()
	for _, sp := range sub.spans {
		sc.spans = append(sc.spans, span{sp.start + start, sp.end + start, sp.class, sp.global})
	}
}

// quotedName says that the double quotes at i hold a name of PostgreSQL or
// Oracle, not a value: no spaces, and a dot, a bracket or a comparison follows.
func (s *sqlWalk) quotedName(i int) bool {
	text := s.sc.text
	n := strings.IndexByte(text[i+1:], '"')
	if n <= 0 || strings.ContainsAny(text[i+1:i+1+n], " '\n") {
		return false
	}
	j := i + n + 2
	for j < len(text) && text[j] == ' ' {
		j++
	}
	before := i
	for before > 0 && text[before-1] == ' ' {
		before--
	}
	if before > 0 && strings.IndexByte("=<>", text[before-1]) >= 0 || before > 4 && strings.EqualFold(text[before-4:before], "like") {
		return j < len(text) && text[j] == '.'
	}
	return true
}

// piece is one part of a qualified name, without its quotes.
type piece struct {
	start, end int
	quoted     bool
}

func identByte(c byte) bool { return letter(c) || c == '_' || c >= 0x80 }

// identifier reads the name at i, with its qualifiers, and returns where it ends.
func (s *sqlWalk) identifier(i int) ([]piece, int) {
	text := s.sc.text
	parts := s.parts[:0]
	for {
		closing := byte(0)
		switch text[i] {
		case '"', '`':
			closing = text[i]
		case '[':
			closing = ']'
		}
		if closing != 0 {
			n := strings.IndexByte(text[i+1:], closing)
			if n <= 0 || n > 128 || strings.IndexByte(text[i+1:i+1+n], '\n') >= 0 {
				return parts, i
			}
			parts = append(parts, piece{i + 1, i + 1 + n, true})
			i += n + 2
		} else {
			start := i
			for i < len(text) && (wordByte(text[i]) || text[i] >= 0x80 || text[i] == '$' || text[i] == '#' && i > start) {
				if text[i] >= 0x80 && i > start && particle(text[i:]) {
					break
				}
				i++
			}
			if i == start {
				return parts, i
			}
			parts = append(parts, piece{start, i, false})
		}
		if i+1 >= len(text) || text[i] != '.' || !identByte(text[i+1]) && text[i+1] != '"' && text[i+1] != '`' && text[i+1] != '[' {
			return parts, i
		}
		i++
	}
}

// table claims a table with its schema.
func (s *sqlWalk) table(name []piece) {
	for i, p := range name {
		class := Database
		if i == len(name)-1 {
			class = Table
		}
		if text := fold(s.sc.text[p.start:p.end]); p.end-p.start > 1 && !sqlSystem[text] && !s.known(text) {
			s.sc.claim(p.start, p.end, class, true)
		}
	}
}

// column claims a column; what qualifies it is an alias or a table, which is known already.
func (s *sqlWalk) column(name []piece) {
	sc := s.sc
	for i, p := range name {
		folded := fold(sc.text[p.start:p.end])
		if s.known(folded) || sqlSystem[folded] {
			continue
		}
		if i < len(name)-1 {
			if p.end-p.start > 3 && !generatedAlias(folded) {
				sc.claim(p.start, p.end, Table, true)
			}
			continue
		}
		if p.end-p.start < 3 || ordinaryColumn[folded] {
			continue
		}
		sc.claim(p.start, p.end, Column, strings.ContainsAny(folded, "_0123456789") && len(folded) > 5)
	}
}

// cte says that a name is given to a query, as in WITH x AS (…; it is no table's.
func (s *sqlWalk) cte(name []piece, folded string, end int) bool {
	if s.verb != "with" || folded == "" {
		return false
	}
	if s.known(folded) {
		return true
	}
	text := s.sc.text
	after, at := s.peek(end)
	if after == "" && at < len(text) && text[at] == '(' { // with the names of its columns
		if n := closing(text, at); n > 0 {
			after, at = s.peek(n + 1)
		}
	}
	if _, at = s.peek(at); after != "as" || at >= len(text) || text[at] != '(' {
		return false
	}
	s.alias(name[0])
	return true
}

func (s *sqlWalk) alias(p piece) {
	if s.naming < len(s.aliases) {
		s.aliases[s.naming] = fold(s.sc.text[p.start:p.end])
		s.naming++
	}
}

// generatedAlias says that a name is an alias of Hibernate: o1_0, orderitem0_.
func generatedAlias(name string) bool {
	i := strings.LastIndexByte(name, '_')
	return i > 0 && name[i-1] >= '0' && name[i-1] <= '9' && strings.Trim(name[i+1:], "0123456789") == ""
}

// known says that a folded name is an alias of this statement.
func (s *sqlWalk) known(folded string) bool {
	for _, a := range s.aliases[:s.naming] {
		if a == folded {
			return true
		}
	}
	return false
}

// dateFormat says that a literal is a pattern of dates, which tells nothing.
func dateFormat(literal string) bool {
	if len(literal) < 2 || len(literal) > 24 {
		return len(literal) < 2
	}
	if datePart[fold(literal)] {
		return true
	}
	if name, kind, ok := strings.Cut(literal, " "); ok && name[:min(1, len(name))] == "@" { // a parameter and its type
		kind, _, _ = strings.Cut(kind, "(")
		_, known := sqlKeyword[fold(kind)]
		return known
	}
	if strings.Contains(literal, "%") && strings.Trim(literal, "%YymdHiSs-:/. ") == "" {
		return true
	}
	return strings.Trim(literal, "YMDHSI24-:/. yms") == "" && strings.Contains(strings.ToUpper(literal), "YY")
}

// splitName returns the bounds of each part of a qualified name, without quotes.
func splitName(text string, start, end int) [][2]int {
	var parts [][2]int
	for i := start; i < end; {
		closing := byte(0)
		switch text[i] {
		case '"', '`':
			closing = text[i]
		case '[':
			closing = ']'
		}
		j := i
		if closing != 0 {
			i++
			j = end
			if n := strings.IndexByte(text[i:end], closing); n >= 0 {
				j = i + n
			}
			parts = append(parts, [2]int{i, j})
			i = j + 2
			continue
		}
		for j < end && text[j] != '.' {
			j++
		}
		parts = append(parts, [2]int{i, j})
		i = j + 1
	}
	return parts
}

const keywordTable = 1

// sqlKeyword are the words of statements; those of keywordTable come before a table.
var sqlKeyword = func() map[string]int {
	m := map[string]int{}
	for _, w := range strings.Fields(`select where and or not null is in like ilike rlike regexp between exists case when then else end as on using order by group having
		limit offset fetch first next rows row only distinct all any some union intersect except minus values set default asc desc nulls last with recursive
		inner left right full outer cross natural lateral partition over range preceding following unbounded current interval escape collate
		returning duplicate ignore temporary if replace cascade restrict primary foreign key references unique index constraint check add column modify change rename to
		cast convert extract year month day hour minute second true false current_timestamp current_date sysdate top percent for share nowait skip locked
		matched insert delete do nothing conflict begin commit rollback declare int integer bigint smallint varchar varchar2 nvarchar char text date
		datetime timestamp decimal numeric number float double boolean auto_increment engine charset comment force use hint straight_join start connect prior level siblings output
		nolock readpast rownum dual sql_no_cache sql_calc_found_rows high_priority low_priority delayed separator at zone time a_n_y within tablespace concurrently
		filter array unsigned binary signed generated always identity explain analyze verbose`) {
		m[w] = 0
	}
	for _, w := range strings.Fields(`from join into update table apply view database schema truncate describe references`) {
		m[w] = keywordTable
	}
	return m
}()

var (
	datePart     = set(`day month year hour minute second week quarter dd mm yyyy dow doy epoch microseconds milliseconds`)
	sqlModifier  = set(`or replace temporary temp unique global local external unlogged materialized fulltext spatial clustered nonclustered bitmap public`)
	proseKeyword = set(`for in to on at with and only all using from is as end if then when or not any some order first last rows row time`)
	// sqlSystem are names every database has.
	sqlSystem = set(`dual information_schema pg_catalog sys mysql performance_schema dbo public pg_stat_activity pg_class v$session all_tables user_tables excluded new old inserted deleted sysibm`)
	// ordinaryColumn tells nothing about a house.
	ordinaryColumn = set(`id name type status code state value key seq count total date time created updated deleted created_at updated_at deleted_at level rownum
		version description title cnt num row_number rank sum avg min max user no idx host uuid data result rn`)
)
