// Package catalog remembers rows that many other rows point at, a resource or a
// SQL statement, and which of them are stored already: such a row is written
// once a day, before the first row that points at it is acknowledged.
package catalog

import (
	"sync"
	"sync/atomic"
	"time"
)

// Catalog knows rows of one table by their key. It only forgets: losing it costs
// a few duplicate rows, which the tables collapse. Safe for concurrent use; its
// memory is bounded.
type Catalog[K comparable, V any] struct {
	size     func(V) int
	maxBytes int

	mu      sync.Mutex
	entries map[K]*Entry[K, V]
	bytes   int
}

// New returns an empty catalog that forgets everything once its values are
// larger than maxBytes. size tells a value's bytes.
func New[K comparable, V any](maxBytes int, size func(V) int) *Catalog[K, V] {
	return &Catalog[K, V]{size: size, maxBytes: maxBytes, entries: map[K]*Entry[K, V]{}}
}

// Entry is a row that others point at. Key and Value never change.
type Entry[K comparable, V any] struct {
	Key    K
	Value  V
	stored atomic.Int64 // the stamp of its newest row, 0 never
}

// overhead is an entry beside its value, in bytes.
const overhead = 256

// Entry returns the entry of a key; value makes it when it is new.
func (c *Catalog[K, V]) Entry(key K, value func() V) *Entry[K, V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		return e
	}
	e := &Entry[K, V]{Key: key, Value: value()}
	n := overhead + c.size(e.Value)
	if c.bytes += n; c.bytes > c.maxBytes {
		c.entries, c.bytes = map[K]*Entry[K, V]{}, n
	}
	c.entries[key] = e
	return e
}

// Pending are the rows that one request points at and that are not stored yet.
// The request is acknowledged only after they are: append them to their table,
// then call Stored.
type Pending[K comparable, V any] struct {
	entries       []*Entry[K, V]
	day           int64 // since 1970
	retentionDays uint16
}

// NewPending returns the empty set of a request that comes now and whose rows
// are kept for retentionDays.
func NewPending[K comparable, V any](now time.Time, retentionDays uint16) Pending[K, V] {
	return Pending[K, V]{day: now.Unix() / (24 * 60 * 60), retentionDays: retentionDays}
}

// stamp is the day and the retention that a row is written under: another day
// or another retention is another row, which expires at its own time.
func (p *Pending[K, V]) stamp() int64 { return p.day<<16 | int64(p.retentionDays) }

// Need adds an entry unless it is stored already, or part of the set.
func (p *Pending[K, V]) Need(e *Entry[K, V]) {
	if e.stored.Load() == p.stamp() {
		return
	}
	for _, have := range p.entries {
		if have == e {
			return
		}
	}
	p.entries = append(p.entries, e)
}

// Entries are the rows to be written.
func (p *Pending[K, V]) Entries() []*Entry[K, V] { return p.entries }

// Day is the day since 1970 that the rows are written under.
func (p *Pending[K, V]) Day() int64 { return p.day }

// RetentionDays is how long the rows are kept.
func (p *Pending[K, V]) RetentionDays() uint16 { return p.retentionDays }

// Stored remembers that the rows are in the engine.
func (p *Pending[K, V]) Stored() {
	for _, e := range p.entries {
		e.stored.Store(p.stamp())
	}
}
