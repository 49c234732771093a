package ingest

import (
	"encoding/binary"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// traces is the signal of spans.
var traces = signal{
	name: "traces", items: "spans", rate: project.Traces,
	method:  "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	request: func() proto.Message { return &collector.ExportTraceServiceRequest{} },
	ids:     spanJSONIDs,
	count:   countItems,
	response: func(rejected int64, message string) proto.Message {
		if rejected == 0 {
			return &collector.ExportTraceServiceResponse{}
		}
		return &collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{
			RejectedSpans: rejected, ErrorMessage: message,
		}}
	},
}

// spanJSONIDs rewrites the ids of a request in JSON.
func spanJSONIDs(tree any) {
	each(tree, "resourceSpans", "resource_spans", func(resource any) {
		each(resource, "scopeSpans", "scope_spans", func(scope any) {
			each(scope, "spans", "spans", func(span any) {
				hexToBase64(span, "traceId", "trace_id")
				hexToBase64(span, "spanId", "span_id")
				hexToBase64(span, "parentSpanId", "parent_span_id")
				each(span, "links", "links", func(link any) {
					hexToBase64(link, "traceId", "trace_id")
					hexToBase64(link, "spanId", "span_id")
				})
			})
		})
	})
}

// spanDecoder walks ExportTraceServiceRequest messages into columns.
type spanDecoder struct {
	envelope
	columns *trace.Columns
	row     *trace.Row
}

func newSpanDecoder() *spanDecoder { return &spanDecoder{row: trace.NewRow()} }

// decode implements decoder.
func (d *spanDecoder) decode(request []byte, tenant Tenant, columns *trace.Columns, now time.Time) (pending, error) {
	d.columns = columns
	err := d.envelope.decode(request, tenant.Project, tenant.Retention.Traces, now, columns, spanEnvelope, d.span)
	d.columns = nil
	if err != nil {
		return pending{}, err
	}
	side := pending{errors: d.exceptions.found}
	if len(side.errors) > 0 {
		spans := make([]trace.SpanID, len(side.errors))
		for i := range side.errors {
			spans[i] = trace.SpanID(side.errors[i].SpanID)
		}
		for i, endpoint := range columns.Endpoints(spans) {
			side.errors[i].Endpoint = endpoint
		}
	}
	if p := columns.Commit(); p != nil {
		side.statements, side.resources = &p.Statements, &p.Resources
	}
	return side, nil
}

// span reads a Span message and appends it, or counts why not.
func (d *spanDecoder) span(b, scope []byte) error {
	d.scratch = d.scratch[:0]
	r := d.row
	r.Reset()
	r.Scope = scope
	d.exceptions.item = len(d.exceptions.found)
	var traceID, spanID, parentID, state []byte
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
		case 3:
			if w.is(protowire.BytesType) {
				state = w.bytes()
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

	if len(d.exceptions.found) > d.exceptions.item {
		if err := d.affected(b); err != nil {
			return err
		}
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
		r.TraceState(state)
		d.columns.Append(r)
		d.exceptions.settle(r.TraceID, uint64(r.SpanID), int64(end), int64(d.oldest), int64(d.newest))
		d.accepted++
		return nil
	}
	d.exceptions.found = d.exceptions.found[:d.exceptions.item]
	return nil
}

// affected notes whom the exceptions of a span have met: its attributes are read
// again, so that those of other spans need not be looked at.
func (d *spanDecoder) affected(b []byte) error {
	x := &d.exceptions
	x.begin()
	if err := d.listAttributes(b, 9, spanFields, x.attribute); err != nil {
		return err
	}
	for i := x.item; i < len(x.found); i++ {
		if x.found[i].User == "" {
			x.found[i].User = string(x.user)
		}
	}
	return nil
}

func (d *spanDecoder) event(b []byte) error {
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
	add := d.row.EventAttribute
	isException := string(name) == "exception"
	if isException {
		d.exceptions.begin()
		add = func(key, value []byte) {
			d.row.EventAttribute(key, value)
			d.exceptions.attribute(key, value)
		}
	}
	err := d.listAttributes(b, 3, eventFields, add)
	if isException {
		d.exceptions.end(issue.FromSpan, int64(unixNano))
	}
	d.row.EndEvent(dropped)
	return err
}

func (d *spanDecoder) link(b []byte) error {
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

func (d *spanDecoder) status(b []byte) error {
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
