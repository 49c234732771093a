package load

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// A trace goes through five services, with the spans of its shape in each. A request carries this for one
// service of some traces; the requests of a group, one for each of five services, complete them.
const (
	serviceCount = 20
	hops         = 5
	variants     = 4 // pods of a service, each with its own attribute values and durations
)

// templates are the prepared requests.
type templates struct {
	shape *shape
	of    [serviceCount][variants]*template
}

// template is the wire form of a request, and where its ids and times are.
type template struct {
	bytes []byte
	spans []place
	hops  []hop
	root  bool // its traces begin here: the server spans have no parent
}

// hop is what the server span of a hop says.
type hop struct {
	endpoint string
	failed   bool
}

// place says where the values of a span are in the bytes, and what they are derived from.
type place struct {
	trace, span, parent, start, end int
	event                           int // time of the exception; 0 when there is none
	number                          int // eight digits in a URL path; 0 when there is none
	customer                        int // eight digits of the customer; 0 when there are none
	offset, duration                time.Duration
}

func newTemplates(shape *shape, batch int) *templates {
	t := &templates{shape: shape}
	for s := range serviceCount {
		for v := range variants {
			t.of[s][v] = newTemplate(shape, s, v, batch)
		}
	}
	return t
}

// template returns what the n-th request of a run is made of.
func (t *templates) template(n uint64) *template {
	return t.of[n%serviceCount][n/hops/(serviceCount/hops)%variants]
}

// request implements source.
func (t *templates) request(body []byte, seed, n uint64, at moment) []byte {
	group, from, perHop := n/hops, t.template(n), t.shape.spansPerHop
	body = append(body, from.bytes...)
	for i := range from.spans {
		p := &from.spans[i]
		high, low := traceID(seed, group, i/perHop)
		binary.BigEndian.PutUint64(body[p.trace:], high)
		binary.BigEndian.PutUint64(body[p.trace+8:], low)
		binary.BigEndian.PutUint64(body[p.span:], spanID(seed, n, i))
		switch {
		case i%perHop != 0:
			binary.BigEndian.PutUint64(body[p.parent:], spanID(seed, n, i/perHop*perHop+min(i%perHop, 2)-1))
		case !from.root:
			binary.BigEndian.PutUint64(body[p.parent:], spanID(seed, n-1, i+perHop-1))
		}
		start, end := p.times(high, low, at.of(i/perHop, len(from.hops)))
		binary.LittleEndian.PutUint64(body[p.start:], start)
		binary.LittleEndian.PutUint64(body[p.end:], end)
		if p.event != 0 {
			binary.LittleEndian.PutUint64(body[p.event:], end)
		}
		if p.number != 0 {
			digits(body[p.number:p.number+8], low)
		}
		if p.customer != 0 {
			digits(body[p.customer:p.customer+8], customer(low))
		}
	}
	return body
}

// times returns when a span of that trace begins and ends. The low bits of an id vary it from request to request.
func (p *place) times(high, low, base uint64) (start, end uint64) {
	start = base + uint64(p.offset) + low%1_000_000
	return start, start + uint64(p.duration) + high%50_000
}

// digits writes the last decimal digits of n, the lowest first.
func digits(into []byte, n uint64) {
	for i := range into {
		into[i] = '0' + byte(n%10)
		n /= 10
	}
}

// The numbers of the OTLP fields that are written here.
const (
	requestResourceSpans = 1
	resourceSpansResource, resourceSpansScopeSpans,
	scopeSpansScope, scopeSpansSpans = 1, 2, 1, 2
	resourceAttributes, scopeName, scopeVersion                  = 1, 1, 2
	spanTraceID, spanSpanID, spanParentID, spanName, spanKind    = 1, 2, 4, 5, 6
	spanStart, spanEnd, spanAttributes, spanEvents, spanStatus   = 7, 8, 9, 11, 15
	eventTime, eventName, eventAttributes                        = 1, 2, 3
	statusMessage, statusCode                                    = 2, 3
	kindInternal, kindServer, kindClient, statusError            = 1, 2, 3, 2
	keyValueKey, keyValueValue, anyValueString, anyValueIntValue = 1, 2, 1, 3
)

func newTemplate(shape *shape, service, variant, batch int) *template {
	w := &writer{rng: rand.New(rand.NewPCG(uint64(service), uint64(variant))), service: service, variant: variant}
	t := &template{root: service%hops == 0}
	var scope []byte
	scope = message(scope, scopeSpansScope, text(text(nil, scopeName, "io.opentelemetry.auto"), scopeVersion, "2.33.1-alpha"))
	for range batch / shape.spansPerHop {
		w.hop()
		for i := range shape.spansPerHop {
			said := shape.span(w, i)
			if i == 0 {
				t.hops = append(t.hops, hop{said.name, w.failed})
			}
			span, p := w.span(said, i == 0, i != 0 || !t.root)
			scope = protowire.AppendTag(scope, scopeSpansSpans, protowire.BytesType)
			scope = protowire.AppendVarint(scope, uint64(len(span)))
			t.spans = append(t.spans, p.shift(len(scope)))
			scope = append(scope, span...)
		}
	}
	var inRequest int
	t.bytes, inRequest = envelope(w.resource(), scope)
	for i := range t.spans {
		t.spans[i] = t.spans[i].shift(inRequest)
	}
	return t
}

