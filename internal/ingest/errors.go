package ingest

import (
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/otel"
)

// exceptions collects what a request's items say of exceptions. Nearly all items
// say nothing, and cost nothing but the look at their names.
type exceptions struct {
	found []issue.Occurrence
	item  int // where those of the item being read begin

	kind, message, stack, custom  []byte
	user                          []byte
	service, environment          []byte // of the resource being read: copies, its own are gone when they are needed
	instance, version, ownerTexts []byte
	owner                         *issue.Resource // made of them by the first exception
}

// setOwner notes whose items follow.
func (x *exceptions) setOwner(r otel.Resource) {
	x.owner, x.ownerTexts = nil, x.ownerTexts[:0]
	keep := func(v []byte) []byte {
		at := len(x.ownerTexts)
		x.ownerTexts = append(x.ownerTexts, v...)
		return x.ownerTexts[at:len(x.ownerTexts):len(x.ownerTexts)]
	}
	x.service, x.environment, x.instance, x.version = keep(r.Service), keep(r.Environment), keep(r.Instance), keep(r.Version)
}

// begin forgets what was read and not ended.
func (x *exceptions) begin() { x.kind, x.message, x.stack, x.custom, x.user = nil, nil, nil, nil, nil }

// attribute notes an attribute of an exception. It is asked of every attribute of
// a log record, and of those of a span's exception events.
func (x *exceptions) attribute(key, value []byte) {
	switch string(key) {
	case "exception.type":
		x.kind = value
	case "exception.message":
		x.message = value
	case "exception.stacktrace":
		x.stack = value
	case "exception.fingerprint", "error.fingerprint":
		x.custom = value
	case "enduser.id", "user.id":
		x.user = value
	}
}

// end adds what was noted since begin, if it tells of an exception.
func (x *exceptions) end(source issue.Source, unixNano int64) {
	if len(x.kind) == 0 && len(x.message) == 0 && len(x.stack) == 0 {
		return
	}
	if x.owner == nil {
		x.owner = &issue.Resource{Service: string(x.service), Environment: string(x.environment), Instance: string(x.instance), Version: string(x.version)}
	}
	stack := x.stack[:min(len(x.stack), otel.MaxStackLength)]
	x.found = append(x.found, issue.Occurrence{
		Time: unixNano, Source: source, Resource: x.owner, User: string(x.user),
		Type: string(x.kind), Message: string(x.message), Stack: string(stack), Custom: string(x.custom),
	})
}

// settle gives the item's exceptions their place. A time that is none, or out of
// what is taken, is the item's own.
func (x *exceptions) settle(traceID [16]byte, spanID uint64, at, oldest, newest int64) {
	for i := x.item; i < len(x.found); i++ {
		o := &x.found[i]
		o.TraceID, o.SpanID = traceID, spanID
		if o.Time < oldest || o.Time > newest {
			o.Time = at
		}
	}
}
