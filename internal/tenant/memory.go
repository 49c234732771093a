package tenant

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// liveWithin is how long another node may go on with what it remembers of a
// token, or of what its owner may do. Where it was changed that ends at once.
const liveWithin = 400 * time.Millisecond

// renewWithin is how much longer others go on with it while one reads it anew.
const renewWithin = 100 * time.Millisecond

// memoryMax bounds what is remembered. Only what was found is.
const memoryMax = 10_000

// database is the metadata database, and a count of what this store has changed in it.
type database struct {
	*metadb.DB
	changes atomic.Int64
}

// Exec implements metadb.Querier.
func (d *database) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	defer d.changes.Add(1)
	return d.DB.Exec(ctx, sql, args...)
}

// InTx is metadb.DB's.
func (d *database) InTx(ctx context.Context, fn func(context.Context, *metadb.Tx) error) error {
	defer d.changes.Add(1)
	return d.DB.InTx(ctx, fn)
}

// memory keeps what was read for liveWithin, and not beyond a change.
type memory[K comparable, V any] struct {
	mu      sync.RWMutex
	entries map[K]memorised[V]
}

type memorised[V any] struct {
	value   V
	changes int64
	until   time.Time
}

// get returns what is remembered, or reads and remembers it.
func (m *memory[K, V]) get(s *Store, key K, read func() (V, error)) (V, error) {
	now, changes := s.now(), s.db.changes.Load() // before the reading: a change meanwhile makes it old
	m.mu.RLock()
	known, ok := m.entries[key]
	m.mu.RUnlock()
	if ok && known.changes == changes && now.Before(known.until) {
		return known.value, nil
	}
	if ok && known.changes == changes && now.Before(known.until.Add(renewWithin)) {
		m.mu.Lock()
		m.entries[key] = memorised[V]{known.value, changes, known.until.Add(renewWithin)}
		m.mu.Unlock()
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil || len(m.entries) >= memoryMax {
		m.entries = map[K]memorised[V]{}
	}
	m.entries[key] = memorised[V]{value, changes, now.Add(liveWithin)}
	return value, nil
}

// Asking is for whom an actor asks models, and whether by name, beside roles.
type Asking struct {
	Project project.ID
	Models  bool
}

// askingKey is what Asking depends on, beside the database.
type askingKey struct {
	user, token int64
	system      bool
	named       string
}

// Asking returns the project that an actor's question to a model is for, named
// or the only one, when the actor may ask at all. Errors are those of ProjectFor
// and Can.
func (s *Store) Asking(ctx context.Context, a Actor, named string) (Asking, error) {
	key := askingKey{user: a.UserID, system: a.System, named: named}
	if a.Token != nil {
		key.token = a.Token.ID
	}
	return s.askings.get(s, key, func() (asking Asking, err error) {
		if asking.Project, err = s.ProjectFor(ctx, a, named); err != nil {
			return asking, err
		}
		target := Target{Project: asking.Project}
		if err := s.Can(ctx, a, ProjectAsk, target); err != nil {
			return asking, err
		}
		asking.Models = s.Can(ctx, a, ProjectModel, target) == nil
		return asking, nil
	})
}
