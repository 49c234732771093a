package mask

import (
	"bufio"
	"crypto/rand"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Limits of one session; beyond them Mask refuses rather than lets something through.
const (
	defaultLimit = 512 << 10 // bytes of one text
	maxValues    = 5000      // different values of one conversation
	usual        = 48        // values there is room for from the beginning
)

// Session is one conversation with a model: the same value has the same token
// in all of its texts. It is not safe for concurrent use.
type Session struct {
	random io.Reader
	drawn  [coreLength]byte // of random
	limit  int
	rules  *Compiled
	given  int   // words of its dictionaries
	err    error // of the policy: nothing is masked, so nothing may leave

	entries  map[string]*entry // by folded original
	spelled  map[string]string // token spelling → original spelling, where it is not the first; see entry.varied
	classOf  map[string]Class  // folded originals that are replaced wherever they stand
	learned  *matcher          // of the same
	cores    map[uint64]*entry // cores that are taken, by a token or, nil, by a text
	numbers  *matcher          // folded tokens without a core
	byNumber map[string]*entry
	order    []*entry // in the order of first use
	room     []entry  // where new ones are put

	written      map[string]string   // simple values as they were masked before
	taught       map[string]struct{} // values that learn has seen
	rendered     map[string]string   // addresses and paths as they were masked before
	outputs      map[string]struct{} // masked addresses and paths that were looked at
	renderedWith int                 // values learned by then
	longest      int                 // bytes of a token
	beginnings   map[string]struct{} // of tokens, for streams
	begun        int                 // tokens whose beginnings are known
	clean        map[string]int      // texts that Mask returned, with how many values were learned by then
}

// entry is one value and its token. Spellings that differ in case only share
// the entry; see spell.
type entry struct {
	class  Class
	key    string // in Session.entries
	token  string // folded
	core   int    // where the core of a word token begins
	first  string // the spelling seen first, for a token whose case the model changed
	varied bool   // there are other spellings
	mixed  string // the one mixed-case spelling written as a capitalised token
}

// Option changes a new session.
type Option func(*Session)

// WithLimit sets the largest text Mask accepts, in bytes.
func WithLimit(bytes int) Option { return func(s *Session) { s.limit = bytes } }

// WithRandom replaces crypto/rand as the source of tokens, for golden tests.
func WithRandom(r io.Reader) Option { return func(s *Session) { s.random = r } }

// WithPolicy applies a policy. One that Policy.Check refuses makes Mask and Gate
// refuse every text.
func WithPolicy(p Policy) Option {
	return func(s *Session) { s.rules, s.err = Compile(p) }
}

// WithCompiled applies a policy that is ready for use; nil is the default.
func WithCompiled(c *Compiled) Option { return func(s *Session) { s.rules = c } }

// NewSession returns the masking of one conversation.
func NewSession(opts ...Option) *Session {
	s := &Session{
		random: bufio.NewReaderSize(rand.Reader, 256), limit: defaultLimit,
		entries: make(map[string]*entry, usual), spelled: map[string]string{}, cores: make(map[uint64]*entry, usual),
		written: make(map[string]string, usual), taught: map[string]struct{}{}, rendered: map[string]string{}, outputs: map[string]struct{}{},
		order: make([]*entry, 0, usual), classOf: make(map[string]Class, usual), numbers: newMatcher(false, map[string]Class{}), clean: map[string]int{},
	}
	s.learned = newMatcher(true, s.classOf)
	for _, opt := range opts {
		opt(s)
	}
	if s.rules != nil {
		s.given = len(s.rules.words.words)
		s.classOf = maps.Clone(s.rules.words.words)
		s.learned = s.rules.words.clone(s.classOf)
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
		var buf [usualParts]part
		for _, part := range takeApart(buf[:0], text) {
			if part.global {
				s.learn(part.class, part.text)
			}
		}
	}
	if class == Path && structural(text) {
		return
	}
	key := fold(text)
	if common(class, text) || s.owner(key) != nil || len(key) < 2 || s.rules != nil && s.rules.passes(class, text) {
		return
	}
	s.learned.add(key, class)
}

// maxRounds bounds how often a masked text is looked at again.
const maxRounds = 4

// Mask returns text with every learned and every detected value replaced by its
// token. On any doubt it returns an error (fault.TooLarge, fault.Internal), and
// the caller must not send anything. Masking a masked text changes nothing.
func (s *Session) Mask(text string) (string, error) {
	if s.err != nil {
		return "", s.err
	}
	if len(text) > s.limit {
		return "", fault.New(fault.TooLarge, "the text to mask is over %d bytes", s.limit)
	}
	if s.isClean(text) {
		return text, nil
	}
	masked, err := s.text(text)
	if err == nil {
		s.clean[masked] = len(s.classOf)
	}
	return masked, err
}

// isClean says that Mask has returned exactly this text, and that nothing was
// learned since: looking at it once more would find what it found then.
func (s *Session) isClean(text string) bool {
	learned, ok := s.clean[text]
	return ok && learned == len(s.classOf)
}

// MaskAll masks the texts of one request, also those that were masked in an
// earlier turn. What is found in one is masked in all of them, whatever their
// order; masking them one by one leaves in the first what the last one teaches.
func (s *Session) MaskAll(texts ...string) ([]string, error) {
	masked := slices.Clone(texts)
	for range maxRounds {
		known := len(s.classOf)
		for i, text := range masked {
			var err error
			if masked[i], err = s.Mask(text); err != nil {
				return nil, err
			}
		}
		if len(s.classOf) == known {
			return masked, nil
		}
	}
	return nil, fault.New(fault.Internal, "the texts could not be masked completely")
}

// text masks one text within the limits.
func (s *Session) text(text string) (string, error) {
	work := borrow()
	defer work.giveBack()
	first := &work.first
	first.begin(text)
	first.spans = detect(first.spans, text, s.rules)
	s.teach(first)
	s.sweep(first, true)
	at := first
	for range maxRounds {
		masked, err := s.replace(at, work)
		if err != nil {
			return "", err
		}
		// What is left must be free of what the scanner knows: a token may have changed
		// how the text around it reads.
		at = &work.again
		s.look(at, masked)
		if _, _, dirty := s.dirty(at); !dirty {
			if err := s.verify(first, at); err != nil {
				return "", err
			}
			return masked, nil
		}
		s.teach(at)
		s.sweep(at, false)
	}
	return "", fault.New(fault.Internal, "the text could not be masked completely")
}

// look makes v the view of a text, with all that is known of it.
func (s *Session) look(v *view, text string) {
	v.begin(text)
	v.spans = detect(v.spans, text, s.rules)
	s.sweep(v, false)
}

// teach learns what the scanner claims as known everywhere.
func (s *Session) teach(v *view) {
	for _, found := range v.spans {
		if found.global {
			s.learnOnce(found.class(), v.text[found.start:found.end])
		}
	}
}

// replace puts tokens in the place of what the scanner, and what was learned,
// claim.
func (s *Session) replace(v *view, work *scratch) (string, error) {
	if len(s.classOf) > maxValues+s.given {
		return "", tooMany()
	}
	out, at := work.out[:0], 0
	for _, sp := range s.choose(v) {
		if sp.code == kept {
			continue
		}
		if len(s.order) > maxValues {
			return "", tooMany()
		}
		out = append(out, v.text[at:sp.start]...)
		var err error
		if out, err = s.render(out, sp.class(), v.text[sp.start:sp.end]); err != nil {
			return "", err
		}
		at = sp.end
	}
	if at == 0 {
		return v.text, nil
	}
	out = append(out, v.text[at:]...)
	work.out = out
	return string(out), nil
}

func tooMany() error {
	return fault.New(fault.TooLarge, "the conversation has more than %d values to mask", maxValues)
}

// token returns what stands for original, spelled after it.
func (s *Session) token(class Class, original string) (string, error) {
	if written, ok := s.written[original]; ok {
		return written, nil
	}
	written, err := s.newToken(class, original)
	if err == nil {
		s.written[original] = written
	}
	return written, err
}

func (s *Session) newToken(class Class, original string) (string, error) {
	key := fold(original)
	if s.owner(key) != nil {
		return original, nil // a token is never masked again
	}
	if quoted := s.Unmask(original); quoted != original { // what quotes tokens is masked as the text it was
		original, key = quoted, fold(quoted)
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
		e = s.register(entry{class: class, key: key, token: made, first: original})
	}
	return s.spell(e, original)
}

// spell writes e's token in the case of the original: users → k3x9d2a, USERS →
// K3X9D2A, Users → K3x9d2a. A further mixed spelling gets an entry of its own,
// so that every spelling maps back exactly.
func (s *Session) spell(e *entry, original string) (string, error) {
	written := e.token
	switch {
	case !capitals(original) || strings.ToUpper(e.token) == e.token:
	case original == raise(original):
		written = strings.ToUpper(e.token)
	case letter(e.token[0]) && (e.mixed == "" || e.mixed == original):
		e.mixed = original
		written = strings.ToUpper(e.token[:1]) + e.token[1:]
	default:
		key := "\x00" + original
		other := s.entries[key]
		if other == nil {
			made, err := s.invent(e.class, original)
			if err != nil {
				return "", err
			}
			other = s.register(entry{class: e.class, key: key, token: made, first: original})
		}
		written = other.token
	}
	if original != e.first {
		s.vary(written, original)
	}
	return written, nil
}

// vary notes what a spelling of a token stands for.
func (s *Session) vary(written, original string) {
	s.spelled[written] = original
	if e := s.owner(fold(written)); e != nil {
		e.varied = true
	}
}

// owner returns the entry of a folded token, nil when it is none.
func (s *Session) owner(folded string) *entry {
	if at := coreAt(folded); at >= 0 {
		if e := s.cores[core(folded[at:])]; e != nil && e.token == folded {
			return e
		}
	}
	return s.byNumber[folded]
}

// register takes a new value with its token into the session.
func (s *Session) register(made entry) *entry {
	if len(s.room) == cap(s.room) { // entries never move: they are pointed to
		s.room = make([]entry, 0, max(32, min(cap(s.room)*2, 256)))
	}
	s.room = append(s.room, made)
	e := &s.room[len(s.room)-1]
	s.entries[e.key] = e
	if at := coreAt(e.token); at >= 0 {
		e.core = at
		s.cores[core(e.token[at:])] = e
	} else {
		s.numbers.add(e.token, e.class)
		if s.byNumber == nil {
			s.byNumber = map[string]*entry{}
		}
		s.byNumber[e.token] = e
	}
	s.longest = max(s.longest, len(e.token))
	s.order = append(s.order, e)
	return e
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

// Tokens lists every replacement made, in the order of first use: not those that
// another session made of what is not known here.
func (s *Session) Tokens() []Token {
	tokens := make([]Token, 0, len(s.order))
	for _, e := range s.order {
		if !e.stands() {
			continue
		}
		tokens = append(tokens, Token{Class: e.class, Token: e.token, Value: e.first})
	}
	return tokens
}

// common says that a value is too short or too ordinary to be a secret by itself.
func common(class Class, text string) bool {
	if len([]rune(text)) < 2 || class == Name && ordinary.has(text) {
		return true
	}
	digits := strings.Trim(text, "0123456789.,-") == ""
	return digits && len(text) < 5
}

func unquote(text string) string { return strings.Trim(text, "\"'`[]") }
