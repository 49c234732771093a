package otel

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/catalog"
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

// ResourceReader reads the attributes of resources by their ids and remembers
// them. One that is not stored is missing.
type ResourceReader = catalog.Reader[map[string]string]

// NewResourceReader returns a reader of the table resources.
func NewResourceReader(db *clickhouse.DB) *ResourceReader {
	return catalog.NewReader(maxKnownResources, func(ctx context.Context, p project.ID, ids []uint64) (map[uint64]map[string]string, error) {
		var rows []struct {
			ID     uint64   `ch:"resource_id"`
			Keys   []string `ch:"keys"`
			Values []string `ch:"values"`
		}
		err := db.Select(ctx, p, &rows, `
			SELECT resource_id, keys, values FROM resources
			WHERE project_id = {project:UInt32} AND resource_id IN {ids:Array(UInt64)}
			LIMIT 1 BY resource_id`, clickhouse.P("ids", ids))
		resources := make(map[uint64]map[string]string, len(rows))
		for _, row := range rows {
			resources[row.ID] = Map(row.Keys, row.Values)
		}
		return resources, err
	})
}

// ResourceOf returns one of what a ResourceReader read: {} in JSON when it is not stored.
func ResourceOf(read map[uint64]map[string]string, id uint64) map[string]string {
	if attributes, ok := read[id]; ok {
		return attributes
	}
	return map[string]string{}
}
