package mask

import (
	"sort"
	"strings"
)

// matcher finds a set of folded strings in a folded text: leftmost, longest,
// not overlapping. With whole set, a string that begins or ends with an ASCII
// word character matches only where the word begins or ends.
type matcher struct {
	whole   bool
	buckets map[string][]string // by the first two bytes, longest first
	singles map[byte][]string   // one-byte strings
	longest int
}

type match struct{ start, end int }

func newMatcher(whole bool) *matcher {
	return &matcher{whole: whole, buckets: map[string][]string{}, singles: map[byte][]string{}}
}

func (m *matcher) add(word string) {
	m.longest = max(m.longest, len(word))
	if len(word) < 2 {
		if word != "" {
			m.singles[word[0]] = []string{word}
		}
		return
	}
	list := m.buckets[word[:2]]
	list = append(list, word)
	sort.SliceStable(list, func(i, j int) bool { return len(list[i]) > len(list[j]) })
	m.buckets[word[:2]] = list
}

func (m *matcher) find(folded string) []match {
	var found []match
	for i := 0; i < len(folded); {
		if n := m.at(folded, i); n > 0 {
			found = append(found, match{i, i + n})
			i += n
			continue
		}
		i++
	}
	return found
}

// at returns the length of the longest string that stands at i, 0 for none.
func (m *matcher) at(folded string, i int) int {
	if i+2 <= len(folded) {
		for _, word := range m.buckets[folded[i:i+2]] {
			if strings.HasPrefix(folded[i:], word) && m.bounded(folded, i, i+len(word)) {
				return len(word)
			}
		}
	}
	for _, word := range m.singles[folded[i]] {
		if m.bounded(folded, i, i+len(word)) {
			return len(word)
		}
	}
	return 0
}

func (m *matcher) bounded(text string, start, end int) bool {
	if !m.whole {
		return true
	}
	if start > 0 && wordByte(text[start]) && wordByte(text[start-1]) {
		return false
	}
	return end >= len(text) || !wordByte(text[end-1]) || !wordByte(text[end])
}

// partial returns the length of the longest suffix of folded that begins a
// string of the set without completing it.
func (m *matcher) partial(folded string) int {
	for n := min(m.longest-1, len(folded)); n > 0; n-- {
		suffix := folded[len(folded)-n:]
		if n == 1 {
			for two := range m.buckets {
				if two[0] == suffix[0] {
					return n
				}
			}
			continue
		}
		for _, word := range m.buckets[suffix[:2]] {
			if len(word) > n && strings.HasPrefix(word, suffix) {
				return n
			}
		}
	}
	return 0
}

// wordByte is deliberately ASCII: a Korean particle right behind a name does not
// make it another word.
func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// fold lowers ASCII letters only, so that offsets stay those of the original.
func fold(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// raise is the upper-case counterpart of fold.
func raise(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}
