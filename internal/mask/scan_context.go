package mask

import (
	"regexp"
	"slices"
	"strings"
)

// announcing are the words that may say what follows them.
var announcing = set(`select insert update delete merge replace with create alter drop truncate call exec execute
	bearer basic auth password passwd passphrase secret token unknown unknownhostexception enotfound host lookup server entry
	user role table relation view sequence index constraint column database schema catalog collection
	input malformed out value failing duplicate dup account acct iban bank card pan business brn field name`)

// keyword looks at a word of letters that may say what follows it. It returns where to go on
// when it claimed more than the word, else 0.
func (sc *scanner) keyword(w word) int {
	switch verb := announcing.word(sc.text[w.start:w.end]); verb {
	case "":
	case "select", "insert", "update", "delete", "merge", "replace", "with", "create", "alter", "drop", "truncate", "call", "exec", "execute":
		return sc.statement(w, verb)
	case "bearer", "basic":
		return sc.scheme(w, verb)
	case "unknown", "unknownhostexception", "enotfound", "host", "lookup", "server", "entry", "input", "malformed", "out", "value",
		"failing", "duplicate", "dup", "collection":
		sc.message(w, verb)
	case "auth": // of Redis
		if !w.lower() {
			if start := w.end + 1; start < len(sc.text) && sc.text[w.end] == ' ' {
				return sc.secretValue(start, false)
			}
		}
	case "password", "passwd", "passphrase", "token", "secret":
		return sc.secretAfter(w, verb)
	case "user", "role":
		sc.quotedAfter(w, Name)
	case "table", "relation", "view", "sequence", "index", "constraint":
		sc.quotedAfter(w, Table)
	case "column", "field":
		sc.quotedAfter(w, Column)
	case "database", "schema", "catalog":
		sc.quotedAfter(w, Database)
	case "name":
		switch fold(sc.text[sc.prev.start:sc.prev.end]) {
		case "column":
			sc.quotedAfter(w, Column)
		case "object":
			sc.quotedAfter(w, Table)
		}
	case "account", "acct", "iban", "bank":
		sc.account = w.end + accountReach
	case "business", "brn":
		sc.business = w.end + accountReach
	case "card", "pan":
		sc.card = w.end + accountReach
	}
	return 0
}

// accountReach is how far behind a word that announces a number it may stand.
const accountReach = 48

// quotedAfter claims the name in quotes behind a word: table "shop.orders".
func (sc *scanner) quotedAfter(w word, class Class) {
	text := sc.text
	i := w.end
	for i < len(text) && i < w.end+2 && (text[i] == ' ' || text[i] == ':') {
		i++
	}
	start, end := inQuotes(text, i)
	if end <= start && i == w.end+1 && text[w.end] == ' ' {
		if start, end = sc.bareName(i); end == start && i < len(text) && letter(text[i]) && strings.HasSuffix(text[:w.start], "permission denied for ") {
			named := sc.word(i)
			start, end = named.start, named.end
		}
	}
	if end <= start+1 || end-start > 128 || i == w.end { // one letter is what a parser stumbled over
		return
	}
	if class == Table || class == Database {
		sc.qualified(start, end, class)
		return
	}
	if class == Column && !columnName(text[start:end]) {
		return
	}
	sc.claim(start, end, class, true)
}

// bareName returns the bounds of the name at i when it has the form of one made
// for a program, not of a word: member_grade, tb2024, shop.orders.
func (sc *scanner) bareName(i int) (start, end int) {
	if i >= len(sc.text) || !letter(sc.text[i]) {
		return 0, 0
	}
	w := sc.word(i)
	if w.hyphened() || w.has&hasUnderscore == 0 && (!w.digits() || w.end-w.start < 5) || w.end < len(sc.text) && strings.IndexByte("(=/:@\\", sc.text[w.end]) >= 0 {
		return 0, 0
	}
	return w.start, w.end
}

// flags of commands whose value is a host or a user.
var flags = []struct {
	text  string
	class Class
}{{"-h ", Host}, {"-H ", Host}, {"--host ", Host}, {"--hostname ", Host}, {"--server ", Host}, {"-u ", Name}, {"-U ", Name}, {"--user ", Name}, {"--username ", Name}}

