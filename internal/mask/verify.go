package mask

import (
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// choose merges what detectors, learned values and tokens already present claim
// of the text: the leftmost claim wins, at one place the longest. What a claim
// says beyond the end of the one before it is claimed still.
func (s *Session) choose(v *view) []span {
	sortSpans(v.spans)
	all := slices.Grow(v.claims[:0], len(v.spans)+len(v.learned)+len(v.tokens))
	i, k := 0, 0
	for _, sp := range v.learned {
		if text := v.text[sp.start:sp.end]; reserved.has(text) && !s.spellingKnown(text) {
			continue
		}
		all, i, k = merge(all, v, i, k, sp)
		all = append(all, sp)
	}
	all, _, _ = merge(all, v, i, k, span{start: len(v.text) + 1})
	if len(v.tokens) > 0 {
		s.leaveTokens(v, all)
	}
	v.claims = all
	chosen := all[:0]
	end := 0
	for _, sp := range all {
		if sp.end <= end || sp.end <= sp.start {
			continue
		}
		if sp.start < end {
			if sp.code == kept || !simple(sp.class()) || strings.IndexFunc(v.text[end:sp.end], nameRune) < 0 {
				continue
			}
			sp.start = end
		}
		chosen = append(chosen, sp)
		end = sp.end
	}
	return chosen
}

// leaveTokens leaves those of the claims, sorted by their begin, that are made of tokens only.
func (s *Session) leaveTokens(v *view, claims []span) {
	first := 0
	for i := range claims {
		sp := &claims[i]
		for first < len(v.tokens) && v.tokens[first].end <= sp.start {
			first++
		}
		if first == len(v.tokens) {
			return
		}
		if sp.code == kept || !simple(sp.class()) || v.tokens[first].start >= sp.end {
			continue
		}
		at, k := sp.start, first
		for ; k < len(v.tokens) && v.tokens[k].start < sp.end; k++ {
			if at < v.tokens[k].start && strings.IndexFunc(v.text[at:v.tokens[k].start], nameRune) >= 0 {
				break
			}
			at = v.tokens[k].end
		}
		if at >= sp.end || (k == len(v.tokens) || v.tokens[k].start >= sp.end) && strings.IndexFunc(v.text[at:sp.end], nameRune) < 0 {
			sp.code = kept
		}
	}
}

// sortSpans sorts claims by their begin, longer ones first. They come nearly sorted.
func sortSpans(spans []span) {
	for i := 1; i < len(spans); i++ {
		for j := i; j > 0 && before(spans[j], spans[j-1]); j-- {
			spans[j], spans[j-1] = spans[j-1], spans[j]
		}
	}
}

func before(a, b span) bool { return a.start < b.start || a.start == b.start && a.end > b.end }

// merge appends what the scanner and the tokens claim before sp, from the i-th
// claim and the k-th token on.
func merge(all []span, v *view, i, k int, sp span) ([]span, int, int) {
	for {
		token := k < len(v.tokens) && !before(sp, span{start: v.tokens[k].start, end: v.tokens[k].end})
		if i < len(v.spans) && !before(sp, v.spans[i]) && (!token || !before(span{start: v.tokens[k].start, end: v.tokens[k].end}, v.spans[i])) {
			all = append(all, v.spans[i])
			i++
			continue
		}
		if !token {
			return all, i, k
		}
		all = append(all, span{start: v.tokens[k].start, end: v.tokens[k].end, code: kept})
		k++
	}
}

func nameRune(r rune) bool { return r >= 0x80 || wordByte(byte(r)) }

// spellingKnown limits learned values that are also words of SQL (a table
// "order") to lower case: ORDER BY stays readable, the table is masked.
func (s *Session) spellingKnown(text string) bool { return !capitals(text) }

// dirty returns the class and the offset of the first thing in a masked text
// that is not masked: a claim of the scanner that is no token of this session, or
// a learned value outside of the tokens.
func (s *Session) dirty(v *view) (Class, int, bool) {
	for _, sp := range s.choose(v) {
		if sp.code != kept && !s.isMasked(sp.class(), v.text[sp.start:sp.end], v.folded[sp.start:sp.end]) {
			return sp.class(), sp.start, true
		}
	}
	return s.survivor(v)
}

// isMasked says that a claimed piece of text is a token, or made of them.
func (s *Session) isMasked(class Class, text, folded string) bool {
	if simple(class) {
		return s.owner(folded) != nil
	}
	if _, ok := s.outputs[text]; ok {
		return true
	}
	var buf [usualParts]part
	for _, p := range takeApart(buf[:0], text) {
		if p.class != keep && s.owner(fold(p.text)) == nil && !s.passes(p.class, p.text) {
			return false
		}
	}
	s.outputs[strings.Clone(text)] = struct{}{}
	return true
}

// passes says that a piece stays as it is, by the policy.
func (s *Session) passes(class Class, text string) bool {
	return s.rules != nil && s.rules.passes(class, text)
}

// verify is the second look before a text may leave: it must map back to what
// it was.
func (s *Session) verify(first, masked *view) error {
	if len(first.tokens) == 0 && s.same(s.pieces(first, nil), s.pieces(masked, masked.tokens)) {
		return nil
	}
	// A text may quote tokens given out before, and a number of it may be one given out now.
	if !s.same(s.pieces(first, s.locate(first.text, first.folded)), s.pieces(masked, masked.tokens)) {
		return fault.New(fault.Internal, "masking is not reversible for this text")
	}
	return nil
}

// pieces yields a text with its originals, piece by piece.
func (s *Session) pieces(v *view, tokens []match) func() (string, bool) {
	text := v.text
	at, i, token := 0, 0, false
	return func() (string, bool) {
		if token {
			token = false
			m := tokens[i-1]
			return s.original(text[m.start:m.end], v.folded[m.start:m.end]), true
		}
		if i == len(tokens) {
			if at > len(text) {
				return "", false
			}
			piece := text[at:]
			at = len(text) + 1
			return piece, true
		}
		piece := text[at:tokens[i].start]
		at, token = tokens[i].end, true
		i++
		return piece, true
	}
}

// same compares two texts that come in pieces.
func (s *Session) same(a, b func() (string, bool)) bool {
	var x, y string
	moreX, moreY := true, true
	for {
		for x == "" && moreX {
			x, moreX = a()
		}
		for y == "" && moreY {
			y, moreY = b()
		}
		if x == "" || y == "" {
			return x == y
		}
		n := min(len(x), len(y))
		if x[:n] != y[:n] {
			return false
		}
		x, y = x[n:], y[n:]
	}
}

// survivor returns the class and the offset of a learned value that stands in a
// text outside of its tokens.
func (s *Session) survivor(v *view) (Class, int, bool) {
	i := 0
	for _, m := range v.learned {
		for i < len(v.tokens) && v.tokens[i].end <= m.start {
			i++
		}
		inside := i < len(v.tokens) && v.tokens[i].start < m.end
		if inside || reserved.has(v.folded[m.start:m.end]) && !s.spellingKnown(v.text[m.start:m.end]) {
			continue
		}
		return m.class(), m.start, true
	}
	return "", 0, false
}
