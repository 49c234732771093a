package mask

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// A word token is a prefix that says its class, three digits and two letters,
// such as tbl427kx: 3.05 tokens of a model on average (cl100k_base and
// o200k_base), where random words of the former lengths took 4.2 to 7.4. The
// model reads what it stands for, no name of a house looks like it, and a name
// that only looks like one is told apart from those of the conversation.
const (
	coreDigits  = "23456789"
	coreLetters = "acdefghjkmnpqrtuvwxyz" // without those read as digits, and without s and b, which end units (ms, kb)
	coreLength  = 5
	attempts    = 64
)

// prefix is what a word token of a class begins with.
var prefix = map[Class]string{
	Host: "host", Pod: "pod", Database: "db", Table: "tbl", Column: "col", Literal: "val", Email: "mail", Resident: "rrn", Card: "card",
	Business: "biz", Account: "acct", Secret: "key", Cookie: "ck", Path: "seg", Person: "per", Custom: "own", Name: "name",
	URL: "url", JDBCURL: "jdbc", IP: "ip", Phone: "tel",
}

// invent makes a new token for original, which neither stands in any text of
// the conversation nor contains, or is contained in, another token.
func (s *Session) invent(class Class, original string) (string, error) {
	for range attempts {
		made, err := s.shape(class, original)
		if err != nil {
			return "", fault.Wrap(err, fault.Internal, "no randomness for a token")
		}
		if s.free(made) {
			return made, nil
		}
	}
	return "", fault.New(fault.Internal, "no free token of class %s was found", class)
}

// free says that no value, no token and no text of the conversation holds the
// token. Word tokens differ in their cores, and no core stands in a text;
// addresses in a text are values themselves.
func (s *Session) free(token string) bool {
	if s.classOf[token] != "" || s.entries[token] != nil || s.owner(token) != nil {
		return false
	}
	if at := coreAt(token); at >= 0 {
		_, taken := s.cores[core(token[at:])]
		return !taken
	}
	for other := range s.numbers.words {
		if strings.Contains(other, token) || strings.Contains(token, other) {
			return false
		}
	}
	return true
}

// coreAt returns where the core of a folded word token begins, -1 for none.
func coreAt(token string) int {
	for i := 0; i+coreLength <= len(token); i++ {
		if isCore(token[i:]) {
			return i
		}
	}
	return -1
}

// coreByte says what a byte can be in a core: 1 a digit, 2 a letter.
var coreByte = func() (k [256]uint8) {
	for _, c := range []byte(coreDigits) {
		k[c] = 1
	}
	for _, c := range []byte(coreLetters) {
		k[c] = 2
	}
	return k
}()

// isCore says that a folded text begins with a core.
func isCore(text string) bool {
	return len(text) >= coreLength && coreByte[text[0]] == 1 && coreByte[text[1]] == 1 && coreByte[text[2]] == 1 && coreByte[text[3]] == 2 && coreByte[text[4]] == 2
}

// core packs the core a folded text begins with.
func core(text string) uint64 {
	return uint64(text[0])<<32 | uint64(text[1])<<24 | uint64(text[2])<<16 | uint64(text[3])<<8 | uint64(text[4])
}

// note takes the cores of a folded text that comes in; see sweep. Of three digits
// in a row one stands on every third byte.
func (s *Session) note(folded string) {
	for i := 2; i < len(folded); i += 3 {
		if coreByte[folded[i]] != 1 {
			continue
		}
		for at := i - 2; at <= i; at++ {
			if !isCore(folded[at:]) {
				continue
			}
			if c := core(folded[at:]); s.cores[c] == nil {
				s.cores[c] = nil
			}
		}
	}
}

