package mask

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Gate looks at the bytes that are about to leave, such as the body of a request
// to a model, and refuses them (fault.Denied) when a value the session knows
// stands in them outside of a token, or anything the scanner finds that is not a
// token of this session. The error names the class and the offset, never the text.
//
// A body that is JSON is looked at string by string, decoded; so is a string
// that holds JSON itself. known are exact strings of the body that are no data:
// names of the product that masking must not change, such as that of a model.
// Whatever Mask and MaskJSON of this session made is accepted.
func (s *Session) Gate(final []byte, known ...string) error {
	if s.err != nil {
		return s.err
	}
	body := inPlace(final) // nothing keeps a part of it
	if first := strings.TrimLeft(body, " \t\r\n"); first == "" || first[0] != '{' && first[0] != '[' && first[0] != '"' {
		return s.gateText(body, func(i int) int { return i })
	}
	var key string
	return eachJSON(body, func(v jsonValue) error {
		if v.kind == jsonKey {
			key = body[v.start:v.end]
		}
		if v.kind == jsonLiteral {
			if v.end-v.start < 9 {
				return nil
			}
			return s.gateText(body[v.start:v.end], func(i int) int { return v.start + i })
		}
		text, at := body[v.start:v.end], func(i int) int { return v.start + i }
		if v.escaped {
			raw := text
			text = unescape(raw)
			at = func(i int) int { return v.start + escapedOffset(raw, i) }
		}
		for _, k := range known {
			if text == k {
				return nil
			}
		}
		if protocolWord.has(text) && protocolWord.word(text) == text {
			return nil
		}
		if v.kind == jsonKey {
			return s.gateKey(text, at)
		}
		if err := s.gateText(text, at); err != nil {
			return err
		}
		if secretKey(key) && len(text) >= 4 && s.owner(fold(text)) == nil && !noSecret.has(text) && !strings.ContainsAny(text, " \n") {
			return refused(Secret, at(0))
		}
		if v.escaped && strings.Contains(text, `\`) { // JSON in a string of JSON
			if inner := unescape(text); inner != text {
				return s.gateLearned(inner, func(i int) int { return at(escapedOffset(text, i)) })
			}
		}
		return nil
	})
}

func refused(class Class, offset int) error {
	return fault.New(fault.Denied, "a value of class %s would leave unmasked, at byte %d of the request", class, offset)
}

// gateText checks one text; at maps its offsets to those of the body.
func (s *Session) gateText(text string, at func(int) int) error {
	if s.isClean(text) {
		return nil
	}
	work := borrow()
	defer work.giveBack()
	s.look(&work.first, text)
	if class, i, dirty := s.dirty(&work.first); dirty {
		return refused(class, at(i))
	}
	return nil
}

// gateLearned checks a text for what the session knows, not for what it looks like.
func (s *Session) gateLearned(text string, at func(int) int) error {
	work := borrow()
	defer work.giveBack()
	v := &work.first
	v.begin(text)
	s.sweep(v, false)
	if class, i, survived := s.survivor(v); survived {
		return refused(class, at(i))
	}
	return nil
}

// gateKey checks the name of a field. Names belong to a protocol or a schema: a
// plain word may also be the name of a table, and says nothing here.
func (s *Session) gateKey(name string, at func(int) int) error {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		return nil
	}
	return s.gateText(name, at)
}

// secretKey says that the value of a field is a secret by its name.
func secretKey(name string) bool {
	sc := scanner{text: name}
	return name != "" && len(name) < 64 && sc.key(sc.word(0)) == keyPassword
}

// protocolWord are the strings of the protocols of models, which a name of a
// house may equal.
var protocolWord = set(`system user assistant developer tool tools function functions text json json_object json_schema input_text output_text message
	messages content role model name type object string integer number boolean array null auto none any required low medium high minimal
	default strict stream ephemeral ping image document properties description items enum format schema parameters index id status value`)

// kinds of what a JSON document holds.
const (
	jsonKey = iota + 1
	jsonString
	jsonLiteral // a number, true, false or null
	jsonOpen    // { or [
	jsonClose
)

// jsonValue is one piece of a document: document[start:end], without its quotes.
type jsonValue struct {
	kind       int
	start, end int
	escaped    bool
}

// maxLevels is how deep objects and lists of a document may stand in one another.
const maxLevels = 256

// eachJSON calls yield for every key and value of a document in its order. It
// returns fault.Invalid for what cannot be read, and what yield returns.
func eachJSON(doc string, yield func(jsonValue) error) error {
	broken := func(i int) error { return fault.New(fault.Invalid, "the document is not JSON at byte %d", i) }
	var objects [maxLevels]bool // for every level: it is an object
	depth := 0
	expectKey := false
	for i := 0; i < len(doc); {
		var v jsonValue
		switch c := doc[i]; c {
		case ' ', '\n', '\r', '\t', ':':
			i++
			continue
		case ',':
			expectKey = depth > 0 && objects[depth-1]
			i++
			continue
		case '{', '[':
			if depth == len(objects) {
				return broken(i)
			}
			objects[depth] = c == '{'
			depth++
			expectKey = c == '{'
			v = jsonValue{kind: jsonOpen, start: i, end: i + 1}
			i++
		case '}', ']':
			if depth == 0 || objects[depth-1] != (c == '}') {
				return broken(i)
			}
			depth--
			expectKey = false
			v = jsonValue{kind: jsonClose, start: i, end: i + 1}
			i++
		case '"':
			end, escaped := stringEnd(doc, i+1)
			if end < 0 {
				return broken(i)
			}
			v = jsonValue{kind: jsonString, start: i + 1, end: end, escaped: escaped}
			if expectKey {
				v.kind, expectKey = jsonKey, false
			}
			i = end + 1
		default:
			start := i
			for i < len(doc) && (wordByte(doc[i]) || doc[i] == '-' || doc[i] == '+' || doc[i] == '.') {
				i++
			}
			if i == start {
				return broken(i)
			}
			v = jsonValue{kind: jsonLiteral, start: start, end: i}
		}
		if err := yield(v); err != nil {
			return err
		}
	}
	if depth != 0 {
		return broken(len(doc))
	}
	return nil
}

// stringEnd returns the offset of the quote that ends the string from i on, -1
// when there is none, and whether the string holds escapes.
func stringEnd(doc string, i int) (end int, escaped bool) {
	for {
		n := strings.IndexByte(doc[i:], '"')
		if n < 0 {
			return -1, escaped
		}
		at := strings.IndexByte(doc[i:i+n], '\\')
		if at < 0 {
			return i + n, escaped
		}
		escaped = true
		i += at + 2
		if i > len(doc) {
			return -1, true
		}
	}
}

// unescape decodes the inside of a JSON string; escapes it does not know stay.
func unescape(raw string) string {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		n := strings.IndexByte(raw[i:], '\\')
		if n < 0 {
			out = append(out, raw[i:]...)
			break
		}
		out = append(out, raw[i:i+n]...)
		i += n
		r, size := escape(raw[i:])
		if size == 0 {
			out = append(out, '\\')
			i++
			continue
		}
		out = utf8.AppendRune(out, r)
		i += size
	}
	return inPlace(out)
}

// escapedOffset returns where the byte at the offset of the decoded string stands in raw.
func escapedOffset(raw string, offset int) int {
	decoded, i := 0, 0
	for i < len(raw) && decoded < offset {
		if raw[i] == '\\' {
			if r, size := escape(raw[i:]); size > 0 {
				i += size
				decoded += utf8.RuneLen(r)
				continue
			}
		}
		i++
		decoded++
	}
	return i
}

// escape decodes the escape text begins with; size 0 when it is none.
func escape(text string) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch text[1] {
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case '"', '\\', '/':
		return rune(text[1]), 2
	case 'u':
		first, ok := hex4(text[2:])
		if !ok {
			return 0, 0
		}
		if utf16.IsSurrogate(first) && len(text) >= 12 && text[6] == '\\' && text[7] == 'u' {
			if second, ok := hex4(text[8:]); ok {
				if both := utf16.DecodeRune(first, second); both != utf8.RuneError {
					return both, 12
				}
			}
		}
		if utf16.IsSurrogate(first) {
			first = utf8.RuneError
		}
		return first, 6
	}
	return 0, 0
}

func hex4(text string) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var r rune
	for i := range 4 {
		c := lower[text[i]]
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
