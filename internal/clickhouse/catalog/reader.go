package catalog

import (
	"context"
	"maps"
	"sync"

	"github.com/matrix-aiops/matrix/internal/project"
)

// Reader reads rows that others point at by their ids. An id is a hash of what
// its row says, so what was read once is remembered. It is safe for concurrent use.
type Reader[V any] struct {
	most int
	read func(context.Context, project.ID, []uint64) (map[uint64]V, error)

	mu    sync.Mutex
	known map[readKey]V
}

type readKey struct {
	project project.ID
	id      uint64
}

// NewReader returns a Reader that remembers at most so many rows. read returns
// those of a project that are stored, by their ids.
func NewReader[V any](most int, read func(context.Context, project.ID, []uint64) (map[uint64]V, error)) *Reader[V] {
	return &Reader[V]{most: most, read: read, known: map[readKey]V{}}
}

// Read returns the rows of a project by their ids, of which some may occur
// twice. One that is not stored is missing. The values are shared and must not
// be changed.
func (r *Reader[V]) Read(ctx context.Context, p project.ID, ids []uint64) (map[uint64]V, error) {
	found := make(map[uint64]V, len(ids))
	var missing []uint64
	asked := make(map[uint64]bool, len(ids))
	r.mu.Lock()
	for _, id := range ids {
		if asked[id] {
			continue
		}
		asked[id] = true
		if v, ok := r.known[readKey{p, id}]; ok {
			found[id] = v
		} else {
			missing = append(missing, id)
		}
	}
	r.mu.Unlock()
	if len(missing) == 0 {
		return found, nil
	}
	rows, err := r.read(ctx, p, missing)
	if err != nil {
		return nil, err
	}
	maps.Copy(found, rows)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known)+len(rows) > r.most {
		clear(r.known)
	}
	for id, v := range rows {
		r.known[readKey{p, id}] = v
	}
	return found, nil
}
