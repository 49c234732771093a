package mask

import "strings"

// watch tells where sweep must look closer: first by one byte, then by two.
type watch struct {
	first [256]uint8
	pairs pairFilter
}

// what a byte can be for a watch.
const (
	watchWord     = 1 << iota // of a word
	watchAnywhere             // the first of something
	watchBegin                // the first of a value that is looked for only where a word begins
)

// watchCores watches for the last digit of a core with the letter behind it.
var watchCores = func() (w watch) {
	for b := range 256 {
		if wordByte(byte(b)) {
			w.first[b] = watchWord
		}
	}
	for _, digit := range []byte(coreDigits) {
		w.first[digit] |= watchAnywhere
		for _, letter := range []byte(coreLetters) {
			w.pairs.add(pairOf(digit, letter))
		}
	}
	return w
}()

// add makes w watch for the strings of a matcher, too.
func (w *watch) add(m *matcher) {
	for b, kind := range &m.first {
		w.first[b] |= kind
	}
	for i, bits := range &m.pairs {
		w.pairs[i] |= bits
	}
}

// next returns the next place from i on that must be looked at, the length of text for none.
func (w *watch) next(text string, i int) int {
	before := uint8(0)
	if i > 0 {
		before = w.first[text[i-1]]
	}
	for ; i+1 < len(text); i++ {
		kind := w.first[text[i]]
		inside := before & watchWord * watchBegin // what begins with a word does not begin in it
		before = kind
		if kind&^inside&(watchAnywhere|watchBegin) != 0 && w.pairs.has(pairOf(text[i], text[i+1])) {
			return i
		}
	}
	return len(text)
}

// sweep finds the learned values and the tokens in a text in one pass. With note
// set, the text is one that comes in: no token made later has a core that stands in it.
func (s *Session) sweep(v *view, note bool) {
	folded := v.folded
	v.learned, v.tokens = v.learned[:0], v.tokens[:0]
	learnedEnd, tokensEnd := 0, 0
	watch := watchCores
	watch.add(s.learned)
	watch.add(s.numbers)
	for i := watch.next(folded, 0); i < len(folded); i = watch.next(folded, i+1) {
		if at := i - 2; at >= 0 && isCore(folded[at:]) {
			if e, taken := s.cores[core(folded[at:])]; e != nil {
				if start := at - e.core; start >= tokensEnd && strings.HasPrefix(folded[start:], e.token) {
					tokensEnd = start + len(e.token)
					v.tokens = append(v.tokens, match{start, tokensEnd})
				}
			} else if note && !taken {
				s.cores[core(folded[at:])] = nil
			}
		}
		if i >= learnedEnd {
			if n, class := s.learned.at(folded, i); n > 0 {
				learnedEnd = i + n
				v.learned = append(v.learned, span{start: i, end: learnedEnd, code: codeOf(class)})
			}
		}
		if i >= tokensEnd {
			if n, _ := s.numbers.at(folded, i); n > 0 {
				tokensEnd = i + n
				v.tokens = append(v.tokens, match{i, tokensEnd})
			}
		}
	}
	v.tokens = s.withBroken(v.text, folded, v.tokens)
}
