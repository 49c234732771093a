package mask

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"sort"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Limits of one session; beyond them Mask refuses rather than lets something through.
const (
	defaultLimit = 512 << 10 // bytes of one text
	maxValues    = 5000      // different values of one conversation
)

// Session is one conversation with a model: the same value has the same token
// in all of its texts. It is not safe for concurrent use.
type Session struct {
	random io.Reader
	limit  int

	entries map[string]*entry // by folded original
	spelled map[string]string // token spelling → original spelling
	tokens  *matcher          // every token handed out, folded
	owner   map[string]*entry // folded token → entry
	learned *matcher          // originals that are replaced wherever they stand
	classOf map[string]Class  // folded learned original → class
	seen    []string          // folded texts of the conversation: no token may stand in them
	order   []*entry          // in the order of first use
}

// entry is one value and its token. Spellings that differ in case only share
// the entry; see spell.
type entry struct {
	class Class
	token string // folded
	first string // the spelling seen first, for a token whose case the model changed
	mixed string // the one mixed-case spelling written as a capitalised token
}

// Option changes a new session.
type Option func(*Session)

// WithLimit sets the largest text Mask accepts, in bytes.
func WithLimit(bytes int) Option { return func(s *Session) { s.limit = bytes } }

// WithRandom replaces crypto/rand as the source of tokens, for golden tests.
func WithRandom(r io.Reader) Option { return func(s *Session) { s.random = r } }

// NewSession returns the masking of one conversation.
func NewSession(opts ...Option) *Session {
	s := &Session{
		random: rand.Reader, limit: defaultLimit,
		entries: map[string]*entry{}, spelled: map[string]string{}, owner: map[string]*entry{},
		classOf: map[string]Class{}, tokens: newMatcher(false), learned: newMatcher(true),
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// Learn makes the session replace the values wherever they stand as whole
// words. A URL is taken apart, so that its host is masked alone too; a
// qualified name (shop.users) is learned in its parts. Values of one character
// and numbers below five digits are too common to be secrets and are ignored.
func (s *Session) Learn(values ...Value) {
	for _, v := range values {
		s.learn(v.Class, strings.TrimSpace(v.Text))
	}
}

func (s *Session) learn(class Class, text string) {
	switch class {
	case Table, Database:
		text = unquote(text)
		if left, right, ok := strings.Cut(text, "."); ok && left != "" && right != "" {
			s.learn(Database, left)
			s.learn(class, right)
			return
		}
	case Host:
		if host, port, ok := cutPort(text); ok && port != "" {
			text = host
		}
		text = strings.Trim(text, "[]")
		if isIP(text) {
			class = IP
		}
	case URL, JDBCURL:
		for _, part := range takeApart(text) {
			if part.global {
				s.learn(part.class, part.text)
			}
		}
	}
	key := fold(text)
	if common(class, text) || s.owner[key] != nil {
		return
	}
	if _, ok := s.classOf[key]; !ok {
		s.classOf[key] = class
		s.learned.add(key)
	}
}

// Mask returns text with every learned and every detected value replaced by its
// token. On any doubt it returns an error (fault.TooLarge, fault.Internal), and
// the caller must not send anything. Masking a masked text changes nothing.
func (s *Session) Mask(text string) (string, error) {
	if len(text) > s.limit {
		return "", fault.New(fault.TooLarge, "the text to mask is over %d bytes", s.limit)
	}
	s.seen = append(s.seen, fold(text))
	spans := detect(text)
	for _, found := range spans {
		if found.global {
			s.learn(found.class, text[found.start:found.end])
		}
	}
	if len(s.classOf) > maxValues {
		return "", tooMany()
	}
	var out strings.Builder
	at := 0
	for _, sp := range s.choose(text, spans) {
		out.WriteString(text[at:sp.start])
		if len(s.order) > maxValues {
			return "", tooMany()
		}
		masked, err := s.render(sp.class, text[sp.start:sp.end])
		if err != nil {
			return "", err
		}
		out.WriteString(masked)
		at = sp.end
	}
	out.WriteString(text[at:])
	masked := out.String()
	if err := s.verify(text, masked); err != nil {
		return "", err
	}
	return masked, nil
}

func tooMany() error {
	return fault.New(fault.TooLarge, "the conversation has more than %d values to mask", maxValues)
}

// choose merges what detectors, learned values and tokens already present claim
// of the text: the leftmost claim wins, at one place the longest.
func (s *Session) choose(text string, detected []span) []span {
	all := append([]span(nil), detected...)
	folded := fold(text)
	for _, m := range s.learned.find(folded) {
		if class := s.classOf[folded[m.start:m.end]]; !reserved[folded[m.start:m.end]] || s.spellingKnown(text[m.start:m.end]) {
			all = append(all, span{start: m.start, end: m.end, class: class})
		}
	}
	for _, m := range s.tokens.find(folded) {
		all = append(all, span{start: m.start, end: m.end, class: keep})
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].start != all[j].start {
			return all[i].start < all[j].start
		}
		return all[i].end > all[j].end
	})
	chosen := all[:0]
	end := 0
	for _, sp := range all {
		if sp.start >= end && sp.end > sp.start {
			chosen = append(chosen, sp)
			end = sp.end
		}
	}
	return chosen
}

