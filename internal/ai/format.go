package ai

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/schema"
)

// format is a Format that answers are checked against.
type format struct {
	*Format
	schema *jsonschema.Resolved
}

// readFormat reads a Format as JSON; nil when it is absent or null, for free text.
func readFormat(text json.RawMessage) (*format, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	var f Format
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, refuseFormat("it is not JSON of that form")
	}
	return f.read()
}

func refuseFormat(why string) error {
	return fault.New(fault.Invalid, "response_format is {\"type\":\"json_schema\",\"name\":…,\"schema\":{…}}: %s", why).WithField("response_format")
}

// read prepares the checks of answers.
func (f *Format) read() (*format, error) {
	if f.Type != "json_schema" || !formatName.MatchString(f.Name) {
		return nil, refuseFormat("the type or the name is wrong")
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(f.Schema, &s); err != nil {
		return nil, refuseFormat("the schema is no JSON schema")
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		return nil, refuseFormat("the schema cannot be resolved")
	}
	return &format{f, resolved}, nil
}

// check reports why an answer is not valid against the schema, in words that a
// model can use to do better.
func (f *format) check(answer string) error {
	decoder := json.NewDecoder(strings.NewReader(answer))
	var v any
	if err := decoder.Decode(&v); err != nil {
		return fault.New(fault.Invalid, "the answer is not JSON: %v", err)
	}
	if decoder.More() {
		return fault.New(fault.Invalid, "the answer is more than one JSON value")
	}
	if err := f.schema.Validate(v); err != nil {
		return fault.New(fault.Invalid, "the answer is not valid against the schema: %v", err)
	}
	return nil
}

// parse is a valid answer, masked or not, as it is by the canonical schema; nil
// for what is no JSON, such as one that asks for a tool.
func (f *format) parse(answer string) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, []byte(schema.Raise(f.Schema, answer))) != nil {
		return nil
	}
	return b.Bytes()
}

// inWords is a request whose format is written into its system message, for a
// service that does not know schemas.
func inWords(r Request) Request {
	const words = "Answer with exactly one JSON object, without code fence or other text, that is valid against this JSON schema:\n"
	told := words + string(r.Format.Schema)
	messages := append([]Message(nil), r.Messages...)
	if len(messages) > 0 && messages[0].Role == RoleSystem {
		messages[0].Text += "\n\n" + told
	} else {
		messages = append([]Message{{Role: RoleSystem, Text: told}}, messages...)
	}
	r.Messages, r.Format = messages, nil
	return r
}
