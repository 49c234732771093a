package load

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// A trace goes through five services, with four spans in each: the request as the server sees it, a method, a
// statement, and the call to the next service. A request carries this for one service of 250 traces; the
// requests of a group, one for each of five services, complete the traces.
const (
	serviceCount = 20
	hops         = 5
	spansPerHop  = 4
	variants     = 4 // pods of a service, each with its own attribute values and durations
)

// templates are the prepared requests.
type templates [serviceCount][variants]*template

// template is the wire form of a request, and where its ids and times are.
type template struct {
	bytes []byte
	spans []place
	root  bool // its traces begin here: the server spans have no parent
}

// place says where the values of a span are in the bytes, and what they are derived from.
type place struct {
	trace, span, parent, start, end int
	event                           int // time of the exception; 0 when there is none
	number                          int // eight digits in a URL path; 0 when there is none
	offset, duration                time.Duration
}

func newTemplates(batch int) *templates {
	t := &templates{}
	for s := range serviceCount {
		for v := range variants {
			t[s][v] = newTemplate(s, v, batch)
		}
	}
	return t
}

// request appends the n-th request of a run to body. Its spans ended within the two seconds before now.
func (t *templates) request(body []byte, seed, n uint64, now time.Time) []byte {
	group := n / hops
	from := t[n%serviceCount][group/(serviceCount/hops)%variants]
	body = append(body, from.bytes...)
	base := uint64(now.Add(-2 * time.Second).UnixNano())
	for i := range from.spans {
		p := &from.spans[i]
		high, low := traceID(seed, group, i/spansPerHop)
		binary.BigEndian.PutUint64(body[p.trace:], high)
		binary.BigEndian.PutUint64(body[p.trace+8:], low)
		binary.BigEndian.PutUint64(body[p.span:], spanID(seed, n, i))
		switch {
		case i%spansPerHop != 0:
			binary.BigEndian.PutUint64(body[p.parent:], spanID(seed, n, i/spansPerHop*spansPerHop+min(i%spansPerHop, 2)-1))
		case !from.root:
			binary.BigEndian.PutUint64(body[p.parent:], spanID(seed, n-1, i+spansPerHop-1))
		}
		// The low bits of an id vary the times from request to request.
		start := base + uint64(p.offset) + low%1_000_000
		binary.LittleEndian.PutUint64(body[p.start:], start)
		end := start + uint64(p.duration) + high%50_000
		binary.LittleEndian.PutUint64(body[p.end:], end)
		if p.event != 0 {
			binary.LittleEndian.PutUint64(body[p.event:], end)
		}
		if p.number != 0 {
			digits(body[p.number:p.number+8], low)
		}
	}
	return body
}

// digits writes eight decimal digits of n.
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

