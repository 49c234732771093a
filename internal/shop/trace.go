package shop

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// trace plays one visit of a user. Time passes only where the script says so: a span lasts as long as what
// happens between its start and its end.
type trace struct {
	fleet   *fleet
	rng     *rand.Rand
	id      []byte
	start   time.Time
	now     time.Time
	slow    bool // the fault is on
	jitter  bool // vary the times of the fault
	slowed  bool // this trace met the fault
	records []record
}

// record is a span together with who wrote it.
type record struct {
	pod   *pod
	scope string
	end   time.Time
	span  *tracepb.Span
}

// call is a place where code runs: a thread of a pod, inside of a span.
type call struct {
	*trace
	pod    *pod
	parent []byte
	remote bool // the parent is in another process
	thread thread
}

type thread struct {
	id   int64
	name string
}

func newTrace(f *fleet, rng *rand.Rand, at time.Time) *trace {
	t := &trace{fleet: f, rng: rng, start: at, now: at}
	t.id = make([]byte, 16)
	binary.BigEndian.PutUint64(t.id, rng.Uint64()|1)
	binary.BigEndian.PutUint64(t.id[8:], rng.Uint64())
	return t
}

// The bits of a span's flags: sampled, "the next bit is known", "the parent is remote".
const (
	flagsLocal  = 0x01 | 0x100
	flagsRemote = 0x01 | 0x100 | 0x200
)

// span records an operation. body, which may be nil, is what happens inside of it.
func (c call) span(scope, name string, kind tracepb.Span_SpanKind, attributes []*commonpb.KeyValue, body func(call, *tracepb.Span)) *tracepb.Span {
	id := make([]byte, 8)
	binary.BigEndian.PutUint64(id, c.rng.Uint64()|1)
	s := &tracepb.Span{
		TraceId:           c.id,
		SpanId:            id,
		ParentSpanId:      c.parent,
		Flags:             flagsLocal,
		Name:              name,
		Kind:              kind,
		StartTimeUnixNano: uint64(c.now.UnixNano()),
		Attributes:        attributes,
	}
	if c.remote {
		s.Flags = flagsRemote
	}
	if c.pod.language == "java" {
		s.Attributes = append(s.Attributes, num("thread.id", c.thread.id), str("thread.name", c.thread.name))
	}
	if body != nil {
		inner := c
		inner.parent, inner.remote = id, false
		body(inner, s)
	}
	s.EndTimeUnixNano = uint64(c.now.UnixNano())
	c.records = append(c.records, record{pod: c.pod, scope: scope, end: c.now, span: s})
	return s
}

// spend lets time pass.
func (t *trace) spend(d time.Duration) { t.now = t.now.Add(d) }

// around returns a duration of the given median with the long tail that latencies have, in whole microseconds.
func (t *trace) around(median time.Duration) time.Duration {
	return time.Duration(float64(median) * math.Exp(0.35*t.rng.NormFloat64())).Round(time.Microsecond)
}

// chance is true once in n times.
func (t *trace) chance(n int) bool { return t.rng.IntN(n) == 0 }

// pod chooses one of the pods of svc that ran when the trace started.
func (t *trace) pod(svc *service) *pod {
	pods := t.fleet.at(svc, t.start)
	return pods[t.rng.IntN(len(pods))]
}

// on returns the place where p begins to serve a request.
func (t *trace) on(p *pod, kind string, parent []byte) call {
	n := 1 + t.rng.IntN(16)
	return call{trace: t, pod: p, parent: parent, remote: parent != nil, thread: thread{id: int64(30 + n), name: threadName(kind, p.port, n)}}
}

// fail marks a span as failed and adds the exception.
func (c call) fail(s *tracepb.Span, e *exception) {
	s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
	s.Events = append(s.Events, &tracepb.Span_Event{
		TimeUnixNano: uint64(c.now.UnixNano()),
		Name:         "exception",
		Attributes:   []*commonpb.KeyValue{str("exception.message", e.message), str("exception.stacktrace", e.stack()), str("exception.type", e.kind)},
	})
}

// records are spans waiting for their end.
type records []record

func (r *records) add(more ...record) { *r = append(*r, more...) }

// maxRequest is the number of spans in a request, as collectors batch them.
const maxRequest = 2000

// take removes the spans that ended by now and returns them as requests, ordered by pod and end.
func (r *records) take(now time.Time) []*tracepb.TracesData {
	var ended []record
	kept := (*r)[:0]
	for _, rec := range *r {
		if rec.end.After(now) {
			kept = append(kept, rec)
		} else {
			ended = append(ended, rec)
		}
	}
	clear((*r)[len(kept):])
	*r = kept

	sort.SliceStable(ended, func(i, j int) bool { return ended[i].end.Before(ended[j].end) })
	var requests []*tracepb.TracesData
	for len(ended) > 0 {
		n := min(len(ended), maxRequest)
		requests = append(requests, request(ended[:n]))
		ended = ended[n:]
	}
	return requests
}

// request groups spans by resource and scope.
func request(spans []record) *tracepb.TracesData {
	sort.SliceStable(spans, func(i, j int) bool { return spans[i].pod.order < spans[j].pod.order })
	data := &tracepb.TracesData{}
	var last *pod
	var scopes map[string]*tracepb.ScopeSpans
	for _, rec := range spans {
		if rec.pod != last {
			last, scopes = rec.pod, map[string]*tracepb.ScopeSpans{}
			data.ResourceSpans = append(data.ResourceSpans, &tracepb.ResourceSpans{Resource: rec.pod.resource, SchemaUrl: "https://opentelemetry.io/schemas/1.24.0"})
		}
		group := data.ResourceSpans[len(data.ResourceSpans)-1]
		scope := scopes[rec.scope]
		if scope == nil {
			scope = &tracepb.ScopeSpans{Scope: &commonpb.InstrumentationScope{Name: rec.scope, Version: rec.pod.scopeVersion()}}
			scopes[rec.scope] = scope
			group.ScopeSpans = append(group.ScopeSpans, scope)
		}
		scope.Spans = append(scope.Spans, rec.span)
	}
	return data
}
