package mask

import "strings"

// part is one piece of an address: structure (class keep) or something to mask.
type part struct {
	class  Class
	text   string
	global bool // masked wherever else it stands, not only in this address
}

// usualParts are enough for most addresses.
const usualParts = 16

// simple says that a value of the class is replaced by one token as a whole.
func simple(c Class) bool { return c != URL && c != JDBCURL && c != Path }

// render appends the masked form of one claimed piece of text.
func (s *Session) render(out []byte, class Class, text string) ([]byte, error) {
	if simple(class) {
		return s.put(out, class, text)
	}
	if masked, ok := s.rendered[text]; ok && len(s.classOf) == s.renderedWith {
		return append(out, masked...), nil
	}
	begin := len(out)
	var buf [usualParts]part
	for _, p := range takeApart(buf[:0], text) {
		var err error
		if out, err = s.part(out, p); err != nil {
			return out, err
		}
	}
	if s.renderedWith != len(s.classOf) { // more is known by now, also of parts that were left
		clear(s.rendered)
		s.renderedWith = len(s.classOf)
	}
	s.rendered[text] = string(out[begin:])
	return out, nil
}

func (s *Session) put(out []byte, class Class, text string) ([]byte, error) {
	token, err := s.token(class, text)
	return append(out, token...), err
}

func (s *Session) part(out []byte, p part) ([]byte, error) {
	if p.class != keep && !s.passes(p.class, p.text) {
		return s.put(out, p.class, p.text)
	}
	// Structure such as the scheme may be a learned name as well: a database "mysql".
	at := 0
	folded := fold(p.text)
	for _, m := range s.learned.find(folded) {
		class := m.class()
		if !simple(class) || reserved.has(folded[m.start:m.end]) && !s.spellingKnown(p.text[m.start:m.end]) {
			continue
		}
		out = append(out, p.text[at:m.start]...)
		var err error
		if out, err = s.put(out, class, p.text[m.start:m.end]); err != nil {
			return out, err
		}
		at = m.end
	}
	return append(out, p.text[at:]...), nil
}

// jdbcParts may stand between the name of a JDBC driver and the address.
var jdbcParts = set(`thin oci mem file tcp ssl replication loadbalance failover aurora`)

// jdbcHead returns the beginning of a JDBC URL that is structure, "" when text is none.
func jdbcHead(text string) string {
	if len(text) < 6 || fold(text[:5]) != "jdbc:" {
		return ""
	}
	i := strings.IndexByte(text[5:], ':')
	if i < 0 {
		return ""
	}
	n := 5 + i + 1
	for {
		i := strings.IndexByte(text[n:], ':')
		if i < 0 || !jdbcParts.has(text[n:n+i]) {
			break
		}
		n += i + 1
	}
	n += len(text[n:]) - len(strings.TrimPrefix(text[n:], "@"))
	return text[:n+len(text[n:])-len(strings.TrimPrefix(text[n:], "//"))]
}

// urlHead returns the scheme of a URL with its slashes, "" when text is none.
func urlHead(text string) string {
	i := strings.Index(text, "://")
	if i <= 0 || !letter(text[0]) {
		return ""
	}
	for _, c := range []byte(text[:i]) {
		if !wordByte(c) && c != '+' && c != '.' && c != '-' || c == '_' {
			return ""
		}
	}
	return text[:i+3]
}

// portEnd returns the length of the port with its colon that text begins with, 0 for none.
func portEnd(text string) int {
	if text == "" || text[0] != ':' {
		return 0
	}
	n := 1
	for n < len(text) && n < 7 && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	if n == 1 || n == 7 || n < len(text) && (wordByte(text[n]) || text[n] == '.' || text[n] == '-') {
		return 0
	}
	return n
}

// bracketed returns the address in brackets that text begins with, "" for none.
func bracketed(text string) string {
	if text == "" || text[0] != '[' {
		return ""
	}
	n := 1
	for n < len(text) && (hexByte(text[n]) || text[n] == ':' || text[n] == '.' || text[n] == '%') {
		n++
	}
	if n == 1 || n >= len(text) || text[n] != ']' {
		return ""
	}
	return text[:n+1]
}

