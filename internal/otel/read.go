package otel

import (
	"context"
	"sync"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Map is the attributes that a row holds as keys and values.
func Map(keys, values []string) map[string]string {
	m := make(map[string]string, len(keys))
	for i := range min(len(keys), len(values)) {
		m[keys[i]] = values[i]
	}
	return m
}

// maxKnownResources is how many resources a ResourceReader remembers: some tens
// of megabytes when each is as long as they are allowed to be.
const maxKnownResources = 5_000

// ResourceReader reads the attributes of resources by their ids. As an id is a
// hash of what it names, what was read once is remembered. It is safe for
// concurrent use.
type ResourceReader struct {
	db *clickhouse.DB

	mu    sync.Mutex
	known map[Key]map[string]string
}

// NewResourceReader returns a reader of the table resources.
func NewResourceReader(db *clickhouse.DB) *ResourceReader {
	return &ResourceReader{db: db, known: map[Key]map[string]string{}}
}

// Read returns the attributes of resources of a project by their ids. One that
// is not stored has none. What it returns is shared and must not be changed.
func (r *ResourceReader) Read(ctx context.Context, p project.ID, ids []uint64) (map[uint64]map[string]string, error) {
	resources := make(map[uint64]map[string]string, len(ids))
	var missing []uint64
	r.mu.Lock()
	for _, id := range ids {
		if _, done := resources[id]; done {
			continue
		}
		attributes, ok := r.known[Key{p, id}]
		if !ok {
			attributes = map[string]string{}
			missing = append(missing, id)
		}
		resources[id] = attributes
	}
	r.mu.Unlock()
	if len(missing) == 0 {
		return resources, nil
	}
	var rows []struct {
		ID     uint64   `ch:"resource_id"`
		Keys   []string `ch:"keys"`
		Values []string `ch:"values"`
	}
	err := r.db.Select(ctx, p, &rows, `
		SELECT resource_id, keys, values FROM resources
		WHERE project_id = {project:UInt32} AND resource_id IN {ids:Array(UInt64)}
		LIMIT 1 BY resource_id`, clickhouse.P("ids", missing))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known)+len(rows) > maxKnownResources {
		clear(r.known)
	}
	for _, row := range rows {
		attributes := Map(row.Keys, row.Values)
		resources[row.ID], r.known[Key{p, row.ID}] = attributes, attributes
	}
	return resources, nil
}
