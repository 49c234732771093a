package trace

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// conventions returns the attributes of the span that have a column, under the
// newest name of their convention.
func (s *Span) conventions() map[string]string {
	all := map[string]string{}
	set := func(key, value string) {
		if value != "" {
			all[key] = value
		}
	}
	number := func(key string, n int) {
		if n != 0 {
			all[key] = strconv.Itoa(n)
		}
	}
	if h := s.HTTP; h != nil {
		set("http.request.method", h.Method)
		set("http.route", h.Route)
		number("http.response.status_code", h.Status)
		if strings.Contains(h.URL, "://") {
			set("url.full", h.URL)
		} else {
			path, query, _ := strings.Cut(h.URL, "?")
			set("url.path", path)
			set("url.query", query)
		}
	}
	set("rpc.method", s.RPC) // "service/method", as newer senders write it
	set("messaging.destination.name", s.Messaging)
	if db := s.DB; db != nil {
		set("db.system.name", db.System)
		set("db.namespace", db.Name)
		set("db.operation.name", db.Operation)
		set("db.query.text", db.Statement)
		number("db.response.returned_rows", int(db.Rows))
	}
	address, port := s.Peer, ""
	if at := strings.LastIndexByte(s.Peer, ':'); at > 0 && len(s.Peer[at+1:]) <= 5 {
		if _, err := strconv.ParseUint(s.Peer[at+1:], 10, 16); err == nil {
			address, port = s.Peer[:at], s.Peer[at+1:]
		}
	}
	set("server.address", address)
	set("server.port", port)
	return all
}

// numbers are the attributes that OTLP carries as integers.
var numbers = map[string]bool{"http.response.status_code": true, "db.response.returned_rows": true, "server.port": true}

// The JSON encoding of OTLP, as far as it is needed.
// Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
type (
	otlpTrace struct {
		ResourceSpans []*otlpResource `json:"resourceSpans"`
	}
	otlpResource struct {
		Resource   otlpAttributes `json:"resource"`
		ScopeSpans []*otlpScope   `json:"scopeSpans"`
	}
	otlpAttributes struct {
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpScope struct {
		Scope struct {
			Name string `json:"name,omitempty"`
		} `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpSpan struct {
		TraceID      string          `json:"traceId"`
		SpanID       string          `json:"spanId"`
		ParentSpanID string          `json:"parentSpanId,omitempty"`
		Name         string          `json:"name"`
		Kind         uint8           `json:"kind"`
		Start        string          `json:"startTimeUnixNano"`
		End          string          `json:"endTimeUnixNano"`
		Attributes   []otlpAttribute `json:"attributes"`
		Events       []otlpEvent     `json:"events,omitempty"`
		Links        []otlpLink      `json:"links,omitempty"`
		Status       otlpStatus      `json:"status"`
		Dropped      int             `json:"droppedAttributesCount,omitempty"`
	}
	otlpEvent struct {
		Time       string          `json:"timeUnixNano"`
		Name       string          `json:"name"`
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpLink struct {
		TraceID    string          `json:"traceId"`
		SpanID     string          `json:"spanId"`
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpStatus struct {
		Code    uint8  `json:"code"`
		Message string `json:"message,omitempty"`
	}
	otlpAttribute struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpValue struct {
		String *string `json:"stringValue,omitempty"`
		Int    *string `json:"intValue,omitempty"`
	}
)

// scopeKey is where a Span keeps the name of its instrumentation library.
const scopeKey = "otel.scope.name"

// OTLP returns the trace in the JSON encoding of OTLP, which any OpenTelemetry
// Collector takes. What was stored is all there; that a value was a number or a
// list is known only of those with a column, the others are texts.
func (t *Trace) OTLP() ([]byte, error) {
	out := otlpTrace{ResourceSpans: []*otlpResource{}}
	resources, scopes := map[string]*otlpResource{}, map[string]*otlpScope{}
	for i := range t.Spans {
		s := &t.Spans[i]
		of := otlpOf(s.Resource)
		key, err := json.Marshal(of)
		if err != nil {
			return nil, fmt.Errorf("encode resource: %w", err)
		}
		resource := resources[string(key)]
		if resource == nil {
			resource = &otlpResource{Resource: otlpAttributes{of}}
			resources[string(key)] = resource
			out.ResourceSpans = append(out.ResourceSpans, resource)
		}
		name := s.Attributes[scopeKey]
		scope := scopes[string(key)+name]
		if scope == nil {
			scope = &otlpScope{}
			scope.Scope.Name = name
			scopes[string(key)+name] = scope
			resource.ScopeSpans = append(resource.ScopeSpans, scope)
		}
		scope.Spans = append(scope.Spans, t.otlp(s))
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode trace: %w", err)
	}
	return text, nil
}

func (t *Trace) otlp(s *Span) otlpSpan {
	attributes := s.conventions()
	for key, value := range s.Attributes {
		if key != scopeKey {
			attributes[key] = value
		}
	}
	start := s.Start.UnixNano()
	out := otlpSpan{
		TraceID: t.TraceID.String(), SpanID: s.SpanID.String(), ParentSpanID: s.ParentID.String(), Name: s.Name, Kind: uint8(s.Kind),
		Start: nano(start), End: nano(start + s.DurationNs), Attributes: otlpOf(attributes),
		Status: otlpStatus{uint8(s.Status), s.StatusMessage}, Dropped: s.Dropped,
	}
	for _, e := range s.Events {
		out.Events = append(out.Events, otlpEvent{nano(start - s.StartOffsetNs + e.OffsetNs), e.Name, otlpOf(texts(e.Attributes))})
	}
	for _, l := range s.Links {
		out.Links = append(out.Links, otlpLink{l.TraceID.String(), l.SpanID.String(), otlpOf(texts(l.Attributes))})
	}
	return out
}

func nano(ns int64) string { return strconv.FormatInt(ns, 10) }

func texts(values map[string]any) map[string]string {
	out := make(map[string]string, len(values))
	for key, value := range values {
		out[key] = fmt.Sprint(value)
	}
	return out
}

func otlpOf(attributes map[string]string) []otlpAttribute {
	out := make([]otlpAttribute, 0, len(attributes))
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[key]
		if numbers[key] {
			out = append(out, otlpAttribute{key, otlpValue{Int: &value}})
		} else {
			out = append(out, otlpAttribute{key, otlpValue{String: &value}})
		}
	}
	return out
}
