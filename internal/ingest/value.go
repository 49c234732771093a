package ingest

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/otel"
)

// maxDepth is how deep an attribute value may nest before the rest of it is
// shown as "…": a request must not choose the depth of our stack.
const maxDepth = 16

// maxRendered is where the rendering of a nested value stops: it will be cut
// at otel.MaxValueLength anyway. The body of a log record may be larger.
const (
	maxRendered     = otel.MaxValueLength + 1<<10
	maxRenderedBody = logs.MaxBodyLength + 1<<10
)

var (
	textTrue  = []byte("true")
	textFalse = []byte("false")
	textNull  = []byte("null")
)

// values renders attribute values as text.
type values struct {
	scratch []byte // what is rendered; views of it live until the owner cuts it
	limit   int    // where the rendering of a nested value stops; 0 is maxRendered
}

// maxScratch is the capacity in bytes that is kept between requests.
const maxScratch = 1 << 20

// keyValue reads a KeyValue message.
func (d *values) keyValue(b []byte) (key, value []byte, err error) {
	if key, value, ok := d.plainKeyValue(b); ok {
		return key, value, nil
	}
	for w := walk(b); ; {
		if !w.next() {
			return key, value, w.fault(keyValueFields)
		}
		switch {
		case w.number == 1 && w.is(protowire.BytesType):
			key = w.bytes()
		case w.number == 2 && w.is(protowire.BytesType):
			if value, err = d.value(w.bytes()); err != nil {
				return nil, nil, w.within(err, keyValueFields, -1)
			}
		}
	}
}

// The tags that a plain KeyValue has.
const (
	tagKey    = 1<<3 | byte(protowire.BytesType)
	tagValue  = 2<<3 | byte(protowire.BytesType)
	tagString = 1<<3 | byte(protowire.BytesType)
	tagInt    = 3<<3 | byte(protowire.VarintType)
)

// plainKeyValue reads a KeyValue as nearly all are sent: a key and then a
// string or an integer, with lengths below 128. It refuses any other, which is
// then read field by field.
func (d *values) plainKeyValue(b []byte) (key, value []byte, ok bool) {
	if len(b) < 2 || b[0] != tagKey || b[1] >= 0x80 || int(b[1]) > len(b)-2 {
		return nil, nil, false
	}
	key, b = b[2:2+b[1]], b[2+b[1]:]
	if len(b) < 4 || b[0] != tagValue || b[1] >= 0x80 || int(b[1]) != len(b)-2 {
		return nil, nil, false
	}
	switch b[2] {
	case tagString:
		return key, b[4:], b[3] < 0x80 && int(b[3]) == len(b)-4
	case tagInt:
		if v, n := binary.Uvarint(b[3:]); n == len(b)-3 {
			at := len(d.scratch)
			d.scratch = strconv.AppendInt(d.scratch, int64(v), 10)
			return key, d.scratch[at:len(d.scratch):len(d.scratch)], true
		}
	}
	return nil, nil, false
}

// value reads an AnyValue as text: scalars plainly, bytes in base64, lists and
// maps as JSON, nothing as "". The result is a view of b or of the
// scratch.
func (d *values) value(b []byte) (text []byte, err error) {
	for w := walk(b); ; {
		if !w.next() {
			return text, w.fault(anyValueFields)
		}
		at := len(d.scratch)
		switch w.number {
		case 1:
			if w.is(protowire.BytesType) {
				text = w.bytes()
			}
			continue
		case 2:
			if w.is(protowire.VarintType) {
				text = textFalse
				if w.value != 0 {
					text = textTrue
				}
			}
			continue
		case 3:
			if w.is(protowire.VarintType) {
				d.scratch = strconv.AppendInt(d.scratch, int64(w.value), 10)
			}
		case 4:
			if w.is(protowire.Fixed64Type) {
				d.scratch = strconv.AppendFloat(d.scratch, math.Float64frombits(w.value), 'g', -1, 64)
			}
		case 5, 6:
			if w.is(protowire.BytesType) {
				if err := d.list(w.bytes(), w.number == 6, 1, at); err != nil {
					return nil, w.within(err, anyValueFields, -1)
				}
			}
		case 7:
			if w.is(protowire.BytesType) {
				d.scratch = base64.StdEncoding.AppendEncode(d.scratch, w.bytes()[:min(len(w.bytes()), cmp.Or(d.limit, maxRendered))])
			}
		default:
			continue
		}
		text = d.scratch[at:len(d.scratch):len(d.scratch)]
	}
}

