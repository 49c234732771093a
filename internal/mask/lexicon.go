package mask

import (
	"math/bits"
	"strings"
)

// lexicon is a fixed set of words, each with a small number. It is asked for
// nearly every word of a text: it looks at any case of letters without a copy,
// and of most words that are not in it their first byte and length say so.
type lexicon struct {
	words  []lexeme
	slots  []uint16 // places in words plus one, 0 for none: by their hash, or behind it where that is taken
	shift  int      // of a hash
	shapes [32]uint32
}

// longestWord is the length of the longest word of a lexicon.
const longestWord = 31

// lexeme is one word of a lexicon.
type lexeme struct {
	key   wordKey
	word  string // folded
	value uint8
}

// set returns the lexicon of some words.
func set(words string) *lexicon {
	l := &lexicon{}
	l.add(1, strings.Fields(words)...)
	return l
}

// add takes words with their value. One that is there already gets the new value.
func (l *lexicon) add(value uint8, words ...string) {
	for _, word := range words {
		if known := l.find(word); known != nil {
			known.value = value
			continue
		}
		l.words = append(l.words, lexeme{keyOf(word), fold(word), value})
		l.shapes[word[0]&31] |= 1 << len(word)
		if 4*len(l.words) > len(l.slots) {
			l.grow()
		} else {
			l.index(len(l.words))
		}
	}
}

// grow makes room for twice as many words.
func (l *lexicon) grow() {
	l.slots = make([]uint16, max(16, 2*len(l.slots)))
	l.shift = 65 - bits.Len(uint(len(l.slots)))
	for n := range l.words {
		l.index(n + 1)
	}
}

// index gives the n-th word a slot.
func (l *lexicon) index(n int) {
	at := l.words[n-1].key.hash() >> l.shift
	for l.slots[at] != 0 {
		at = (at + 1) & uint64(len(l.slots)-1)
	}
	l.slots[at] = uint16(n)
}

// has says that the text is a word of the set, in any case of letters.
func (l *lexicon) has(text string) bool { return l.find(text) != nil }

// value returns the number of the word, 0 for none.
func (l *lexicon) value(text string) uint8 {
	if found := l.find(text); found != nil {
		return found.value
	}
	return 0
}

// word returns the text folded when it is a word of the set, else "".
func (l *lexicon) word(text string) string {
	if found := l.find(text); found != nil {
		return found.word
	}
	return ""
}

// shaped says that a word of this length begins like the text, in any case of letters.
func (l *lexicon) shaped(text string) bool {
	return text != "" && len(text) <= longestWord && l.shapes[text[0]&31]>>len(text)&1 != 0
}

// find returns the word of the set that the text is, nil for none.
func (l *lexicon) find(text string) *lexeme {
	if !l.shaped(text) {
		return nil
	}
	return l.seek(text)
}

func (l *lexicon) seek(text string) *lexeme {
	key := keyOf(text)
	for at := key.hash() >> l.shift; ; at = (at + 1) & uint64(len(l.slots)-1) {
		k := l.slots[at&uint64(len(l.slots)-1)]
		if k == 0 {
			return nil
		}
		if found := &l.words[k-1]; found.key == key && (key.length <= 16 || sameFolded(found.word, text)) {
			return found
		}
	}
}

// wordKey tells folded words apart: all bytes of those up to sixteen are in it.
type wordKey struct {
	head, tail uint64
	length     int
}

func keyOf(text string) wordKey {
	n := len(text)
	switch {
	case n >= 8:
		return wordKey{fold8(load8(text)), fold8(load8(text[n-8:])), n}
	case n >= 4:
		return wordKey{head: fold8(load4(text) | load4(text[n-4:])<<32), length: n}
	case n > 0:
		return wordKey{head: fold8(uint64(text[0]) | uint64(text[n/2])<<8 | uint64(text[n-1])<<16), length: n}
	}
	return wordKey{}
}

func (k wordKey) hash() uint64 {
	const odd = 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio
	return (k.head ^ bits.RotateLeft64(k.tail*odd, 29) + uint64(k.length)) * odd
}

func load8(text string) uint64 {
	_ = text[7]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}

func load4(text string) uint64 {
	_ = text[3]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24
}
