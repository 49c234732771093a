package mask

import "strings"

// colon looks at a word with a colon behind it: a URL, a JDBC URL, host:port, an
// address of IPv6, a drive of Windows.
func (sc *scanner) colon(w word) int {
	text := sc.text
	rest := text[w.end+1:]
	switch {
	case strings.HasPrefix(rest, "//"):
		return sc.url(w)
	case w.end-w.start == 4 && fold(text[w.start:w.end]) == "jdbc":
		return sc.address(w.start, w.end+1, JDBCURL)
	case w.end-w.start == 1 && w.letters() && len(rest) > 1 && rest[0] == '\\' && rest[1] != 'n' && rest[1] != 't' && rest[1] != 'r':
		return sc.windowsPath(w.start, w.end+1)
	case rest == "":
		return 0
	}
	if w.end-w.start <= 4 {
		if n := sc.ipv6(w.start); n > 0 {
			return n
		}
	}
	if c := rest[0]; c >= '0' && c <= '9' {
		return sc.hostPort(w)
	}
	return 0
}

// url claims the URL whose scheme ends with the word w.
func (sc *scanner) url(w word) int {
	text := sc.text
	start := w.start
	for start > 0 && text[start-1] == '+' { // mongodb+srv://
		from := start - 1
		for from > 0 && (letter(text[from-1]) || text[from-1] >= '0' && text[from-1] <= '9') {
			from--
		}
		if from == start-1 {
			break
		}
		start = from
	}
	if !letter(text[start]) {
		return 0
	}
	return sc.address(start, w.end+3, URL)
}

