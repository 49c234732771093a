package mask

import (
	"regexp"
	"strings"
)

// part is one piece of an address: structure (class keep) or something to mask.
type part struct {
	class  Class
	text   string
	global bool // masked wherever else it stands, not only in this address
}

// simple says that a value of the class is replaced by one token as a whole.
func simple(c Class) bool { return c != URL && c != JDBCURL && c != Path }

// render writes the masked form of one claimed piece of text.
func (s *Session) render(out *strings.Builder, class Class, text string) error {
	if !simple(class) {
		if masked, ok := s.rendered[text]; ok && len(s.classOf) == s.renderedWith {
			out.WriteString(masked)
			return nil
		}
		begin := out.Len()
		for _, p := range takeApart(text) {
			if err := s.part(out, p); err != nil {
				return err
			}
		}
		if s.renderedWith != len(s.classOf) { // more is known by now, also of parts that were left
			clear(s.rendered)
			clear(s.outputs)
			s.renderedWith = len(s.classOf)
		}
		masked := strings.Clone(out.String()[begin:])
		s.rendered[text] = masked
		s.outputs[masked] = struct{}{}
		return nil
	}
	// A literal that quotes tokens is masked as the text it was.
	if _, ok := s.written[text]; !ok && s.owner[fold(text)] == nil {
		text = s.Unmask(text)
	}
	return s.put(out, class, text)
}

func (s *Session) put(out *strings.Builder, class Class, text string) error {
	token, err := s.token(class, text)
	out.WriteString(token)
	return err
}

func (s *Session) part(out *strings.Builder, p part) error {
	if p.class != keep && !s.passes(p.class, p.text) {
		return s.put(out, p.class, p.text)
	}
	// Structure such as the scheme may be a learned name as well: a database "mysql".
	at := 0
	folded := fold(p.text)
	for _, m := range s.learned.find(folded) {
		class := s.classOf[folded[m.start:m.end]]
		if !simple(class) || reserved[folded[m.start:m.end]] && !s.spellingKnown(p.text[m.start:m.end]) {
			continue
		}
		out.WriteString(p.text[at:m.start])
		if err := s.put(out, class, p.text[m.start:m.end]); err != nil {
			return err
		}
		at = m.end
	}
	out.WriteString(p.text[at:])
	return nil
}

var (
	jdbcHead  = regexp.MustCompile(`(?i)^jdbc:[a-z0-9]+:(?:(?:thin|oci|mem|file|tcp|ssl|replication|loadbalance|failover|aurora):)*@?(?://)?`)
	urlHead   = regexp.MustCompile(`(?i)^[a-z][a-z0-9+.-]*://`)
	authority = regexp.MustCompile(`^[^/?#;]*`)
	run       = regexp.MustCompile(`[^/?&=#;:,{}()\[\]@!$*+|~\\]+`)
	portAt    = regexp.MustCompile(`^:[0-9]{1,5}(?:$|[^0-9A-Za-z._-])`)
	bracketed = regexp.MustCompile(`^\[[0-9A-Fa-f:.%]+\]`)
)

// databaseScheme names the URL schemes whose first path segment is a database.
var databaseScheme = set(`mysql mariadb postgres postgresql mongodb mongodb+srv redis rediss clickhouse sqlserver oracle cockroachdb amqp amqps`)

// ordinarySegment is a part of a path that is the same on many machines.
var ordinarySegment = set(`home users usr var log logs opt etc tmp root lib bin srv mnt documents desktop downloads appdata local roaming temp windows src main java resources
	node_modules site-packages target build dist`)

// databaseKey names the connection properties that hold a database.
var databaseKey = set(`databasename database dbname db initialcatalog servicename currentschema`)

// takeApart splits a URL, a JDBC URL or a path into its structure (scheme,
// delimiters, port), which stays, and its names, which are masked. The texts of
// the parts joined are the input.
func takeApart(text string) []part {
	var parts []part
	add := func(class Class, piece string, global bool) {
		if piece != "" {
			parts = append(parts, part{class, piece, global && class != keep})
		}
	}
	head := jdbcHead.FindString(text)
	database := head != ""
	if head == "" {
		head = urlHead.FindString(text)
		database = databaseScheme[fold(strings.TrimSuffix(head, "://"))]
	}
	plain := head == "" // a path
	if plain && len(text) > 2 && letter(text[0]) && text[1] == ':' && text[2] == '\\' {
		head = text[:2] // a drive of Windows
	}
	add(keep, head, false)
	rest := text[len(head):]
	if !plain {
		auth := authority.FindString(rest)
		rest = rest[len(auth):]
		if user, host, ok := cutLast(auth, '@'); ok {
			runs(user, func(piece string, name bool) { add(pick(name, Name), piece, false) })
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
		if name && (first || before == "=" && databaseKey[fold(key)]) {
			class, first = Database, false
		}
		if plain && name && ordinarySegment[fold(piece)] {
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
	if b := bracketed.FindString(auth); b != "" {
		add(keep, "[", false)
		add(IP, b[1:len(b)-1], true)
		add(keep, "]", false)
		return auth[len(b):]
	}
	if loc := portAt.FindString(auth); loc != "" {
		n := 1
		for n < len(auth) && auth[n] >= '0' && auth[n] <= '9' {
			n++
		}
		add(keep, auth[:n], false)
		if n < len(auth) && auth[n] == ':' {
			add(keep, ":", false)
			add(Database, auth[n+1:], true)
			return ""
		}
		return auth[n:]
	}
	loc := run.FindStringIndex(auth)
	if loc == nil {
		add(keep, auth, false)
		return ""
	}
	add(keep, auth[:loc[0]], false)
	host := auth[loc[0]:loc[1]]
	switch {
	case isIP(host):
		add(IP, host, true)
	case alone && loc[1] == len(auth) && loc[0] == 0 && !strings.Contains(host, "."):
		add(Database, host, true)
	default:
		add(Host, host, true)
	}
	return auth[loc[1]:]
}

// runs calls yield for every name and every piece of structure between names.
func runs(text string, yield func(piece string, name bool)) {
	at := 0
	for _, loc := range run.FindAllStringIndex(text, -1) {
		yield(text[at:loc[0]], false)
		yield(text[loc[0]:loc[1]], true)
		at = loc[1]
	}
	yield(text[at:], false)
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
