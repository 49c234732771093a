package logs

import (
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/cespare/xxhash/v2"

	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/pattern"
	"github.com/matrix-aiops/matrix/internal/project"
)

// MaxBodyLength is how many bytes of a body are stored.
const MaxBodyLength = 64 << 10

// Row is one log record on its way into Columns: a scratch that is filled,
// appended and Reset for the next. Byte slices given to it must stay unchanged
// until the row was appended.
type Row struct {
	Time         int64    // unix ns; 0: the record does not tell
	Observed     int64    // unix ns; 0: the sender does not tell
	Severity     Severity // 0: the sender does not tell
	SeverityText []byte
	Event        []byte
	Scope        []byte
	TraceID      [16]byte
	SpanID       uint64
	Body         []byte // text, nested values as JSON
	Dropped      uint64 // what the sender cut; the row adds what it cuts itself

	attrs                           []otel.Attribute
	exceptionType, exceptionMessage []byte
	scratch                         otel.Scratch
	pattern                         []byte
}

// NewRow returns an empty row.
func NewRow() *Row { return &Row{} }

// Reset empties the row for the next record.
func (r *Row) Reset() {
	r.scratch.Reset()
	*r = Row{attrs: r.attrs[:0], scratch: r.scratch, pattern: r.pattern}
}

// Attribute adds an attribute.
func (r *Row) Attribute(key, value []byte) {
	switch string(key) {
	case "exception.type":
		r.exceptionType = value
	case "exception.message":
		r.exceptionMessage = value
	}
	if len(r.attrs) >= otel.MaxAttributes {
		r.Dropped++
		return
	}
	limit := otel.MaxValueLength
	if string(key) == "exception.stacktrace" {
		limit = otel.MaxStackLength
	}
	r.attrs = append(r.attrs, otel.Attribute{Key: r.scratch.Clean(key, otel.MaxKeyLength), Value: r.scratch.Clean(value, limit)})
}

// severity is what the sender says, else what its word says, else what is found
// in the body.
func (r *Row) severity() Severity {
	if r.Severity != Unknown {
		return r.Severity
	}
	if s := severityOf(r.SeverityText); s != Unknown {
		return s
	}
	return detectSeverity(r.Body)
}

// patternOf returns the hash of a body's pattern, never 0. scratch is written over.
func patternOf(body, scratch []byte) (hash uint64, used []byte) {
	used = pattern.Append(scratch[:0], body)
	return max(xxhash.Sum64(used), 1), used
}

// Columns is an open block of log records. It implements clickhouse.Columns and
// is not safe for concurrent use. One request is Begin, then for each of its
// resources SetResource and Append per record, then Commit, or Rollback.
type Columns struct {
	otel.Origin

	time     proto.ColDateTime64
	id       proto.ColUInt64
	severity proto.ColUInt8
	traceID  proto.ColFixedStr16
	spanID   proto.ColUInt64
	pattern  proto.ColUInt64

	scope, severityText, event, exceptionType *column.LowCard
	body, exceptionMessage                    column.Text
	attrKeys                                  *column.Array[*column.LowCard]
	attrValues                                *column.Array[*column.Text]
	texts                                     []column.Markable // all of the above

	input proto.Input
	now   int64 // of the request being appended, unix ns
}

// NewColumns returns an empty block.
func NewColumns(resources *otel.Catalog) *Columns {
	c := &Columns{Origin: otel.NewOrigin(resources)}
	c.time = *new(proto.ColDateTime64).WithPrecision(proto.PrecisionNano)
	c.attrKeys, c.attrValues = column.NewLowCards(), column.NewTexts()
	c.texts = []column.Markable{&c.body, &c.exceptionMessage, c.attrKeys, c.attrValues}
	for _, p := range []**column.LowCard{
		&c.scope, &c.severityText, &c.event, &c.exceptionType,
	} {
		*p = column.NewLowCard()
		c.texts = append(c.texts, *p)
	}
	c.input = append(c.Origin.Input(), proto.Input{
		{Name: "time", Data: &c.time}, {Name: "id", Data: &c.id},
		{Name: "scope", Data: c.scope}, {Name: "severity", Data: &c.severity}, {Name: "severity_text", Data: c.severityText},
		{Name: "event", Data: c.event}, {Name: "trace_id", Data: &c.traceID}, {Name: "span_id", Data: &c.spanID},
		{Name: "body", Data: &c.body}, {Name: "pattern", Data: &c.pattern}, {Name: "exception_type", Data: c.exceptionType},
		{Name: "exception_message", Data: &c.exceptionMessage}, {Name: "attr_keys", Data: c.attrKeys},
		{Name: "attr_values", Data: c.attrValues},
	}...)
	return c
}

