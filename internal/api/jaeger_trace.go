package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// JaegerTrace is a trace as Jaeger's UI reads it. Times are microseconds.
type JaegerTrace struct {
	TraceID   string                   `json:"traceID"`
	Spans     []JaegerSpan             `json:"spans"`
	Processes map[string]JaegerProcess `json:"processes"`
	Warnings  []string                 `json:"warnings"`
}

// JaegerSpan is a span; its process is one of its trace's.
type JaegerSpan struct {
	TraceID       string            `json:"traceID"`
	SpanID        string            `json:"spanID"`
	Flags         int               `json:"flags"`
	OperationName string            `json:"operationName"`
	References    []JaegerReference `json:"references"`
	StartTime     int64             `json:"startTime"`
	Duration      int64             `json:"duration"`
	Tags          []JaegerTag       `json:"tags"`
	Logs          []JaegerLog       `json:"logs"`
	ProcessID     string            `json:"processID"`
	Warnings      []string          `json:"warnings"`
}

// JaegerReference is a parent or a link.
type JaegerReference struct {
	RefType string `json:"refType" enum:"CHILD_OF,FOLLOWS_FROM"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

// JaegerProcess is what sent a span: its service and the rest of its resource.
type JaegerProcess struct {
	ServiceName string      `json:"serviceName"`
	Tags        []JaegerTag `json:"tags"`
}

// JaegerTag is an attribute with its type.
type JaegerTag struct {
	Key   string `json:"key"`
	Type  string `json:"type" enum:"string,bool,int64,float64"`
	Value any    `json:"value"`
}

// JaegerLog is an event.
type JaegerLog struct {
	Timestamp int64       `json:"timestamp"`
	Fields    []JaegerTag `json:"fields"`
}

// jaegerTrace turns a trace into Jaeger's form.
func jaegerTrace(t *trace.Trace) JaegerTrace {
	out := JaegerTrace{TraceID: t.TraceID.String(), Spans: make([]JaegerSpan, len(t.Spans)), Processes: map[string]JaegerProcess{}, Warnings: []string{}}
	if t.Truncated {
		out.Warnings = append(out.Warnings, fmt.Sprintf("only the first %d spans of this trace are here", len(t.Spans)))
	}
	byID := make(map[trace.SpanID]*trace.Span, len(t.Spans))
	for i := range t.Spans {
		byID[t.Spans[i].SpanID] = &t.Spans[i]
	}
	processes := map[string]string{}
	for i := range t.Spans {
		span := &t.Spans[i]
		process := jaegerProcess(span)
		key := fmt.Sprint(process)
		id, known := processes[key]
		if !known {
			id = "p" + strconv.Itoa(len(processes)+1)
			processes[key], out.Processes[id] = id, process
		}
		out.Spans[i] = jaegerSpan(t, span, byID[span.ParentID])
		out.Spans[i].ProcessID = id
	}
	return out
}

func jaegerProcess(s *trace.Span) JaegerProcess {
	process := JaegerProcess{ServiceName: s.Service, Tags: []JaegerTag{}}
	for _, key := range slices.Sorted(maps.Keys(s.Resource)) {
		if key != "service.name" {
			process.Tags = append(process.Tags, jaegerTag(key, s.Resource[key]))
		}
	}
	return process
}

// jaegerSpan turns a span into Jaeger's form; parent is nil when it is not stored.
func jaegerSpan(t *trace.Trace, s, parent *trace.Span) JaegerSpan {
	out := JaegerSpan{
		TraceID: t.TraceID.String(), SpanID: s.SpanID.String(), Flags: 1, OperationName: s.Name, References: []JaegerReference{},
		StartTime: s.Start.UnixMicro(), Duration: time.Duration(s.DurationNs).Microseconds(), Tags: jaegerTags(s), Logs: []JaegerLog{}, Warnings: []string{},
	}
	if s.ParentID != 0 {
		out.References = append(out.References, JaegerReference{"CHILD_OF", out.TraceID, s.ParentID.String()})
	}
	for _, l := range s.Links {
		out.References = append(out.References, JaegerReference{"FOLLOWS_FROM", l.TraceID.String(), l.SpanID.String()})
	}
	for _, e := range s.Events {
		log := JaegerLog{Timestamp: t.Start.Add(time.Duration(e.OffsetNs)).UnixMicro(), Fields: []JaegerTag{{"event", "string", e.Name}}}
		for _, key := range slices.Sorted(maps.Keys(e.Attributes)) {
			log.Fields = append(log.Fields, jaegerTag(key, text(e.Attributes[key])))
		}
		out.Logs = append(out.Logs, log)
	}
	if s.Dropped > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d attributes, events or links were cut", s.Dropped))
	}
	// Jaeger moves such spans; here they stay where their own clock put them.
	if parent != nil && parent.Service != s.Service && s.Start.Before(parent.Start) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("clock skew: this span begins %s before its parent", parent.Start.Sub(s.Start)))
	}
	return out
}

func text(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(encoded)
}

// jaegerTags are the attributes of a span, those that have a column of their own
// under the names of today's semantic conventions, and what OpenTelemetry says
// a span's kind and status become in Jaeger.
func jaegerTags(s *trace.Span) []JaegerTag {
	all := maps.Clone(s.Attributes)
	set := func(key, value string) {
		if value != "" {
			all[key] = value
		}
	}
	number := func(key string, n uint64) {
		if n != 0 {
			all[key] = strconv.FormatUint(n, 10)
		}
	}
	if h := s.HTTP; h != nil {
		set("http.request.method", h.Method)
		set("http.route", h.Route)
		number("http.response.status_code", uint64(h.Status))
		if strings.Contains(h.URL, "://") {
			set("url.full", h.URL)
		} else {
			path, query, _ := strings.Cut(h.URL, "?")
			set("url.path", path)
			set("url.query", query)
		}
	}
	if d := s.DB; d != nil {
		set("db.system.name", d.System)
		set("db.namespace", d.Name)
		set("db.operation.name", d.Operation)
		set("db.query.text", d.Statement)
		number("db.response.returned_rows", d.Rows)
	}
	if service, method, found := strings.Cut(s.RPC, "/"); found {
		set("rpc.service", service)
		set("rpc.method", method)
	} else {
		set("rpc.method", s.RPC)
	}
	set("messaging.destination.name", s.Messaging)
	address, port := s.Peer, ""
	if at := strings.LastIndexByte(s.Peer, ':'); at >= 0 {
		if _, err := strconv.ParseUint(s.Peer[at+1:], 10, 16); err == nil {
			address, port = s.Peer[:at], s.Peer[at+1:]
		}
	}
	set("server.address", address)
	set("server.port", port)

	tags := make([]JaegerTag, 0, len(all)+4)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		tags = append(tags, jaegerTag(key, all[key]))
	}
	tags = append(tags, JaegerTag{"span.kind", "string", s.Kind.String()})
	switch s.Status {
	case trace.StatusOK:
		tags = append(tags, JaegerTag{"otel.status_code", "string", "OK"})
	case trace.StatusError:
		tags = append(tags, JaegerTag{"otel.status_code", "string", "ERROR"}, JaegerTag{"error", "bool", true})
	}
	if s.StatusMessage != "" {
		tags = append(tags, JaegerTag{"otel.status_description", "string", s.StatusMessage})
	}
	return tags
}

// exactInteger is the largest integer that a browser reads exactly.
const exactInteger = 1 << 53

// jaegerTag gives a value the type that it is written like: attributes are
// stored as texts. A number that would not be written back the same stays one.
func jaegerTag(key, value string) JaegerTag {
	switch value {
	case "true", "false":
		return JaegerTag{key, "bool", value == "true"}
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && strconv.FormatInt(n, 10) == value && -exactInteger <= n && n <= exactInteger {
		return JaegerTag{key, "int64", n}
	}
	if f, err := strconv.ParseFloat(value, 64); err == nil && strings.Contains(value, ".") && strconv.FormatFloat(f, 'f', -1, 64) == value {
		return JaegerTag{key, "float64", f}
	}
	return JaegerTag{key, "string", value}
}
