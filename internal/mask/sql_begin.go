package mask

import "strings"

// begins says that what follows a verb can be the beginning of a statement.
func (s *sqlWalk) begins(i int) bool {
	next, end := s.peek(i)
	switch s.verb {
	case "select":
		if next == "" {
			return end < len(s.sc.text) && strings.IndexByte("*'\"`(0123456789?@[:/", s.sc.text[end]) >= 0 && s.hasFrom(i)
		}
		if stopWord.has(next) && !s.shouted && next != "distinct" {
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
		return !stopWord.has(next) && s.hasSet(end)
	case "create", "alter", "drop", "truncate":
		for sqlModifier.has(next) {
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
		if next == "" || stopWord.has(next) {
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

// peek returns the word at i and where it ends; "" and the offset of the sign
// when there is none. A word that begins looks for is in lower case.
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
	if known := beginning.word(text[start:i]); known != "" {
		return known, i
	}
	return text[start:i], i
}

// beginning are the words begins and cte look for.
var beginning = set(`distinct a from into ignore overwrite all table view index database schema sequence recursive as`)

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
