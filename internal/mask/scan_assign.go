package mask

import (
	"bytes"
	"strings"
)

// behindKey are the signs that may stand right behind the key of a value.
var behindKey = [256]bool{'\\': true, '"': true, '\'': true, ']': true, ' ': true, '\t': true, '=': true, ':': true, '-': true}

// assignment looks at a word that may be the key of a value: key=value,
// "key": "value", key => value. It returns where to go on when it claimed the
// value, else 0.
func (sc *scanner) assignment(w word) int {
	text := sc.text
	i := w.end
	if i >= len(text) {
		return 0
	}
	switch text[i] {
	case '\\':
		if i+1 >= len(text) || text[i+1] != '"' && text[i+1] != '\'' {
			return 0
		}
		i += 2
	case '"', '\'', ']':
		i++
	}
	for i < len(text) && (text[i] == ' ' || text[i] == '\t') && i < w.end+6 {
		i++
	}
	if i >= len(text) {
		return 0
	}
	op := text[i]
	if op == ':' && i+1 < len(text) && text[i+1] == '=' {
		i++
	}
	if op == '-' && i+1 < len(text) && text[i+1] == '>' {
		op = ':'
		i++
	}
	if op != '=' && op != ':' {
		return 0
	}
	i++
	if i < len(text) && (text[i] == '>' || text[i] == '=' && op == '=') {
		i++
	}
	key := sc.key(w)
	if key == 0 {
		return 0
	}
	for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
		i++
	}
	if i >= len(text) {
		return 0
	}
	spaced := op == '=' && text[w.end] == ' '
	return sc.value(key, i, op == '=' && !spaced, spaced)
}

// kinds of keys.
const (
	keyPassword uint8 = iota + 1 // any value is a secret
	keyToken                     // a value that looks like one is a secret
	keyHeader                    // Authorization: a scheme, then a secret
	keyCookie
	keyHost
	keyPod
	keyUser
	keyDatabase
	keyService // a database of Oracle in parentheses, else a service
	keyTable
	keyColumn
	keyAccount
	keyCard
	keyBusiness
)

// key says what the value of a key is, by the last words of it: db_password,
// dbPassword and spring.datasource.password are the same.
func (sc *scanner) key(w word) uint8 {
	var buf [24]byte
	last, at := sc.part(w.start, w.end, buf[:])
	if k := keys.value(string(last)); k != 0 {
		if k == keyHost && string(last) == "source" {
			return sc.spaced("data", w, keyHost)
		}
		return k
	}
	if k := joined(last); k != 0 {
		return k
	}
	if !pairEnds.has(string(last)) {
		return 0
	}
	var other [24]byte
	before, _ := sc.part(w.start, at, other[:])
	if len(before) == 0 {
		if string(last) == "catalog" {
			return keyDatabase
		}
		return sc.pairSpaced(string(last), w)
	}
	return pairs.value(string(before) + " " + string(last))
}

// joined is the kind of a key that ends with one without a sign between: PGPASSWORD.
func joined(last []byte) uint8 {
	if len(last) < 7 {
		return 0
	}
	for _, end := range []string{"password", "passwd", "apikey", "secretkey"} {
		if bytes.HasSuffix(last, []byte(end)) {
			return keyPassword
		}
	}
	if bytes.HasSuffix(last, []byte("token")) || bytes.HasSuffix(last, []byte("secret")) {
		return keyToken
	}
	return 0
}

// spaced returns kind when the word before w is before: "Data Source".
func (sc *scanner) spaced(before string, w word, kind uint8) uint8 {
	if sc.prev.end == w.start-1 && strings.EqualFold(sc.text[sc.prev.start:sc.prev.end], before) {
		return kind
	}
	return 0
}

// pairSpaced looks a key of two words up that a space separates: API key, pod name.
func (sc *scanner) pairSpaced(last string, w word) uint8 {
	if sc.prev.end != w.start-1 || w.start == 0 || sc.text[w.start-1] != ' ' || sc.prev.end-sc.prev.start > 20 {
		return 0
	}
	var buf [24]byte
	before, _ := sc.part(sc.prev.start, sc.prev.end, buf[:])
	return pairs.value(string(before) + " " + last)
}

