package mask

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// escaping is how an original is written into an answer.
type escaping func(original string) string

func asIs(original string) string { return original }

// inJSON escapes an original for the inside of a JSON string.
func inJSON(original string) string {
	quoted, err := json.Marshal(original)
	if err != nil {
		return original
	}
	return string(quoted[1 : len(quoted)-1])
}

// Unmask puts the originals back, also where the model changed a token's case,
// broke it over two lines, or wrote Markdown, a particle, a quote or a plural
// right behind it. What looks like a token and is none stays; see Unknown.
func (s *Session) Unmask(text string) string { return s.unmask(text, asIs) }

// UnmaskJSON is Unmask for a text that is JSON: originals are escaped, so that
// a quote in a SQL literal cannot break the document.
func (s *Session) UnmaskJSON(text string) string { return s.unmask(text, inJSON) }

func (s *Session) unmask(text string, escape escaping) string {
	if len(s.order) == 0 {
		return text
	}
	folded := fold(text)
	return s.write(text, folded, s.locate(text, folded), escape)
}

// write replaces the tokens that were located in text.
func (s *Session) write(text, folded string, found []match, escape escaping) string {
	if len(found) == 0 {
		return text
	}
	var out strings.Builder
	out.Grow(len(text) + 8*len(found))
	at := 0
	for _, m := range found {
		out.WriteString(text[at:m.start])
		out.WriteString(escape(s.original(text[m.start:m.end], folded[m.start:m.end])))
		at = m.end
	}
	out.WriteString(text[at:])
	return out.String()
}

// original returns what a token, folded as well, stands for.
func (s *Session) original(token, folded string) string {
	e := s.owner(folded)
	if e != nil && !e.varied {
		return e.first
	}
	if v, ok := s.spelled[token]; ok {
		return v
	}
	if e != nil {
		return e.first
	}
	joined, _ := squeeze(token, true) // a token over two lines
	if v, ok := s.spelled[joined]; ok {
		return v
	}
	return s.owner(fold(joined)).first
}

// locate finds the tokens in a text, also broken ones.
func (s *Session) locate(text, folded string) []match {
	if len(s.order) == 0 {
		return nil
	}
	return s.withBroken(text, folded, s.find(folded))
}

// withBroken adds the broken tokens of a text to the whole ones.
func (s *Session) withBroken(text, folded string, found []match) []match {
	if len(s.order) == 0 {
		return found
	}
	whole := len(found)
	var buf [2 * maxJoined]byte
	reach := min(s.longest, maxJoined)
	s.eachBreak(text, func(start, end int) {
		// The text around the break without it, and without those beside it.
		n, left, right := maxJoined, start, end
		for left > 0 && maxJoined-n < reach && (wordByte(folded[left-1]) || tokenSign(folded[left-1])) {
			left--
			n--
			buf[n] = folded[left]
		}
		m := maxJoined
		for right < len(folded) && m-maxJoined < reach && (wordByte(folded[right]) || tokenSign(folded[right])) {
			buf[m] = folded[right]
			right++
			m++
		}
		for _, at := range s.find(string(buf[n:m])) {
			at.start, at.end = at.start+left, at.end+left
			if at.start >= start || at.end <= start {
				continue
			}
			at.end += end - start
			if !overlaps(found[:whole], at.start, at.end) && (len(found) == whole || found[len(found)-1].end <= at.start) {
				found = append(found, at)
			}
		}
	})
	if len(found) > whole {
		slices.SortFunc(found, func(a, b match) int { return a.start - b.start })
	}
	return found
}

// maxJoined is more than the longest token: what is looked at on one side of a break.
const maxJoined = 64

// eachBreak calls yield for every break between two characters of a token.
func (s *Session) eachBreak(text string, yield func(start, end int)) {
	rare := strings.IndexByte(text, '\\') >= 0
	for _, c := range invisibles {
		rare = rare || strings.Contains(text, c)
	}
	for i := 1; i < len(text); {
		if rare {
			for i < len(text) && !mayBreak[text[i]] {
				i++
			}
			if i == len(text) {
				return
			}
		} else {
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				return
			}
			i += n
			for i > 1 && (text[i-1] == ' ' || text[i-1] == '\r' || text[i-1] == '\t') {
				i--
			}
			if i > 1 && text[i-1] == '-' {
				i--
			}
		}
		if n := breakBetween(text, i); n > 0 {
			yield(i, i+n)
			i += n
			continue
		}
		if i++; !rare {
			for i < len(text) && text[i-1] != '\n' {
				i++
			}
		}
	}
}

// mayBreak are the bytes a break may begin with.
var mayBreak = func() (may [256]bool) {
	for b := range 256 {
		may[b] = b <= ' ' || b == '-' || b == '\\' || b >= 0x80
	}
	return may
}()

