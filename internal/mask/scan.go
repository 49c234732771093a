package mask

import "strings"

// scanner finds what can be known as sensitive by its form or its place, in one
// pass: it looks at every byte once, decides by it what may begin there, and
// looks closer only then. The claims may overlap; see Session.choose.
type scanner struct {
	text  string
	rules *Compiled
	spans []span

	recent [32]string // words, with what stands before them, that no rule about secrets matched

	prev     word // the word before the one looked at
	account  int  // a number before this offset is a bank account's
	business int  // a number before this offset may be a business registration's
	card     int  // a number before this offset may be a card's
}

// word is a run of name characters: where it stands and what it is made of.
type word struct {
	start, end int
	has        uint8
}

// what a word has.
const (
	hasLower = 1 << iota
	hasUpper
	hasDigit
	hasDot
	hasHyphen
	hasUnderscore
)

func (w word) letters() bool   { return w.has&(hasLower|hasUpper) != 0 }
func (w word) digits() bool    { return w.has&hasDigit != 0 }
func (w word) dotted() bool    { return w.has&hasDot != 0 }
func (w word) hyphened() bool  { return w.has&hasHyphen != 0 }
func (w word) upper() bool     { return w.has&hasUpper != 0 }
func (w word) lower() bool     { return w.has&hasLower != 0 }
func (w word) composite() bool { return w.has&(hasDot|hasHyphen) != 0 }

// wordHas is what a byte says of the word it is in, 0 when it ends it.
var wordHas = func() (has [256]uint8) {
	for b := range 256 {
		switch c := byte(b); {
		case c >= 'a' && c <= 'z':
			has[b] = hasLower
		case c >= 'A' && c <= 'Z':
			has[b] = hasUpper
		case c >= '0' && c <= '9':
			has[b] = hasDigit
		case c == '.':
			has[b] = hasDot
		case c == '-':
			has[b] = hasHyphen
		case c == '_':
			has[b] = hasUnderscore
		}
	}
	return has
}()

// kinds of bytes, by which the scanner decides what may begin.
const (
	kindPlain = iota // nothing begins here
	kindName         // a letter, a digit or an underscore
	kindInner        // a dot or a hyphen: part of a name, not its beginning
	kindHigh         // a byte of a character beyond ASCII
	kindOther        // anything else that may begin something
)

var kind = func() (k [256]byte) {
	for b := range 256 {
		c := byte(b)
		switch {
		case wordByte(c):
			k[b] = kindName
		case c == '.' || c == '-':
			k[b] = kindInner
		case c >= 0x80:
			k[b] = kindHigh
		case c == '\'' || c == '"' || c == '/' || c == ':' || c == '=' || c == '@' || c == '+' || c == '(' || c == ')' || c == '\\' || c == '-' || c == '`':
			k[b] = kindOther
		}
	}
	return k
}()

// detect returns the claims on a text, in the memory of spans.
func detect(spans []span, text string, r *Compiled) []span {
	sc := scanner{text: text, rules: r, spans: spans[:0]}
	sc.run()
	if r != nil {
		r.matches(text, func(start, end int) { sc.claim(start, end, Custom, false) })
	}
	return sc.spans
}

// claim notes a span, unless the policy leaves it.
func (sc *scanner) claim(start, end int, class Class, global bool) {
	if end <= start || sc.rules != nil && sc.rules.passes(class, sc.text[start:end]) {
		return
	}
	sc.spans = append(sc.spans, span{start, end, codeOf(class), global})
}

func (sc *scanner) run() {
	text := sc.text
	for i := 0; i < len(text); {
		switch kind[text[i]] {
		case kindPlain:
			i++
		case kindName:
			w := sc.word(i)
			i = sc.name(i, w)
			sc.prev = w
		case kindHigh:
			i = sc.high(i)
		case kindInner:
			if text[i] == '-' {
				if n := privateKey(text[i:]); n > 0 {
					sc.claim(i, i+n, Secret, false)
					i += n
					continue
				}
				sc.flag(i)
			}
			i++
		default:
			i = sc.sign(i)
		}
	}
}