// flag claims the value of a flag of a command, at the hyphen i: mysql -h db-1,
// curl -u kim:secret.
func (sc *scanner) flag(i int) {
	text := sc.text
	if i > 0 && text[i-1] != ' ' {
		return
	}
	for _, flag := range flags {
		if !strings.HasPrefix(text[i:], flag.text) {
			continue
		}
		at := i + len(flag.text)
		if at >= len(text) || !wordByte(text[at]) {
			return
		}
		w := sc.word(at)
		name := text[w.start:w.end]
		made := w.letters() && (w.composite() || w.has&(hasDigit|hasUnderscore) != 0)
		if made && (flag.class == Name || !isIP(name) && !local(fold(name))) {
			sc.claim(w.start, w.end, flag.class, true)
		}
		if flag.class == Name && w.end+1 < len(text) && text[w.end] == ':' && text[w.end+1] > ' ' {
			sc.claim(w.start, w.end, Name, true)
			sc.secretValue(w.end+1, true)
		}
		return
	}
}

// qualified claims the parts of a name: all but the last are schemas.
func (sc *scanner) qualified(start, end int, class Class) {
	var buf [4][2]int
	parts := splitName(buf[:0], sc.text, start, end)
	for i, part := range parts {
		c := Database
		if i == len(parts)-1 {
			c = class
		}
		if part[1] > part[0] && !stopWord.has(sc.text[part[0]:part[1]]) {
			sc.claim(part[0], part[1], c, true)
		}
	}
}

// inQuotes returns the bounds of the text in the quotes that open at i, on the
// same line; a backslash before a quote belongs to it.
func inQuotes(text string, i int) (start, end int) {
	escaped := i+1 < len(text) && text[i] == '\\'
	if escaped {
		i++
	}
	if i >= len(text) || text[i] != '"' && text[i] != '\'' && text[i] != '`' {
		return 0, 0
	}
	quote := text[i]
	for j := i + 1; j < len(text) && text[j] != '\n'; j++ {
		switch {
		case text[j] == '\\' && !escaped:
			j++
		case text[j] == quote:
			if escaped && text[j-1] == '\\' {
				return i + 1, j - 1
			}
			return i + 1, j
		}
	}
	return 0, 0
}

// plainWord says that a value is a word of a language: letters only, in one
// case, perhaps with a capital or with hyphens.
func plainWord(value string) bool {
	for i := range len(value) {
		c := value[i]
		if small, capital := c >= 'a' && c <= 'z', i == 0 && c >= 'A' && c <= 'Z'; small || capital || i > 0 && (c == '-' || c == '_') {
			continue
		}
		return false
	}
	return len(value) < 24
}

