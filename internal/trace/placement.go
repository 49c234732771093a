package trace

import (
	"context"
	"fmt"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// maxPlacements is how many pairs of host and service are listed, those with the most transactions.
const maxPlacements = 5000

// Placement is a service as it ran on one host.
type Placement struct {
	Host      string   `json:"-"`
	Service   string   `json:"service"`
	Instances []string `json:"instances"` // by name, at most 20
	RED
}

// Placements lists which services ran transactions on which hosts in the range,
// those with the most first; of one host, or of all when host is "". A host is
// what resources call host.name or k8s.node.name: a pod gives its own name as the
// one and its node as the other, and is found under both.
func (s *Store) Placements(ctx context.Context, p project.ID, r Range, host string) ([]Placement, error) {
	var rows []struct {
		Host      string   `ch:"host"`
		Service   string   `ch:"service"`
		Instances []string `ch:"instances"`
		redRow
	}
	// The instance of a transaction is one of three attributes of its resource.
	err := s.db.Select(ctx, p, &rows, `
		SELECT toUInt8(0) AS w, host, service, arraySort(groupUniqArray(20)(instance)) AS instances, `+redRaw+`
		FROM (
			SELECT toString(service) AS service, toString(instance) AS instance, elapsed, error FROM transactions
			WHERE project_id = {project:UInt32} AND ended >= {from:DateTime64(9)} AND ended < {to:DateTime64(9)}
		) AS ran
		INNER JOIN (
			SELECT DISTINCT service, instance, host FROM (
				SELECT values[indexOf(keys, 'service.name')] AS service,
					arrayJoin([values[indexOf(keys, 'k8s.pod.name')], values[indexOf(keys, 'service.instance.id')], values[indexOf(keys, 'host.name')]]) AS instance,
					arrayJoin([values[indexOf(keys, 'host.name')], values[indexOf(keys, 'k8s.node.name')]]) AS host
				FROM resources
				WHERE project_id = {project:UInt32} AND day BETWEEN toDate({from:DateTime64(9)}) AND toDate({to:DateTime64(9)}))
			WHERE instance != '' AND host != '' AND ({host:String} = '' OR host = {host:String})
		) AS placed USING (service, instance)
		GROUP BY host, service ORDER BY n DESC, host, service LIMIT {limit:UInt32}`,
		clickhouse.P("from", r.From()), clickhouse.P("to", r.To()), clickhouse.P("host", host), clickhouse.P("limit", uint32(maxPlacements)))
	if err != nil {
		return nil, fmt.Errorf("place services: %w", err)
	}
	out := make([]Placement, len(rows))
	for i, row := range rows {
		out[i] = Placement{Host: row.Host, Service: row.Service, Instances: row.Instances, RED: row.red(r.seconds(present))}
	}
	return out, nil
}
