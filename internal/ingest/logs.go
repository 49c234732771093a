package ingest

import (
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/project"
)

// logSignal is the signal of log records.
var logSignal = signal{
	name: "logs", items: "log records", rate: project.Logs,
	method:  "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
	request: func() proto.Message { return &collector.ExportLogsServiceRequest{} },
	ids: func(tree any) {
		each(tree, "resourceLogs", "resource_logs", func(resource any) {
			each(resource, "scopeLogs", "scope_logs", func(scope any) {
				each(scope, "logRecords", "log_records", func(record any) {
					hexToBase64(record, "traceId", "trace_id")
					hexToBase64(record, "spanId", "span_id")
				})
			})
		})
	},
	count: countItems,
	response: func(rejected int64, message string) proto.Message {
		if rejected == 0 {
			return &collector.ExportLogsServiceResponse{}
		}
		return &collector.ExportLogsServiceResponse{PartialSuccess: &collector.ExportLogsPartialSuccess{
			RejectedLogRecords: rejected, ErrorMessage: message,
		}}
	},
}

// logDecoder walks ExportLogsServiceRequest messages into columns.
type logDecoder struct {
	envelope
	columns *logs.Columns
	row     *logs.Row
}

func newLogDecoder() *logDecoder { return &logDecoder{row: logs.NewRow()} }

// decode implements decoder.
func (d *logDecoder) decode(request []byte, tenant Tenant, columns *logs.Columns, now time.Time) (pending, error) {
	d.columns = columns
	err := d.envelope.decode(request, tenant.Project, tenant.Retention.Logs, now, columns, logEnvelope, d.record)
	d.columns = nil
	if err != nil {
		return pending{}, err
	}
	resources := columns.Commit()
	return pending{resources: &resources, errors: d.exceptions.found}, nil
}

// record reads a LogRecord message and appends it, or counts why not. Ids that
// are none are left out: a line is worth having without its trace.
func (d *logDecoder) record(b, scope []byte) error {
	d.scratch = d.scratch[:0]
	r := d.row
	r.Reset()
	r.Scope = scope
	d.exceptions.item = len(d.exceptions.found)
	d.exceptions.begin()
	attributes := 0
	w := walk(b)
	for w.next() {
		var err error
		index := -1
		switch w.number {
		case 1:
			if w.is(protowire.Fixed64Type) {
				r.Time = int64(w.value)
			}
		case 2:
			if w.is(protowire.VarintType) {
				r.Severity = logs.Severity(enum(w.value, 24))
			}
		case 3:
			if w.is(protowire.BytesType) {
				r.SeverityText = w.bytes()
			}
		case 5:
			if w.is(protowire.BytesType) {
				d.limit = maxRenderedBody
				r.Body, err = d.value(w.bytes())
				d.limit = 0
			}
		case 6:
			if w.is(protowire.BytesType) {
				var key, value []byte
				if key, value, err = d.keyValue(w.bytes()); err == nil {
					r.Attribute(key, value)
					d.exceptions.attribute(key, value)
				}
				index, attributes = attributes, attributes+1
			}
		case 7:
			if w.is(protowire.VarintType) {
				r.Dropped += uint64(uint32(w.value))
			}
		case 9:
			if w.is(protowire.BytesType) && len(w.bytes()) == len(r.TraceID) {
				copy(r.TraceID[:], w.bytes())
			}
		case 10:
			if w.is(protowire.BytesType) {
				id, _ := spanIDOf(w.bytes())
				r.SpanID = uint64(id)
			}
		case 11:
			if w.is(protowire.Fixed64Type) {
				r.Observed = int64(w.value)
			}
		case 12:
			if w.is(protowire.BytesType) {
				r.Event = w.bytes()
			}
		}
		if err != nil {
			return w.within(err, logFields, index)
		}
	}
	if err := w.fault(logFields); err != nil {
		return err
	}
	at := uint64(r.Time)
	if at == 0 {
		at = uint64(r.Observed)
	}
	switch {
	case at > d.newest:
		d.rejected[inFuture]++
		return nil
	case at != 0 && at < d.oldest:
		d.rejected[tooOld]++
		return nil
	}
	d.columns.Append(r)
	d.exceptions.end(issue.FromLog, int64(at))
	d.exceptions.settle(r.TraceID, r.SpanID, d.now, int64(d.oldest), int64(d.newest))
	d.accepted++
	return nil
}
