package mask

import (
	"net/netip"
	"strings"
)

// group is one run of digits of a number written in groups.
type group struct {
	start, end int
	sep        byte // what stands between it and the group before, 0 for the first
}

func (g group) len() int { return g.end - g.start }

const maxGroups = 6

// groups splits the number that begins at i: digits with single dots, hyphens
// or spaces between them.
func groups(text string, i int, into *[maxGroups]group) []group {
	n := 0
	sep := byte(0)
	for n < maxGroups {
		start := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		into[n] = group{start, i, sep}
		n++
		if i+1 >= len(text) || text[i] != '.' && text[i] != '-' && text[i] != ' ' || text[i+1] < '0' || text[i+1] > '9' {
			break
		}
		sep = text[i]
		i++
	}
	return into[:n]
}

// shortestNumber is the length of the shortest number in one group that belongs to somebody: an account's.
const shortestNumber = 9

// number looks at the digits at i and returns where to go on
// when they are something, else 0.
func (sc *scanner) number(i int) int {
	text := sc.text
	var buf [maxGroups]group
	g := groups(text, i, &buf)
	if len(g) == 1 && g[0].len() < shortestNumber { // as most of them
		return 0
	}
	if n := sc.ipv4(g); n > 0 {
		return n
	}
	class, n := sc.personal(g)
	if n == 0 {
		return 0
	}
	if !bounded(text, g[0].start, n) {
		return 0
	}
	sc.claim(g[0].start, n, class, true)
	return n
}

// personal decides whether the groups begin with a number that belongs to a person or
// a company, and where it ends.
func (sc *scanner) personal(g []group) (Class, int) {
	text := sc.text
	first := g[0]
	switch n := first.len(); {
	case n == 6 && len(g) > 1 && g[1].sep == '-' && g[1].len() == 7 && resident(text[first.start:first.end]+text[g[1].start:g[1].end]):
		return Resident, g[1].end
	case n == 13 && resident(text[first.start:first.end]) && !sc.timeBefore(first.start):
		return Resident, first.end
	case n >= 13 && n <= 19 && cardBegin(text[first.start:]) && luhn(text[first.start:first.end]):
		return Card, first.end
	case n == 4 && len(g) >= 4 && same(g[1:4]) && g[1].sep != '.' && g[1].len() == 4 && g[2].len() == 4 && g[3].len() >= 1 && g[3].len() <= 4:
		number := text[first.start:first.end] + text[g[1].start:g[1].end] + text[g[2].start:g[2].end] + text[g[3].start:g[3].end]
		if len(number) >= 14 && (luhn(number) && cardBegin(number) || first.start < sc.card) {
			return Card, g[3].end
		}
	case n == 4 && len(g) >= 3 && same(g[1:3]) && g[1].len() == 6 && (g[2].len() == 5 || g[2].len() == 4):
		if number := text[first.start:first.end] + text[g[1].start:g[1].end] + text[g[2].start:g[2].end]; luhn(number) && cardBegin(number) {
			return Card, g[2].end
		}
	case n == 3 && len(g) >= 3 && g[1].sep == '-' && g[2].sep == '-' && g[1].len() == 2 && g[2].len() == 5:
		if first.start < sc.business || business(text[first.start:first.end]+text[g[1].start:g[1].end]+text[g[2].start:g[2].end]) {
			return Business, g[2].end
		}
	case n == 10 && first.start < sc.business:
		return Business, first.end
	}
	if first.start < sc.account {
		if n := accountEnd(g); n > 0 {
			return Account, n
		}
	}
	if n := koreanPhone(text, g); n > 0 {
		return Phone, n
	}
	return "", 0
}

// accountEnd returns the end of the bank account the groups write, 0 for none: 9 to
// 16 digits, in groups behind hyphens or in one.
func accountEnd(g []group) int {
	digits, end := 0, 0
	for i, one := range g {
		if i > 0 && one.sep != '-' {
			break
		}
		digits += one.len()
		end = one.end
	}
	if digits < shortestNumber || digits > 16 {
		return 0
	}
	return end
}

func same(g []group) bool {
	for _, one := range g[1:] {
		if one.sep != g[0].sep {
			return false
		}
	}
	return true
}

// bounded says that text[start:end] is a whole number, not part of a longer
// number, a date or an id.
func bounded(text string, start, end int) bool {
	if start > 0 && wordByte(text[start-1]) || end < len(text) && wordByte(text[end]) {
		return false
	}
	inner := func(c byte) bool { return c == '-' || c == '.' }
	if start > 1 && inner(text[start-1]) && wordByte(text[start-2]) {
		return false
	}
	return end+1 >= len(text) || !inner(text[end]) || !wordByte(text[end+1])
}

