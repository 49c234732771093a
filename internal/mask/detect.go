package mask

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// span is a claim on text[start:end]. A global one is learned too: it is masked
// wherever else it stands.
type span struct {
	start, end int
	class      Class
	global     bool
}

// keep is the class of a span that is left as it is.
const keep Class = "\x00keep"

// detector is one pattern. The sensitive part is submatch 1 when there is one,
// else the whole match; accept may refuse a match. All patterns are RE2: their
// time is linear in the text.
type detector struct {
	class  Class
	re     *regexp.Regexp
	accept func(text string, start, end int) bool
}

const (
	urlChars  = `[^\s"'<>` + "`" + `\\^]`
	hostLabel = `[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?`
	hex4      = `[0-9a-f]{1,4}`
	ident     = `[\p{L}_#@][\p{L}\p{N}_$#@]*`
	anyName   = `(?:` + ident + `|"[^"\n]{1,128}"|` + "`[^`\n]{1,128}`" + `|\[[^\]\n]{1,128}\])`
	inParens  = `\(((?:[^()]|\([^()]*\))*)\)` // a list of values, which may hold parentheses
	qualified = anyName + `(?:\.` + anyName + `){0,3}`
)

// detectors in order of precedence between claims of the same extent.
var detectors = []detector{
	{JDBCURL, regexp.MustCompile(`(?i)\bjdbc:[a-z0-9]+:` + urlChars + `+`), nil},
	{URL, regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://` + urlChars + `+`), nil},
	{Email, regexp.MustCompile(`[A-Za-z0-9._%+-]+@` + hostLabel + `(?:\.` + hostLabel + `)+`), nil},
	{IP, regexp.MustCompile(`\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b`), acceptIP},
	{IP, regexp.MustCompile(`(?i)` + hex4 + `(?::` + hex4 + `){7}|(?:` + hex4 + `(?::` + hex4 + `){0,6})?::(?:(?:` + hex4 + `:){0,5}(?:[0-9]{1,3}\.){3}[0-9]{1,3}|` + hex4 + `(?::` + hex4 + `){0,6})`), acceptIP},
	{Phone, regexp.MustCompile(`\b01[016789][-. ]?[0-9]{3,4}[-. ]?[0-9]{4}\b`), acceptPhone},
	{Phone, regexp.MustCompile(`\(?\b0(?:2|[3-6][1-5]|70|50[0-9]?)\)?[-. ][0-9]{3,4}[-. ][0-9]{4}\b`), acceptPhone},
	{Phone, regexp.MustCompile(`\b1(?:5(?:22|33|44|66|77|88|99)|6(?:00|44|61|66|70|88)|8(?:00|11|33|55|66|77|99))-[0-9]{4}\b`), acceptPhone},
	{Phone, regexp.MustCompile(`\+[1-9][0-9]{0,2}[-. ]?(?:\([0-9]{1,4}\)[-. ]?)?[0-9]{1,4}(?:[-. ]?[0-9]{2,4}){2,4}\b`), acceptPhone},
	{Phone, regexp.MustCompile(`\([2-9][0-9]{2}\) ?[0-9]{3}-[0-9]{4}\b`), acceptPhone},
	{Host, regexp.MustCompile(`(?i)(?:unknown ?host(?:exception)?:?|ENOTFOUND|no such host:?|could not (?:resolve|translate) host(?: name)?:?|lookup)\s+["']?(` + hostLabel + `(?:\.` + hostLabel + `)*)`), acceptWord},
	{Host, regexp.MustCompile(`(?i)\b(?:server at|server running on host|entry for host) ("[^"\n]{1,256}")`), nil},
	{Host, regexp.MustCompile(`\b(` + hostLabel + `(?:\.` + hostLabel + `)*)/(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|\[[0-9a-f:%]+\]|<unresolved>)`), acceptHostSlash},
	{Host, regexp.MustCompile(`(?i)\b(?:host|hostname|hostaddr|server|data source|addr)=["']?(` + hostLabel + `(?:\.` + hostLabel + `)*)`), acceptWord},
	{Host, regexp.MustCompile(`'@'(` + hostLabel + `(?:\.` + hostLabel + `)*)'`), acceptWord},
	{Host, regexp.MustCompile(`\b(` + hostLabel + `(?:\.` + hostLabel + `)*):[0-9]{2,5}\b`), acceptHostPort},
	{Host, regexp.MustCompile(`\b` + hostLabel + `(?:\.` + hostLabel + `)+\b`), acceptHost},
	{Path, regexp.MustCompile(`(?:^|[\s"'(=>,:\[` + "`" + `])(/[^\s"'<>()` + "`" + `,;\[\]\\]*[\p{L}\p{N}_}*]/?)`), acceptPath},
	{Table, regexp.MustCompile(`(?i)\b(?:table|relation|view|sequence|index)\s+(["'` + "`" + `][^"'` + "`" + `\n]{1,128}["'` + "`" + `])`), nil},
	{Database, regexp.MustCompile(`(?i)\b(?:database|schema|catalog)\s+(["'` + "`" + `][^"'` + "`" + `\n]{1,128}["'` + "`" + `])`), nil},
	{Table, regexp.MustCompile(`\bcollection: (` + ident + `(?:\.` + ident + `)*)`), nil},
	{Database, regexp.MustCompile(`(?i)\b(?:dbname|database|initial catalog|service_name|instance_name|sid)=["']?([^\s"'(),;:&?$]+)`), nil},
	{Name, regexp.MustCompile(`(?i)\b(?:user|username|user name|user id|userid|uid)=["']?([^\s"'(),;:&?$]+)`), nil},
	{Name, regexp.MustCompile(`(?i)\b(?:user|role) ("[^"\n]{1,128}")`), nil},
	{Literal, regexp.MustCompile(`(?i)\b(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|access[_-]?token)["']?\s*[=:]\s*["']?([^\s"',;&()]+)`), acceptSecret},
	{Literal, regexp.MustCompile(`\b(?:Bearer|Basic)\s+([A-Za-z0-9._~+/=-]{8,})`), nil},
	{Literal, regexp.MustCompile(`\b(?:eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9_-]{16,})`), nil},
	{Literal, regexp.MustCompile(`\b(?:[0-9]{6}-[1-8][0-9]{6}|[0-9]{4}[- ][0-9]{4}[- ][0-9]{4}[- ][0-9]{4})\b`), acceptPhone},
	// Values that databases quote in their messages: PostgreSQL, SQL Server, MySQL, MongoDB.
	{Literal, regexp.MustCompile(`\)=` + inParens), nil},
	{Literal, regexp.MustCompile(`(?i)\b(?:failing row contains|duplicate key value is) ` + inParens), nil},
	{Literal, regexp.MustCompile(`(?i)\b(?:input syntax for|input value for|malformed|out of range|input string)[^":\n]{0,80}:\s*("[^"\n]*")`), nil},
	{Literal, regexp.MustCompile(`(?i)\bvalue ("[^"\n]*") is out of range`), nil},
	{Literal, regexp.MustCompile(`(?i)\bduplicate entry '([^\n]*?)' for key`), nil},
	{Literal, regexp.MustCompile(`(?i)\bdup key: \{([^}\n]*)\}`), nil},
	{Literal, regexp.MustCompile(`(?:^|[\s=(,<>|:~\[])[NEne]?('(?:[^'\\\n]|''|\\.)*')`), acceptLiteral},
	{Literal, regexp.MustCompile(`(?i)(?:=|\blike)\s*("(?:[^"\\\n]|""|\\.)*")`), acceptLiteral},
}

// detect finds what can be known as sensitive by its form or its place.
func detect(text string) []span {
	var found []span
	for _, d := range detectors {
		for _, loc := range d.re.FindAllStringSubmatchIndex(text, -1) {
			start, end := loc[0], loc[1]
			if len(loc) > 2 {
				start, end = loc[2], loc[3]
			}
			switch d.class {
			case URL, JDBCURL:
				end = start + len(strings.TrimRight(text[start:end], ".,;:!?)]}*|"))
			case Literal, Table, Database, Host, Name:
				start, end = withoutQuotes(text, start, end)
			}
			if end <= start || d.accept != nil && !d.accept(text, start, end) {
				continue
			}
			found = append(found, span{start, end, d.class, true})
		}
	}
	return outsideAddresses(append(found, detectTables(text)...))
}

func withoutQuotes(text string, start, end int) (int, int) {
	if end-start < 2 {
		return start, end
	}
	if q := text[start]; q == text[end-1] && (q == '\'' || q == '"' || q == '`') {
		return start + 1, end - 1
	}
	return start, end
}

// outsideAddresses drops claims inside a URL: taking it apart knows better
// which of its names is a host, which a database and which a scheme.
func outsideAddresses(found []span) []span {
	isAddress := func(sp span) bool { return sp.class == URL || sp.class == JDBCURL }
	slices.SortStableFunc(found, func(a, b span) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return (b.end - b.start) - (a.end - a.start)
	})
	kept := found[:0]
	end := 0 // of the addresses so far
	for _, sp := range found {
		if sp.end <= end && sp.start < end {
			continue
		}
		if isAddress(sp) {
			end = max(end, sp.end)
		}
		kept = append(kept, sp)
	}
	return kept
}

