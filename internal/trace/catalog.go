package trace

import (
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
	raw [rawSlots]atomic.Pointer[rawStatement]

	mu      sync.Mutex
	entries map[entryKey]*Entry
}

const (
	rawSlots     = 1 << 14  // raw statements remembered
	maxRawCached = 8 << 10  // bytes; longer ones are parsed each time
	maxEntries   = 1 << 17  // distinct statements and resources remembered
	never        = int64(0) // no day
)

// rawStatement is a statement as sent, beside what it means.
type rawStatement struct {
	project   project.ID
	system    string
	raw       string
	operation string
	entry     *Entry // nil when the statement is not SQL
}

type entryKey struct {
	project  project.ID
	resource bool
	id       uint64
}

// Entry is a row that spans point at: a statement or a resource of a project.
type Entry struct {
	key       entryKey
	storedDay atomic.Int64 // days since 1970, 0 never

	statement  Statement   // of a statement
	attributes []attribute // of a resource, owned
}

// NewCatalog returns a catalog that knows nothing.
func NewCatalog() *Catalog { return &Catalog{entries: map[entryKey]*Entry{}} }

// statement returns what a raw statement means, from memory when it was seen before.
func (c *Catalog) statement(p project.ID, system, raw []byte) *rawStatement {
	at := &c.raw[(xxhash.Sum64(raw)+uint64(p))%rawSlots]
	if s := at.Load(); s != nil && s.project == p && s.raw == string(raw) && s.system == string(system) {
		return s
	}
	parsed := Normalize(string(system), string(raw))
	s := &rawStatement{project: p, system: string(system), operation: parsed.Operation}
	if parsed.Hash != 0 {
		s.entry = c.entry(entryKey{project: p, id: parsed.Hash}, func(e *Entry) { e.statement = parsed })
	}
	if len(raw) <= maxRawCached {
		s.raw = string(raw)
		at.Store(s)
	}
	return s
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
	if len(c.entries) >= maxEntries {
		clear(c.entries)
	}
	e := &Entry{key: key}
	fill(e)
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
		e.storedDay.Store(p.day)
	}
}