// ipv4 claims the address the groups begin with.
func (sc *scanner) ipv4(g []group) int {
	if len(g) < 4 || !same(g[1:4]) || g[1].sep != '.' || len(g) > 4 && g[4].sep == '.' {
		return 0
	}
	text := sc.text
	start, end := g[0].start, g[3].end
	for _, one := range g[:4] {
		if one.len() > 3 || one.len() == 3 && text[one.start:one.end] > "255" || one.len() > 1 && text[one.start] == '0' {
			return 0
		}
	}
	if start > 0 && (wordByte(text[start-1]) || text[start-1] == '.') || end < len(text) && wordByte(text[end]) {
		return 0
	}
	if text[start:start+2] == "0." || strings.HasPrefix(text[start:end], "127.") || sc.versionBefore(start, end) {
		return end
	}
	sc.claim(start, end, IP, true)
	return end
}

// versionBefore says that four numbers with dots are a version: a word before
// says so, or a product stands before with a slash (Chrome/120.0.0.0).
func (sc *scanner) versionBefore(start, end int) bool {
	text := sc.text
	i := start
	if i > 1 && text[i-1] == '/' && letter(text[i-2]) {
		return strings.HasSuffix(text[start:end], ".0.0") || product.has(lastWord(text, i-1))
	}
	for i > 0 && (text[i-1] == ' ' || text[i-1] == '=' || text[i-1] == ':' || text[i-1] == '"' || text[i-1] == '(') {
		i--
	}
	return versionWord.has(lastWord(text, i))
}

// lastWord returns the ASCII letters that end at i.
func lastWord(text string, i int) string {
	end := i
	for i > 0 && letter(text[i-1]) && end-i < 24 {
		i--
	}
	return text[i:end]
}

// timeBefore says that the number at start is a time, by the name before it.
func (sc *scanner) timeBefore(start int) bool {
	text := sc.text
	i := start
	for i > 0 && (text[i-1] == ' ' || text[i-1] == '=' || text[i-1] == ':' || text[i-1] == '"') {
		i--
	}
	name := fold(lastWord(text, i))
	return timeWord.has(name) || strings.HasSuffix(name, "time") || strings.HasSuffix(name, "timestamp") || strings.HasSuffix(name, "at") || strings.HasSuffix(name, "millis")
}

// resident checks the thirteen digits of a resident registration number: a date
// and the digit of century and sex. There is no check digit since October 2020.
func resident(digits string) bool {
	if len(digits) != 13 || digits[6] < '0' || digits[6] > '9' {
		return false
	}
	month := int(digits[2]-'0')*10 + int(digits[3]-'0')
	day := int(digits[4]-'0')*10 + int(digits[5]-'0')
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && (digits[6] != '0' || digits[0] >= '8')
}

// luhn is the check of ISO/IEC 7812.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// cardBegin says that a number may be a card's by its first digit: 3 to 6 for the
// networks, 2 for Mastercard, 9 for cards of Korea only.
func cardBegin(number string) bool {
	c := number[0]
	return c >= '2' && c <= '6' && !strings.HasPrefix(number, "20") || c == '9'
}

// business checks the ten digits of a Korean business registration number.
func business(digits string) bool {
	weights := [...]int{1, 3, 7, 1, 3, 7, 1, 3}
	sum := 0
	for i, w := range weights {
		sum += int(digits[i]-'0') * w
	}
	last := int(digits[8]-'0') * 5
	sum += last/10 + last%10
	return (10-sum%10)%10 == int(digits[9]-'0')
}

// koreanPhone returns the end of the telephone number of Korea the groups begin with.
func koreanPhone(text string, g []group) int {
	first := text[g[0].start:g[0].end]
	if first[0] != '0' && first[0] != '1' {
		return 0
	}
	rest := func(k int) bool { // two more groups: 3 or 4 digits, then 4
		return len(g) > k+1 && (g[k].len() == 3 || g[k].len() == 4) && g[k+1].len() == 4
	}
	mobile := len(first) >= 3 && first[0] == '0' && first[1] == '1' && first[2] != '2' && first[2] != '3' && first[2] != '4' && first[2] != '5'
	switch {
	case mobile && (len(first) == 10 || len(first) == 11):
		return g[0].end
	case mobile && len(first) == 3 && rest(1):
		return g[2].end
	case mobile && len(first) == 3 && len(g) > 1 && (g[1].len() == 7 || g[1].len() == 8):
		return g[1].end
	case mobile && (len(first) == 6 || len(first) == 7) && len(g) > 1 && g[1].len() == 4:
		return g[1].end
	case areaOfKorea(first) && rest(1):
		return g[2].end
	case len(first) == 4 && first[0] == '1' && len(g) > 1 && g[1].sep == '-' && g[1].len() == 4 && representative.has(first):
		return g[1].end
	}
	return 0
}