// envelope makes a request of one resource with one scope, and says where the scope's bytes begin in it. The
// fields have the same numbers for all signals.
func envelope(resource, scope []byte) (request []byte, at int) {
	group := message(nil, resourceSpansResource, resource)
	group = protowire.AppendTag(group, resourceSpansScopeSpans, protowire.BytesType)
	group = protowire.AppendVarint(group, uint64(len(scope)))
	at = len(group)
	group = append(group, scope...)
	request = protowire.AppendTag(nil, requestResourceSpans, protowire.BytesType)
	request = protowire.AppendVarint(request, uint64(len(group)))
	return append(request, group...), len(request) + at
}

// shift moves the places of a span that became part of something larger.
func (p place) shift(by int) place {
	p.trace, p.span, p.start, p.end = p.trace+by, p.span+by, p.start+by, p.end+by
	if p.parent != 0 {
		p.parent += by
	}
	if p.event != 0 {
		p.event += by
	}
	if p.number != 0 {
		p.number += by
	}
	if p.customer != 0 {
		p.customer += by
	}
	return p
}

// writer makes up the spans of one template.
type writer struct {
	rng              *rand.Rand
	service, variant int
	offset, took     time.Duration // of the server span at hand
	thread           int
	endpoint         int
	failed           bool
}

// hop begins the next trace.
func (w *writer) hop() {
	w.offset = time.Duration(w.rng.IntN(1_500_000)) * time.Microsecond
	w.took = time.Duration(20 * math.Exp(0.8*w.rng.NormFloat64()) * float64(time.Millisecond))
	w.took = min(w.took, 400*time.Millisecond)
	w.thread = 1 + w.rng.IntN(32)
	w.endpoint = w.rng.IntN(12)
	w.failed = w.rng.IntN(100) == 0
}

func (w *writer) name() string { return serviceName(w.service) }

func serviceName(service int) string {
	return fmt.Sprintf("%s-%02d", words[service%len(words)], service)
}

func (w *writer) resource() []byte {
	pod := fmt.Sprintf("prod-%s-7c9f48cb5d-%05x", w.name(), 0xa1b2c+7919*w.variant)
	var b []byte
	for _, kv := range [][2]string{
		{"service.name", w.name()}, {"service.version", "1.42.1"}, {"service.instance.id", pod}, {"deployment.environment.name", "PRODUCTION"},
		{"host.name", pod}, {"k8s.pod.name", pod}, {"k8s.namespace.name", "load"}, {"os.type", "linux"},
		{"process.runtime.name", "OpenJDK Runtime Environment"}, {"process.runtime.version", "17.0.15+6"},
		{"telemetry.sdk.language", "java"}, {"telemetry.sdk.name", "opentelemetry"}, {"telemetry.sdk.version", "1.67.0"},
	} {
		b = message(b, resourceAttributes, attribute(kv[0], kv[1]))
	}
	return b
}

// span writes what a shape says of a span. Digits at the end of a text are patched when all eight are zeros.
func (w *writer) span(said spanText, server, parent bool) ([]byte, place) {
	p := place{offset: said.offset, duration: said.took}
	var b []byte
	fixed := func(field protowire.Number, size int) int {
		b = protowire.AppendTag(b, field, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(size))
		b = append(b, make([]byte, size)...)
		return len(b) - size
	}
	p.trace, p.span = fixed(spanTraceID, 16), fixed(spanSpanID, 8)
	if parent {
		p.parent = fixed(spanParentID, 8)
	}
	b = text(b, spanName, said.name)
	b = protowire.AppendTag(b, spanKind, protowire.VarintType)
	b = protowire.AppendVarint(b, said.kind)
	b = protowire.AppendTag(b, spanStart, protowire.Fixed64Type)
	p.start = len(b)
	b = protowire.AppendTag(protowire.AppendFixed64(b, 0), spanEnd, protowire.Fixed64Type)
	p.end = len(b)
	b = protowire.AppendFixed64(b, 0)
	for k := 0; k < len(said.attributes); k += 2 {
		key := said.attributes[k].(string)
		b = message(b, spanAttributes, attribute(key, said.attributes[k+1]))
		// The value ends the attribute, and its digits end the value.
		switch value, _ := said.attributes[k+1].(string); {
		case !strings.HasSuffix(value, "00000000"):
		case key == "customer.id":
			p.customer = len(b) - 8
		default:
			p.number = len(b) - 8
		}
	}
	if w.failed && server {
		event := w.exception(w.subject())
		b = message(b, spanEvents, event)
		p.event = len(b) - len(event) + 1 // behind the tag of the time, its first field
		b = message(b, spanStatus, protowire.AppendVarint(protowire.AppendTag(nil, statusCode, protowire.VarintType), statusError))
	}
	return b, p
}

func (w *writer) exception(subject string) []byte {
	b := protowire.AppendFixed64(protowire.AppendTag(nil, eventTime, protowire.Fixed64Type), 0)
	b = text(b, eventName, "exception")
	b = message(b, eventAttributes, attribute("exception.type", "java.lang.IllegalStateException"))
	b = message(b, eventAttributes, attribute("exception.message", "no "+subject+" in this state"))
	return message(b, eventAttributes, attribute("exception.stacktrace", "java.lang.IllegalStateException: no "+subject+" in this state\n\tat com.shop."+subject+".Service.find(Service.java:42)\n\tat java.base/java.lang.Thread.run(Thread.java:840)\n"))
}

// attribute writes a KeyValue with a string or an int.
func attribute(key string, value any) []byte {
	b := text(nil, keyValueKey, key)
	if s, ok := value.(string); ok {
		return message(b, keyValueValue, text(nil, anyValueString, s))
	}
	number := protowire.AppendVarint(protowire.AppendTag(nil, anyValueIntValue, protowire.VarintType), uint64(value.(int)))
	return message(b, keyValueValue, number)
}

func message(b []byte, field protowire.Number, inner []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), inner)
}

func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}