// part returns the last part of a key in lower case, and where what stands before
// it ends: parts are set apart by signs or by a capital behind a small letter.
func (sc *scanner) part(start, end int, buf []byte) ([]byte, int) {
	text := sc.text
	i := end
	for i > start && end-i < len(buf) {
		c := text[i-1]
		if c == '.' || c == '-' || c == '_' {
			return sc.folded(i, end, buf), i - 1
		}
		i--
		if c >= 'A' && c <= 'Z' && i > start && text[i-1] >= 'a' && text[i-1] <= 'z' {
			break
		}
	}
	return sc.folded(i, end, buf), i
}

// value claims the value of a key that begins at i; equals when an equals sign
// stands right behind the key, spaced when it stands behind a space, as in conditions.
func (sc *scanner) value(key uint8, i int, equals, spaced bool) int {
	text := sc.text
	switch key {
	case keyPassword:
		return sc.secretValue(i, true)
	case keyToken:
		return sc.secretValue(i, false)
	case keyHeader:
		return sc.header(i)
	case keyCookie:
		sc.cookies(i)
		return 0
	case keyAccount:
		sc.account = i + accountReach
		return 0
	case keyCard:
		sc.card = i + accountReach
		return 0
	case keyBusiness:
		sc.business = i + accountReach
		return 0
	}
	start, end := inQuotes(text, i)
	quoted := end > start
	if !quoted {
		start, end = i, i
		for end < len(text) && text[end] > ' ' && strings.IndexByte("\"'(),;:&?$}]<>|\\", text[end]) < 0 {
			end++
		}
		for end > start && text[end-1] == '.' {
			end--
		}
	}
	v := text[start:end]
	if strings.HasPrefix(text[end:], "://") || fold(v) == "jdbc" { // an address, which is looked at as one
		return 0
	}
	if spaced && !quoted && !strings.ContainsAny(v, "-0123456789") {
		return 0
	}
	if v == "" || len(v) == 1 && (!equals || !letter(v[0])) || len(v) > 256 || stopWord.has(v) || noValue.has(v) || strings.IndexByte("{[$<%*#", v[0]) >= 0 || strings.Trim(v, "0123456789.") == "" || strings.ContainsAny(v, "()") {
		return 0
	}
	if !equals && !quoted && !strings.ContainsAny(v, "-_.0123456789") && end < len(text) && strings.IndexByte("\n\r,;", text[end]) < 0 {
		return 0
	}
	switch key {
	case keyHost:
		if strings.ContainsAny(v, "/ ") || isIP(v) || end+1 < len(text) && text[end] == ':' && (text[end+1] == ':' || len(v) <= 4 && strings.Count(text[end:min(len(text), end+20)], ":") > 2) || fold(v) == "localhost" || !quoted && !equals && plainWord(v) && !strings.Contains(v, "-") {
			return 0
		}
		sc.claim(start, end, Host, true)
	case keyPod:
		sc.claim(start, end, Pod, true)
	case keyUser:
		if strings.ContainsAny(v, "/@") {
			return 0
		}
		sc.claim(start, end, Name, true)
	case keyDatabase:
		if strings.ContainsAny(v, "/ ") {
			return 0
		}
		sc.claim(start, end, Database, true)
	case keyService:
		class := Name
		if strings.HasPrefix(text[end:], ")") {
			class = Database
		}
		if strings.ContainsAny(v, "/ ") || ordinary.has(v) {
			return 0
		}
		sc.claim(start, end, class, true)
	case keyTable:
		if strings.ContainsAny(v, "/ ") {
			return 0
		}
		sc.qualified(start, end, Table)
	case keyColumn:
		if strings.ContainsAny(v, "/ ") || !columnName(v) {
			return 0
		}
		sc.claim(start, end, Column, true)
	}
	return end
}

// secretValue claims a secret that begins at i; certain when its key says
// beyond doubt that it is one.
func (sc *scanner) secretValue(i int, certain bool) int {
	text := sc.text
	start, end := inQuotes(text, i)
	quoted := end > start
	if !quoted {
		start = i
		for start < len(text) && (text[start] == '"' || text[start] == '\'') {
			start++
		}
		end = start
		for end < len(text) && text[end] > ' ' && strings.IndexByte("\"'`,;()<>{}|\\", text[end]) < 0 && (text[end] != '&' || !parameter(text[end+1:])) {
			end++
		}
		for end > start && (text[end-1] == '.' || text[end-1] == ':' || text[end-1] == ']') {
			end--
		}
	}
	v := text[start:end]
	if v == "" || noSecret.has(v) || stopWord.has(v) && !quoted || strings.Trim(v, "*•xX.-_?#") == "" {
		return 0
	}
	if variable(v) {
		return 0
	}
	if !certain && !looksSecret(v, quoted) {
		return 0
	}
	sc.claim(start, end, Secret, len(v) >= 6 && !ordinary.has(v))
	return end
}

