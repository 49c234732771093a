package ingest

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// reason is why a single span is refused while its neighbours are stored.
type reason uint8

const (
	badTraceID reason = iota
	badSpanID
	endBeforeStart
	tooOld
	inFuture
	reasonCount
)

var reasonNames = [reasonCount]string{"bad_trace_id", "bad_span_id", "end_before_start", "too_old", "in_future"}

var reasonTexts = [reasonCount]string{"zero or malformed trace id", "zero or malformed span id", "end before start",
	"older than the project's retention", "more than an hour in the future"}

// maxAhead is how far a sender's clock may be ahead of ours.
const maxAhead = time.Hour

// rejections counts refused spans by reason.
type rejections [reasonCount]int64

func (r *rejections) total() (n int64) {
	for _, v := range r {
		n += v
	}
	return n
}

// message is what partial_success tells the sender, "" when nothing was refused.
func (r *rejections) message() string {
	var parts []string
	for i, n := range r {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", reasonTexts[i], n))
		}
	}
	return strings.Join(parts, ", ")
}

// decoder walks ExportTraceServiceRequest messages into columns. It keeps its
// scratch between requests; one goroutine at a time may use it.
type decoder struct {
	columns  *trace.Columns
	row      *trace.Row
	resource trace.ResourceBuilder
	scratch  []byte // rendered values of the present span or resource
	oldest   uint64 // unix ns
	newest   uint64 // unix ns

	accepted int64
	rejected rejections
}

func newDecoder() *decoder { return &decoder{row: trace.NewRow()} }

// maxDecoderScratch is the capacity in bytes a decoder keeps between requests.
const maxDecoderScratch = 1 << 20

// decode appends the request's spans to the columns. Either all spans that are
// not refused one by one are in, or, with an error, none.
func (d *decoder) decode(request []byte, tenant Tenant, columns *trace.Columns, now time.Time) (*trace.Pending, error) {
	d.columns, d.accepted, d.rejected = columns, 0, rejections{}
	d.oldest = uint64(now.AddDate(0, 0, -tenant.RetentionDays).UnixNano())
	d.newest = uint64(now.Add(maxAhead).UnixNano())
	columns.Begin(tenant.Project, uint16(tenant.RetentionDays), now)
	err := d.request(request)
	d.columns = nil
	if cap(d.scratch) > maxDecoderScratch {
		d.scratch = nil
	}
	if err != nil {
		columns.Rollback()
		return nil, malformed(request, err)
	}
	return columns.Commit(), nil
}

// malformed names the fault for the caller: the field's path and the byte.
func malformed(request []byte, err error) error {
	e, ok := err.(*wireError) //nolint:errorlint // made in this package and never wrapped
	if !ok {
		return err
	}
	return fault.New(fault.Invalid, "malformed ExportTraceServiceRequest: %s (byte %d)", e.Error(), cap(request)-e.left).WithField(e.path)
}

func (d *decoder) request(b []byte) error {
	w := walk(b)
	for i := 0; w.next(); {
		if w.number == 1 && w.is(protowire.BytesType) {
			if err := d.resourceSpans(w.bytes()); err != nil {
				return w.within(err, requestFields, i)
			}
			i++
		}
	}
	return w.fault(requestFields)
}

// resourceSpans reads a ResourceSpans message twice: the resource may stand
// behind the spans that need it.
func (d *decoder) resourceSpans(b []byte) error {
	d.resource.Reset()
	d.scratch = d.scratch[:0]
	id := xxhash.New()
	w := walk(b)
	for w.next() {
		if w.number == 1 && w.is(protowire.BytesType) {
			_, _ = id.Write(w.bytes())
			if err := d.resourceAttributes(w.bytes()); err != nil {
				return w.within(err, resourceSpansFields, -1)
			}
		}
	}
	if err := w.fault(resourceSpansFields); err != nil {
		return err
	}
	d.columns.SetResource(&d.resource, max(id.Sum64(), 1))
	w = walk(b)
	for i := 0; w.next(); {
		if w.number == 2 && w.is(protowire.BytesType) {
			if err := d.scopeSpans(w.bytes()); err != nil {
				return w.within(err, resourceSpansFields, i)
			}
			i++
		}
	}
	return w.fault(resourceSpansFields)
}