// messages are what programs say of hosts and databases say of values, anchored
// at the word that begins them. The first group is what is claimed.
var messages = map[string][]struct {
	class Class
	re    *regexp.Regexp
}{
	"unknown":              {{Host, regexp.MustCompile(`(?i)^unknown ?host(?:exception)?:?\s+["']?(` + hostLabel + `(?:\.` + hostLabel + `)*)`)}},
	"unknownhostexception": {{Host, regexp.MustCompile(`(?i)^unknownhostexception:?\s+["']?(` + hostLabel + `(?:\.` + hostLabel + `)*)`)}},
	"enotfound":            {{Host, regexp.MustCompile(`(?i)^enotfound:?\s+["']?(` + hostLabel + `(?:\.` + hostLabel + `)*)`)}},
	"lookup":               {{Host, regexp.MustCompile(`(?i)^lookup\s+["']?(` + hostLabel + `(?:\.` + hostLabel + `)*)`)}},
	"host": {
		{Host, regexp.MustCompile(`(?i)^host(?: name)?:?\s+"([^"\s]{1,256})"`)},
		{Host, regexp.MustCompile(`(?i)^host(?: name)?:?\s+(` + hostLabel + `(?:\.` + hostLabel + `)*)`)},
	},
	"server":     {{Host, regexp.MustCompile(`(?i)^server (?:at|running on host) "([^"\n]{1,256})"`)}},
	"entry":      {{Host, regexp.MustCompile(`(?i)^entry for host "([^"\n]{1,256})"`)}},
	"collection": {{Table, regexp.MustCompile(`(?i)^collection: ([\p{L}_][\p{L}\p{N}_.$-]*)`)}},
	"input": {
		{Literal, regexp.MustCompile(`(?i)^input (?:syntax for|value for|string)[^":\n]{0,80}:\s*\\?"((?:[^"\\\n]|\\.)*)"`)},
		{Literal, regexp.MustCompile(`(?i)^input (?:syntax for|value for|string)[^":\n]{0,80}:\s*\\"([^"\\\n]*)\\"`)},
	},
	"malformed": {{Literal, regexp.MustCompile(`(?i)^malformed[^":\n]{0,80}:\s*"([^"\n]*)"`)}},
	"out":       {{Literal, regexp.MustCompile(`(?i)^out of range[^":\n]{0,80}:\s*"([^"\n]*)"`)}},
	"value":     {{Literal, regexp.MustCompile(`(?i)^value \\?"([^"\n\\]*)\\?" is out of range`)}},
	"failing":   {{Literal, regexp.MustCompile(`(?i)^failing row contains ` + inParens)}},
	"duplicate": {
		{Literal, regexp.MustCompile(`(?i)^duplicate key value is ` + inParens)},
		{Literal, regexp.MustCompile(`(?i)^duplicate entry '([^\n]*?)' for key`)},
	},
	"dup": {{Literal, regexp.MustCompile(`(?i)^dup key: \{([^}\n]*)\}`)}},
}

// messageNext is what must follow the word of a message, so that most words need
// no pattern.
var messageNext = map[string][]string{
	"unknown": {" host", "host"}, "server": {" at \"", " running on host"}, "entry": {" for host"}, "collection": {":"}, "out": {" of range"},
	"input": {" syntax for", " value for", " string"}, "value": {` "`, ` \"`}, "failing": {" row"}, "duplicate": {" key value is", " entry"}, "dup": {" key"},
	"unknownhostexception": {" ", ":"}, "enotfound": {" ", ":"}, "lookup": {" "}, "host": {" ", ":"}, "malformed": {" "},
}

const (
	hostLabel = `[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?`
	inParens  = `\(((?:[^()]|\([^()]*\))*)\)` // a list of values, which may hold parentheses
	// messageReach bounds what a pattern of messages looks at.
	messageReach = 16 << 10
)

// hostBefore are the words that make a bare word behind "host" the name of one.
var hostBefore = set(`such resolve translate unknown find reach contact`)

func (sc *scanner) message(w word, verb string) {
	text := sc.text
	if next := messageNext[verb]; next != nil && !slices.ContainsFunc(next, func(begin string) bool {
		return len(text)-w.end >= len(begin) && strings.EqualFold(text[w.end:w.end+len(begin)], begin)
	}) {
		return
	}
	rest := text[w.start:min(len(text), w.start+messageReach)]
	for i, m := range messages[verb] {
		loc := m.re.FindStringSubmatchIndex(rest)
		if loc == nil {
			continue
		}
		start, end := w.start+loc[2], w.start+loc[3]
		switch {
		case m.class == Host && (stopWord.has(text[start:end]) || isIP(text[start:end])):
			continue
		case verb == "host" && i == 1 && !hostBefore.has(text[sc.prev.start:sc.prev.end]) && !strings.ContainsAny(text[start:end], "-.0123456789"):
			continue
		case m.class == Literal && end == start+1: // what a parser stumbled over
			continue
		case verb == "lookup" && plainWord(text[start:end]) && !strings.HasPrefix(text[end:], ":") && !strings.HasPrefix(text[end:], " on "):
			continue
		case m.class == Table:
			sc.qualified(start, end, Table)
			return
		}
		sc.claim(start, end, m.class, true)
		return
	}
}

