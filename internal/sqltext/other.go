package sqltext

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// maxCommands bounds how many commands of a pipeline are kept in the text.
const maxCommands = 10

// readCommands reads line commands such as Redis pipelines. Keys and values
// both become ?, because keys carry session ids and e-mail addresses.
func readCommands(raw string) Statement {
	var s Statement
	var text strings.Builder
	n := 0
	for line := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '\n' || r == ';' }) {
		verb, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !isVerb(verb) {
			verb = "?"
		}
		if n++; n > maxCommands {
			text.WriteString(cutMark)
			break
		}
		if text.Len() > 0 {
			text.WriteString("; ")
		}
		verb = strings.ToUpper(verb)
		text.WriteString(verb)
		if strings.TrimSpace(args) != "" {
			text.WriteString(" ?")
		}
		if s.Operation == "" && verb != "?" {
			s.Operation = verb
		}
	}
	s.Text = text.String()
	return s
}

// isVerb reports whether w looks like a command and not like data.
func isVerb(w string) bool {
	if w == "" || len(w) > 24 {
		return false
	}
	for i := range len(w) {
		c := w[i] | 0x20
		if (c < 'a' || c > 'z') && w[i] != '.' && w[i] != '_' {
			return false
		}
	}
	return true
}

// readDocument reads a JSON command document, {"find": "orders", "filter": …}:
// its shape with every value but the collection's name replaced. What is not
// JSON ("orders.find") is read as a command.
func readDocument(raw string) Statement {
	if !strings.HasPrefix(raw, "{") {
		return readCommands(raw)
	}
	d := documentReader{dec: json.NewDecoder(strings.NewReader(raw))}
	d.dec.UseNumber()
	if err := d.value(0); err != nil && !errors.Is(err, io.EOF) {
		d.text.WriteString(cutMark)
	}
	s := Statement{Text: d.text.String(), Operation: d.operation}
	if d.collection != "" {
		s.Tables = []string{d.collection}
	}
	return s
}

// maxDocumentDepth bounds recursion; deeper values are shown as one ?.
const maxDocumentDepth = 32

type documentReader struct {
	dec                   *json.Decoder
	text                  strings.Builder
	operation, collection string
}

// value copies the next value's shape. Of an array the first element is shown,
// so that lists of any length look the same.
func (d *documentReader) value(depth int) error {
	tok, err := d.dec.Token()
	if err != nil {
		return err
	}
	delim, nested := tok.(json.Delim)
	switch {
	case !nested:
		d.text.WriteByte('?')
		return nil
	case depth >= maxDocumentDepth:
		return io.ErrShortBuffer
	case delim == '[':
		return d.array(depth)
	default:
		return d.object(depth)
	}
}

func (d *documentReader) array(depth int) error {
	d.text.WriteByte('[')
	first := true
	for d.dec.More() {
		if first {
			first = false
			if err := d.value(depth + 1); err != nil {
				return err
			}
			continue
		}
		var skip json.RawMessage
		if err := d.dec.Decode(&skip); err != nil {
			return err
		}
	}
	d.text.WriteByte(']')
	_, err := d.dec.Token()
	return err
}

func (d *documentReader) object(depth int) error {
	d.text.WriteByte('{')
	for n := 0; d.dec.More(); n++ {
		tok, err := d.dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		if n > 0 {
			d.text.WriteString(", ")
		}
		d.text.WriteString(clip(key, 64) + ": ")
		if depth == 0 && n == 0 && isVerb(key) {
			d.operation = key
			var name any
			if err := d.dec.Decode(&name); err != nil {
				return err
			}
			collection, ok := name.(string)
			if ok && collection != "?" && len(collection) <= 128 {
				d.collection = collection
				d.text.WriteString(collection)
			} else {
				d.text.WriteByte('?')
			}
			continue
		}
		if err := d.value(depth + 1); err != nil {
			return err
		}
	}
	d.text.WriteByte('}')
	_, err := d.dec.Token()
	return err
}
