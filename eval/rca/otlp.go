package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"

	logsrv "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricsrv "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracesrv "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	metricsv1 "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// sender sends a recording to MATRIX as OTLP, each thing at the time it has.
type sender struct{ endpoint, key string }

func (s sender) send(ctx context.Context, signal string, request proto.Message) error {
	body, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint+"/v1/"+signal, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("X-Matrix-Key", s.key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || len(answer) > 2 { // more is a partial success: something was refused
		return fmt.Errorf("MATRIX answered %s with %s: %q", signal, response.Status, answer)
	}
	return nil
}

func text(key, value string) *commonv1.KeyValue {
	return &commonv1.KeyValue{Key: key, Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: value}}}
}

// resource is what a pod says of itself.
func resource(pod string) *resourcev1.Resource {
	return &resourcev1.Resource{Attributes: []*commonv1.KeyValue{text("service.name", serviceOf(pod)), text("service.instance.id", pod), text("k8s.pod.name", pod)}}
}

// minute sends the spans and the log records of a minute.
func (s sender) minute(ctx context.Context, m minute) error {
	spans, err := spansOf(m.spans)
	if err != nil {
		return err
	}
	if err := s.send(ctx, "traces", &tracesrv.ExportTraceServiceRequest{ResourceSpans: spans}); err != nil {
		return err
	}
	records, err := recordsOf(m.logs)
	if err != nil || len(records) == 0 {
		return err
	}
	return s.send(ctx, "logs", &logsrv.ExportLogsServiceRequest{ResourceLogs: records})
}

// spansOf reads a file of spans. It tells no kinds: a span that another pod's is
// above of serves it, and that one is its client.
func spansOf(path string) ([]*tracev1.ResourceSpans, error) {
	byPod := map[string]*tracev1.ScopeSpans{}
	type id [24]byte
	type seen struct {
		span *tracev1.Span
		pod  string
	}
	all := map[id]seen{}
	err := rows(path, []string{"TraceID", "SpanID", "ParentID", "PodName", "OperationName", "StartTimeUnixNano", "EndTimeUnixNano"}, func(v []string) error {
		trace, err := hex.DecodeString(v[0])
		if err != nil || len(trace) != 16 {
			return fmt.Errorf("trace id %q", v[0])
		}
		span, err := hex.DecodeString(v[1])
		if err != nil || len(span) != 8 {
			return fmt.Errorf("span id %q", v[1])
		}
		var parent []byte
		if v[2] != "root" && v[2] != "" {
			if parent, err = hex.DecodeString(v[2]); err != nil || len(parent) != 8 {
				return fmt.Errorf("parent id %q", v[2])
			}
		}
		start, err := strconv.ParseUint(v[5], 10, 64)
		if err != nil {
			return err
		}
		end, err := strconv.ParseUint(v[6], 10, 64)
		if err != nil {
			return err
		}
		scope := byPod[v[3]]
		if scope == nil {
			scope = &tracev1.ScopeSpans{}
			byPod[v[3]] = scope
		}
		made := &tracev1.Span{TraceId: trace, SpanId: span, ParentSpanId: parent, Name: v[4], StartTimeUnixNano: start, EndTimeUnixNano: max(start, end), Kind: tracev1.Span_SPAN_KIND_INTERNAL}
		scope.Spans = append(scope.Spans, made)
		all[id(append(bytes.Clone(trace), span...))] = seen{made, v[3]}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if len(s.span.ParentSpanId) == 0 {
			s.span.Kind = tracev1.Span_SPAN_KIND_SERVER
			continue
		}
		above, known := all[id(append(bytes.Clone(s.span.TraceId), s.span.ParentSpanId...))]
		if known && above.pod != s.pod {
			s.span.Kind = tracev1.Span_SPAN_KIND_SERVER
			if above.span.Kind == tracev1.Span_SPAN_KIND_INTERNAL {
				above.span.Kind = tracev1.Span_SPAN_KIND_CLIENT
			}
		}
	}
	var requests []*tracev1.ResourceSpans
	for pod, scope := range byPod {
		requests = append(requests, &tracev1.ResourceSpans{Resource: resource(pod), ScopeSpans: []*tracev1.ScopeSpans{scope}})
	}
	return requests, nil
}

var severity = regexp.MustCompile(`\b(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b`)

var severities = map[string]logsv1.SeverityNumber{
	"TRACE": logsv1.SeverityNumber_SEVERITY_NUMBER_TRACE, "DEBUG": logsv1.SeverityNumber_SEVERITY_NUMBER_DEBUG, "INFO": logsv1.SeverityNumber_SEVERITY_NUMBER_INFO,
	"WARN": logsv1.SeverityNumber_SEVERITY_NUMBER_WARN, "ERROR": logsv1.SeverityNumber_SEVERITY_NUMBER_ERROR, "FATAL": logsv1.SeverityNumber_SEVERITY_NUMBER_FATAL,
}

// recordsOf reads a file of log records. Each holds what the container's runtime
// wrote around the line, which is taken off as a Collector does.
func recordsOf(path string) ([]*logsv1.ResourceLogs, error) {
	byPod := map[string]*logsv1.ScopeLogs{}
	err := rows(path, []string{"TimeUnixNano", "PodName", "TraceID", "SpanID", "Log"}, func(v []string) error {
		at, err := strconv.ParseUint(v[0], 10, 64)
		if err != nil { // a few lines have the zero time instead, and so are of no minute
			return nil //nolint:nilerr // as said
		}
		line := v[4]
		var container struct {
			Log string `json:"log"`
		}
		if json.Unmarshal([]byte(line), &container) == nil && container.Log != "" {
			line = container.Log
		}
		record := &logsv1.LogRecord{TimeUnixNano: at, Body: &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: strings.TrimRight(line, "\n")}}}
		if trace, err := hex.DecodeString(v[2]); err == nil && len(trace) == 16 { // other lines are of no trace
			record.TraceId = trace
			if span, err := hex.DecodeString(v[3]); err == nil && len(span) == 8 {
				record.SpanId = span
			}
		}
		if level := severity.FindString(line); level != "" {
			record.SeverityText, record.SeverityNumber = level, severities[level]
		}
		scope := byPod[v[1]]
		if scope == nil {
			scope = &logsv1.ScopeLogs{}
			byPod[v[1]] = scope
		}
		scope.LogRecords = append(scope.LogRecords, record)
		return nil
	})
	if errors.Is(err, os.ErrNotExist) { // a minute without logs
		return nil, nil
	}
	var requests []*logsv1.ResourceLogs
	for pod, scope := range byPod {
		requests = append(requests, &logsv1.ResourceLogs{Resource: resource(pod), ScopeLogs: []*logsv1.ScopeLogs{scope}})
	}
	return requests, err
}