func areaOfKorea(code string) bool {
	switch len(code) {
	case 2:
		return code == "02"
	case 3:
		return code == "070" || code == "050" || code == "080" || code[0] == '0' && code[1] >= '3' && code[1] <= '6' && code[2] >= '1' && code[2] <= '5'
	case 4:
		return strings.HasPrefix(code, "050")
	}
	return false
}

// areaCode looks at a number that begins with a code in parentheses: (02) 123-4567, (415) 555-0100.
func (sc *scanner) areaCode(i int) int {
	text := sc.text
	j := i + 1
	for j < len(text) && text[j] >= '0' && text[j] <= '9' && j-i < 6 {
		j++
	}
	if j-i < 3 || j >= len(text) || text[j] != ')' {
		return 0
	}
	code := text[i+1 : j]
	j++
	if j < len(text) && (text[j] == ' ' || text[j] == '-') {
		j++
	}
	if j >= len(text) || text[j] < '0' || text[j] > '9' {
		return 0
	}
	var buf [maxGroups]group
	g := groups(text, j, &buf)
	if len(g) < 2 || g[1].len() != 4 || g[0].len() != 3 && g[0].len() != 4 || !bounded(text, i, g[1].end) {
		return 0
	}
	if areaOfKorea(code) || strings.HasPrefix(code, "01") && len(code) == 3 || len(code) == 3 && code[0] >= '2' && g[0].len() == 3 {
		sc.claim(i, g[1].end, Phone, true)
		return g[1].end
	}
	return 0
}

// international looks at a number with a plus and returns where it ends.
func (sc *scanner) international(i int) int {
	text := sc.text
	if i+2 >= len(text) || text[i+1] < '1' || text[i+1] > '9' || i > 0 && wordByte(text[i-1]) {
		return 0
	}
	digits, j, grouped := 0, i+1, 0
	for j < len(text) && digits < 16 {
		c := text[j]
		next := byte(0)
		if j+1 < len(text) {
			next = text[j+1]
		}
		switch {
		case c >= '0' && c <= '9':
			digits++
		case (c == '-' || c == '.' || c == ' ' || c == ')') && (next >= '0' && next <= '9' || next == '(' || c == ')' && next == ' '):
			grouped++
		case c == '(' && next >= '0' && next <= '9':
			grouped++
		default:
			goto end
		}
		j++
	}
end:
	for j > i && (text[j-1] < '0' || text[j-1] > '9') {
		j--
	}
	if digits < 9 || digits > 15 || !bounded(text, i, j) {
		return 0
	}
	sc.claim(i, j, Phone, true)
	return j
}

// ipv6 claims the address around i, which stands on a colon or on a digit before
// one, and returns where to go on; 0 when there is none.
func (sc *scanner) ipv6(i int) int {
	text := sc.text
	start := i
	for start > 0 && hexByte(text[start-1]) {
		start--
	}
	if start > 0 && (wordByte(text[start-1]) || text[start-1] == ':' && (start < 2 || hexByte(text[start-2]) || text[start-2] == ':')) || i-start > 4 {
		return 0
	}
	colons, digits, end := 0, 0, start
	for end < len(text) && (hexByte(text[end]) || text[end] == ':' || text[end] == '.') {
		switch c := text[end]; {
		case c == ':':
			colons++
		case c <= '9' && c >= '0':
			digits++
		}
		end++
	}
	for end > start && (text[end-1] == '.' || text[end-1] == ':' && (end < start+2 || text[end-2] != ':')) {
		if end--; text[end] == ':' {
			colons--
		}
	}
	if colons < 2 || digits == 0 || end-start > 45 || end < len(text) && wordByte(text[end]) || colons < 7 && !strings.Contains(text[start:end], "::") {
		return 0
	}
	addr, err := netip.ParseAddr(text[start:end])
	if err != nil || addr.IsLoopback() || addr.IsUnspecified() {
		return 0
	}
	sc.claim(start, end, IP, true)
	return end
}

func hexByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isIP(text string) bool {
	if len(text) < 2 || len(text) > 45 {
		return false
	}
	for i := 0; i < len(text) && text[i] != '%'; i++ { // which says no without an error being made
		if !hexByte(text[i]) && text[i] != ':' && text[i] != '.' {
			return false
		}
	}
	_, err := netip.ParseAddr(text)
	return err == nil
}

var (
	product        = set(`chrome chromium edg edge safari firefox mozilla applewebkit version opr opera samsungbrowser curl headlesschrome whale crios fxios`)
	versionWord    = set(`version ver release build v rev revision versions update patch sdk driver engine firmware`)
	timeWord       = set(`time timestamp ts epoch ms millis t date utc iat exp nbf expires since until created updated started ended`)
	representative = set(`1522 1533 1544 1566 1577 1588 1599 1600 1644 1661 1666 1670 1688 1800 1811 1833 1855 1866 1877 1899`)
)
