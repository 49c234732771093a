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
		if end < len(text) && text[end] != ' ' && text[end] != ',' && text[end] != '\n' || end == i || stopWord.has(text[i:end]) {
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

	parts   [6]piece // of the name read last
	aliases [8]string
	naming  int  // aliases used
	sure    bool // something stood there that prose does not have
}

// states of a walk: what a name stands for.
const (
	inList    = iota // expressions: select list, conditions, values
	wantTable        // behind FROM, JOIN, INTO, UPDATE, TABLE
	hadTable         // behind a table: an alias may follow
	hadAlias         // behind an alias or an AS
)

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
			if i+1 < len(text) && text[i+1] == '"' && state != wantTable && text[max(i-1, 0)] != '.' {
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
			i, operand, plain = end, !limited || word != "top", 0
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
			if c == ':' && operand && (i+1 >= len(text) || !wordByte(text[i+1])) {
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
		single := "" // a name of one part without quotes
		if len(name) == 1 && !name[0].quoted {
			single = text[name[0].start:name[0].end]
		}
		keyword := sqlKeyword.find(single)
		if keyword != nil && (state != wantTable || keyword.value == keywordTable || beforeTable.has(single)) { // a table may be called like a keyword
			folded := keyword.word
			if prose(folded, operand, s.shouted, text[i]) {
				return i, s.sure || s.shouted
			}
			if folded == "on" && selecting && operand {
				return i, false // "SELECT on orders took …" is said of a statement
			}
			switch {
			case folded == "update" && (word == "do" || word == "for" || word == "key" || word == "then" || word == "on"):
				state = inList
			case keyword.value == keywordTable, folded == "using" && (s.verb == "merge" || s.verb == "delete"):
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
			if stopWord.has(single) {
				return i, s.sure || s.shouted
			}
			if strings.HasPrefix(text[end:], "://") || strings.HasPrefix(text[end:], "@") {
				return i, s.sure && s.shouted
			}
			if !s.cte(name, single, end) {
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
		case s.cte(name, single, end):
		case end < len(text) && text[end] == '(' && !strings.HasPrefix(text[end:], "(+)") && !name[len(name)-1].quoted && (s.verb != "insert" || level > 0):
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
	return shouted && operand && first >= 'a' && first <= 'z' && proseKeyword.has(folded)
}