// find returns the tokens in a short folded text.
func (s *Session) find(folded string) []match {
	var tokens []match
	end := 0
	for i := 0; i+1 < len(folded); i++ {
		n, start := 0, i
		if isCore(folded[i:]) {
			if e := s.cores[core(folded[i:])]; e != nil && i >= e.core && strings.HasPrefix(folded[i-e.core:], e.token) {
				start, n = i-e.core, len(e.token)
			}
		} else {
			n, _ = s.numbers.at(folded, i)
		}
		if n > 0 && start >= end {
			end = start + n
			tokens = append(tokens, match{start, end})
		}
	}
	return tokens
}

// shape makes a random string of the class's form. Addresses and numbers come
// from ranges nobody owns: 198.18.0.0/15 (RFC 2544), 2001:db8::/32 (RFC 3849),
// .example (RFC 2606).
func (s *Session) shape(class Class, original string) (string, error) {
	switch class {
	case IP:
		return s.ipShape(original)
	case Email:
		made, err := s.word(prefix[Email])
		return made + "@x.example", err
	case Phone:
		if telephone(original) {
			return s.phoneShape(original)
		}
	}
	begin := prefix[class]
	if begin == "" {
		begin = prefix[Custom]
	}
	return s.word(begin)
}

// draw returns some random bytes, good until the next ones are drawn.
func (s *Session) draw(n int) ([]byte, error) {
	b := s.drawn[:n]
	clear(b)
	_, err := io.ReadFull(s.random, b)
	return b, err
}

// word returns a word token.
func (s *Session) word(begin string) (string, error) {
	b, err := s.draw(coreLength)
	if err != nil {
		return "", err
	}
	for i := range b {
		if i < 3 {
			b[i] = coreDigits[int(b[i])%len(coreDigits)]
		} else {
			b[i] = coreLetters[int(b[i])%len(coreLetters)]
		}
	}
	return begin + string(b), nil
}

func (s *Session) ipShape(original string) (string, error) {
	b, err := s.draw(4)
	if err != nil {
		return "", err
	}
	addr, err := netip.ParseAddr(original)
	if err == nil && addr.Is6() {
		return fmt.Sprintf("2001:db8:%x:%x::%x", 0x1000|int(b[0])<<4, 0x1000|int(b[1])<<4, 0x1000|int(b[2])<<4|int(b[3])&15), nil
	}
	// Three-digit octets only, so that no token is the beginning of another.
	return fmt.Sprintf("198.%d.%d.%d", 18+int(b[0])&1, 100+int(b[1])%156, 100+int(b[2])%156), nil
}

// telephone says that a value of the class Phone is a number: what else a field of
// phones may hold would stay readable between the digits.
func telephone(value string) bool {
	digits := 0
	for i := range len(value) {
		switch c := value[i]; {
		case c >= '0' && c <= '9':
			digits++
		case strings.IndexByte("+-.() /", c) < 0:
			return false
		}
	}
	return digits >= 7 && len(value) <= 32
}

// phoneShape keeps the grouping and the first group (country or area code) and
// draws the other digits, the first of them 0, where no subscriber number begins.
func (s *Session) phoneShape(original string) (string, error) {
	out := []byte(original)
	random := make([]byte, len(out))
	if _, err := io.ReadFull(s.random, random); err != nil {
		return "", err
	}
	kept, inFirst, first := 0, true, true
	for i, c := range out {
		digit := c >= '0' && c <= '9'
		switch {
		case inFirst && digit && kept < 3:
			kept++
			continue
		case inFirst && (digit || kept > 0):
			inFirst = false
		}
		if !digit {
			continue
		}
		out[i] = '0' + random[i]%10
		if first {
			out[i], first = '0', false
		}
	}
	return string(out), nil
}

// ours says that a text which looks like a token of some session is in the
// ranges tokens are made of: the benchmark networks, the documentation network,
// the domain of mail tokens.
func ours(class Class, text string) bool {
	switch class {
	case IP:
		return strings.HasPrefix(text, "198.18.") || strings.HasPrefix(text, "198.19.") || strings.HasPrefix(fold(text), "2001:db8:")
	case Email:
		return strings.HasSuffix(fold(text), "@x.example")
	}
	return false
}