func (d *decoder) resourceAttributes(b []byte) error {
	w := walk(b)
	for i := 0; w.next(); {
		switch {
		case w.number == 1 && w.is(protowire.BytesType):
			key, value, err := d.keyValue(w.bytes())
			if err != nil {
				return w.within(err, resourceFields, i)
			}
			d.resource.Attribute(key, value)
			i++
		case w.number == 2 && w.is(protowire.VarintType):
			d.resource.Dropped += uint64(uint32(w.value))
		}
	}
	return w.fault(resourceFields)
}

// scopeSpans reads a ScopeSpans message, twice for the same reason.
func (d *decoder) scopeSpans(b []byte) error {
	var scope []byte
	w := walk(b)
	for w.next() {
		if w.number == 1 && w.is(protowire.BytesType) {
			s := walk(w.bytes())
			for s.next() {
				if s.number == 1 && s.is(protowire.BytesType) {
					scope = s.bytes()
				}
			}
			if err := s.fault(scopeFields); err != nil {
				return w.within(err, scopeSpansFields, -1)
			}
		}
	}
	if err := w.fault(scopeSpansFields); err != nil {
		return err
	}
	w = walk(b)
	for i := 0; w.next(); {
		if w.number == 2 && w.is(protowire.BytesType) {
			if err := d.span(w.bytes(), scope); err != nil {
				return w.within(err, scopeSpansFields, i)
			}
			i++
		}
	}
	return w.fault(scopeSpansFields)
}

// span reads a Span message and appends it, or counts why not.
func (d *decoder) span(b, scope []byte) error {
	d.scratch = d.scratch[:0]
	r := d.row
	r.Reset()
	r.Scope = scope
	var traceID, spanID, parentID []byte
	var start, end uint64
	var attributes, events, links int
	w := walk(b)
	for w.next() {
		var err error
		index := -1
		switch w.number {
		case 1:
			if w.is(protowire.BytesType) {
				traceID = w.bytes()
			}
		case 2:
			if w.is(protowire.BytesType) {
				spanID = w.bytes()
			}
		case 4:
			if w.is(protowire.BytesType) {
				parentID = w.bytes()
			}
		case 5:
			if w.is(protowire.BytesType) {
				r.Name = w.bytes()
			}
		case 6:
			if w.is(protowire.VarintType) {
				r.Kind = enum(w.value, 5)
			}
		case 7:
			if w.is(protowire.Fixed64Type) {
				start = w.value
			}
		case 8:
			if w.is(protowire.Fixed64Type) {
				end = w.value
			}
		case 9:
			if w.is(protowire.BytesType) {
				var key, value []byte
				if key, value, err = d.keyValue(w.bytes()); err == nil {
					r.Attribute(key, value)
				}
				index, attributes = attributes, attributes+1
			}
		case 10, 12, 14:
			if w.is(protowire.VarintType) {
				r.Dropped += uint64(uint32(w.value))
			}
		case 11:
			if w.is(protowire.BytesType) {
				err = d.event(w.bytes())
				index, events = events, events+1
			}
		case 13:
			if w.is(protowire.BytesType) {
				err = d.link(w.bytes())
				index, links = links, links+1
			}
		case 15:
			if w.is(protowire.BytesType) {
				err = d.status(w.bytes())
			}
		}
		if err != nil {
			return w.within(err, spanFields, index)
		}
	}
	if err := w.fault(spanFields); err != nil {
		return err
	}

	parent, parentOK := spanIDOf(parentID)
	var spanOK bool
	r.SpanID, spanOK = spanIDOf(spanID)
	r.ParentID = parent
	copy(r.TraceID[:], traceID)
	switch {
	case len(traceID) != len(r.TraceID) || r.TraceID.IsZero():
		d.rejected[badTraceID]++
	case !spanOK || r.SpanID == 0 || !parentOK:
		d.rejected[badSpanID]++
	case end < start:
		d.rejected[endBeforeStart]++
	case end > d.newest:
		d.rejected[inFuture]++
	case start < d.oldest:
		d.rejected[tooOld]++
	default:
		r.Start, r.Duration = int64(start), end-start
		d.columns.Append(r)
		d.accepted++
	}
	return nil
}

