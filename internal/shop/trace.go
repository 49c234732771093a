package shop

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// trace plays one visit of a user. Time passes only where the script says so: a span lasts as long as what
// happens between its start and its end.
type trace struct {
	fleet   *fleet
	rng     *rand.Rand
	words   *rand.Rand // for what only log lines say: they change nothing about the spans
	id      []byte
	start   time.Time
	now     time.Time
	slow    bool // the fault is on
	jitter  bool // vary the times of the fault
	slowed  bool // this trace met the fault
	records []record
	samples samples
}

// record is a span or a log record together with who wrote it.
type record struct {
	pod   *pod
	scope string
	end   time.Time // of the span, or when the log record was written
	span  *tracepb.Span
	log   *logspb.LogRecord
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
	t.words = rand.New(rand.NewPCG(binary.BigEndian.Uint64(t.id), binary.BigEndian.Uint64(t.id[8:])))
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
		Attributes:   e.attributes(),
	})
}
