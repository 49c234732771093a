package otel

import (
	"context"
	"slices"

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

// ReadResources returns the attributes of resources of a project by their ids.
// One that is not stored has none.
func ReadResources(ctx context.Context, db *clickhouse.DB, p project.ID, ids []uint64) (map[uint64]map[string]string, error) {
	wanted := slices.Clone(ids)
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	var rows []struct {
		ID     uint64   `ch:"resource_id"`
		Keys   []string `ch:"keys"`
		Values []string `ch:"values"`
	}
	err := db.Select(ctx, p, &rows, `
		SELECT resource_id, keys, values FROM resources
		WHERE project_id = {project:UInt32} AND resource_id IN {ids:Array(UInt64)}
		LIMIT 1 BY resource_id`, clickhouse.P("ids", wanted))
	if err != nil {
		return nil, err
	}
	resources := make(map[uint64]map[string]string, len(wanted))
	for _, id := range wanted {
		resources[id] = map[string]string{}
	}
	for _, r := range rows {
		resources[r.ID] = Map(r.Keys, r.Values)
	}
	return resources, nil
}
