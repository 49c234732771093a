package mask

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

const (
	letters  = "abcdefghijkmnpqrstuvwxyz" // without l and o, which a model may read as digits
	alphabet = letters + "23456789"
	attempts = 64
)

// wordLength is the length of a word token by class. Long enough that no
// ordinary text holds one by chance, short enough to be copied faithfully.
var wordLength = map[Class]int{Host: 11, Database: 6, Table: 7, Path: 6}

const defaultWordLength = 8

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

func (s *Session) free(token string) bool {
	if s.classOf[token] != "" || s.entries[token] != nil {
		return false
	}
	for other := range s.owner {
		if strings.Contains(other, token) || strings.Contains(token, other) {
			return false
		}
	}
	for _, text := range s.seen {
		if strings.Contains(text, token) {
			return false
		}
	}
	return true
}

// shape makes a random string of the class's form. Addresses and numbers come
// from ranges nobody owns: 198.18.0.0/15 (RFC 2544), 2001:db8::/32 (RFC 3849),
// .example (RFC 2606).
func (s *Session) shape(class Class, original string) (string, error) {
	switch class {
	case IP:
		return s.ipShape(original)
	case Email:
		name, err := s.word(7)
		if err != nil {
			return "", err
		}
		domain, err := s.word(6)
		return name + "@" + domain + ".example", err
	case Phone:
		return s.phoneShape(original)
	}
	n := wordLength[class]
	if n == 0 {
		n = defaultWordLength
	}
	return s.word(n)
}

// word returns n characters that begin with a letter and hold a digit, like the
// seed's c4ysd: it looks like a name and is no word of any language.
func (s *Session) word(n int) (string, error) {
	b := make([]byte, n+1)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return "", err
	}
	for i := range n {
		set := alphabet
		if i == 0 {
			set = letters
		}
		b[i] = set[int(b[i])%len(set)]
	}
	b[1+int(b[n])%(n-1)] = "23456789"[int(b[n])>>5]
	return string(b[:n]), nil
}

func (s *Session) ipShape(original string) (string, error) {
	var b [4]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		return "", err
	}
	addr, err := netip.ParseAddr(original)
	if err == nil && addr.Is6() {
		return fmt.Sprintf("2001:db8:%x:%x::%x", 0x1000|int(b[0])<<4, 0x1000|int(b[1])<<4, 0x1000|int(b[2])<<4|int(b[3])&15), nil
	}
	// Three-digit octets only, so that no token is the beginning of another.
	return fmt.Sprintf("198.%d.%d.%d", 18+int(b[0])&1, 100+int(b[1])%156, 100+int(b[2])%156), nil
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