// delimiter ends a name in an address.
var delimiter = func() (is [256]bool) {
	for _, c := range []byte(`/?&=#;:,{}()[]@!$*+|~\`) {
		is[c] = true
	}
	return is
}()

// nextRun returns the bounds of the first name in an address from i on.
func nextRun(text string, i int) (start, end int) {
	for i < len(text) && delimiter[text[i]] {
		i++
	}
	start = i
	for i < len(text) && !delimiter[text[i]] {
		i++
	}
	return start, i
}

// databaseScheme names the URL schemes whose first path segment is a database.
var databaseScheme = set(`mysql mariadb postgres postgresql mongodb mongodb+srv redis rediss clickhouse sqlserver oracle cockroachdb amqp amqps`)

// ordinarySegment is a part of a path that is the same on many machines.
var ordinarySegment = set(`home users usr var log logs opt etc tmp root lib bin srv mnt documents desktop downloads appdata local roaming temp windows src main java resources
	node_modules site-packages target build dist`)

// databaseKey names the connection properties that hold a database.
var databaseKey = set(`databasename database dbname db initialcatalog servicename currentschema`)

// structural says that an address or a path holds nothing but structure.
func structural(text string) bool {
	var buf [usualParts]part
	for _, p := range takeApart(buf[:0], text) {
		if p.class != keep {
			return false
		}
	}
	return true
}

// takeApart splits a URL, a JDBC URL or a path into its structure (scheme,
// delimiters, port), which stays, and its names, which are masked. The texts of
// the parts joined are the input; they are appended.
func takeApart(parts []part, text string) []part {
	add := func(class Class, piece string, global bool) {
		if piece != "" {
			parts = append(parts, part{class, piece, global && class != keep})
		}
	}
	head := jdbcHead(text)
	database := head != ""
	if head == "" {
		head = urlHead(text)
		database = databaseScheme.has(strings.TrimSuffix(head, "://"))
	}
	plain := head == "" // a path
	if plain && len(text) > 2 && letter(text[0]) && text[1] == ':' && text[2] == '\\' {
		head = text[:2] // a drive of Windows
	}
	add(keep, head, false)
	rest := text[len(head):]
	if !plain {
		auth := rest
		if n := strings.IndexAny(rest, "/?#;"); n >= 0 {
			auth = rest[:n]
		}
		rest = rest[len(auth):]
		if user, host, ok := cutLast(auth, '@'); ok {
			name, password, _ := strings.Cut(user, ":")
			runs(name, func(piece string, name bool) { add(pick(name, Name), piece, false) })
			add(keep, user[len(name):len(user)-len(password)], false)
			add(Secret, password, len(password) >= 6)
			add(keep, "@", false)
			auth = host
		}
		for auth != "" {
			auth = takeHost(auth, rest == "" && database, add)
		}
	}
	first := database && strings.HasPrefix(rest, "/")
	key, before := "", ""
	runs(rest, func(piece string, name bool) {
		class := Path
		if name && (first || before == "=" && databaseKey.has(key)) {
			class, first = Database, false
		}
		if plain && name && ordinarySegment.has(piece) {
			name = false
		}
		add(pick(name, class), piece, class == Database)
		key, before = before, piece
	})
	return parts
}

// takeHost takes one host[:port] off the front of an authority and returns what
// is left. Behind a host's port may stand an Oracle SID, and an authority alone
// may be a database (jdbc:postgresql:shop).
func takeHost(auth string, alone bool, add func(Class, string, bool)) string {
	if b := bracketed(auth); b != "" {
		add(keep, "[", false)
		add(IP, b[1:len(b)-1], true)
		add(keep, "]", false)
		return auth[len(b):]
	}
	if n := portEnd(auth); n > 0 {
		add(keep, auth[:n], false)
		if n < len(auth) && auth[n] == ':' {
			add(keep, ":", false)
			add(Database, auth[n+1:], true)
			return ""
		}
		return auth[n:]
	}
	start, end := nextRun(auth, 0)
	if end == start {
		add(keep, auth, false)
		return ""
	}
	add(keep, auth[:start], false)
	host := auth[start:end]
	switch {
	case fold(host) == "localhost" || strings.HasPrefix(host, "127.") && isIP(host):
		add(keep, host, false)
	case isIP(host):
		add(IP, host, true)
	case alone && end == len(auth) && start == 0 && !strings.Contains(host, "."):
		add(Database, host, true)
	default:
		add(Host, host, true)
	}
	return auth[end:]
}

// runs calls yield for every name and every piece of structure between names.
func runs(text string, yield func(piece string, name bool)) {
	at := 0
	for {
		start, end := nextRun(text, at)
		yield(text[at:start], false)
		if start == end {
			return
		}
		yield(text[start:end], true)
		at = end
	}
}

func pick(name bool, class Class) Class {
	if name {
		return class
	}
	return keep
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return "", s, false
}

// cutPort splits host:port; ok is false when text is not of that form.
func cutPort(text string) (host, port string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 || isIP(text) || strings.Trim(text[i+1:], "0123456789") != "" {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}
