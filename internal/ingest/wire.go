package ingest

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// walker steps over the fields of one protobuf message. After next, the field
// is in number, kind and, by kind, bytes or value. A walker that has met a fault
// stops. It holds positions rather than views: next then stores no pointer.
type walker struct {
	message []byte
	from    int // where the field starts
	at      int // where the next one does
	number  protowire.Number
	kind    protowire.Type
	value   uint64 // of a varint, fixed32 or fixed64 field; the length of a length-delimited one
	bad     string // the fault, "" while there is none
}

func walk(message []byte) walker { return walker{message: message} }

// bytes are those of a length-delimited field, a view into the message.
func (w *walker) bytes() []byte { return w.message[w.at-int(w.value) : w.at] }

// next moves to the next field. It returns false at the end and at a fault.
func (w *walker) next() bool {
	// Most fields have a number below 16 and are length-delimited with less than
	// 128 bytes: one byte of tag, one of length.
	rest := w.message[w.at:]
	if len(rest) < 2 || rest[0] >= 0x80 || rest[0] < 1<<3 || rest[0]&7 != byte(protowire.BytesType) ||
		rest[1] >= 0x80 || int(rest[1]) > len(rest)-2 {
		return w.nextOfAny()
	}
	w.from = w.at
	w.number, w.kind = protowire.Number(rest[0]>>3), protowire.BytesType
	w.value = uint64(rest[1])
	w.at += 2 + int(rest[1])
	return true
}

// nextOfAny is next for a field of any shape.
func (w *walker) nextOfAny() bool {
	if w.at == len(w.message) { // the end, or after a fault
		return false
	}
	w.from, w.number = w.at, 0
	tag, ok := w.varint()
	if !ok {
		return w.fail("malformed tag")
	}
	w.number, w.kind = protowire.DecodeTag(tag)
	if w.number < protowire.MinValidNumber {
		w.number = 0 // it was too large for a field number
		return w.fail("malformed tag")
	}
	switch w.kind {
	case protowire.BytesType:
		if w.value, ok = w.varint(); !ok {
			return w.fail("malformed length")
		}
		if left := len(w.message) - w.at; w.value > uint64(left) {
			return w.fail(fmt.Sprintf("length %d runs past the end of the message, %d bytes left", w.value, left))
		}
		w.at += int(w.value)
	case protowire.VarintType:
		if w.value, ok = w.varint(); !ok {
			return w.fail("malformed varint")
		}
	case protowire.Fixed64Type:
		if len(w.message)-w.at < 8 {
			return w.fail("truncated fixed64")
		}
		w.value = binary.LittleEndian.Uint64(w.message[w.at:])
		w.at += 8
	case protowire.Fixed32Type:
		if len(w.message)-w.at < 4 {
			return w.fail("truncated fixed32")
		}
		w.value = uint64(binary.LittleEndian.Uint32(w.message[w.at:]))
		w.at += 4
	default: // groups are gone from the language, but may still be skipped
		n := protowire.ConsumeFieldValue(w.number, w.kind, w.message[w.at:])
		if n < 0 {
			return w.fail("malformed group")
		}
		w.at += n
	}
	return true
}

// is reports whether the field has the wire type its message declares; another
// one is a fault.
func (w *walker) is(want protowire.Type) bool { return w.kind == want || w.wrong(want) }

func (w *walker) wrong(want protowire.Type) bool {
	return w.fail(fmt.Sprintf("wire type %d, want %d", w.kind, want))
}

// fail notes a fault; the walker goes no further.
func (w *walker) fail(what string) bool {
	w.bad = what
	w.at = len(w.message)
	return false
}

func (w *walker) varint() (uint64, bool) {
	if w.at < len(w.message) && w.message[w.at] < 0x80 {
		w.at++
		return uint64(w.message[w.at-1]), true
	}
	v, n := protowire.ConsumeVarint(w.message[w.at:])
	if n < 0 {
		return 0, false
	}
	w.at += n
	return v, true
}

// wireError is malformed input: where and what.
type wireError struct {
	path string // "resource_spans[0].scope_spans[2].spans[17].name"
	left int    // bytes from the fault to the end of the request
	what string
}

func (e *wireError) Error() string { return e.path + ": " + e.what }

// fault is the walker's fault as an error, nil when there is none. fields names
// the message's fields by number.
func (w *walker) fault(fields []string) error {
	if w.bad == "" {
		return nil
	}
	// All slices are views of one request, cut at their ends never: capacities
	// tell positions.
	return &wireError{path: fieldName(fields, w.number), left: cap(w.message) - w.from, what: w.bad}
}

// within puts err below the walker's present field, the index-th of its kind; a
// negative index is a field that does not repeat.
func (w *walker) within(err error, fields []string, index int) error {
	e, ok := err.(*wireError) //nolint:errorlint // made in this package and never wrapped
	if !ok {
		return err
	}
	name := fieldName(fields, w.number)
	if index >= 0 {
		name = fmt.Sprintf("%s[%d]", name, index)
	}
	e.path = name + "." + e.path
	return e
}

func fieldName(fields []string, n protowire.Number) string {
	if int(n) < len(fields) && fields[n] != "" {
		return fields[n]
	}
	return fmt.Sprintf("field %d", n)
}

// envelopeFields are the fields of the messages around a signal's items.
type envelopeFields struct {
	message                  string // the name of the request
	request, resource, scope []string
}

func newEnvelopeFields(message, signal, items string) *envelopeFields {
	return &envelopeFields{
		message:  message,
		request:  []string{1: "resource_" + signal},
		resource: []string{1: "resource", 2: "scope_" + signal, 3: "schema_url"},
		scope:    []string{1: "scope", 2: items, 3: "schema_url"},
	}
}

// The fields of OTLP by number, for error messages.
var (
	spanEnvelope   = newEnvelopeFields("ExportTraceServiceRequest", "spans", "spans")
	logEnvelope    = newEnvelopeFields("ExportLogsServiceRequest", "logs", "log_records")
	resourceFields = []string{1: "attributes", 2: "dropped_attributes_count"}
	scopeFields    = []string{1: "name", 2: "version", 3: "attributes", 4: "dropped_attributes_count"}
	spanFields     = []string{1: "trace_id", 2: "span_id", 3: "trace_state", 4: "parent_span_id", 5: "name", 6: "kind",
		7: "start_time_unix_nano", 8: "end_time_unix_nano", 9: "attributes", 10: "dropped_attributes_count", 11: "events",
		12: "dropped_events_count", 13: "links", 14: "dropped_links_count", 15: "status", 16: "flags"}
	logFields = []string{1: "time_unix_nano", 2: "severity_number", 3: "severity_text", 5: "body", 6: "attributes",
		7: "dropped_attributes_count", 8: "flags", 9: "trace_id", 10: "span_id", 11: "observed_time_unix_nano", 12: "event_name"}
	eventFields    = []string{1: "time_unix_nano", 2: "name", 3: "attributes", 4: "dropped_attributes_count"}
	linkFields     = []string{1: "trace_id", 2: "span_id", 3: "trace_state", 4: "attributes", 5: "dropped_attributes_count", 6: "flags"}
	statusFields   = []string{2: "message", 3: "code"}
	keyValueFields = []string{1: "key", 2: "value"}
	anyValueFields = []string{1: "string_value", 2: "bool_value", 3: "int_value", 4: "double_value", 5: "array_value",
		6: "kvlist_value", 7: "bytes_value"}
	listFields = []string{1: "values"}
)