// breakBetween returns the length of the break at i between two characters that a
// token may have, 0 for none.
func breakBetween(text string, i int) int {
	if !mayBreak[text[i]] || !wordByte(text[i-1]) && !tokenSign(text[i-1]) {
		return 0
	}
	if i+1 < len(text) && text[i+1] > ' ' && text[i+1] < 0x80 && text[i+1] != '\\' && strings.IndexByte(" \t\r-", text[i]) >= 0 {
		return 0 // one space or hyphen between two words, as most of them
	}
	n := breakAt(text, i)
	if n > 0 && (i+n >= len(text) || !wordByte(text[i+n]) && !tokenSign(text[i+n])) {
		return 0
	}
	return n
}

func overlaps(found []match, start, end int) bool {
	i, _ := slices.BinarySearchFunc(found, start, func(m match, at int) int { return m.end - 1 - at })
	return i < len(found) && found[i].start < end
}

// invisibles are characters that stand between others unseen.
var invisibles = []string{"\u200b", "\u200d", "\u2060", "\u00ad", "\ufeff"}

// maxBreak is how many bytes a break inside of a token has at most.
const maxBreak = 16

// breakAt returns the length of the line break or of the invisible characters at
// i, 0 for none: a hyphen, spaces, one line end (or its escape) and spaces. A break
// that text ends in the midst of is one, too.
func breakAt(text string, i int) int {
	j := i
	for j < len(text) && j-i < maxBreak {
		switch {
		case text[j] == '\n', text[j] == '\r', text[j] == ' ', text[j] == '\t':
			j++
			continue
		case text[j] == '-' && j == i:
			j++
			continue
		case text[j] == '\\' && (j+1 >= len(text) || text[j+1] == 'n' || text[j+1] == 'r'):
			j = min(j+2, len(text))
			continue
		}
		if n := invisible(text[j:]); n > 0 {
			j += n
			continue
		}
		break
	}
	piece := text[i:j]
	if j == len(text) || strings.IndexByte(piece, '\n') >= 0 && strings.Count(piece, "\n") == 1 || strings.Count(piece, `\n`) == 1 || invisibleOnly(piece) {
		return j - i
	}
	return 0
}

// invisible returns the length of an invisible character text begins with, or of
// what is there of one at its end.
func invisible(text string) int {
	for _, c := range invisibles {
		if strings.HasPrefix(text, c) {
			return len(c)
		}
		if len(text) < len(c) && strings.HasPrefix(c, text) {
			return len(text)
		}
	}
	return 0
}

func invisibleOnly(piece string) bool {
	for len(piece) > 0 {
		n := invisible(piece)
		if n == 0 {
			return false
		}
		piece = piece[n:]
	}
	return true
}

// squeeze takes out the breaks between two word characters and returns where a byte
// of the result stands in text. With all set, breaks anywhere are taken out.
func squeeze(text string, all bool) (joined string, offset func(int) int) {
	var out strings.Builder
	type jump struct{ at, removed int }
	var jumps []jump
	removed, from := 0, 0
	for i := 1; i < len(text); {
		c := text[i]
		if c != '\n' && c != '\r' && c != ' ' && c != '\t' && c != '-' && c != '\\' && c < 0x80 || !wordByte(text[i-1]) && !tokenSign(text[i-1]) {
			i++
			continue
		}
		n := breakAt(text, i)
		if n == 0 || !all && i+n < len(text) && !wordByte(text[i+n]) && !tokenSign(text[i+n]) {
			i++
			continue
		}
		out.WriteString(text[from:i])
		removed += n
		jumps = append(jumps, jump{out.Len(), removed})
		i += n
		from = i
	}
	if removed == 0 {
		return text, func(i int) int { return i }
	}
	out.WriteString(text[from:])
	return out.String(), func(i int) int {
		k, found := slices.BinarySearchFunc(jumps, i, func(j jump, at int) int { return j.at - at })
		if found {
			return i + jumps[k].removed
		}
		if k == 0 {
			return i
		}
		return i + jumps[k-1].removed
	}
}

// tokenSign stands inside of tokens that are addresses or numbers.
func tokenSign(c byte) bool { return c == '.' || c == '@' || c == ':' || c == '-' }

// Unknown returns what looks like a token in an answer and is none of this
// conversation, each once: a model that makes names up is told of, never
// guessed at.
func (s *Session) Unknown(answer string) []string {
	folded := fold(answer)
	var unknown []string
	report := func(start, end int) {
		if text := answer[start:end]; s.owner(folded[start:end]) == nil && !slices.Contains(unknown, text) {
			unknown = append(unknown, text)
		}
	}
	for i := 2; i+coreLength <= len(folded); i++ {
		if !isCore(folded[i:]) || s.inText(folded[i:]) || i+coreLength < len(folded) && wordByte(folded[i+coreLength]) {
			continue
		}
		if e := s.cores[core(folded[i:])]; e != nil && i >= e.core && strings.HasPrefix(folded[i-e.core:], e.token) {
			continue // also a token that goes on behind its core, as an address does
		}
		start := i
		for start > 0 && letter(folded[start-1]) {
			start--
		}
		if start > 0 && wordByte(folded[start-1]) || !isPrefix[folded[start:i]] {
			continue
		}
		report(start, i+coreLength)
	}
	for _, sp := range detect(nil, answer, nil) {
		if ours(sp.class(), answer[sp.start:sp.end]) && s.classOf[folded[sp.start:sp.end]] == "" {
			report(sp.start, sp.end)
		}
	}
	return unknown
}

