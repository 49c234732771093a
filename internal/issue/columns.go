package issue

import (
	"encoding/binary"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/cespare/xxhash/v2"

	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Source is what carried an exception.
type Source uint8

// The sources.
const (
	FromSpan Source = 1
	FromLog  Source = 2
)

// Occurrence is an exception as it was recorded, on its way into Columns.
type Occurrence struct {
	Time     int64 // unix ns
	TraceID  [16]byte
	SpanID   uint64
	Source   Source
	Resource *Resource
	Endpoint string // operation of the entry span; "" unknown
	User     string
	Type     string
	Message  string
	Stack    string
	Custom   string // fingerprint that the application gave

	grouped Grouped
}

// Resource is whose occurrences they are.
type Resource struct{ Service, Environment, Instance, Version string }

// Group reads the stack and finds the fingerprint. It is the part that costs
// time: call it before Columns.Append, which holds up others.
func (o *Occurrence) Group(g *Grouping) {
	o.grouped = g.Group(o.Type, o.Message, o.Stack, o.Custom)
}

// slot is how close the same exception of one span must be to be one occurrence.
const slot = 10 * time.Second

// number tells occurrences apart. A span and a log record within it that carry
// the same exception have one, and so has a row that is sent twice.
func (o *Occurrence) number() uint64 {
	h := xxhash.New()
	var at [24]byte
	if o.TraceID == [16]byte{} {
		binary.LittleEndian.PutUint64(at[:], uint64(o.Time))
		_, _ = h.WriteString(o.Resource.Service + "\x00" + o.Resource.Instance + "\x00") // a hash never fails
	} else {
		binary.LittleEndian.PutUint64(at[:], uint64(o.Time/int64(slot)))
	}
	binary.LittleEndian.PutUint64(at[8:], o.SpanID)
	_, _ = h.Write(at[:])
	_, _ = h.Write(o.TraceID[:])
	_, _ = h.WriteString(o.Type + "\x00" + o.Message)
	return h.Sum64()
}

// Columns is an open block of occurrences. It implements clickhouse.Columns and
// is not safe for concurrent use.
type Columns struct {
	projectID   proto.ColUInt32
	retention   proto.ColUInt16
	time        proto.ColDateTime64
	fingerprint proto.ColUInt64
	algorithm   proto.ColUInt8
	rules       proto.ColUInt32
	occurrence  proto.ColUInt64
	source      proto.ColUInt8
	traceID     proto.ColFixedStr16
	spanID      proto.ColUInt64

	service, environment, instance, version, endpoint, kind *column.LowCard
	message, stack, user, custom                            column.Text
	texts                                                   []column.Markable // all of the above
	scratch                                                 otel.Scratch
	input                                                   proto.Input
}

// NewColumns returns an empty block.
func NewColumns() *Columns {
	c := &Columns{}
	c.time = *new(proto.ColDateTime64).WithPrecision(proto.PrecisionNano)
	c.texts = []column.Markable{&c.message, &c.stack, &c.user, &c.custom}
	for _, p := range []**column.LowCard{&c.service, &c.environment, &c.instance, &c.version, &c.endpoint, &c.kind} {
		*p = column.NewLowCard()
		c.texts = append(c.texts, *p)
	}
	c.input = proto.Input{
		{Name: "project_id", Data: &c.projectID}, {Name: "retention_days", Data: &c.retention}, {Name: "time", Data: &c.time},
		{Name: "fingerprint", Data: &c.fingerprint}, {Name: "algorithm", Data: &c.algorithm}, {Name: "rules", Data: &c.rules},
		{Name: "occurrence", Data: &c.occurrence}, {Name: "source", Data: &c.source}, {Name: "service", Data: c.service},
		{Name: "environment", Data: c.environment}, {Name: "instance", Data: c.instance}, {Name: "version", Data: c.version},
		{Name: "endpoint", Data: c.endpoint}, {Name: "trace_id", Data: &c.traceID}, {Name: "span_id", Data: &c.spanID},
		{Name: "type", Data: c.kind}, {Name: "message", Data: &c.message}, {Name: "stack", Data: &c.stack},
		{Name: "user", Data: &c.user}, {Name: "custom", Data: &c.custom},
	}
	return c
}

// Append adds an occurrence of a project, kept for retentionDays. It must have
// been grouped.
func (c *Columns) Append(p project.ID, retentionDays uint16, o *Occurrence) {
	c.scratch.Reset()
	clean := func(s string, limit int) []byte { return c.scratch.Clean([]byte(s), limit) }
	c.projectID = append(c.projectID, uint32(p))
	c.retention = append(c.retention, retentionDays)
	c.time.Data = append(c.time.Data, proto.DateTime64(o.Time))
	c.fingerprint = append(c.fingerprint, o.grouped.Fingerprint)
	c.algorithm = append(c.algorithm, uint8(o.grouped.Algorithm))
	c.rules = append(c.rules, uint32(o.grouped.Rules))
	c.occurrence = append(c.occurrence, o.number())
	c.source = append(c.source, uint8(o.Source))
	c.traceID = append(c.traceID, o.TraceID)
	c.spanID = append(c.spanID, o.SpanID)
	c.service.Append([]byte(o.Resource.Service))
	c.environment.Append([]byte(o.Resource.Environment))
	c.instance.Append([]byte(o.Resource.Instance))
	c.version.Append([]byte(o.Resource.Version))
	c.endpoint.Append(clean(o.Endpoint, otel.MaxNameLength))
	c.kind.Append(clean(o.Type, otel.MaxNameLength))
	c.message.Append(clean(o.Message, otel.MaxValueLength))
	c.stack.Append(clean(o.Stack, otel.MaxStackLength))
	c.user.Append(clean(o.User, otel.MaxKeyLength))
	c.custom.Append(clean(o.Custom, otel.MaxNameLength))
}

// Rows implements clickhouse.Columns.
func (c *Columns) Rows() int { return len(c.projectID) }

// fixedBytes is what the columns of numbers and ids hold of one row.
const fixedBytes = 60

// Bytes implements clickhouse.Columns.
func (c *Columns) Bytes() int {
	n := fixedBytes * c.Rows()
	for _, t := range c.texts {
		n += t.Bytes()
	}
	return n
}

// Reset implements clickhouse.Columns.
func (c *Columns) Reset() {
	for _, col := range []proto.Resettable{
		&c.projectID, &c.retention, &c.time, &c.fingerprint, &c.algorithm, &c.rules, &c.occurrence, &c.source, &c.traceID, &c.spanID,
	} {
		col.Reset()
	}
	for _, t := range c.texts {
		t.Reset()
	}
}

// Table implements clickhouse.Columns.
func (c *Columns) Table() string { return "error_events" }

// Input implements clickhouse.Columns.
func (c *Columns) Input() proto.Input { return c.input }
