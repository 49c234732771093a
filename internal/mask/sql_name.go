package mask

import "strings"

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
	mark := len(sc.spans)
	sub := scanner{text: sc.text[start:end], rules: sc.rules, spans: sc.spans}
	sub.run()
	sc.spans = sub.spans
	for i := mark; i < len(sc.spans); i++ {
		sc.spans[i].start += start
		sc.spans[i].end += start
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
		if text := s.sc.text[p.start:p.end]; p.end-p.start > 1 && !sqlSystem.has(text) && !s.known(text) {
			s.sc.claim(p.start, p.end, class, true)
		}
	}
}

// column claims a column; what qualifies it is an alias or a table, which is known already.
func (s *sqlWalk) column(name []piece) {
	sc := s.sc
	for i, p := range name {
		text := sc.text[p.start:p.end]
		if s.known(text) || sqlSystem.has(text) {
			continue
		}
		if i < len(name)-1 {
			if p.end-p.start > 3 && !generatedAlias(text) {
				sc.claim(p.start, p.end, Table, true)
			}
			continue
		}
		if p.end-p.start < 3 || ordinaryColumn.has(text) {
			continue
		}
		sc.claim(p.start, p.end, Column, strings.ContainsAny(text, "_0123456789") && len(text) > 5)
	}
}

// cte says that a name is given to a query, as in WITH x AS (…; it is no table's.
func (s *sqlWalk) cte(name []piece, single string, end int) bool {
	if s.verb != "with" || single == "" {
		return false
	}
	if s.known(single) {
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
		s.aliases[s.naming] = s.sc.text[p.start:p.end]
		s.naming++
	}
}

// generatedAlias says that a name is an alias of Hibernate: o1_0, orderitem0_.
func generatedAlias(name string) bool {
	i := strings.LastIndexByte(name, '_')
	return i > 0 && name[i-1] >= '0' && name[i-1] <= '9' && strings.Trim(name[i+1:], "0123456789") == ""
}

// known says that a name is an alias of this statement.
func (s *sqlWalk) known(name string) bool {
	for _, a := range s.aliases[:s.naming] {
		if sameFolded(a, name) {
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
	if datePart.has(literal) {
		return true
	}
	if name, kind, ok := strings.Cut(literal, " "); ok && name[:min(1, len(name))] == "@" { // a parameter and its type
		kind, _, _ = strings.Cut(kind, "(")
		return sqlKeyword.has(kind)
	}
	if strings.Contains(literal, "%") && strings.Trim(literal, "%YymdHiSs-:/. ") == "" {
		return true
	}
	return strings.Trim(literal, "YMDHSI24-:/. yms") == "" && strings.Contains(strings.ToUpper(literal), "YY")
}

// splitName appends the bounds of each part of a qualified name, without quotes.
func splitName(parts [][2]int, text string, start, end int) [][2]int {
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