func (d *decoder) event(b []byte) error {
	var name []byte
	var unixNano, dropped uint64
	w := walk(b)
	for w.next() {
		switch {
		case w.number == 1 && w.is(protowire.Fixed64Type):
			unixNano = w.value
		case w.number == 2 && w.is(protowire.BytesType):
			name = w.bytes()
		case w.number == 4 && w.is(protowire.VarintType):
			dropped = uint64(uint32(w.value))
		}
	}
	if err := w.fault(eventFields); err != nil {
		return err
	}
	d.row.Event(int64(unixNano), name)
	err := d.listAttributes(b, 3, eventFields, d.row.EventAttribute)
	d.row.EndEvent(dropped)
	return err
}

func (d *decoder) link(b []byte) error {
	var traceID, spanID []byte
	var dropped uint64
	w := walk(b)
	for w.next() {
		switch {
		case w.number == 1 && w.is(protowire.BytesType):
			traceID = w.bytes()
		case w.number == 2 && w.is(protowire.BytesType):
			spanID = w.bytes()
		case w.number == 5 && w.is(protowire.VarintType):
			dropped = uint64(uint32(w.value))
		}
	}
	if err := w.fault(linkFields); err != nil {
		return err
	}
	var id trace.TraceID
	copy(id[:], traceID)
	span, _ := spanIDOf(spanID)
	d.row.Link(id, span)
	err := d.listAttributes(b, 4, linkFields, d.row.LinkAttribute)
	d.row.EndLink(dropped)
	return err
}

// listAttributes reads the repeated KeyValue field of an event or link.
func (d *decoder) listAttributes(b []byte, number protowire.Number, fields []string, add func(key, value []byte)) error {
	w := walk(b)
	for i := 0; w.next(); {
		if w.number == number && w.is(protowire.BytesType) {
			key, value, err := d.keyValue(w.bytes())
			if err != nil {
				return w.within(err, fields, i)
			}
			add(key, value)
			i++
		}
	}
	return w.fault(fields)
}

func (d *decoder) status(b []byte) error {
	w := walk(b)
	for w.next() {
		switch {
		case w.number == 2 && w.is(protowire.BytesType):
			d.row.StatusMessage = w.bytes()
		case w.number == 3 && w.is(protowire.VarintType):
			d.row.Status = enum(w.value, 2)
		}
	}
	return w.fault(statusFields)
}

// enum reads an enumeration; a number that OTLP does not define yet is unset.
func enum(v, highest uint64) uint8 {
	if v > highest {
		return 0
	}
	return uint8(v)
}

// spanIDOf reads 8 bytes, or none for no span.
func spanIDOf(b []byte) (trace.SpanID, bool) {
	switch len(b) {
	case 0:
		return 0, true
	case 8:
		return trace.SpanID(binary.BigEndian.Uint64(b)), true
	}
	return 0, false
}

// countSpans counts the spans of a request without reading them. A malformed
// request counts as far as it can be followed: decode tells the fault.
func countSpans(request []byte) (n int) {
	w := walk(request)
	for w.next() {
		if w.number != 1 || w.kind != protowire.BytesType {
			continue
		}
		resource := walk(w.bytes())
		for resource.next() {
			if resource.number != 2 || resource.kind != protowire.BytesType {
				continue
			}
			scope := walk(resource.bytes())
			for scope.next() {
				if scope.number == 2 && scope.kind == protowire.BytesType {
					n++
				}
			}
		}
	}
	return n
}