// list renders an ArrayValue, or a KeyValueList when it is a map, as JSON. The
// value it is part of began at start in the scratch; behind maxRendered from
// there it is only checked.
func (d *values) list(b []byte, isMap bool, depth, start int) error {
	if depth > maxDepth {
		d.put(start, `"…"`)
		return nil
	}
	open, shut := "[", "]"
	if isMap {
		open, shut = "{", "}"
	}
	d.put(start, open)
	w := walk(b)
	for i := 0; w.next(); {
		if w.number != 1 || !w.is(protowire.BytesType) {
			continue
		}
		if i > 0 {
			d.put(start, ",")
		}
		element := d.jsonValue
		if isMap {
			element = d.jsonPair
		}
		if err := element(w.bytes(), depth, start); err != nil {
			return w.within(err, listFields, i)
		}
		i++
	}
	d.put(start, shut)
	return w.fault(listFields)
}

// jsonPair renders a KeyValue inside of a map.
func (d *values) jsonPair(b []byte, depth, start int) error {
	var key, value []byte
	w := walk(b)
	for w.next() {
		switch {
		case w.number == 1 && w.is(protowire.BytesType):
			key = w.bytes()
		case w.number == 2 && w.is(protowire.BytesType):
			value = w.bytes()
		}
	}
	if err := w.fault(keyValueFields); err != nil {
		return err
	}
	d.putString(start, key)
	d.put(start, ":")
	return d.jsonValue(value, depth, start)
}

// jsonValue renders an AnyValue inside of a list or map.
func (d *values) jsonValue(b []byte, depth, start int) error {
	var last walker // of a oneof the last field counts
	w := walk(b)
	for w.next() {
		if w.number >= 1 && w.number <= 7 && w.is(anyValueTypes[w.number]) {
			last = w
		}
	}
	if err := w.fault(anyValueFields); err != nil {
		return err
	}
	switch last.number {
	case 0:
		d.put(start, string(textNull))
	case 1:
		d.putString(start, last.bytes())
	case 2:
		d.put(start, strconv.FormatBool(last.value != 0))
	case 3:
		if d.room(start) >= 0 {
			d.scratch = strconv.AppendInt(d.scratch, int64(last.value), 10)
		}
	case 4:
		f := math.Float64frombits(last.value)
		if math.IsNaN(f) || math.IsInf(f, 0) { // JSON has no word for them
			d.put(start, strconv.Quote(strconv.FormatFloat(f, 'g', -1, 64)))
			break
		}
		if d.room(start) >= 0 {
			d.scratch = strconv.AppendFloat(d.scratch, f, 'g', -1, 64)
		}
	case 5, 6:
		if err := d.list(last.bytes(), last.number == 6, depth+1, start); err != nil {
			return last.within(err, anyValueFields, -1)
		}
	case 7:
		d.putString(start, base64.StdEncoding.AppendEncode(nil, last.bytes()[:min(len(last.bytes()), maxRendered)]))
	}
	return nil
}

// anyValueTypes are the wire types of AnyValue's fields.
var anyValueTypes = [...]protowire.Type{1: protowire.BytesType, 2: protowire.VarintType, 3: protowire.VarintType,
	4: protowire.Fixed64Type, 5: protowire.BytesType, 6: protowire.BytesType, 7: protowire.BytesType}

// room is how many bytes may still be rendered, negative when none.
func (d *values) room(start int) int { return cmp.Or(d.limit, maxRendered) - (len(d.scratch) - start) }

func (d *values) put(start int, s string) {
	if d.room(start) >= 0 {
		d.scratch = append(d.scratch, s...)
	}
}

func (d *values) putString(start int, s []byte) {
	if room := d.room(start); room >= 0 {
		d.scratch = otel.AppendJSONString(d.scratch, s[:min(len(s), room)])
	}
}
