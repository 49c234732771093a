package trace

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"github.com/matrix-aiops/matrix/internal/project"
)

// Catalog knows what spans point at: SQL statements and resources, and which
// of them are stored already today. It spares the hot path the parsing of a
// statement seen before and the writing of a row written before. It only
// forgets: losing it costs a few duplicate rows, which the tables collapse.
// Safe for concurrent use; its memory is bounded.
type Catalog struct {
	raw      [rawSlots]atomic.Pointer[rawStatement]
	rawBytes atomic.Int64 // of what raw holds, entries included

	mu      sync.Mutex
	entries map[entryKey]*Entry
	bytes   int // of entries
}

const (
	rawSlots      = 1 << 14  // raw statements remembered
	maxRawCached  = 8 << 10  // bytes; longer ones are parsed each time
	maxRawBytes   = 32 << 20 // of all raw statements remembered
	maxEntryBytes = 64 << 20 // of all distinct statements and resources remembered
	entryOverhead = 256      // bytes of an entry beside its texts
)

// rawStatement is a statement as sent, beside what it means.
type rawStatement struct {
	project   project.ID
	system    string
	raw       string
	operation string
	entry     *Entry // nil when the statement is not SQL
}

func (s *rawStatement) bytes() int64 {
	if s == nil {
		return 0
	}
	n := entryOverhead + len(s.raw)
	if s.entry != nil {
		n += s.entry.bytes()
	}
	return int64(n)
}

type entryKey struct {
	project  project.ID
	resource bool
	id       uint64
}

// Entry is a row that spans point at: a statement or a resource of a project.
type Entry struct {
	key    entryKey
	stored atomic.Int64 // the stamp of its newest row, 0 never

	statement  Statement   // of a statement
	attributes []attribute // of a resource, owned
}

func (e *Entry) bytes() int {
	n := entryOverhead + len(e.statement.Text)
	for _, t := range e.statement.Tables {
		n += len(t) + 16
	}
	for _, a := range e.attributes {
		n += len(a.key) + len(a.value) + 48
	}
	return n
}

// NewCatalog returns a catalog that knows nothing.
func NewCatalog() *Catalog { return &Catalog{entries: map[entryKey]*Entry{}} }

// statement returns what a raw statement means, from memory when it was seen before.
func (c *Catalog) statement(p project.ID, system, raw []byte) *rawStatement {
	at := &c.raw[(xxhash.Sum64(raw)+uint64(p))%rawSlots]
	if s := at.Load(); s != nil && s.project == p && s.raw == string(raw) && s.system == string(system) {
		return s
	}
	text := string(raw)
	parsed := Normalize(string(system), text)
	s := &rawStatement{project: p, system: string(system), raw: text, operation: parsed.Operation}
	if parsed.Hash != 0 {
		s.entry = c.entry(entryKey{project: p, id: parsed.Hash}, func(e *Entry) { e.statement = parsed.owned() })
	}
	if len(raw) <= maxRawCached {
		c.remember(at, s)
	}
	return s
}

// owned returns s with what goes into its row, and nothing that is a piece of
// the raw statement and would keep all of that in memory.
func (s Statement) owned() Statement {
	kept := Statement{System: strings.Clone(s.System), Text: strings.Clone(s.Text), Operation: strings.Clone(s.Operation), Hash: s.Hash}
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

// resource returns the entry of a resource.
func (c *Catalog) resource(p project.ID, id uint64, attrs []attribute) *Entry {
	return c.entry(entryKey{project: p, resource: true, id: id}, func(e *Entry) {
		e.attributes = make([]attribute, len(attrs))
		for i, a := range attrs {
			e.attributes[i] = attribute{key: append([]byte(nil), a.key...), value: append([]byte(nil), a.value...)}
		}
	})
}

func (c *Catalog) entry(key entryKey, fill func(*Entry)) *Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		return e
	}
	e := &Entry{key: key}
	fill(e)
	if c.bytes += e.bytes(); c.bytes > maxEntryBytes {
		c.entries, c.bytes = map[entryKey]*Entry{}, e.bytes()
	}
	c.entries[key] = e
	return e
}

// Pending are the rows that spans of one request point at and that are not
// stored yet. A request is acknowledged only after they are: append them to
// Statements and Resources, and call Stored after both are in the engine.
type Pending struct {
	entries       []*Entry
	day           int64
	retentionDays uint16
}

// stamp is the day and the retention that a row is written under: another day
// or another retention is another row, which expires at its own time.
func (p *Pending) stamp() int64 { return p.day<<16 | int64(p.retentionDays) }

func (p *Pending) add(e *Entry) {
	for _, have := range p.entries {
		if have == e {
			return
		}
	}
	p.entries = append(p.entries, e)
}

// Statements returns how many of the rows are statements.
func (p *Pending) Statements() int { return len(p.entries) - p.Resources() }

// Resources returns how many of the rows are resources.
func (p *Pending) Resources() (n int) {
	for _, e := range p.entries {
		if e.key.resource {
			n++
		}
	}
	return n
}

// Stored remembers that the rows are in the engine.
func (p *Pending) Stored() {
	for _, e := range p.entries {
		e.stored.Store(p.stamp())
	}
}