// gauges are the columns of a pod's metrics with the names that the Collector's
// kubeletstats receiver has for them, and by how much they are multiplied.
var gauges = []struct {
	column, name, unit string
	factor             float64
}{
	{"CpuUsage(m)", "k8s.pod.cpu.usage", "{cpu}", 1e-3},
	{"CpuUsageRate(%)", "k8s.pod.cpu_limit_utilization", "1", 1e-2},
	{"MemoryUsage(Mi)", "k8s.pod.memory.usage", "By", 1 << 20},
	{"MemoryUsageRate(%)", "k8s.pod.memory_limit_utilization", "1", 1e-2},
}

// podMetrics sends a file of metrics.
func (s sender) podMetrics(ctx context.Context, path string) error {
	columns := []string{"TimeStamp", "PodName"}
	for _, g := range gauges {
		columns = append(columns, g.column)
	}
	points := make([][]*metricsv1.NumberDataPoint, len(gauges))
	pod := ""
	err := rows(path, columns, func(v []string) error {
		at, err := strconv.ParseUint(v[0], 10, 64)
		if err != nil {
			return err
		}
		pod = v[1]
		for i, g := range gauges {
			value, err := strconv.ParseFloat(v[2+i], 64)
			if err != nil || value != value {
				continue // it was not measured
			}
			points[i] = append(points[i], &metricsv1.NumberDataPoint{TimeUnixNano: at * 1e9, Value: &metricsv1.NumberDataPoint_AsDouble{AsDouble: value * g.factor}})
		}
		return nil
	})
	if err != nil || pod == "" {
		return err
	}
	scope := &metricsv1.ScopeMetrics{}
	for i, g := range gauges {
		scope.Metrics = append(scope.Metrics, &metricsv1.Metric{Name: g.name, Unit: g.unit, Data: &metricsv1.Metric_Gauge{Gauge: &metricsv1.Gauge{DataPoints: points[i]}}})
	}
	return s.send(ctx, "metrics", &metricsrv.ExportMetricsServiceRequest{ResourceMetrics: []*metricsv1.ResourceMetrics{{Resource: resource(pod), ScopeMetrics: []*metricsv1.ScopeMetrics{scope}}}})
}