// sign looks at a sign that may begin something and returns where to go on.
func (sc *scanner) sign(i int) int {
	text := sc.text
	switch text[i] {
	case '\\':
		// An escape of a quoted text: its letter is not the beginning of a name.
		if i+1 < len(text) && (text[i+1] == '\\' || text[i+1] == 'n' || text[i+1] == 't' || text[i+1] == 'r' || text[i+1] == '"' || text[i+1] == '\'') {
			return i + 2
		}
	case '/':
		return sc.path(i)
	case ':':
		if n := sc.ipv6(i); n > 0 {
			return n
		}
	case '@':
		return sc.at(i)
	case '\'':
		return sc.quoted(i)
	case '+':
		if n := sc.international(i); n > 0 {
			return n
		}
	case '(':
		if n := sc.areaCode(i); n > 0 {
			return n
		}
	case ')':
		if i+2 < len(text) && text[i+1] == '=' && text[i+2] == '(' { // PostgreSQL: Key (a)=(b)
			if end := closing(text, i+2); end > 0 {
				sc.keyColumns(i)
				sc.claim(i+3, end, Literal, true)
			}
		}
	}
	return i + 1
}

// unknownHost is what Java calls a host it cannot resolve, behind its package.
const unknownHost = "unknownhostexception"

// keyColumns claims the columns before )=( at i: Key (a, b)=(…).
func (sc *scanner) keyColumns(i int) {
	text := sc.text
	open := strings.LastIndexByte(text[max(0, i-200):i], '(')
	if open < 0 {
		return
	}
	for at := max(0, i-200) + open + 1; at < i; {
		end := at
		for end < i && text[end] != ',' {
			end++
		}
		start := at
		for start < end && text[start] == ' ' {
			start++
		}
		if name := text[start:end]; len(name) > 2 && columnName(name) && strings.IndexFunc(name, notName) < 0 {
			sc.claim(start, end, Column, true)
		}
		at = end + 1
	}
}

func notName(r rune) bool { return r < 0x80 && !wordByte(byte(r)) }

// closing returns the offset of the parenthesis that closes the one at open, at
// most two deep and on the same line; 0 when there is none.
func closing(text string, open int) int {
	depth := 0
	for i := open; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return 0
}

// word returns the run of name characters that begins at i.
func (sc *scanner) word(i int) word {
	text := sc.text
	w := word{start: i}
	all := uint8(0)
	for ; i < len(text); i++ {
		has := wordHas[text[i]]
		if has == 0 {
			break
		}
		all |= has
	}
	w.has = all
	if i == w.start { // no name begins here
		w.end = i
		return w
	}
	if last := text[i-1]; last == '.' || last == '-' {
		for i > w.start && (text[i-1] == '.' || text[i-1] == '-') {
			i--
		}
		w.has = 0
		for k := w.start; k < i; k++ {
			w.has |= wordHas[text[k]]
		}
	}
	w.end = i
	return w
}

// name looks at the word w that begins at i and returns where to go on.
func (sc *scanner) name(i int, w word) int {
	text := sc.text
	if text[i] >= '0' && text[i] <= '9' {
		if n := sc.number(i); n > 0 {
			return n
		}
		if !w.letters() {
			if w.end < len(text) && text[w.end] == ':' {
				if n := sc.ipv6(i); n > 0 {
					return n
				}
			}
			if w.composite() { // a number may begin behind a dot or a hyphen
				for i < w.end && text[i] >= '0' && text[i] <= '9' {
					i++
				}
				return i
			}
			return w.end
		}
	}
	next := byte(0)
	if w.end < len(text) {
		next = text[w.end]
	}
	switch next {
	case ':':
		if n := sc.colon(w); n > 0 {
			return n
		}
	case '@':
		return w.end // an address of mail is looked at from its sign on
	case '/':
		if n := sc.hostSlash(w); n > 0 {
			return n
		}
	}
	if n := w.end - w.start; n >= minSecret && (w.digits() || n >= 30) && w.letters() && (text[i+4] != '-' || text[i+7] != '-') { // no date
		if n := sc.token(w); n > 0 {
			return n
		}
	}
	if w.has&(hasDigit|hasDot|hasHyphen) == 0 && announcing.shaped(text[w.start:w.end]) {
		if n := sc.keyword(w); n > 0 {
			return n
		}
	}
	if behindKey[next] && (next != ' ' || w.end+1 == len(text) || kind[text[w.end+1]] != kindName) {
		if n := sc.assignment(w); n > 0 {
			return n
		}
	}
	if w.dotted() && w.letters() {
		if at := w.end - len(unknownHost); at > w.start && strings.EqualFold(text[at:w.end], unknownHost) {
			sc.message(word{start: at, end: w.end}, unknownHost)
		}
		sc.domain(w)
	}
	if w.has&(hasHyphen|hasDigit|hasDot) == hasHyphen|hasDigit {
		sc.hyphened(w)
	}
	return w.end
}

// folded is sc.text[start:end] in lower case, in buf when it fits.
func (sc *scanner) folded(start, end int, buf []byte) []byte {
	buf = buf[:0]
	for i := start; i < end; i++ {
		c := sc.text[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	return buf
}