// urlEnd ends a URL in free text.
var urlEnd = func() (end [256]bool) {
	for b := range 256 {
		end[b] = b <= ' '
	}
	for _, c := range `"'<>` + "`" + `\` {
		end[c] = true
	}
	return end
}()

// address claims a URL from start to where it ends; at is behind its scheme.
func (sc *scanner) address(start, at int, class Class) int {
	text := sc.text
	end := at
	for end < len(text) && !urlEnd[text[end]] {
		if text[end] >= 0x80 && particle(text[end:]) {
			break
		}
		end++
	}
	for end > at && strings.IndexByte(".,;:!?)]}*|", text[end-1]) >= 0 {
		if c := text[end-1]; (c == ')' || c == ']' || c == '}') && balanced(text[at:end], c) {
			break
		}
		end--
	}
	if end <= at || class == JDBCURL && end-at < 3 {
		return 0
	}
	if class == URL && public(text[at:end]) {
		return end
	}
	sc.claim(start, end, class, true)
	return end
}

// particle says that Korean prose goes on behind an address written before: a
// particle, then a space or the end of a sentence.
func particle(text string) bool {
	for _, p := range particles {
		if rest, ok := strings.CutPrefix(text, p); ok && (rest == "" || strings.IndexByte(" \t\r\n.,;:!?)\"'", rest[0]) >= 0) {
			return true
		}
	}
	return false
}

var particles = []string{"은", "는", "이", "가", "을", "를", "의", "에", "에서", "에게", "로", "으로", "와", "과", "도", "만", "까지", "부터", "에는", "에서는",
	"으로부터", "로부터", "라고", "이라는", "라는", "입니다", "이다", "처럼", "보다", "마다", "조차", "이나", "나", "이며", "이고", "에도", "과의", "와의"}

// balanced says that a closing bracket at the end of a URL was opened inside of it.
func balanced(text string, closing byte) bool {
	open := map[byte]byte{')': '(', ']': '[', '}': '{'}[closing]
	return strings.Count(text, string(open)) >= strings.Count(text, string(closing))
}

// public says that an address names a standard, not a machine: the namespaces
// and schemas that stand in documents as they are.
func public(address string) bool {
	for _, known := range publicAddress {
		if strings.HasPrefix(address, known) {
			return true
		}
	}
	return false
}

var publicAddress = []string{"json-schema.org/", "www.w3.org/", "schemas.xmlsoap.org/", "www.springframework.org/schema/", "java.sun.com/xml/",
	"xmlns.jcp.org/", "opentelemetry.io/schemas/", "maven.apache.org/POM/", "maven.apache.org/xsd/", "jakarta.ee/xml/"}

// at looks at the sign of a mail address, or of user'@'host as MySQL writes it.
func (sc *scanner) at(i int) int {
	text := sc.text
	start := i
	for start > 0 && i-start < 64 && localByte(text[start-1]) {
		start--
	}
	if start > 1 && text[start-1] == '\\' && start < i { // the letter of an escape
		start++
	}
	j := i + 1
	dots := 0
	for j < len(text) {
		c := text[j]
		if c == '.' && j+1 < len(text) && wordByte(text[j+1]) {
			dots++
		} else if !wordByte(c) && (c != '-' || j+1 >= len(text) || !wordByte(text[j+1])) {
			break
		}
		j++
	}
	if start < i && dots > 0 && j > i+1 && wordByte(text[i+1]) {
		sc.claim(start, j, Email, true)
		return j
	}
	return i + 1
}

func localByte(c byte) bool {
	return wordByte(c) || c == '.' || c == '%' || c == '+' || c == '-'
}

// hostPort takes name:port for an address unless it is a source position
// (Order.java:123) or a plain word before a number (count:10).
func (sc *scanner) hostPort(w word) int {
	text := sc.text
	j := w.end + 1
	for j < len(text) && text[j] >= '0' && text[j] <= '9' {
		j++
	}
	port := text[w.end+1 : j]
	if len(port) < 2 || len(port) > 5 || j < len(text) && (wordByte(text[j]) || text[j] == '-') || !w.letters() {
		return 0
	}
	if j+1 < len(text) && (text[j] == '.' || text[j] == ':') && text[j+1] >= '0' && text[j+1] <= '9' && text[j] == '.' {
		return 0
	}
	name := text[w.start:w.end]
	if sourceFile.has(name[strings.LastIndexByte(name, '.')+1:]) {
		return 0
	}
	folded := fold(name)
	if folded[0] <= '9' && hour(folded) || folded == "localhost" || local(folded) { // the hour of a time: 2026-06-17T14:03
		return 0
	}
	if w.start > 0 && (text[w.start-1] == '/' || text[w.start-1] == '$') && !w.dotted() && !knownPort.has(port) {
		return 0
	}
	switch {
	case w.dotted() && w.upper() && w.lower() && camel(name): // a class: com.shop.Order:42
		return 0
	case w.dotted() && packageName(folded):
		return 0
	case w.composite() && (knownPort.has(port) || len(port) == 4 || len(port) == 5 || w.hyphened() && w.digits() || hostName(folded)),
		!w.composite() && knownPort.has(port) && len(port) > 2 && !plainBeforePort.has(folded):
		sc.claim(w.start, w.end, Host, true)
		return j
	}
	return 0
}

// hour says that a name is a date with the hour behind it: 2026-06-17t14.
func hour(folded string) bool {
	return len(folded) > 3 && folded[len(folded)-3] == 't' && strings.Trim(folded[:len(folded)-3], "0123456789-") == ""
}

// camel says that a dotted name ends like a class: a part with a capital and small letters.
func camel(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return last != "" && last[0] >= 'A' && last[0] <= 'Z' && strings.ContainsAny(last, "abcdefghijklmnopqrstuvwxyz")
}

func packageName(folded string) bool {
	first, _, _ := strings.Cut(folded, ".")
	return packageRoot.has(first)
}

// hostSlash takes the name in name/10.0.0.5, as Java writes an address.
func (sc *scanner) hostSlash(w word) int {
	text := sc.text
	rest := text[w.end+1:]
	if rest == "" || !w.letters() || w.start > 0 && text[w.start-1] == '/' || fold(text[w.start:w.end]) == "localhost" {
		return 0
	}
	ok := rest[0] == '[' && len(rest) > 2 && (hexByte(rest[1]) || rest[1] == ':') || strings.HasPrefix(rest, "<unresolved>")
	if rest[0] >= '0' && rest[0] <= '9' {
		var buf [maxGroups]group
		g := groups(rest, 0, &buf)
		ok = len(g) >= 4 && same(g[1:4]) && g[1].sep == '.' && isIP(rest[:g[3].end]) && !sc.versionBefore(w.end+1, w.end+1+g[3].end)
	}
	if !ok {
		return 0
	}
	sc.claim(w.start, w.end, Host, true)
	return w.end + 1
}

// domain looks at a name with dots: a host when it ends like one.
func (sc *scanner) domain(w word) {
	text := sc.text
	if w.start > 0 && (text[w.start-1] == '$' || text[w.start-1] == '@' && w.upper()) || w.end < len(text) && (text[w.end] == '(' || text[w.end] == '$' || text[w.end] == '{') {
		return
	}
	name := text[w.start:w.end]
	if !topLevel.has(name[strings.LastIndexByte(name, '.')+1:]) { // as most names of classes
		return
	}
	if w.upper() {
		if w.lower() && camel(name) || camel(name[:strings.LastIndexByte(name, '.')+1]+"x") {
			return
		}
	}
	folded := fold(name)
	if hostName(folded) && !local(folded) {
		if w.start > 0 && text[w.start-1] >= 0x80 && packageRoot.has(folded) {
			return
		}
		sc.claim(w.start, w.end, Host, true)
	}
}

// hostName says that a folded dotted name ends with a domain and does not begin
// like a package.
func hostName(folded string) bool {
	i := strings.LastIndexByte(folded, '.')
	if i <= 0 || !topLevel.has(folded[i+1:]) || strings.Contains(folded, "..") || strings.Contains(folded, "_.") {
		return false
	}
	first, _, _ := strings.Cut(folded, ".")
	if packageRoot.has(first) || strings.Trim(first, "0123456789") == "" && strings.Count(folded, ".") == 1 || len(first) == 1 && strings.Count(folded, ".") == 1 {
		return false
	}
	return !standardName.has(folded) && !strings.HasSuffix(folded, ".network.io") && !strings.HasSuffix(folded, ".disk.io") // metrics of OpenTelemetry
}

// local names are the machine itself.
func local(folded string) bool { return strings.HasSuffix(folded, ".localhost") }

// podLetters are the letters Kubernetes builds random suffixes of.
const podLetters = "bcdfghjklmnpqrstvwxz2456789"

// hyphened looks at a name with hyphens and digits: a pod, or a machine of a cloud.
func (sc *scanner) hyphened(w word) {
	text := sc.text
	if w.upper() || w.end < len(text) && text[w.end] == '=' || w.start > 0 && text[w.start-1] == '.' {
		return
	}
	name := text[w.start:w.end]
	switch {
	case !letter(name[0]):
		return
	case podName(name):
		sc.claim(w.start, w.end, Pod, true)
	case strings.HasPrefix(name, "ip-") && cloudMachine(name):
		sc.claim(w.start, w.end, Host, true)
	}
}

func cloudMachine(name string) bool {
	return isIP(strings.ReplaceAll(name[len("ip-"):], "-", "."))
}

// podName says that a name has the form that a Deployment, a ReplicaSet, a
// DaemonSet, a Job or a StatefulSet gives its pods.
func podName(name string) bool {
	i := strings.LastIndexByte(name, '-')
	last, rest := name[i+1:], name[:max(i, 0)]
	if len(last) <= 2 && len(last) > 0 && strings.Trim(last, "0123456789") == "" { // StatefulSet
		return statefulName(rest)
	}
	if len(last) != 5 || strings.Trim(last, podLetters) != "" || rest == "" {
		return false
	}
	digit := strings.ContainsAny(last, "2456789")
	j := strings.LastIndexByte(rest, '-')
	hash, base := rest[j+1:], rest[:max(j, 0)]
	if base != "" && letter(base[0]) && len(hash) >= 7 && len(hash) <= 10 && strings.Trim(hash, "0123456789abcdefghijklmnopqrstuvwxyz") == "" && strings.ContainsAny(hash, "0123456789") {
		return digit || strings.Trim(hash, podLetters) == ""
	}
	return digit && strings.ContainsAny(last, "bcdfghjklmnpqrstvwxz") && !strings.ContainsAny(last[:1], "v") && mixed(last)
}

// mixed says that letters and digits alternate as random characters do, not as
// in a word with a number behind it (disk2, sdk24).
func mixed(s string) bool {
	changes := 0
	for i := 1; i < len(s); i++ {
		if letter(s[i]) != letter(s[i-1]) {
			changes++
		}
	}
	return changes >= 2
}

func statefulName(rest string) bool {
	for p := range strings.SplitSeq(rest, "-") {
		if p == "" || notStateful.has(p) || strings.Trim(p, "0123456789") == "" {
			return false
		}
	}
	first, _, more := strings.Cut(rest, "-")
	if !more {
		return statefulWord.has(rest)
	}
	return letter(rest[strings.LastIndexByte(rest, '-')+1]) && !regionPart.has(first)
}

// pathEnd ends a path in free text.
var pathEnd = func() (end [256]bool) {
	for b := range 256 {
		end[b] = b <= ' '
	}
	for _, c := range `"'<>()` + "`" + `,;[]\` {
		end[c] = true
	}
	return end
}()

// path looks at a slash: a path begins behind a space or a sign.
func (sc *scanner) path(i int) int {
	text := sc.text
	if i+1 < len(text) && text[i+1] == '/' || i > 0 && (wordByte(text[i-1]) || text[i-1] >= 0x80 || strings.IndexByte("}.~?&*<)%-$/\\", text[i-1]) >= 0) {
		return i + 1
	}
	end := i + 1
	for end < len(text) && !pathEnd[text[end]] && (text[end] < 0x80 || !particle(text[end:])) {
		end++
	}
	for end > i && !wordByte(text[end-1]) && text[end-1] < 0x80 && text[end-1] != '}' && text[end-1] != '*' && text[end-1] != '/' {
		end--
	}
	for range 2 { // the line and the column of a source
		if at := strings.LastIndexByte(text[i:end], ':'); at > 0 && i+at+1 < end && strings.Trim(text[i+at+1:end], "0123456789") == "" {
			end = i + at
		}
	}
	if end-i < 3 || ordinaryPath(text[i:end]) || structural(text[i:end]) {
		return max(end, i+1)
	}
	sc.claim(i, end, Path, true)
	return end
}

// ordinaryPath says that a path is the same on every machine.
func ordinaryPath(path string) bool {
	switch path {
	case "/health", "/healthz", "/livez", "/readyz", "/ready", "/metrics", "/ping", "/favicon.ico", "/robots.txt", "/actuator/health", "/actuator/prometheus", "/*", "/**", "/tmp", "/app":
		return true
	}
	for _, root := range ordinaryRoot {
		if strings.HasPrefix(path, root) {
			return true
		}
	}
	return false
}

var ordinaryRoot = []string{"/usr/lib/", "/usr/bin/", "/usr/share/", "/usr/local/bin/", "/usr/local/lib/", "/bin/", "/sbin/", "/usr/sbin/", "/lib/", "/lib64/", "/proc/", "/sys/", "/dev/",
	"/etc/ssl/", "/etc/hosts", "/etc/resolv.conf"}

// windowsPath claims a path with a drive (C:\Users\kim\a.txt), also with its backslashes
// doubled as in JSON.
func (sc *scanner) windowsPath(start, at int) int {
	text := sc.text
	end := at
	for end < len(text) && (text[end] == '\\' || !pathEnd[text[end]]) && text[end] != ':' {
		end++
	}
	for end > at && !wordByte(text[end-1]) && text[end-1] < 0x80 {
		end--
	}
	if end-at < 3 {
		return 0
	}
	sc.claim(start, end, Path, true)
	return end
}

var (
	topLevel = set(`com net org edu gov mil int biz info io dev app cloud ai co kr jp cn tw hk sg vn th ph au nz us uk ca
		de fr es nl se ch eu ru br internal intranet intra local lan corp home private svc cluster consul arpa test
		example invalid localdomain host site online tech store shop xyz`)
	// packageRoot begins the name of a class or a package, not of a host.
	packageRoot  = set(`com org net io java javax jakarta kr jdk sun kotlin kotlinx scala akka reactor android androidx ch`)
	standardName = set(`kubernetes.io app.kubernetes.io k8s.io node.js vue.js next.js json-schema.org www.w3.org opentelemetry.io socket.io`)
	sourceFile   = set(`java kt kts scala groovy clj go py js mjs cjs jsx ts tsx rb php cs fs c h cc cpp hpp rs swift sql xml html jsp vue lua ex exs erl yml yaml json properties gradle toml conf sh css scss log txt md`)
	knownPort    = set(`22 25 80 88 389 443 465 587 636 993 1433 1521 2181 2379 3000 3306 3389 4317 4318 5000 5432 5601 5672 6379 6432
		8000 8080 8081 8086 8088 8443 8500 8888 9000 9042 9090 9092 9200 9300 9440 11211 15672 26257 27017 27018 33060 50051`)
	plainBeforePort = set(`port ports line count size took ms total id code status time limit offset length timeout pid rows page step index`)
	notStateful     = set(`exec thread pool worker nio task scheduling executor step phase part page chapter version level tier type iso utf attempt retry line row
		item test case http https tls ssl v node shard partition fork day week month year top stage round batch chunk col column group option
		client consumer producer listener container epoll dispatcher event loop grpc async timer generation gen sha md x86 rfc cve gpt claude gemini llama area
		priority grade class section figure table list index slot id no num number zone layer http2 arm amd`)
	statefulWord = set(`kafka mysql mariadb postgres postgresql pg redis mongo mongodb zookeeper zk elasticsearch opensearch rabbitmq clickhouse consul etcd minio
		cassandra prometheus alertmanager vault nats pulsar influxdb neo4j solr memcached oracle loki thanos web db was app api`)
	regionPart = set(`us eu ap ca sa me af cn il mx`)
)