// inText says that the core a folded text begins with stood in a text of the conversation.
func (s *Session) inText(folded string) bool {
	e, taken := s.cores[core(folded)]
	return taken && e == nil
}

var isPrefix = func() map[string]bool {
	m := map[string]bool{}
	for _, p := range prefix {
		m[p] = true
	}
	return m
}()

// Unmasker puts originals back into an answer that arrives in pieces. A piece
// may end in the middle of a token, or of a character: that much is held back
// until it is whole.
type Unmasker struct {
	session *Session
	escape  escaping
	held    string
}

// Unmasker returns a new stream over the session's tokens.
func (s *Session) Unmasker() *Unmasker { return &Unmasker{session: s, escape: asIs} }

// UnmaskerJSON returns a new stream for an answer that is JSON; see UnmaskJSON.
func (s *Session) UnmaskerJSON() *Unmasker { return &Unmasker{session: s, escape: inJSON} }

// Write takes the next piece and returns what can be shown now.
func (u *Unmasker) Write(piece string) string {
	text := u.held + piece
	folded := fold(text)
	found := u.session.locate(text, folded)
	whole := 0
	if len(found) > 0 {
		whole = found[len(found)-1].end
	}
	n := whole + u.session.begins(folded[whole:])
	for len(found) > 0 && found[len(found)-1].end > n {
		found = found[:len(found)-1]
	}
	if cut := incomplete(text[:n]); cut > 0 && n == len(text) {
		n = max(whole, n-cut)
	}
	u.held = text[n:]
	return u.session.write(text[:n], folded, found, u.escape)
}

// Flush ends the stream and returns the rest.
func (u *Unmasker) Flush() string {
	text := u.held
	u.held = ""
	return u.session.unmask(text, u.escape)
}

// begins returns where the beginning of a token, perhaps with a break inside, stands at the end of
// a folded text; its length when there is none.
func (s *Session) begins(folded string) int {
	tail := max(0, len(folded)-s.longest-4*maxBreak)
	joined, offset := squeeze(folded[tail:], false)
	n := s.partial(joined)
	if n == 0 {
		return len(folded)
	}
	return tail + offset(len(joined)-n)
}

// partial returns the length of the longest suffix of a folded text that begins a
// token without completing it.
func (s *Session) partial(folded string) int {
	if s.beginnings == nil {
		s.beginnings = map[string]struct{}{}
	}
	for ; s.begun < len(s.order); s.begun++ {
		token := s.order[s.begun].token
		for n := 1; n < len(token); n++ {
			s.beginnings[token[:n]] = struct{}{}
		}
	}
	for n := min(s.longest-1, len(folded)); n > 0; n-- {
		if _, ok := s.beginnings[folded[len(folded)-n:]]; ok {
			return n
		}
	}
	return 0
}

// incomplete returns how many bytes of a character cut in two text ends with.
func incomplete(text string) int {
	for n := 1; n <= min(utf8.UTFMax-1, len(text)); n++ {
		c := text[len(text)-n]
		if c < 0x80 {
			return 0
		}
		if utf8.RuneStart(c) {
			if !utf8.FullRuneInString(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// Finding is one masked piece of a text: text[Start:End] left as Token, which
// stands At this offset of the masked text.
type Finding struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Class Class  `json:"class"`
	Token string `json:"token"`
	At    int    `json:"at"`
}

// Find masks a text and says what was masked where, in the offsets of text: for
// people who try a policy, and for the evaluation.
func (s *Session) Find(text string) (masked string, found []Finding, err error) {
	if masked, err = s.Mask(text); err != nil {
		return "", nil, err
	}
	return masked, s.Locate(masked, text), nil
}

// Locate says what of a text, or of a document, was masked where, by what Mask or
// MaskJSON of this session made of it.
func (s *Session) Locate(masked, text string) []Finding {
	var found []Finding
	shift := 0 // what to add to an offset in masked for that in text
	folded := fold(masked)
	for _, m := range s.locate(masked, folded) {
		token := masked[m.start:m.end]
		original := s.original(token, folded[m.start:m.end])
		start := m.start + shift
		quotes := 0
		if !strings.HasPrefix(text[min(start, len(text)):], original) {
			original = inJSON(original)
		}
		if at := start - 1; at >= 0 && at < len(text) && text[at] != '"' && masked[m.start-1] == '"' && strings.HasPrefix(text[at:], original) {
			start, quotes = at, 1 // a number of a document has become a string
		}
		if !strings.HasPrefix(text[min(start, len(text)):], original) {
			continue // the text held a token of the conversation already
		}
		found = append(found, Finding{start, start + len(original), s.owner(fold(token)).class, token, m.start})
		shift += len(original) - len(token) - 2*quotes
	}
	return found
}
