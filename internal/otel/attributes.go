package otel

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Bounds of what ReadAttributes returns.
const (
	maxAttributeKeys   = 200
	maxAttributeValues = 50 // of a key
	maxAttributeLength = 200
)

// ResourceAttribute is an attribute that senders carry, with the values it has.
type ResourceAttribute struct {
	Key    string           `json:"key"`
	Values []AttributeValue `json:"values" doc:"those of most senders first, at most 50 of at most 200 characters"`
}

// AttributeValue is a value and how many senders have it.
type AttributeValue struct {
	Value     string `json:"value"`
	Resources uint64 `json:"resources" doc:"senders with that value: instances, and each again after its resource changed"`
}

// ReadAttributes returns what the senders heard of since a day say of themselves,
// the keys of most senders first.
func ReadAttributes(ctx context.Context, db *clickhouse.DB, p project.ID, since time.Time) ([]ResourceAttribute, error) {
	var rows []struct {
		Key    string   `ch:"key"`
		Values []string `ch:"top"`
		Counts []uint64 `ch:"counts"`
	}
	err := db.Select(ctx, p, &rows, `
		SELECT key, groupArray({values:UInt64})(value) AS top, groupArray({values:UInt64})(n) AS counts
		FROM (
			SELECT key, value, uniq(resource_id) AS n FROM (
				SELECT resource_id, toString(pair.1) AS key, pair.2 AS value
				FROM resources ARRAY JOIN arrayZip(keys, values) AS pair
				WHERE project_id = {project:UInt32} AND day >= {since:Date}
			)
			WHERE lengthUTF8(value) <= {length:UInt32}
			GROUP BY key, value ORDER BY n DESC, value
		)
		GROUP BY key ORDER BY sum(n) DESC, key LIMIT {keys:UInt32}`,
		clickhouse.P("since", since.UTC().Format(time.DateOnly)), clickhouse.P("values", uint64(maxAttributeValues)),
		clickhouse.P("length", maxAttributeLength), clickhouse.P("keys", maxAttributeKeys))
	attributes := make([]ResourceAttribute, len(rows))
	for i, r := range rows {
		attributes[i] = ResourceAttribute{Key: r.Key, Values: make([]AttributeValue, len(r.Values))}
		for k, value := range r.Values {
			attributes[i].Values[k] = AttributeValue{value, r.Counts[k]}
		}
	}
	return attributes, err
}