var (
	statement  = regexp.MustCompile(`(?i)\b(?:select\b[^;]*?\bfrom|insert\s+(?:ignore\s+)?into|replace\s+into|delete\s+from|merge\s+into|update\s+\S+(?:\s+(?:as\s+)?\w+)?\s+set|(?:create|alter|drop|truncate)\s+table)\b`)
	tableAfter = regexp.MustCompile(`(?i)\b(?:from|join|into|update|table|using|only|exists)\s+(` + qualified + `)`)
	tableComma = regexp.MustCompile(`(?i)^(?:\s+(?:as\s+)?` + ident + `)?\s*,\s*(` + qualified + `)`)
)

// detectTables claims the names behind FROM, JOIN, INTO, UPDATE and TABLE, in
// texts that hold a statement: prose says "from" too.
func detectTables(text string) []span {
	first := statement.FindStringIndex(text)
	if first == nil {
		return nil
	}
	var found []span
	claim := func(start, end int) {
		if stopWord[fold(text[start:end])] {
			return
		}
		parts := splitName(text, start, end)
		for i, part := range parts {
			class := Database
			if i == len(parts)-1 {
				class = Table
			}
			if part[1] > part[0] {
				found = append(found, span{part[0], part[1], class, true})
			}
		}
	}
	for _, loc := range tableAfter.FindAllStringSubmatchIndex(text[first[0]:], -1) {
		start, end := loc[2]+first[0], loc[3]+first[0]
		claim(start, end)
		for {
			more := tableComma.FindStringSubmatchIndex(text[end:])
			if more == nil {
				break
			}
			claim(end+more[2], end+more[3])
			end += more[3]
		}
	}
	return found
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

func acceptIP(text string, start, end int) bool {
	if start > 0 && wordByte(text[start-1]) || end < len(text) && wordByte(text[end]) {
		return false
	}
	addr, err := netip.ParseAddr(text[start:end])
	return err == nil && !addr.IsLoopback() && !addr.IsUnspecified()
}

// acceptPhone refuses digit groups that are part of a longer number, a date or an id.
func acceptPhone(text string, start, end int) bool {
	edge := func(i int) bool {
		return i >= 0 && i < len(text) && (wordByte(text[i]) || (text[i] == '-' || text[i] == '.') && i > 0 && i+1 < len(text) && wordByte(text[i-1]) && wordByte(text[i+1]))
	}
	return !edge(start-1) && !edge(end)
}

func acceptWord(text string, start, end int) bool { return !stopWord[fold(text[start:end])] }

// acceptHostSlash takes the name in name/10.0.0.5, as Java writes an address.
func acceptHostSlash(text string, start, end int) bool {
	return fold(text[start:end]) != "localhost" && (start == 0 || text[start-1] != '/')
}

// acceptSecret refuses what a message says about a password instead of it:
// "(using password: YES)".
func acceptSecret(text string, start, end int) bool {
	return !noSecret[fold(text[start:end])] && acceptWord(text, start, end)
}

func acceptHost(text string, start, end int) bool {
	if start > 0 && (text[start-1] == '_' || text[start-1] == '$') || end < len(text) && (text[end] == '(' || text[end] == '_') {
		return false
	}
	host := text[start:end]
	if host == raise(host) {
		host = fold(host)
	}
	first, _, _ := strings.Cut(host, ".")
	return topLevel[host[strings.LastIndexByte(host, '.')+1:]] && !packageRoot[first]
}

// acceptHostPort takes name:port for an address unless it is a source position
// (Order.java:123) or a plain word before a number (count:10).
func acceptHostPort(text string, start, end int) bool {
	name := fold(text[start:end])
	if isIP(name) || sourceFile[name[strings.LastIndexByte(name, '.')+1:]] || name == "localhost" || !strings.ContainsAny(name, "abcdefghijklmnopqrstuvwxyz") {
		return false
	}
	port := text[end+1:]
	for i := 0; i < len(port); i++ {
		if port[i] < '0' || port[i] > '9' {
			port = port[:i]
		}
	}
	return strings.ContainsAny(name, "-.") || knownPort[port]
}

func acceptPath(text string, start, end int) bool {
	return end-start > 2 && !strings.HasPrefix(text[start:end], "//")
}

func acceptLiteral(text string, start, end int) bool {
	return end+1 >= len(text) || !wordByte(text[end+1])
}

func isIP(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// common says that a value is too short or too ordinary to be a secret by itself.
func common(class Class, text string) bool {
	if len([]rune(text)) < 2 || class == Name && ordinary[fold(text)] {
		return true
	}
	digits := strings.Trim(text, "0123456789.,-") == ""
	return digits && len(text) < 5
}

func unquote(text string) string {
	return strings.Trim(text, "\"'`[]")
}

func letter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// stopWord never is a table or a host, whatever stands before it.
	stopWord = set(`a an the this that these those it its each every all any some one both and or not null where
		select with values set on using as if exists only lateral unnest dual order group by having limit clause
		condition conditions keyword statement statements operation operations query queries table tables index indexes`)
	// reserved are words of SQL that are also used as names; see spellingKnown.
	reserved = set(`select insert update delete from where join into table order group user key index values set count
		sum min max avg limit offset union all and or not null case when then else end exists between like in on as
		by having distinct with view schema database column primary foreign check default left right inner outer full
		cross using call start end date time timestamp year month day hour minute second status level name type row rows`)
	// ordinary names tell nothing about a house, and the words of a prompt are among them.
	ordinary = set(`api app web www server service services backend frontend gateway client worker batch admin main default demo
		test unknown_service user users root public alarm transaction step statement call wait exception comparison note
		evidence fact facts report summary analysis actions matrix`)
	noSecret = set(`yes no true false none empty required missing invalid incorrect wrong expired`)
	topLevel = set(`com net org edu gov mil int biz info io dev app cloud ai co kr jp cn tw hk sg vn th ph au nz us uk ca
		de fr es nl se ch eu ru br internal intranet intra local lan corp home private svc cluster consul arpa test
		example invalid localdomain host site online tech store shop xyz`)
	// packageRoot begins the name of a class or a package, not of a host.
	packageRoot = set(`com org net io java javax jakarta kr jdk sun kotlin scala`)
	sourceFile  = set(`java kt kts scala groovy clj go py js mjs cjs jsx ts tsx rb php cs fs c h cc cpp hpp rs swift sql xml html jsp vue lua ex exs erl`)
	knownPort   = set(`22 25 80 88 389 443 465 587 636 993 1433 1521 2181 2379 3000 3306 3389 4317 4318 5000 5432 5601 5672 6379 6432
		8000 8080 8081 8086 8088 8443 8500 8888 9000 9042 9090 9092 9200 9300 9440 11211 15672 26257 27017 27018 33060 50051`)
)
