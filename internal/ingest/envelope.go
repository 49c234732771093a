package ingest

import (
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// reason is why a single item, a span or a log record, is refused while its neighbours are stored.
type reason uint8

const (
	badTraceID reason = iota
	badSpanID
	endBeforeStart
	tooOld
	inFuture
	refusedSample
	reasonCount
)

var reasonNames = [reasonCount]string{"bad_trace_id", "bad_span_id", "end_before_start", "too_old", "in_future", "refused_sample"}

var reasonTexts = [reasonCount]string{"zero or malformed trace id", "zero or malformed span id", "end before start",
	"older than the project's retention", "more than an hour in the future",
	"refused sample"}

// maxAhead is how far a sender's clock may be ahead of ours.
const maxAhead = time.Hour

// rejections counts refused items by reason.
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

// envelope walks what the requests of all signals have in common: items, by
// scope, by resource. It keeps its scratch between requests; one goroutine at a
// time may use it.
type envelope struct {
	values
	resource otel.ResourceBuilder
	oldest   uint64 // unix ns
	newest   uint64 // unix ns
	now      int64  // unix ns

	accepted int64
	rejected rejections

	exceptions exceptions

	fields      *envelopeFields
	setResource func(*otel.ResourceBuilder, uint64)
	item        func(b, scope []byte) error
}

// block is what the items of a request are appended to.
type block interface {
	Begin(p project.ID, retentionDays uint16, now time.Time)
	SetResource(b *otel.ResourceBuilder, id uint64)
	Rollback()
}

// decode gives every item of a request to item, which appends it to the block,
// after its resource to the block. With an error nothing of the request is in.
func (d *envelope) decode(request []byte, p project.ID, retentionDays int, now time.Time, into block, fields *envelopeFields, item func(b, scope []byte) error) error {
	d.accepted, d.rejected, d.exceptions.found = 0, rejections{}, nil
	d.now = now.UnixNano()
	d.oldest = uint64(now.AddDate(0, 0, -retentionDays).UnixNano())
	d.newest = uint64(now.Add(maxAhead).UnixNano())
	into.Begin(p, uint16(retentionDays), now)
	d.fields, d.setResource, d.item = fields, into.SetResource, item
	err := d.request(request)
	d.setResource, d.item = nil, nil
	if cap(d.scratch) > maxScratch {
		d.scratch = nil
	}
	if err != nil {
		into.Rollback()
		return malformed(fields.message, request, err)
	}
	return nil
}

// counts tells what became of the items of the request decoded last.
func (d *envelope) counts() (accepted int64, rejected *rejections) { return d.accepted, &d.rejected }

// malformed names the fault for the caller: the field's path and the byte.
func malformed(message string, request []byte, err error) error {
	e, ok := err.(*wireError) //nolint:errorlint // made in this package and never wrapped
	if !ok {
		return err
	}
	return fault.New(fault.Invalid, "malformed %s: %s (byte %d)", message, e.Error(), cap(request)-e.left).WithField(e.path)
}

func (d *envelope) request(b []byte) error {
	w := walk(b)
	for i := 0; w.next(); {
		if w.number == 1 && w.is(protowire.BytesType) {
			if err := d.byResource(w.bytes()); err != nil {
				return w.within(err, d.fields.request, i)
			}
			i++
		}
	}
	return w.fault(d.fields.request)
}

// byResource reads a ResourceSpans message, or that of another signal, twice: the resource may stand
// behind the items that need it.
func (d *envelope) byResource(b []byte) error {
	d.resource.Reset()
	d.scratch = d.scratch[:0]
	id := xxhash.New()
	w := walk(b)
	for w.next() {
		if w.number == 1 && w.is(protowire.BytesType) {
			_, _ = id.Write(w.bytes())
			if err := d.resourceAttributes(w.bytes()); err != nil {
				return w.within(err, d.fields.resource, -1)
			}
		}
	}
	if err := w.fault(d.fields.resource); err != nil {
		return err
	}
	d.setResource(&d.resource, max(id.Sum64(), 1))
	d.exceptions.setOwner(d.resource.Resource(0))
	w = walk(b)
	for i := 0; w.next(); {
		if w.number == 2 && w.is(protowire.BytesType) {
			if err := d.byScope(w.bytes()); err != nil {
				return w.within(err, d.fields.resource, i)
			}
			i++
		}
	}
	return w.fault(d.fields.resource)
}

func (d *envelope) resourceAttributes(b []byte) error {
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

// byScope reads a ScopeSpans message, or that of another signal, twice for the same reason.
func (d *envelope) byScope(b []byte) error {
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
				return w.within(err, d.fields.scope, -1)
			}
		}
	}
	if err := w.fault(d.fields.scope); err != nil {
		return err
	}
	w = walk(b)
	for i := 0; w.next(); {
		if w.number == 2 && w.is(protowire.BytesType) {
			if err := d.item(w.bytes(), scope); err != nil {
				return w.within(err, d.fields.scope, i)
			}
			i++
		}
	}
	return w.fault(d.fields.scope)
}

// listAttributes reads the repeated KeyValue field of a message.
func (d *values) listAttributes(b []byte, number protowire.Number, fields []string, add func(key, value []byte)) error {
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

// countItems counts the items of a request without reading them. A malformed
// request counts as far as it can be followed: decode tells the fault.
func countItems(request []byte) (n int) {
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
