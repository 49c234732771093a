package mask

import (
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
		if class != Plain && !isClass(class) {
			return fault.New(fault.Invalid, "there is no class %q", class).WithField(name)
		}
	}
	return nil
}

func isClass(class Class) bool {
	for _, c := range Classes() {
		if c == class {
			return true
		}
	}
	return false
}

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
	text := string(doc)
	folded := fold(text)
	s.note(folded)
	for range maxRounds {
		values, err := s.typed(text, fields)
		if err != nil {
			return nil, err
		}
		known := len(s.classOf)
		if text, err = s.document(text, folded, values); err != nil {
			return nil, err
		}
		if len(s.classOf) == known { // else a text has taught what stood in one before
			return []byte(text), nil
		}
		folded = fold(text)
	}
	return nil, fault.New(fault.Internal, "the document could not be masked completely")
}

// document writes a document with its values masked.
func (s *Session) document(text, folded string, values []typedValue) (string, error) {
	var out strings.Builder
	out.Grow(len(text) + len(text)/8)
	at := 0
	for _, v := range values {
		if v.class == Plain && !v.escaped && len(s.learned.find(folded[v.start:v.end])) == 0 {
			continue // as most of them
		}
		out.WriteString(text[at:v.start])
		if err := s.field(&out, text, v); err != nil {
			return "", err
		}
		at = v.end
	}
	out.WriteString(text[at:])
	return out.String(), nil
}

// typedValue is a value of a document with the class of its field, "" for free text.
type typedValue struct {
	jsonValue
	class Class
}

// typed lists the values that may have to be masked, and learns those whose class is known.
func (s *Session) typed(text string, fields Fields) ([]typedValue, error) {
	values := make([]typedValue, 0, 16+len(text)/48)
	path := make([]byte, 0, 128)
	var marks [257]int // length of path by level
	level := 0
	class := Class("")
	leaf := ""
	err := eachJSON(text, func(v jsonValue) error {
		switch v.kind {
		case jsonOpen:
			level++
			marks[level] = len(path)
			return nil
		case jsonClose:
			path = path[:marks[level]]
			level--
			if level >= 0 {
				path = path[:marks[level]]
			}
			return nil
		case jsonKey:
			path = path[:marks[level]]
			if len(path) > 0 {
				path = append(path, '.')
			}
			leaf = text[v.start:v.end]
			path = append(path, leaf...)
			var ok bool
			if class, ok = fields[string(path)]; !ok {
				class = fields[leaf]
			}
			return nil
		}
		if v.end == v.start || v.kind == jsonLiteral && (class == "" || class == Plain || !digit(text[v.start])) {
			return nil
		}
		values = append(values, typedValue{v, class})
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
	return values, err
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

// field writes the masked form of one value.
func (s *Session) field(out *strings.Builder, text string, v typedValue) error {
	value := text[v.start:v.end]
	if v.escaped {
		value = unescape(value)
	}
	switch {
	case v.class == "":
		masked, err := s.text(value)
		if err != nil {
			return err
		}
		writeField(out, v, text, value, masked)
		return nil
	case v.class == Plain || s.passes(v.class, value):
		var masked strings.Builder
		if err := s.part(&masked, part{class: keep, text: value}); err != nil {
			return err
		}
		writeField(out, v, text, value, masked.String())
		return nil
	}
	if len(s.order) > maxValues {
		return tooMany()
	}
	quote := ""
	if v.kind == jsonLiteral {
		quote = `"`
	}
	out.WriteString(quote)
	err := s.render(out, v.class, value)
	out.WriteString(quote)
	return err
}

// writeField writes what became of a value: as it stood in the document when
// nothing did.
func writeField(out *strings.Builder, v typedValue, text, value, masked string) {
	switch {
	case masked == value:
		out.WriteString(text[v.start:v.end])
	case v.escaped || strings.ContainsAny(masked, "\"\\\n\r\t"):
		out.WriteString(inJSON(masked))
	default:
		out.WriteString(masked)
	}
}
