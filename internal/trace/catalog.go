package trace

import (
	"strings"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"github.com/matrix-aiops/matrix/internal/clickhouse/catalog"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/sqltext"
)

// Catalog knows what spans point at: SQL statements and resources, and which
// of them are stored already today. It spares the hot path the parsing of a
// statement seen before and the writing of a row written before. Safe for
// concurrent use; its memory is bounded.
type Catalog struct {
	raw      [rawSlots]atomic.Pointer[rawStatement]
	rawBytes atomic.Int64 // of what raw holds, entries included

	statements *catalog.Catalog[statementKey, sqltext.Statement]
	resources  *otel.Catalog
}

const (
	rawSlots      = 1 << 14  // raw statements remembered
	maxRawCached  = 8 << 10  // bytes; longer ones are parsed each time
	maxRawBytes   = 32 << 20 // of all raw statements remembered
	maxStatements = 32 << 20 // bytes of all distinct statements remembered
	rawOverhead   = 256      // bytes of a raw statement beside its texts
)

// rawStatement is a statement as sent, beside what it means.
type rawStatement struct {
	project   project.ID
	system    string
	raw       string
	operation string
	entry     *statementEntry // nil when the statement is not SQL
}

func (s *rawStatement) bytes() int64 {
	if s == nil {
		return 0
	}
	n := rawOverhead + len(s.raw)
	if s.entry != nil {
		n += statementBytes(s.entry.Value)
	}
	return int64(n)
}

// statementKey names a row of sql_statements.
type statementKey struct {
	project project.ID
	hash    uint64
}

type statementEntry = catalog.Entry[statementKey, sqltext.Statement]

// PendingStatements are the statements of one request that are not stored yet.
type PendingStatements = catalog.Pending[statementKey, sqltext.Statement]

// statementBytes is what a statement holds, in bytes.
func statementBytes(s sqltext.Statement) int {
	n := len(s.Text)
	for _, t := range s.Tables {
		n += len(t) + 16
	}
	return n
}

// NewCatalog returns a catalog that knows nothing of statements, and of
// resources what the given one does.
func NewCatalog(resources *otel.Catalog) *Catalog {
	return &Catalog{statements: catalog.New[statementKey](maxStatements, statementBytes), resources: resources}
}

// statement returns what a raw statement means, from memory when it was seen before.
func (c *Catalog) statement(p project.ID, system, raw []byte) *rawStatement {
	at := &c.raw[(xxhash.Sum64(raw)+uint64(p))%rawSlots]
	if s := at.Load(); s != nil && s.project == p && s.raw == string(raw) && s.system == string(system) {
		return s
	}
	text := string(raw)
	parsed := sqltext.Normalize(string(system), text)
	s := &rawStatement{project: p, system: string(system), raw: text, operation: parsed.Operation}
	if parsed.Hash != 0 {
		s.entry = c.statements.Entry(statementKey{p, parsed.Hash}, func() sqltext.Statement { return owned(parsed) })
	}
	if len(raw) <= maxRawCached {
		c.remember(at, s)
	}
	return s
}

// owned returns s with what goes into its row, and nothing that is a piece of
// the raw statement and would keep all of that in memory.
func owned(s sqltext.Statement) sqltext.Statement {
	kept := sqltext.Statement{System: strings.Clone(s.System), Text: strings.Clone(s.Text), Operation: strings.Clone(s.Operation), Hash: s.Hash}
	for _, t := range s.Tables {
		kept.Tables = append(kept.Tables, strings.Clone(t))
	}
	return kept
}

// remember puts s into its slot, and forgets all others when they have become
// too large.
func (c *Catalog) remember(at *atomic.Pointer[rawStatement], s *rawStatement) {
	if c.rawBytes.Add(s.bytes()-at.Swap(s).bytes()) <= maxRawBytes {
		return
	}
	for i := range c.raw {
		c.rawBytes.Add(-c.raw[i].Swap(nil).bytes())
	}
}

// Pending are the rows that spans of one request point at and that are not
// stored yet.
type Pending struct {
	Resources  otel.Pending
	Statements PendingStatements
}
