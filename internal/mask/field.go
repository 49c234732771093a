package mask

import (
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Plain is the class of a field in which nothing sensitive stands: a kind, a
// status, a time. It is a class of fields only.
const Plain Class = "plain"

// Fields says what the values of a JSON document are, by the path of a field
// with dots, without the places of arrays ("facts.sql.table"), or by its name
// alone ("table"). Strings of other fields are free text.
type Fields map[string]Class

// Check returns fault.Invalid naming the field when a class is unknown.
func (f Fields) Check() error {
	for name, class := range f {
		if class != Plain && !isClass[class] {
			return fault.New(fault.Invalid, "there is no class %q", class).WithField(name)
		}
	}
	return nil
}

var isClass = func() map[Class]bool {
	is := map[Class]bool{}
	for _, c := range Classes() {
		is[c] = true
	}
	return is
}()

// MaskJSON masks a document whose fields are known: a value of a field with a
// class is masked as that class, whatever it looks like, and nothing is guessed
// there; what stands in such a field is masked in the free text of the document,
// too. Numbers of such a field become strings. UnmaskJSON gives a document that
// is equal to doc but for that. Errors are those of Mask, and fault.Invalid
// for what is not JSON.
func (s *Session) MaskJSON(doc []byte, fields Fields) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	if len(doc) > s.limit {
		return nil, fault.New(fault.TooLarge, "the document to mask is over %d bytes", s.limit)
	}
	if err := fields.Check(); err != nil {
		return nil, err
	}
	work := borrow()
	defer work.giveBack()
	text := string(doc)
	for i := range maxRounds {
		work.first.begin(text)
		if i == 0 {
			s.note(work.first.folded)
		}
		err := s.typed(work, text, fields)
		if err != nil {
			return nil, err
		}
		known := len(s.classOf)
		if work.out, err = s.document(work.out[:0], &work.first, work.values); err != nil {
			return nil, err
		}
		if len(s.classOf) == known { // else a text has taught what stood in one before
			return slices.Clone(work.out), nil
		}
		text = string(work.out)
	}
	return nil, fault.New(fault.Internal, "the document could not be masked completely")
}

// document appends a document with its values masked.
func (s *Session) document(out []byte, doc *view, values []typedValue) ([]byte, error) {
	at := 0
	for _, v := range values {
		if v.class == Plain && !v.escaped && !s.learned.standsIn(doc.folded[v.start:v.end]) {
			continue // as most of them
		}
		out = append(out, doc.text[at:v.start]...)
		var err error
		if out, err = s.field(out, doc.text, v); err != nil {
			return out, err
		}
		at = v.end
	}
	return append(out, doc.text[at:]...), nil
}

// typedValue is a value of a document with the class of its field, "" for free text.
type typedValue struct {
	jsonValue
	class Class
}

// typed lists the values that may have to be masked, and learns those whose class is known.
func (s *Session) typed(work *scratch, text string, fields Fields) error {
	work.values = work.values[:0]
	paths := &work.paths
	paths.begin()
	defer paths.begin()
	err := eachJSON(text, func(v jsonValue) error {
		switch v.kind {
		case jsonOpen:
			paths.enter()
			return nil
		case jsonClose:
			paths.leave()
			return nil
		case jsonKey:
			paths.field(text[v.start:v.end], fields)
			return nil
		}
		class := paths.class()
		if v.end == v.start || v.kind == jsonLiteral && (class == "" || class == Plain || !digit(text[v.start])) {
			return nil
		}
		work.values = append(work.values, typedValue{v, class})
		if class != "" && class != Plain && !s.off(class) {
			value := text[v.start:v.end]
			if v.escaped {
				value = unescape(value)
			}
			s.learnOnce(class, value)
		}
		return nil
	})
	if err == nil && len(s.classOf) > maxValues {
		err = tooMany()
	}
	return err
}

func digit(c byte) bool { return c >= '0' && c <= '9' || c == '-' }

// off says that the policy leaves a class.
func (s *Session) off(class Class) bool { return s.rules != nil && s.rules.off[class] }

// learnOnce is learn for a value that may have been seen already.
func (s *Session) learnOnce(class Class, value string) {
	if _, ok := s.classOf[value]; ok {
		return
	}
	if _, ok := s.taught[value]; ok {
		return
	}
	s.learn(class, strings.TrimSpace(value))
	if _, ok := s.classOf[value]; !ok {
		s.taught[value] = struct{}{}
	}
}

// field appends the masked form of one value.
func (s *Session) field(out []byte, text string, v typedValue) ([]byte, error) {
	value := text[v.start:v.end]
	if v.escaped {
		value = unescape(value)
	}
	switch {
	case v.class == "":
		masked, err := s.text(value)
		if err != nil {
			return out, err
		}
		return appendField(out, v, text, value, masked), nil
	case v.class == Plain || s.passes(v.class, value):
		masked, err := s.part(nil, part{class: keep, text: value})
		if err != nil {
			return out, err
		}
		return appendField(out, v, text, value, string(masked)), nil
	}
	if len(s.order) > maxValues {
		return out, tooMany()
	}
	if v.kind != jsonLiteral {
		return s.render(out, v.class, value)
	}
	out, err := s.render(append(out, '"'), v.class, value)
	return append(out, '"'), err
}

// appendField appends what became of a value: as it stood in the document when
// nothing did.
func appendField(out []byte, v typedValue, text, value, masked string) []byte {
	switch {
	case masked == value:
		return append(out, text[v.start:v.end]...)
	case v.escaped || strings.ContainsAny(masked, "\"\\\n\r\t"):
		return append(out, inJSON(masked)...)
	}
	return append(out, masked...)
}
