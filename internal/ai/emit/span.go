package emit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/matrix-aiops/matrix/internal/ai"
)

func (e *Emitter) resource() *resource.Resource {
	return &resource.Resource{Attributes: attributes(nil).
		text("service.name", Service).text("service.instance.id", e.opts.Instance).text("service.version", e.opts.Version)}
}

var scope = &common.InstrumentationScope{Name: "matrix/ai"}

func (e *Emitter) spans(calls []noted) []*trace.ResourceSpans {
	spans := make([]*trace.Span, 0, 2*len(calls))
	for i := range calls {
		spans = append(spans, ofCall(&calls[i])...)
	}
	return []*trace.ResourceSpans{{Resource: e.resource(), ScopeSpans: []*trace.ScopeSpans{{Scope: scope, Spans: spans}}}}
}

// TraceID is that of the trace of a call that was made in no trace: its id.
func TraceID(callID string) (id [16]byte) {
	if b, err := hex.DecodeString(callID); err == nil && len(b) == len(id) {
		return [16]byte(b)
	}
	sum := sha256.Sum256([]byte(callID)) // a caller may name its call as it likes
	return [16]byte(sum[:])
}

// ofCall makes a span of the call and one below it for each question to a model.
func ofCall(n *noted) []*trace.Span {
	c := &n.call
	own := TraceID(c.CallID)
	traceID, parent := own[:], []byte(nil)
	if n.parent != (ai.TraceContext{}) {
		traceID, parent = n.parent.TraceID[:], n.parent.SpanID[:]
	}
	first := binary.BigEndian.Uint64(own[8:])
	spanID := func(i int) []byte {
		id := first + uint64(i)
		if id == 0 { // is none
			id = 1 << 63
		}
		return binary.BigEndian.AppendUint64(nil, id)
	}
	operation, what := c.Operation, c.Role
	if what == "" {
		what = c.Model
	}
	root := &trace.Span{TraceId: traceID, SpanId: spanID(0), ParentSpanId: parent, Name: operation + " " + what, Kind: trace.Span_SPAN_KIND_SERVER, Status: &trace.Status{}}
	during(root, c.At, c.LatencyMs)
	a := attributes(nil).text("gen_ai.operation.name", operation).text("gen_ai.provider.name", c.Provider).text("gen_ai.request.model", c.Model).
		text("matrix.call.id", c.CallID).text("matrix.role.code", c.Role).text("matrix.role.label", c.Label).
		text("matrix.caller.kind", c.CallerKind).text("matrix.caller.name", c.CallerName).integer("matrix.overhead_us", c.OverheadUs)
	if c.RoleVersion > 0 {
		a = a.integer("matrix.role.version", int64(c.RoleVersion))
	}
	if c.Finish != "" {
		a = a.texts("gen_ai.response.finish_reasons", []string{c.Finish})
	}
	if c.Status != ai.CallOK {
		a = a.text("error.type", c.Status)
		root.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: c.Error}
	}
	root.Attributes = a.usage(c.Usage)
	spans := []*trace.Span{root}
	for i := range c.Attempts {
		if c.Attempts[i].Status == ai.AttemptSkipped { // nothing was sent
			continue
		}
		s := ofAttempt(&c.Attempts[i], operation, i+1)
		s.TraceId, s.SpanId, s.ParentSpanId = traceID, spanID(i+1), root.SpanId
		spans = append(spans, s)
	}
	return spans
}

func ofAttempt(a *ai.Attempt, operation string, number int) *trace.Span {
	s := &trace.Span{Name: operation + " " + a.Model, Kind: trace.Span_SPAN_KIND_CLIENT, Status: &trace.Status{}}
	during(s, a.At, a.LatencyMs)
	// The provider's name and not its host: it is what the service map shows.
	list := attributes(nil).text("gen_ai.operation.name", operation).text("gen_ai.provider.name", a.Provider).text("server.address", a.Provider).
		text("gen_ai.request.model", a.Model).text("gen_ai.response.model", a.ServedModel).integer("matrix.attempt.number", int64(number)).text("matrix.attempt.key", a.Key)
	if a.Repair {
		list = list.text("matrix.attempt.repair", "true")
	}
	if a.FirstTokenMs > 0 {
		list = list.integer("matrix.first_token_ms", a.FirstTokenMs)
	}
	if a.Status != ai.AttemptOK {
		list = list.text("error.type", errorType(a))
		s.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: a.Error}
	}
	s.Attributes = list.usage(a.Usage)
	return s
}

// errorType is why an attempt gave no answer, "" when it did.
func errorType(a *ai.Attempt) string {
	switch {
	case a.Status == ai.AttemptOK:
		return ""
	case a.Class != "":
		return string(a.Class)
	}
	return a.Status
}

func during(s *trace.Span, at time.Time, ms int64) {
	s.StartTimeUnixNano = uint64(at.UnixNano())
	s.EndTimeUnixNano = uint64(at.UnixNano() + ms*int64(time.Millisecond))
}

// attributes are a list under construction.
type attributes []*common.KeyValue

// text adds a text that is not empty.
func (a attributes) text(key, value string) attributes {
	if value == "" {
		return a
	}
	return append(a, &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}})
}

func (a attributes) integer(key string, value int64) attributes {
	return append(a, &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}})
}

func (a attributes) texts(key string, values []string) attributes {
	list := &common.ArrayValue{}
	for _, v := range values {
		list.Values = append(list.Values, &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}})
	}
	return append(a, &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: list}}})
}

func (a attributes) usage(u ai.Usage) attributes {
	if u.InputTokens+u.OutputTokens > 0 {
		a = a.integer("gen_ai.usage.input_tokens", u.InputTokens).integer("gen_ai.usage.output_tokens", u.OutputTokens)
	}
	if u.CachedTokens > 0 {
		a = a.integer("gen_ai.usage.cache_read.input_tokens", u.CachedTokens)
	}
	if u.CostUSD != nil {
		a = append(a, &common.KeyValue{Key: "matrix.cost_usd", Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: *u.CostUSD}}})
	}
	return a
}
