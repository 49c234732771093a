package mask

import (
	"math/bits"
	"slices"
)

// matcher finds a set of folded strings in a folded text: leftmost, longest,
// not overlapping. With whole set, a string that begins or ends with an ASCII
// word character matches only where the word begins or ends.
type matcher struct {
	whole   bool
	pairs   pairFilter       // of the first two bytes
	first   [256]uint8       // what the first bytes are for a watch
	words   map[string]Class // all strings, with what they are
	chains  []int32          // by the hash of a pair: its first length in lengths plus one, 0 for none
	lengths []pairLength
}

// pairLength is a length that strings with these first two bytes have. In a chain the longest stands first.
type pairLength struct {
	pair   uint32
	length int32
	next   int32 // as in chains
}

type match struct{ start, end int }

// newMatcher returns a matcher of the strings that add puts into words.
func newMatcher(whole bool, words map[string]Class) *matcher {
	return &matcher{whole: whole, words: words}
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
	pair := pairOf(word[0], word[1])
	m.pairs.add(pair)
	if m.whole && wordByte(word[0]) {
		m.first[word[0]] |= watchBegin
	} else {
		m.first[word[0]] |= watchAnywhere
	}
	if len(m.lengths) >= len(m.chains) {
		m.grow()
	}
	m.chain(pair, int32(len(word)))
}

// chain puts a length into the chain of its pair, where it is not there yet.
func (m *matcher) chain(pair uint32, length int32) {
	at := &m.chains[m.chainOf(pair)]
	for *at != 0 {
		l := &m.lengths[*at-1]
		if l.pair == pair && l.length == length {
			return
		}
		if l.length < length {
			break
		}
		at = &l.next
	}
	next := *at
	*at = int32(len(m.lengths) + 1)
	m.lengths = append(m.lengths, pairLength{pair, length, next})
}

// grow makes chains for four times as many lengths.
func (m *matcher) grow() {
	old := m.lengths
	m.chains = make([]int32, max(32, 4*len(m.chains)))
	m.lengths = make([]pairLength, 0, len(m.chains))
	for _, l := range old {
		m.chain(l.pair, l.length)
	}
}

// chainOf returns which of the chains, a power of two, is that of a pair.
func (m *matcher) chainOf(pair uint32) uint32 {
	const odd = 0x9E3779B1 // 2^32 divided by the golden ratio
	return pair * odd >> (33 - bits.Len(uint(len(m.chains))))
}

// clone returns a matcher of the same strings that puts its own into words,
// which already holds them.
func (m *matcher) clone(words map[string]Class) *matcher {
	own := *m
	own.words, own.chains, own.lengths = words, slices.Clone(m.chains), slices.Clone(m.lengths)
	return &own
}

func (m *matcher) find(folded string) []span {
	var found []span
	for i := m.pairs.skip(folded, 0); i < len(folded); {
		n, class := m.at(folded, i)
		if n > 0 {
			found = append(found, span{start: i, end: i + n, code: codeOf(class)})
		}
		i = m.pairs.skip(folded, i+max(n, 1))
	}
	return found
}

// standsIn says that one of the strings is found in a folded text.
func (m *matcher) standsIn(folded string) bool {
	for i := m.pairs.skip(folded, 0); i < len(folded); i = m.pairs.skip(folded, i+1) {
		if n, _ := m.at(folded, i); n > 0 {
			return true
		}
	}
	return false
}

// at returns the length of the longest string that stands at i, 0 for none, and
// what it is. Two bytes at least are left there.
func (m *matcher) at(folded string, i int) (int, Class) {
	pair := pairOf(folded[i], folded[i+1])
	if !m.pairs.has(pair) || m.whole && i > 0 && wordByte(folded[i]) && wordByte(folded[i-1]) {
		return 0, ""
	}
	for k := m.chains[m.chainOf(pair)]; k != 0; k = m.lengths[k-1].next {
		n := int(m.lengths[k-1].length)
		if m.lengths[k-1].pair != pair || i+n > len(folded) || m.whole && i+n < len(folded) && wordByte(folded[i+n-1]) && wordByte(folded[i+n]) {
			continue
		}
		if class, ok := m.words[folded[i:i+n]]; ok {
			return n, class
		}
	}
	return 0, ""
}

// wordByte is deliberately ASCII: a Korean particle right behind a name does not
// make it another word.
func wordByte(b byte) bool { return wordHas[b]&^(hasDot|hasHyphen) != 0 }