// quoted looks at a single quote: a literal begins behind a space or a sign.
func (sc *scanner) quoted(i int) int {
	text := sc.text
	if i > 0 {
		p := i - 1
		if c := text[p]; (c == 'N' || c == 'E' || c == 'n' || c == 'e') && (p == 0 || !wordByte(text[p-1])) {
			p--
		}
		if p >= 0 && strings.IndexByte(" \t\r\n=(,<>|:~[", text[p]) < 0 {
			return i + 1
		}
	}
	end := literalEnd(text, i)
	if end == 0 || end+1 < len(text) && wordByte(text[end+1]) {
		if i+1 < len(text) && text[i+1] == '@' { // 'app'@'web-01'
			return i + 1
		}
		return i + 1
	}
	content := text[i+1 : end]
	if host, ok := sc.mysqlUser(i, end); ok {
		return host
	}
	if !sc.ordinaryQuoted(i, content) {
		sc.claim(i+1, end, Literal, true)
	}
	return i + 1 // what stands inside is looked at as well, so that it is known elsewhere
}

// literalEnd returns the offset of the quote that ends the SQL literal opened at
// i, on the same line; 0 when there is none.
func literalEnd(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\n':
			return 0
		case '\\':
			j++
		case '\'':
			if j+1 < len(text) && text[j+1] == '\'' {
				j++
				continue
			}
			return j
		}
	}
	return 0
}

// mysqlUser claims 'app'@'web-01'.
func (sc *scanner) mysqlUser(open, end int) (int, bool) {
	text := sc.text
	if !strings.HasPrefix(text[end+1:], "@'") {
		return 0, false
	}
	hostEnd := literalEnd(text, end+2)
	if hostEnd == 0 {
		return 0, false
	}
	sc.claim(open+1, end, Name, true)
	if host := text[end+3 : hostEnd]; host != "%" && fold(host) != "localhost" && !strings.HasPrefix(host, "127.") {
		class := Host
		if isIP(host) {
			class = IP
		}
		sc.claim(end+3, hostEnd, class, true)
	}
	return hostEnd + 1, true
}

// ordinaryQuoted says that a quoted text is a name of the program, not a value: what a
// compiler or a runtime says of its own words, or signs only.
func (sc *scanner) ordinaryQuoted(open int, content string) bool {
	letters := 0
	for i := range len(content) {
		if wordByte(content[i]) || content[i] >= 0x80 {
			letters++
		}
	}
	if letters == 0 || len(content) < 2 {
		return true
	}
	i := open
	for i > 0 && gap(sc.text[i-1]) {
		i--
	}
	return content == "PRIMARY" || clause[content] || programWord.has(lastWord(sc.text, i)) && strings.Trim(content, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == ""
}

// gap stands between a word and what it says something of.
func gap(c byte) bool { return c == ' ' || c == ':' }

// columnName says that a name in quotes can be a column's.
func columnName(name string) bool {
	return !strings.ContainsAny(name, " \t") && !ordinaryColumn.has(name) && len(name) > 1
}

var (
	// stopWord never is a table or a host, whatever stands before it.
	stopWord = set(`a an the this that these those it its each every all any some one both and or not null where
		select with values set on using as if exists only lateral unnest dual order group by having limit clause
		condition conditions keyword statement statements operation operations query queries table tables index indexes is was are has name
		names for to of in at from via because failed error your our my their database another other which when`)
	// clause are the parts of a statement as MySQL names them in its messages.
	clause      = map[string]bool{"field list": true, "where clause": true, "order clause": true, "on clause": true, "group statement": true, "having clause": true}
	programWord = set(`property properties parameter argument option attribute method function class module type token keyword character operator symbol
		package command variable member flag enum annotation import export of undefined reading attribute bean`)
	// reserved are words of SQL that are also used as names; see spellingKnown.
	reserved = set(`select insert update delete from where join into table order group user key index values set count
		sum min max avg limit offset union all and or not null case when then else end exists between like in on as
		by having distinct with view schema database column primary foreign check default left right inner outer full
		cross using call start end date time timestamp year month day hour minute second status level name type row rows`)
	// ordinary names tell nothing about a house, and the words of a prompt are among them.
	ordinary = set(`api app web www server service services backend frontend gateway client worker batch admin main default demo
		test unknown_service user users root public alarm transaction step statement call wait exception comparison note
		evidence fact facts report summary analysis actions matrix`)
)

func letter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
