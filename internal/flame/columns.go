package flame

import (
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Source is whose profile it is.
type Source struct {
	Project                                 project.ID
	RetentionDays                           int
	Service, Environment, Instance, Version string
}

// Columns is an open block of samples. It implements clickhouse.Columns and is
// not safe for concurrent use.
type Columns struct {
	projectID proto.ColUInt32
	retention proto.ColUInt16
	time      proto.ColDateTime
	traceID   proto.ColFixedStr16
	spanID    proto.ColUInt64
	value     proto.ColInt64

	service, environment, instance, version *column.LowCard
	kind, unit, endpoint                    *column.LowCard
	stack                                   *column.Array[*column.LowCard]
	texts                                   []column.Markable // all of the above

	input proto.Input
}

// NewColumns returns an empty block.
func NewColumns() *Columns {
	c := &Columns{stack: column.NewLowCards()}
	c.texts = []column.Markable{c.stack}
	for _, p := range []**column.LowCard{&c.service, &c.environment, &c.instance, &c.version, &c.kind, &c.unit, &c.endpoint} {
		*p = column.NewLowCard()
		c.texts = append(c.texts, *p)
	}
	c.input = proto.Input{
		{Name: "project_id", Data: &c.projectID}, {Name: "retention_days", Data: &c.retention}, {Name: "time", Data: &c.time},
		{Name: "service", Data: c.service}, {Name: "environment", Data: c.environment}, {Name: "instance", Data: c.instance},
		{Name: "version", Data: c.version}, {Name: "kind", Data: c.kind}, {Name: "unit", Data: c.unit}, {Name: "endpoint", Data: c.endpoint},
		{Name: "trace_id", Data: &c.traceID}, {Name: "span_id", Data: &c.spanID}, {Name: "stack", Data: c.stack}, {Name: "value", Data: &c.value},
	}
	return c
}

// Append adds a profile and returns how many rows it made: values of zero make none.
func (c *Columns) Append(from Source, p *Profile, now time.Time) int {
	at := p.Time
	if at.IsZero() {
		at = now
	}
	rows := c.Rows()
	for i := range p.Stack {
		s := &p.Stack[i]
		for k, kind := range p.Kinds {
			if k >= len(s.Values) || s.Values[k] == 0 || len(s.Frames) == 0 {
				continue
			}
			c.projectID = append(c.projectID, uint32(from.Project))
			c.retention = append(c.retention, uint16(from.RetentionDays))
			c.time.Append(at)
			c.service.Append([]byte(from.Service))
			c.environment.Append([]byte(from.Environment))
			c.instance.Append([]byte(from.Instance))
			c.version.Append([]byte(from.Version))
			c.kind.Append([]byte(kind.Name))
			c.unit.Append([]byte(kind.Unit))
			c.endpoint.Append([]byte(s.Endpoint))
			c.traceID = append(c.traceID, s.TraceID)
			c.spanID = append(c.spanID, s.SpanID)
			for _, f := range s.Frames {
				c.stack.Data.Append([]byte(f))
			}
			c.stack.Close()
			c.value = append(c.value, s.Values[k])
		}
	}
	return c.Rows() - rows
}

// Rows implements clickhouse.Columns.
func (c *Columns) Rows() int { return len(c.projectID) }

// fixedBytes is what the columns of numbers and ids hold of one row.
const fixedBytes = 42

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
	for _, col := range []proto.Resettable{&c.projectID, &c.retention, &c.time, &c.traceID, &c.spanID, &c.value} {
		col.Reset()
	}
	for _, t := range c.texts {
		t.Reset()
	}
}

// Table implements clickhouse.Columns.
func (c *Columns) Table() string { return "flame_samples" }

// Input implements clickhouse.Columns.
func (c *Columns) Input() proto.Input { return c.input }
