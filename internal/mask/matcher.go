package mask

import (
	"maps"
	"slices"
	"unsafe"
)

// matcher finds a set of folded strings in a folded text: leftmost, longest,
// not overlapping. With whole set, a string that begins or ends with an ASCII
// word character matches only where the word begins or ends.
type matcher struct {
	whole   bool
	first   [256]bool                // the first bytes
	filter  *[filterBits / 64]uint64 // one bit for pairs of first bytes
	words   map[string]Class         // all strings, with what they are
	lengths map[uint16][]int         // by the first two bytes, longest first
}

// filterBits is the size of a filter: most pairs of bytes have a bit of their own
// among those that begin strings.
const filterBits = 1 << 12

func filterBit(key uint16) uint16 { return (key ^ key>>5) & (filterBits - 1) }

type match struct{ start, end int }

// newMatcher returns a matcher of the strings that add puts into words.
func newMatcher(whole bool, words map[string]Class) *matcher {
	return &matcher{whole: whole, words: words, lengths: map[uint16][]int{}}
}

// add takes a string of two bytes at least into the set; shorter ones are left out.
func (m *matcher) add(word string, class Class) {
	if len(word) < 2 {
		return
	}
	if _, ok := m.words[word]; ok {
		return
	}
	m.words[word] = class
	m.first[word[0]] = true
	if m.filter == nil {
		m.filter = new([filterBits / 64]uint64)
	}
	key := uint16(word[0])<<8 | uint16(word[1])
	m.filter[filterBit(key)>>6] |= 1 << (filterBit(key) & 63)
	if list := m.lengths[key]; !slices.Contains(list, len(word)) {
		list = append(list, len(word))
		slices.SortFunc(list, func(a, b int) int { return b - a })
		m.lengths[key] = list
	}
}

// clone returns a matcher of the same strings that puts its own into words,
// which already holds them.
func (m *matcher) clone(words map[string]Class) *matcher {
	own := *m
	own.words, own.lengths = words, maps.Clone(m.lengths)
	if m.filter != nil {
		filter := *m.filter
		own.filter = &filter
	}
	for key, list := range own.lengths { // what is appended must not reach m
		own.lengths[key] = slices.Clip(list)
	}
	return &own
}

func (m *matcher) find(folded string) []match {
	if m.filter == nil {
		return nil
	}
	var found []match
	end := 0
	for i := 0; i+1 < len(folded); i++ {
		if !m.first[folded[i]] || i < end || m.whole && i > 0 && kind[folded[i]] == kindName && kind[folded[i-1]] == kindName {
			continue
		}
		if n := m.at(folded, i); n > 0 {
			end = i + n
			found = append(found, match{i, end})
		}
	}
	return found
}

// at returns the length of the longest string that stands at i, 0 for none. Two
// bytes at least are left there.
func (m *matcher) at(folded string, i int) int {
	key := uint16(folded[i])<<8 | uint16(folded[i+1])
	if bit := filterBit(key); m.filter[bit>>6]&(1<<(bit&63)) == 0 {
		return 0
	}
	for _, n := range m.lengths[key] {
		if i+n > len(folded) || m.whole && i+n < len(folded) && wordByte(folded[i+n-1]) && wordByte(folded[i+n]) {
			continue
		}
		if _, ok := m.words[folded[i:i+n]]; ok {
			return n
		}
	}
	return 0
}

// wordByte is deliberately ASCII: a Korean particle right behind a name does not
// make it another word.
func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// lower is the ASCII letter of a byte in lower case.
var lower = func() (l [256]byte) {
	for b := range 256 {
		l[b] = byte(b)
		if b >= 'A' && b <= 'Z' {
			l[b] += 'a' - 'A'
		}
	}
	return l
}()

// fold lowers ASCII letters only, so that offsets stay those of the original.
func fold(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lower[b[i]]
			}
			return unsafe.String(unsafe.SliceData(b), len(b)) // b is not changed any more
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
