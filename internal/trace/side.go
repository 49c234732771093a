package trace

import "github.com/ClickHouse/ch-go/proto"

// Statements is an open block of sql_statements. It implements
// clickhouse.Columns and is not safe for concurrent use.
type Statements struct {
	project   proto.ColUInt32
	retention proto.ColUInt16
	day       proto.ColDate
	hash      proto.ColUInt64
	system    *lowCardColumn
	operation *lowCardColumn
	tables    *arrayColumn[*textColumn]
	text      textColumn
}

// NewStatements returns an empty block.
func NewStatements() *Statements {
	return &Statements{system: newLowCardColumn(), operation: newLowCardColumn(), tables: &arrayColumn[*textColumn]{data: &textColumn{}}}
}

// Append adds the statements among the pending rows.
func (s *Statements) Append(p *Pending) {
	for _, e := range p.entries {
		if e.key.resource {
			continue
		}
		s.project.Append(uint32(e.key.project))
		s.retention.Append(p.retentionDays)
		s.day = append(s.day, proto.Date(p.day))
		s.hash.Append(e.statement.Hash)
		s.system.append([]byte(e.statement.System))
		s.operation.append([]byte(e.statement.Operation))
		for _, t := range e.statement.Tables {
			s.tables.data.appendString(t)
		}
		s.tables.close()
		s.text.appendString(e.statement.Text)
	}
}

// Rows implements clickhouse.Columns.
func (s *Statements) Rows() int { return s.project.Rows() }

// Bytes implements clickhouse.Columns.
func (s *Statements) Bytes() int {
	return 16*s.Rows() + s.system.bytes() + s.operation.bytes() + s.tables.bytes() + s.text.bytes()
}

// Reset implements clickhouse.Columns.
func (s *Statements) Reset() {
	s.project.Reset()
	s.retention.Reset()
	s.day.Reset()
	s.hash.Reset()
	s.system.reset()
	s.operation.reset()
	s.tables.reset()
	s.text.reset()
}

// Table implements clickhouse.Columns.
func (s *Statements) Table() string { return "sql_statements" }

// Input implements clickhouse.Columns.
func (s *Statements) Input() proto.Input {
	return proto.Input{
		{Name: "project_id", Data: &s.project}, {Name: "retention_days", Data: &s.retention}, {Name: "day", Data: &s.day},
		{Name: "db_hash", Data: &s.hash}, {Name: "system", Data: s.system}, {Name: "operation", Data: s.operation},
		{Name: "tables", Data: s.tables}, {Name: "text", Data: &s.text},
	}
}

// Resources is an open block of resources. It implements clickhouse.Columns
// and is not safe for concurrent use.
type Resources struct {
	project   proto.ColUInt32
	retention proto.ColUInt16
	day       proto.ColDate
	id        proto.ColUInt64
	keys      *arrayColumn[*lowCardColumn]
	values    *arrayColumn[*textColumn]
}

// NewResources returns an empty block.
func NewResources() *Resources {
	return &Resources{keys: &arrayColumn[*lowCardColumn]{data: newLowCardColumn()}, values: &arrayColumn[*textColumn]{data: &textColumn{}}}
}

// Append adds the resources among the pending rows.
func (s *Resources) Append(p *Pending) {
	for _, e := range p.entries {
		if !e.key.resource {
			continue
		}
		s.project.Append(uint32(e.key.project))
		s.retention.Append(p.retentionDays)
		s.day = append(s.day, proto.Date(p.day))
		s.id.Append(e.key.id)
		for _, a := range e.attributes {
			s.keys.data.append(a.key)
			s.values.data.append(a.value)
		}
		s.keys.close()
		s.values.close()
	}
}

// Rows implements clickhouse.Columns.
func (s *Resources) Rows() int { return s.project.Rows() }

// Bytes implements clickhouse.Columns.
func (s *Resources) Bytes() int { return 16*s.Rows() + s.keys.bytes() + s.values.bytes() }

// Reset implements clickhouse.Columns.
func (s *Resources) Reset() {
	s.project.Reset()
	s.retention.Reset()
	s.day.Reset()
	s.id.Reset()
	s.keys.reset()
	s.values.reset()
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