// spellingKnown limits learned values that are also words of SQL (a table
// "order") to lower case: ORDER BY stays readable, the table is masked.
func (s *Session) spellingKnown(text string) bool { return text == fold(text) }

// verify is the second look before a text may leave: it must map back to what
// it was, and nothing learned may still stand in it outside of a token.
func (s *Session) verify(text, masked string) error {
	if s.Unmask(masked) != s.Unmask(text) {
		return fault.New(fault.Internal, "masking is not reversible for this text")
	}
	folded := fold(masked)
	tokens := s.tokens.find(folded)
	i := 0
	for _, m := range s.learned.find(folded) {
		for i < len(tokens) && tokens[i].end <= m.start {
			i++
		}
		inside := i < len(tokens) && tokens[i].start < m.end
		if inside || reserved[folded[m.start:m.end]] && !s.spellingKnown(masked[m.start:m.end]) {
			continue
		}
		return fault.New(fault.Internal, "a value of class %s survived masking", s.classOf[folded[m.start:m.end]])
	}
	return nil
}

// token returns what stands for original, spelled after it.
func (s *Session) token(class Class, original string) (string, error) {
	key := fold(original)
	if s.owner[key] != nil {
		return original, nil // a token is never masked again
	}
	e := s.entries[key]
	if e == nil {
		if known, ok := s.classOf[key]; ok && simple(known) && simple(class) {
			class = known
		}
		made, err := s.invent(class, original)
		if err != nil {
			return "", err
		}
		e = &entry{class: class, token: made, first: original}
		s.entries[key] = e
		s.register(e)
	}
	return s.spell(e, original)
}

// spell writes e's token in the case of the original: users → k3x9d2a, USERS →
// K3X9D2A, Users → K3x9d2a. A further mixed spelling gets an entry of its own,
// so that every spelling maps back exactly.
func (s *Session) spell(e *entry, original string) (string, error) {
	written := e.token
	switch upper := strings.ToUpper(e.token); {
	case upper == e.token || original == fold(original):
	case original == raise(original):
		written = upper
	case letter(e.token[0]) && (e.mixed == "" || e.mixed == original):
		e.mixed = original
		written = upper[:1] + e.token[1:]
	default:
		key := "\x00" + original
		other := s.entries[key]
		if other == nil {
			made, err := s.invent(e.class, original)
			if err != nil {
				return "", err
			}
			other = &entry{class: e.class, token: made, first: original}
			s.entries[key] = other
			s.register(other)
		}
		written = other.token
	}
	s.spelled[written] = original
	return written, nil
}

func (s *Session) register(e *entry) {
	s.tokens.add(e.token)
	s.owner[e.token] = e
	s.order = append(s.order, e)
}

// Unmask puts the originals back, also where the model changed a token's case
// or wrote a particle, a quote or a plural right behind it.
func (s *Session) Unmask(text string) string {
	return s.unmask(text, func(v string) string { return v })
}

// UnmaskJSON is Unmask for a text that is JSON: originals are escaped, so that
// a quote in a SQL literal cannot break the document.
func (s *Session) UnmaskJSON(text string) string {
	return s.unmask(text, func(v string) string {
		quoted, err := json.Marshal(v)
		if err != nil {
			return v
		}
		return string(quoted[1 : len(quoted)-1])
	})
}

func (s *Session) unmask(text string, escape func(string) string) string {
	found := s.tokens.find(fold(text))
	if len(found) == 0 {
		return text
	}
	var out strings.Builder
	at := 0
	for _, m := range found {
		out.WriteString(text[at:m.start])
		out.WriteString(escape(s.original(text[m.start:m.end])))
		at = m.end
	}
	out.WriteString(text[at:])
	return out.String()
}

func (s *Session) original(token string) string {
	if v, ok := s.spelled[token]; ok {
		return v
	}
	return s.owner[fold(token)].first
}

// Summary counts the masked values by class, most first.
func (s *Session) Summary() []Count {
	byClass := map[Class]int{}
	for _, e := range s.order {
		byClass[e.class]++
	}
	counts := make([]Count, 0, len(byClass))
	for class, n := range byClass {
		counts = append(counts, Count{Class: class, Count: n})
	}
	sort.Slice(counts, func(i, j int) bool {
		if counts[i].Count != counts[j].Count {
			return counts[i].Count > counts[j].Count
		}
		return counts[i].Class < counts[j].Class
	})
	return counts
}

// Tokens lists every replacement made, in the order of first use.
func (s *Session) Tokens() []Token {
	tokens := make([]Token, 0, len(s.order))
	for _, e := range s.order {
		tokens = append(tokens, Token{Class: e.class, Token: e.token, Value: e.first})
	}
	return tokens
}
