// Package memo remembers for a moment what was read from a store, so that what
// every call needs costs no query, and an edit made on any node is in use on all
// of them within half a second. It knows neither the store nor what is read.
package memo

import (
	"sync"
	"time"
)

const (
	// Within is how long what was read counts, and Renew how much longer others go
	// on with it while one of them reads it anew: else all would at once.
	Within = 400 * time.Millisecond
	Renew  = 100 * time.Millisecond

	maximum = 10_000 // entries; beyond them all are read anew
)

// Memo holds values by key. Only what was found is remembered. The zero value is
// empty and ready for use; it is safe for concurrent use. Values are shared.
type Memo[K comparable, V any] struct {
	mu      sync.RWMutex
	entries map[K]entry[V]
}

type entry[V any] struct {
	value V
	edits int64
	until time.Time
}

// Get returns what is remembered of key at now, or reads and remembers it. edits
// counts what was changed here so far: what was read before the latest change
// does not count any more, also when it was being read meanwhile.
func (m *Memo[K, V]) Get(key K, edits int64, now time.Time, read func() (V, error)) (V, error) {
	m.mu.RLock()
	known, ok := m.entries[key]
	m.mu.RUnlock()
	if ok && known.edits == edits {
		if now.Before(known.until) {
			return known.value, nil
		}
		if renewed := known.until.Add(Renew); now.Before(renewed) {
			m.put(key, entry[V]{known.value, edits, renewed})
		}
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	m.put(key, entry[V]{value, edits, now.Add(Within)})
	return value, nil
}

func (m *Memo[K, V]) put(key K, e entry[V]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil || len(m.entries) >= maximum {
		m.entries = map[K]entry[V]{}
	}
	m.entries[key] = e
}
