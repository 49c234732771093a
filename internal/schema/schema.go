// Package schema carries a JSON schema to a model service and its answer back.
//
// A role has one canonical schema; each service takes its own subset of JSON
// schema for structured answers. Lower writes the canonical schema in such a
// subset, Raise reads an answer in that subset as one to the canonical schema.
// Lowering may only lose restrictions, never shape: the caller validates the
// answer against the canonical schema afterwards, and what cannot be said in a
// subset at all is refused. It knows no service's protocol.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Dialect is the subset of JSON schema that a service takes.
type Dialect int

// The dialects.
const (
	// OpenAI is its strict mode: every object closes and requires all its
	// properties, so that an optional one is nullable instead.
	OpenAI Dialect = iota
	// Anthropic is that of output_config.format: every object closes its properties.
	Anthropic
	// Gemini is that of responseJsonSchema and parametersJsonSchema.
	Gemini
)

func (d Dialect) String() string { return [...]string{"OpenAI", "Anthropic", "Gemini"}[d] }

// object is a JSON object in the order it was written: models fill in the
// properties of an answer in the order of the schema, so the order is meaning.
type object struct {
	keys   []string
	values map[string]any // *object, []any, string, json.Number, bool or nil
}

func newObject(pairs ...any) *object {
	o := &object{values: map[string]any{}}
	for i := 0; i < len(pairs); i += 2 {
		o.set(pairs[i].(string), pairs[i+1])
	}
	return o
}

func (o *object) set(key string, value any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

func (o *object) remove(key string) {
	if _, ok := o.values[key]; !ok {
		return
	}
	delete(o.values, key)
	for i, k := range o.keys {
		if k == key {
			o.keys = append(o.keys[:i:i], o.keys[i+1:]...)
			return
		}
	}
}

func (o *object) has(key string) bool { _, ok := o.values[key]; return ok }

func (o *object) object(key string) *object { child, _ := o.values[key].(*object); return child }

func (o *object) list(key string) []any { list, _ := o.values[key].([]any); return list }

func (o *object) text(key string) string { text, _ := o.values[key].(string); return text }

func (o *object) clone() *object {
	c := newObject()
	for _, key := range o.keys {
		c.set(key, o.values[key])
	}
	return c
}

// MarshalJSON implements json.Marshaler.
func (o *object) MarshalJSON() ([]byte, error) { return encode(o) }

// encode writes a value without the escapes for HTML that would make a model
// read < where the schema says <.
func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	if err := write(&out, value); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func write(out *bytes.Buffer, value any) error {
	switch v := value.(type) {
	case *object:
		out.WriteByte('{')
		for i, key := range v.keys {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := write(out, key); err != nil {
				return err
			}
			out.WriteByte(':')
			if err := write(out, v.values[key]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := write(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	default:
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return err
		}
		out.Truncate(out.Len() - 1) // the line break of Encode
	}
	return nil
}

const maxDepth = 64 // of nesting; what is deeper is no schema and no answer

// parse reads one JSON value.
func parse(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "there is text after the JSON value")
	}
	return value, nil
}

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.New(fault.Invalid, "nested more than %d deep", maxDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := newObject()
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			o.set(key.(string), value) // the decoder takes nothing else for a key
		}
		_, err = decoder.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := parseValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = decoder.Token()
		return list, err
	}
	return token, nil
}