// parameter says that the next parameter of a query begins.
func parameter(text string) bool {
	i := 0
	for i < len(text) && wordByte(text[i]) {
		i++
	}
	return i > 0 && i < len(text) && text[i] == '='
}

// variable says that a value is the place of one: ${X}, $X, %s, #{x}, <x>, {{x}}, :x, ?.
func variable(v string) bool {
	switch v[0] {
	case '{', '<':
		return true
	case '$', '#', '%':
		return len(v) < 4 || v[1] == '{' || v[1] == '(' || v[0] == '$' && strings.Trim(v[1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
	case '[':
		return v[len(v)-1] == ']'
	case ':', '?':
		return len(v) == 1 || v[0] == ':' && plainWord(v[1:])
	}
	return false
}

// looksSecret says that a value behind the key of a token is one: long enough
// and no word or number.
func looksSecret(v string, quoted bool) bool {
	digits, upper, lower := 0, 0, 0
	for i := range len(v) {
		switch c := v[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		}
	}
	switch {
	case len(v) < 6 || strings.ContainsAny(v, " \t"):
		return false
	case digits > 0 && upper+lower > 0, len(v) >= 8 && upper+lower > 3 && strings.ContainsAny(v, "@!#%^*$&+"):
		return true
	case digits == len(v):
		return len(v) >= 8
	case upper > 1 && lower > 1 && len(v) >= 12:
		return true
	}
	return quoted && len(v) >= 20
}

// header claims the credentials of an Authorization header.
func (sc *scanner) header(i int) int {
	text := sc.text
	for i < len(text) && (text[i] == '"' || text[i] == '\'' || text[i] == '\\' || text[i] == '[') {
		i++
	}
	end := i
	for end < len(text) && text[end] > ' ' && strings.IndexByte("\"'<>,;\\", text[end]) < 0 {
		end++
	}
	if fold(text[i:end]) == "digest" {
		rest := text[end:min(len(text), end+600)]
		if n := strings.Index(rest, "response="); n >= 0 {
			if start, stop := inQuotes(text, end+n+len("response=")); stop > start {
				sc.claim(start, stop, Secret, true)
			}
		}
		return 0
	}
	if authScheme.has(text[i:end]) {
		start := end
		for start < len(text) && text[start] == ' ' {
			start++
		}
		stop := start
		for stop < len(text) && text[stop] >= ' ' && strings.IndexByte("\"'<>\\]", text[stop]) < 0 {
			if text[stop] == ' ' && fold(text[i:end]) != "aws4-hmac-sha256" {
				break
			}
			stop++
		}
		if stop-start >= 4 && strings.Trim(text[start:stop], "*") != "" {
			sc.claim(start, stop, Secret, true)
			return stop
		}
		return 0
	}
	if end-i >= 8 && looksSecret(text[i:end], false) {
		sc.claim(i, end, Secret, true)
		return end
	}
	return 0
}

// cookies claims the values of a Cookie or Set-Cookie header that begin at i.
func (sc *scanner) cookies(i int) {
	text := sc.text
	for i < len(text) && (text[i] == '"' || text[i] == '\'' || text[i] == '\\' || text[i] == '[') {
		i++
	}
	for first := true; i < len(text); first = false {
		for i < len(text) && text[i] == ' ' {
			i++
		}
		name := i
		for i < len(text) && text[i] > ' ' && text[i] < 0x7f && strings.IndexByte("=;,\"'\\", text[i]) < 0 {
			i++
		}
		if i >= len(text) || text[i] != '=' {
			if !first && i < len(text) && text[i] == ';' { // Secure; HttpOnly
				i++
				continue
			}
			if first && i-name >= 12 && looksSecret(text[name:i], false) { // a value without its name
				sc.claim(name, i, Cookie, true)
			}
			return
		}
		key := fold(text[name:i])
		i++
		start := i
		for i < len(text) && text[i] >= ' ' && strings.IndexByte(";\"'\\", text[i]) < 0 {
			if text[i] == ' ' && !cookieAttribute.has(key) || text[i] == ',' && !cookieAttribute.has(key) {
				break
			}
			i++
		}
		if !cookieAttribute.has(key) && i-start > 1 && !noSecret.has(text[start:i]) {
			sc.claim(start, i, Cookie, i-start >= 6)
		}
		if i >= len(text) || text[i] != ';' {
			return
		}
		i++
	}
}

var (
	keys = func() *lexicon {
		l := &lexicon{}
		add := func(k uint8, words string) { l.add(k, strings.Fields(words)...) }
		add(keyPassword, `password passwd pwd passphrase passcode passwort userpassword dbpassword pw secretkey apikey accesskey privatekey clientsecret apisecret
			secretaccesskey encryptionkey storepass keypass cvc cvv`)
		add(keyToken, `pass otp auth secret token jwt accesstoken refreshtoken idtoken authtoken sessiontoken sessionid jsessionid phpsessid csrftoken xsrftoken signature sig
			credential credentials apitoken bottoken sessid assertion hmac`)
		add(keyHeader, `authorization`)
		add(keyCookie, `cookie cookies`)
		add(keyHost, `host hostname hostaddr server addr source node nodename broker brokers upstream servername`)
		add(keyPod, `pod podname`)
		add(keyUser, `user username userid uid login`)
		add(keyDatabase, `dbname database sid databasename schema keyspace`)
		add(keyTable, `table tablename collection`)
		add(keyColumn, `column columnname`)
		add(keyAccount, `account acct accountno accountnumber iban`)
		add(keyCard, `cardno cardnumber pan card`)
		add(keyBusiness, `brn bizno businessno`)
		return l
	}()
	// pairs are keys that two words make.
	pairs = func() *lexicon {
		l := &lexicon{}
		for _, before := range strings.Fields(`api access secret private signing encryption auth master license shared storage subscription webhook deploy app admin account client service ssh rsa host`) {
			l.add(keyToken, before+" key")
		}
		l.add(keyPassword, "secret key", "private key", "api key")
		l.add(keyToken, "session id", "sess id")
		l.add(keyPod, "pod name", "pod id")
		l.add(keyHost, "host name", "node name", "machine name", "server name", "server address", "peer address", "peer name", "sock addr", "data source", "instance name", "remote host")
		l.add(keyUser, "user name", "user id", "login name", "login id", "member id", "enduser id", "customer name")
		l.add(keyDatabase, "db name", "database name", "initial catalog", "schema name", "db instance", "db schema", "db namespace", "current schema")
		l.add(keyService, "service name")
		l.add(keyTable, "table name", "sql table", "mongodb collection", "collection name")
		l.add(keyColumn, "column name")
		l.add(keyAccount, "account no", "account number", "account num", "bank account")
		l.add(keyCard, "card no", "card number", "card num")
		l.add(keyBusiness, "business no", "business number", "biz no", "registration number", "tax id")
		l.add(keyCookie, "set cookie")
		return l
	}()
	// pairEnds are the second words of pairs, and the one that may stand alone.
	pairEnds = func() *lexicon {
		l := set(`catalog`)
		for _, pair := range pairs.words {
			_, second, _ := strings.Cut(pair.word, " ")
			l.add(1, second)
		}
		return l
	}()
	noValue = set(`true false none nil null undefined unknown empty default any yes no ok string text varchar integer int object array name id required
		missing invalid localhost anonymous system root mysql postgresql postgres oracle mssql mariadb h2 sqlite mongodb redis clickhouse`)
	noSecret = set(`yes no true false none empty required missing invalid incorrect wrong expired null nil undefined redacted masked hidden [redacted] <redacted>
		string str varchar text boolean bool int optional must should cannot not is was has failed error changed reset updated rejected mismatch
		authentication policy encoder field type ok success unknown n/a set unset default provided given to for protected sensitive secret password token`)
	authScheme      = set(`bearer basic token apikey api-key aws4-hmac-sha256 negotiate ntlm hawk key kakaoak hmac`)
	cookieAttribute = set(`path domain expires max-age samesite secure httponly priority partitioned version comment`)
)
