package trace

import (
	"strconv"

	"github.com/matrix-aiops/matrix/internal/otel"
)

// Limits on what one span may store, beside those of package otel: attributes
// with a column of their own do not count. What is more is dropped and counted
// in spans.dropped. Lengths in bytes.
const (
	MaxEvents          = 128
	MaxLinks           = 128
	MaxStatementLength = 64 << 10
)

// Row is one span on its way into Columns: a scratch that is filled, appended
// and Reset for the next, so that a span costs no allocation. Byte slices given
// to it must stay unchanged until the row was appended.
type Row struct {
	TraceID       TraceID
	SpanID        SpanID
	ParentID      SpanID // 0: a root
	Name          []byte
	Scope         []byte // name of the instrumentation library
	Kind          uint8  // OTLP numbers, 0 to 5
	Status        uint8  // OTLP numbers, 0 to 2
	StatusMessage []byte
	Start         int64  // unix ns
	Duration      uint64 // ns
	Dropped       uint64 // what the sender cut; the row adds what it cuts itself

	known  [fieldCount]known
	attrs  []otel.Attribute // those without a column
	events jsonList
	links  jsonList

	exceptionType, exceptionMessage []byte // of the first exception event
	exceptions                      int
	inException                     bool // in the first one

	probability [24]byte // as text

	scratch otel.Scratch
}

// known is the attribute that fills a field, and how well.
type known struct {
	key, value []byte
	rank       uint8 // 0: not set
}

// NewRow returns an empty row.
func NewRow() *Row { return &Row{} }

// maxList is the capacity in bytes a list keeps between spans.
const maxList = 1 << 20

// Reset empties the row for the next span.
func (r *Row) Reset() {
	r.scratch.Reset()
	attrs, events, links, scratch := r.attrs[:0], r.events.emptied(), r.links.emptied(), r.scratch
	*r = Row{attrs: attrs, events: events, links: links, scratch: scratch}
}

// Entry reports whether the span is where a transaction enters an application:
// a server or consumer span, or the root of a trace.
func (r *Row) Entry() bool { return r.Kind == kindServer || r.Kind == kindConsumer || r.ParentID == 0 }

// The span kinds of OTLP.
const (
	kindServer   = 2
	kindClient   = 3
	kindConsumer = 5
)

// Attribute adds an attribute of the span. A key of the semantic conventions
// that has a column goes there; of several that mean the same the newest
// convention wins, and the others stay attributes.
func (r *Row) Attribute(key, value []byte) {
	s, ok := conventionOf(key)
	if !ok {
		r.attribute(key, value)
		return
	}
	have := &r.known[s.field]
	switch {
	case have.rank >= s.rank || !s.accepts(value):
		r.attribute(key, value)
		return
	case have.rank > 0:
		r.attribute(have.key, have.value)
	}
	*have = known{key: key, value: value, rank: s.rank}
}

// TraceState takes the W3C tracestate of the span, after its attributes, its kind
// and its parent. Where it tells that not all such spans were recorded, a span that
// counts as a transaction gets the probability as an attribute, unless it says it itself.
func (r *Row) TraceState(state []byte) {
	if len(state) == 0 || !r.Entry() || len(r.attrs) >= otel.MaxAttributes {
		return
	}
	p, ok := probabilityOf(state)
	if !ok || p == 1 {
		return
	}
	for i := range r.attrs {
		if string(r.attrs[i].Key) == samplingProbability {
			return
		}
	}
	r.attribute(samplingKey, strconv.AppendFloat(r.probability[:0], p, 'g', -1, 64))
}

var samplingKey = []byte(samplingProbability)

func (r *Row) attribute(key, value []byte) {
	if len(r.attrs) >= otel.MaxAttributes {
		r.Dropped++
		return
	}
	r.attrs = append(r.attrs, otel.Attribute{Key: r.clean(key, otel.MaxKeyLength), Value: r.clean(value, limitOf(key))})
}

// limitOf gives stack traces and statements more room than other values.
func limitOf(key []byte) int {
	switch string(key) {
	case "exception.stacktrace", "code.stacktrace":
		return otel.MaxStackLength
	case "db.query.text", "db.statement":
		return MaxStatementLength
	}
	return otel.MaxValueLength
}