func newTemplate(service, variant, batch int) *template {
	w := &writer{rng: rand.New(rand.NewPCG(uint64(service), uint64(variant))), service: service, variant: variant}
	t := &template{root: service%hops == 0}
	var scope []byte
	scope = message(scope, scopeSpansScope, text(text(nil, scopeName, "io.opentelemetry.auto"), scopeVersion, "2.33.1-alpha"))
	for range batch / spansPerHop {
		w.hop()
		for i := range spansPerHop {
			span, p := w.span(i, i != 0 || !t.root)
			scope = protowire.AppendTag(scope, scopeSpansSpans, protowire.BytesType)
			scope = protowire.AppendVarint(scope, uint64(len(span)))
			t.spans = append(t.spans, p.shift(len(scope)))
			scope = append(scope, span...)
		}
	}
	group := message(nil, resourceSpansResource, w.resource())
	group = protowire.AppendTag(group, resourceSpansScopeSpans, protowire.BytesType)
	group = protowire.AppendVarint(group, uint64(len(scope)))
	inGroup := len(group)
	group = append(group, scope...)
	t.bytes = protowire.AppendTag(nil, requestResourceSpans, protowire.BytesType)
	t.bytes = protowire.AppendVarint(t.bytes, uint64(len(group)))
	inRequest := len(t.bytes) + inGroup
	t.bytes = append(t.bytes, group...)
	for i := range t.spans {
		t.spans[i] = t.spans[i].shift(inRequest)
	}
	return t
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

var (
	words      = [...]string{"order", "payment", "member", "catalog", "stock", "coupon", "review", "delivery", "point", "search"}
	operations = [...]string{"SELECT", "SELECT", "SELECT", "SELECT", "INSERT", "UPDATE", "SELECT", "DELETE"}
)

// hop begins the next trace.
func (w *writer) hop() {
	w.offset = time.Duration(w.rng.IntN(1_500_000)) * time.Microsecond
	w.took = time.Duration(20 * math.Exp(0.8*w.rng.NormFloat64()) * float64(time.Millisecond))
	w.took = min(w.took, 400*time.Millisecond)
	w.thread = 1 + w.rng.IntN(32)
	w.endpoint = w.rng.IntN(12)
	w.failed = w.rng.IntN(100) == 0
}

func (w *writer) name() string {
	return fmt.Sprintf("%s-%02d", words[w.service%len(words)], w.service)
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

// span writes the i-th span of the hop.
func (w *writer) span(i int, parent bool) ([]byte, place) {
	subject := words[(w.service+w.endpoint)%len(words)]
	path := fmt.Sprintf("/v1/api/%ss/%02d", subject, w.endpoint)
	status := 200
	if w.failed {
		status = 500
	}
	thread := []any{"thread.id", 30 + w.thread, "thread.name", fmt.Sprintf("http-nio-8080-exec-%d", w.thread)}
	var name, numbered string
	var kind uint64
	var attributes []any
	offset, took := w.offset, w.took
	switch i {
	case 0:
		name, kind, numbered = "GET "+path+"/{id}", kindServer, path+"/00000000"
		attributes = []any{"http.request.method", "GET", "url.path", numbered, "http.route", path + "/{id}", "http.response.status_code", status,
			"server.address", w.name() + ".load.svc.cluster.local", "client.address", fmt.Sprintf("10.42.%d.%d", w.service, 2+w.thread), "user_agent.original", "Java-http-client/17.0.15"}
	case 1:
		class := fmt.Sprintf("com.shop.%s.service.%sService%02d", subject, subject, w.endpoint)
		name, kind = fmt.Sprintf("%sService%02d.find", subject, w.endpoint), kindInternal
		offset, took = offset+took/20, took*9/10
		attributes = []any{"code.function.name", class + ".find", "code.file.path", subject + "Service.java", "code.line.number", 40 + w.endpoint,
			"app.tenant", "shop", "app.feature", subject, "app.cache", "miss", "app.attempt", 1}
	case 2:
		verb := operations[w.endpoint%len(operations)]
		name, kind = fmt.Sprintf("%s shop.tb_%s", verb, subject), kindClient
		offset, took = offset+took/10, took/2
		attributes = []any{"db.system", "mysql", "db.name", "shop", "db.operation", verb, "db.sql.table", "tb_" + subject, "db.statement", statement(verb, subject, w.endpoint),
			"server.address", subject + "-db.load.internal", "server.port", 3306}
	default:
		next := fmt.Sprintf("%s-%02d.load.svc.cluster.local", words[(w.service+1)%len(words)], (w.service+1)%serviceCount)
		name, kind, numbered = "GET", kindClient, "http://"+next+":8080"+path+"/00000000"
		offset, took = offset+took*6/10, took*3/10
		attributes = []any{"http.request.method", "GET", "url.full", numbered, "server.address", next, "server.port", 8080, "http.response.status_code", status,
			"network.protocol.version", "1.1", "network.peer.address", fmt.Sprintf("10.43.%d.%d", w.service, 1+w.endpoint)}
	}
	attributes = append(attributes, thread...)

	p := place{offset: offset, duration: took}
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
	b = text(b, spanName, name)
	b = protowire.AppendTag(b, spanKind, protowire.VarintType)
	b = protowire.AppendVarint(b, kind)
	b = protowire.AppendTag(b, spanStart, protowire.Fixed64Type)
	p.start = len(b)
	b = protowire.AppendTag(protowire.AppendFixed64(b, 0), spanEnd, protowire.Fixed64Type)
	p.end = len(b)
	b = protowire.AppendFixed64(b, 0)
	for k := 0; k < len(attributes); k += 2 {
		b = message(b, spanAttributes, attribute(attributes[k].(string), attributes[k+1]))
		if attributes[k+1] == numbered {
			p.number = len(b) - 8 // the value ends the attribute, and its digits end the value
		}
	}
	if w.failed && i == 0 {
		event := w.exception(subject)
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

// statement is one of about 240 in a run, sanitised as the agent does.
func statement(verb, subject string, endpoint int) string {
	table := "tb_" + subject
	switch verb {
	case "INSERT":
		return fmt.Sprintf("INSERT INTO %s (%s_no, member_no, status_%02d, created_at) VALUES (?, ?, ?, ?)", table, subject, endpoint)
	case "UPDATE":
		return fmt.Sprintf("UPDATE %s SET status_%02d = ?, updated_at = ? WHERE %s_no = ?", table, endpoint, subject)
	case "DELETE":
		return fmt.Sprintf("DELETE FROM %s WHERE %s_no = ? AND version_%02d = ?", table, subject, endpoint)
	default:
		return fmt.Sprintf("SELECT a.%[1]s_no, a.member_no, a.status_%02[2]d, b.name FROM tb_%[1]s a JOIN tb_%[1]s_detail b ON b.%[1]s_no = a.%[1]s_no WHERE a.member_no = ? AND a.status_%02[2]d IN (?, ?, ?) ORDER BY a.created_at DESC LIMIT ?", subject, endpoint)
	}
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