// Begin opens a request of a project, whose records are kept for retentionDays.
func (c *Columns) Begin(p project.ID, retentionDays uint16, now time.Time) {
	c.Origin.Begin(p, retentionDays, now)
	c.now = now.UnixNano()
	for _, t := range c.texts {
		t.Mark()
	}
}

// lastID is the id given last by this process.
var lastID atomic.Uint64

// nextID returns now in nanoseconds, or the number behind the last one.
func nextID(now int64) uint64 {
	for {
		last := lastID.Load()
		if id := max(uint64(now), last+1); lastID.CompareAndSwap(last, id) {
			return id
		}
	}
}

// Append adds a record to the request.
func (c *Columns) Append(row *Row) {
	at := row.Time
	if at == 0 {
		at = row.Observed
	}
	if at == 0 {
		at = c.now
	}
	clean := row.scratch.Clean
	body := clean(row.Body, MaxBodyLength)
	var hash uint64
	hash, row.pattern = patternOf(body, row.pattern)

	c.time.Data = append(c.time.Data, proto.DateTime64(at))
	c.id = append(c.id, nextID(c.now))
	c.scope.Append(clean(row.Scope, otel.MaxNameLength))
	c.severity = append(c.severity, uint8(row.severity()))
	c.severityText.Append(clean(row.SeverityText, otel.MaxKeyLength))
	c.event.Append(clean(row.Event, otel.MaxNameLength))
	c.traceID = append(c.traceID, row.TraceID)
	c.spanID = append(c.spanID, row.SpanID)
	c.body.Append(body)
	c.pattern = append(c.pattern, hash)
	c.exceptionType.Append(clean(row.exceptionType, otel.MaxNameLength))
	c.exceptionMessage.Append(clean(row.exceptionMessage, otel.MaxValueLength))
	for i := range row.attrs {
		c.attrKeys.Data.Append(row.attrs[i].Key)
		c.attrValues.Data.Append(row.attrs[i].Value)
	}
	c.attrKeys.Close()
	c.attrValues.Close()
	c.Origin.Append(row.Dropped)
}

// Rollback ends the request and leaves none of its rows.
func (c *Columns) Rollback() {
	n := c.Begun()
	c.time.Data, c.id, c.severity = c.time.Data[:n], c.id[:n], c.severity[:n]
	c.traceID, c.spanID, c.pattern = c.traceID[:n], c.spanID[:n], c.pattern[:n]
	for _, t := range c.texts {
		t.Rollback()
	}
	c.Origin.Rollback()
}

// fixedBytes is what the columns of numbers and ids hold of one row.
const fixedBytes = 49

// Bytes implements clickhouse.Columns.
func (c *Columns) Bytes() int {
	n := c.Origin.Bytes() + fixedBytes*c.Rows()
	for _, t := range c.texts {
		n += t.Bytes()
	}
	return n
}

// Reset implements clickhouse.Columns.
func (c *Columns) Reset() {
	c.Origin.Reset()
	for _, col := range []proto.Resettable{
		&c.time, &c.id, &c.severity, &c.traceID, &c.spanID, &c.pattern,
	} {
		col.Reset()
	}
	for _, t := range c.texts {
		t.Reset()
	}
}

// Table implements clickhouse.Columns.
func (c *Columns) Table() string { return "logs" }

// Input implements clickhouse.Columns.
func (c *Columns) Input() proto.Input { return c.input }
