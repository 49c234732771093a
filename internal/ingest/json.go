package ingest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// What reading JSON may hold beside the text, in bytes: for each of its bytes,
// which are copied a few times, and for its objects and its other values,
// however short they are written.
const (
	jsonByte   = 6
	jsonObject = 1 << 10 // as a map, then as a message
	jsonValue  = 64
)

// fromJSON replaces the bytes by the protobuf form of the JSON in them. The
// memory it needs is told from the text before it is used.
func (b *body) fromJSON(s *signal) error {
	text := b.bytes
	need := jsonByte*int64(len(text)) + jsonObject*int64(bytes.Count(text, []byte("{"))) +
		jsonValue*int64(bytes.Count(text, []byte(","))+bytes.Count(text, []byte("[")))
	if need+b.held > b.memory.share {
		return fault.New(fault.TooLarge, "the JSON may need %d bytes of memory: send smaller batches, or protobuf", need)
	}
	if err := b.hold(need); err != nil {
		return err
	}
	wire, err := fromJSON(s, text)
	if err != nil {
		return err
	}
	b.bytes = wire
	return nil
}

// fromJSON converts a request in OTLP's JSON encoding to its protobuf bytes, so
// that both encodings share one decoder. OTLP's JSON is that of protobuf except
// that ids are hexadecimal.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
func fromJSON(s *signal, body []byte) ([]byte, error) {
	var tree any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // nanoseconds do not fit a float
	if err := d.Decode(&tree); err != nil {
		return nil, fault.New(fault.Invalid, "malformed JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.New(fault.Invalid, "malformed JSON: more than one value")
	}
	s.ids(tree)
	plain, err := json.Marshal(tree)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "malformed JSON")
	}
	request := s.request()
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(plain, request); err != nil {
		return nil, fault.New(fault.Invalid, "malformed %s: %v", request.ProtoReflect().Descriptor().Name(), err)
	}
	return proto.Marshal(request)
}

// each calls fn for the elements of an object's list, under either of the names
// that protobuf's JSON allows.
func each(object any, camel, snake string, fn func(any)) {
	fields, _ := object.(map[string]any)
	for _, name := range []string{camel, snake} {
		list, _ := fields[name].([]any)
		for _, element := range list {
			fn(element)
		}
		if camel == snake {
			return
		}
	}
}

// hexToBase64 rewrites an id. One that is not hexadecimal becomes no id: that
// item is refused, and its neighbours are not.
func hexToBase64(object any, camel, snake string) {
	fields, _ := object.(map[string]any)
	for _, name := range []string{camel, snake} {
		text, ok := fields[name].(string)
		if !ok {
			continue
		}
		id, err := hex.DecodeString(text)
		if err != nil {
			id = []byte{0}
		}
		fields[name] = base64.StdEncoding.EncodeToString(id)
	}
}
