package trace

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse/column"
)

// Statements is an open block of sql_statements. It implements
// clickhouse.Columns and is not safe for concurrent use.
type Statements struct {
	project   proto.ColUInt32
	retention proto.ColUInt16
	day       proto.ColDate
	hash      proto.ColUInt64
	system    *column.LowCard
	operation *column.LowCard
	tables    *column.Array[*column.Text]
	text      column.Text
}

// NewStatements returns an empty block.
func NewStatements() *Statements {
	return &Statements{system: column.NewLowCard(), operation: column.NewLowCard(), tables: column.NewTexts()}
}

// Append adds the pending rows.
func (s *Statements) Append(p *PendingStatements) {
	for _, e := range p.Entries() {
		s.project.Append(uint32(e.Key.project))
		s.retention.Append(p.RetentionDays())
		s.day = append(s.day, proto.Date(p.Day()))
		s.hash.Append(e.Value.Hash)
		s.system.Append([]byte(e.Value.System))
		s.operation.Append([]byte(e.Value.Operation))
		for _, t := range e.Value.Tables {
			s.tables.Data.AppendString(t)
		}
		s.tables.Close()
		s.text.AppendString(e.Value.Text)
	}
}

// Rows implements clickhouse.Columns.
func (s *Statements) Rows() int { return s.project.Rows() }

// Bytes implements clickhouse.Columns.
func (s *Statements) Bytes() int {
	return 16*s.Rows() + s.system.Bytes() + s.operation.Bytes() + s.tables.Bytes() + s.text.Bytes()
}

// Reset implements clickhouse.Columns.
func (s *Statements) Reset() {
	s.project.Reset()
	s.retention.Reset()
	s.day.Reset()
	s.hash.Reset()
	s.system.Reset()
	s.operation.Reset()
	s.tables.Reset()
	s.text.Reset()
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
