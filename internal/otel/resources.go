package otel

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse/catalog"
	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Key names a row of the table resources.
type Key struct {
	Project project.ID
	ID      uint64 // the sender's resource as a hash
}

// Catalog knows which resources are stored already.
type Catalog struct {
	known *catalog.Catalog[Key, []Attribute]
}

// Pending are the resources of one request that are not stored yet.
type Pending = catalog.Pending[Key, []Attribute]

// maxCatalog is what all resources remembered may hold, in bytes.
const maxCatalog = 64 << 20

// NewCatalog returns an empty catalog. A process has one.
func NewCatalog() *Catalog {
	return &Catalog{catalog.New[Key](maxCatalog, func(attributes []Attribute) (n int) {
		for _, a := range attributes {
			n += len(a.Key) + len(a.Value) + 48
		}
		return n
	})}
}

// Need notes in pending that rows point at the resource read by b, under its id.
func (c *Catalog) Need(pending *Pending, p project.ID, id uint64, b *ResourceBuilder) {
	pending.Need(c.known.Entry(Key{p, id}, func() []Attribute {
		owned := make([]Attribute, len(b.attrs))
		for i, a := range b.attrs {
			owned[i] = Attribute{Key: append([]byte(nil), a.Key...), Value: append([]byte(nil), a.Value...)}
		}
		return owned
	}))
}

// Resources is an open block of resources. It implements clickhouse.Columns
// and is not safe for concurrent use.
type Resources struct {
	project   proto.ColUInt32
	retention proto.ColUInt16
	day       proto.ColDate
	id        proto.ColUInt64
	keys      *column.Array[*column.LowCard]
	values    *column.Array[*column.Text]
}

// NewResources returns an empty block.
func NewResources() *Resources {
	return &Resources{keys: column.NewLowCards(), values: column.NewTexts()}
}

// Append adds the pending rows.
func (s *Resources) Append(p *Pending) {
	for _, e := range p.Entries() {
		s.project.Append(uint32(e.Key.Project))
		s.retention.Append(p.RetentionDays())
		s.day = append(s.day, proto.Date(p.Day()))
		s.id.Append(e.Key.ID)
		for _, a := range e.Value {
			s.keys.Data.Append(a.Key)
			s.values.Data.Append(a.Value)
		}
		s.keys.Close()
		s.values.Close()
	}
}

// Rows implements clickhouse.Columns.
func (s *Resources) Rows() int { return s.project.Rows() }

// Bytes implements clickhouse.Columns.
func (s *Resources) Bytes() int { return 16*s.Rows() + s.keys.Bytes() + s.values.Bytes() }

// Reset implements clickhouse.Columns.
func (s *Resources) Reset() {
	s.project.Reset()
	s.retention.Reset()
	s.day.Reset()
	s.id.Reset()
	s.keys.Reset()
	s.values.Reset()
}

// Table implements clickhouse.Columns.
func (s *Resources) Table() string { return "resources" }

// Input implements clickhouse.Columns.
func (s *Resources) Input() proto.Input {
	return proto.Input{
		{Name: "project_id", Data: &s.project}, {Name: "retention_days", Data: &s.retention}, {Name: "day", Data: &s.day},
		{Name: "resource_id", Data: &s.id}, {Name: "keys", Data: s.keys}, {Name: "values", Data: s.values},
	}
}