// demote turns the attribute of a field that does not apply back into an
// ordinary one.
func (r *Row) demote(f field) {
	if k := &r.known[f]; k.rank > 0 {
		r.attribute(k.key, k.value)
		*k = known{}
	}
}

// Event begins an event; its attributes follow with EventAttribute until
// EndEvent. Events beyond MaxEvents are counted as dropped, but an exception
// among them is still noticed.
func (r *Row) Event(unixNano int64, name []byte) {
	if string(name) == "exception" {
		r.exceptions++
		r.inException = r.exceptions == 1
	}
	if !r.events.begin(MaxEvents) {
		r.Dropped++
		return
	}
	r.events.buf = append(r.events.buf, `"time":`...)
	r.events.buf = strconv.AppendInt(r.events.buf, unixNano, 10)
	r.events.buf = append(r.events.buf, `,"name":`...)
	r.events.buf = otel.AppendJSONString(r.events.buf, r.clean(name, otel.MaxNameLength))
}

// EventAttribute adds an attribute to the event begun last.
func (r *Row) EventAttribute(key, value []byte) {
	if r.inException {
		switch string(key) {
		case "exception.type":
			r.exceptionType = value
		case "exception.message":
			r.exceptionMessage = value
		}
	}
	r.listAttribute(&r.events, key, value)
}

// EndEvent ends the event begun last. dropped is the number of attributes its
// sender cut.
func (r *Row) EndEvent(dropped uint64) {
	r.inException = false
	r.Dropped += dropped
	r.events.end()
}

// Link begins a link to another span; LinkAttribute and EndLink as for events.
func (r *Row) Link(id TraceID, span SpanID) {
	if !r.links.begin(MaxLinks) {
		r.Dropped++
		return
	}
	r.links.buf = append(r.links.buf, `"trace_id":"`...)
	r.links.buf = append(r.links.buf, id.String()...)
	r.links.buf = append(r.links.buf, `","span_id":"`...)
	r.links.buf = append(r.links.buf, span.String()...)
	r.links.buf = append(r.links.buf, '"')
}

// LinkAttribute adds an attribute to the link begun last.
func (r *Row) LinkAttribute(key, value []byte) { r.listAttribute(&r.links, key, value) }

// EndLink ends the link begun last.
func (r *Row) EndLink(dropped uint64) {
	r.Dropped += dropped
	r.links.end()
}

func (r *Row) listAttribute(l *jsonList, key, value []byte) {
	if !l.open {
		return
	}
	if l.attrs >= otel.MaxAttributes {
		r.Dropped++
		return
	}
	if l.attrs == 0 {
		l.buf = append(l.buf, `,"attributes":{`...)
	} else {
		l.buf = append(l.buf, ',')
	}
	l.attrs++
	l.buf = otel.AppendJSONString(l.buf, r.clean(key, otel.MaxKeyLength))
	l.buf = append(l.buf, ':')
	l.buf = otel.AppendJSONString(l.buf, r.clean(value, limitOf(key)))
}

// jsonList is a JSON array of objects under construction; empty is "".
type jsonList struct {
	buf   []byte
	items int
	attrs int  // of the open item
	open  bool // between begin and end
}

func (l *jsonList) emptied() jsonList {
	if cap(l.buf) > maxList {
		return jsonList{}
	}
	return jsonList{buf: l.buf[:0]}
}

func (l *jsonList) begin(limit int) bool {
	if l.items >= limit {
		return false
	}
	if l.items == 0 {
		l.buf = append(l.buf, '[')
	} else {
		l.buf[len(l.buf)-1] = ',' // in place of the bracket that closed the list
	}
	l.items++
	l.attrs, l.open = 0, true
	l.buf = append(l.buf, '{')
	return true
}

func (l *jsonList) end() {
	if !l.open {
		return
	}
	if l.attrs > 0 {
		l.buf = append(l.buf, '}')
	}
	l.open = false
	l.buf = append(l.buf, '}', ']')
}

// clean returns v as valid UTF-8 of at most limit bytes.
func (r *Row) clean(v []byte, limit int) []byte { return r.scratch.Clean(v, limit) }
