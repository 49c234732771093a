package shop

import (
	"cmp"
	"slices"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// records are spans waiting for their end, and log records waiting for their time.
type records []record

func (r *records) add(more ...record) { *r = append(*r, more...) }

// maxRequest is the number of spans or log records in a request, as collectors batch them.
const maxRequest = 2000

// schema is the version of the conventions that the requests name.
const schema = "https://opentelemetry.io/schemas/1.24.0"

// take removes what ended by now and returns it as requests, each a TracesData or a LogsData.
func (r *records) take(now time.Time) []proto.Message {
	var spans, logs []record
	kept := (*r)[:0]
	for _, rec := range *r {
		switch {
		case rec.end.After(now):
			kept = append(kept, rec)
		case rec.log != nil:
			logs = append(logs, rec)
		default:
			spans = append(spans, rec)
		}
	}
	clear((*r)[len(kept):])
	*r = kept

	var requests []proto.Message
	for batch := range batches(spans) {
		requests = append(requests, traces(batch))
	}
	for batch := range batches(logs) {
		requests = append(requests, logRecords(batch))
	}
	return requests
}

// batches cuts what ended, in the order of its end, into the sizes of requests; each is ordered by pod and scope.
func batches(ended []record) func(func([]record) bool) {
	slices.SortStableFunc(ended, func(a, b record) int { return a.end.Compare(b.end) })
	return func(yield func([]record) bool) {
		for batch := range slices.Chunk(ended, maxRequest) {
			slices.SortStableFunc(batch, func(a, b record) int {
				return cmp.Or(cmp.Compare(a.pod.order, b.pod.order), cmp.Compare(a.scope, b.scope))
			})
			if !yield(batch) {
				return
			}
		}
	}
}

// traces is a request of spans, by resource and scope.
func traces(spans []record) *tracepb.TracesData {
	data := &tracepb.TracesData{}
	var last record
	var resource *tracepb.ResourceSpans
	var scope *tracepb.ScopeSpans
	for _, rec := range spans {
		if rec.pod != last.pod {
			resource = &tracepb.ResourceSpans{Resource: rec.pod.resource, SchemaUrl: schema}
			data.ResourceSpans = append(data.ResourceSpans, resource)
		}
		if rec.pod != last.pod || rec.scope != last.scope {
			scope = &tracepb.ScopeSpans{Scope: &commonpb.InstrumentationScope{Name: rec.scope, Version: rec.pod.scopeVersion()}}
			resource.ScopeSpans = append(resource.ScopeSpans, scope)
		}
		scope.Spans = append(scope.Spans, rec.span)
		last = rec
	}
	return data
}

// logRecords is a request of log records, by resource and scope. A Java logger is a scope without a version.
func logRecords(lines []record) *logspb.LogsData {
	data := &logspb.LogsData{}
	var last record
	var resource *logspb.ResourceLogs
	var scope *logspb.ScopeLogs
	for _, rec := range lines {
		if rec.pod != last.pod {
			resource = &logspb.ResourceLogs{Resource: rec.pod.resource, SchemaUrl: schema}
			data.ResourceLogs = append(data.ResourceLogs, resource)
		}
		if rec.pod != last.pod || rec.scope != last.scope {
			scope = &logspb.ScopeLogs{Scope: &commonpb.InstrumentationScope{Name: rec.scope}}
			if rec.pod.language == "nodejs" {
				scope.Scope.Version = rec.pod.scopeVersion()
			}
			resource.ScopeLogs = append(resource.ScopeLogs, scope)
		}
		scope.LogRecords = append(scope.LogRecords, rec.log)
		last = rec
	}
	return data
}
