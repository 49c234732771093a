package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Affected is whom and what a time of trouble of one service met.
type Affected struct {
	From         time.Time          `json:"from"`
	To           time.Time          `json:"to"`
	Transactions uint64             `json:"transactions"`
	Failed       uint64             `json:"failed"`
	Users        uint64             `json:"users" doc:"distinct ones by enduser.id, as far as the entry spans name them; 0 when none does"`
	FailedUsers  uint64             `json:"failed_users" doc:"of them, those a transaction failed for"`
	Endpoints    []AffectedEndpoint `json:"endpoints" doc:"at most 10: most failures first, then the busiest"`
	Versions     []VersionChange    `json:"versions" doc:"versions that began within a day before the time, or in it, the newest first"`
}

// AffectedEndpoint is one endpoint of the time.
type AffectedEndpoint struct {
	Endpoint     string `json:"endpoint"`
	Transactions uint64 `json:"transactions"`
	Failed       uint64 `json:"failed"`
	SlowestNs    uint64 `json:"slowest_ns"`
}

// VersionChange is a version of a service that was seen for the first time after
// another had been.
type VersionChange struct {
	Version   string    `json:"version"`
	Before    string    `json:"before" doc:"the version that began before it"`
	FirstSeen time.Time `json:"first_seen"`
}

const (
	affectedEndpoints = 10
	// changesBack is how long before a time of trouble a new version may have
	// caused it.
	changesBack = 24 * time.Hour
	// versionsKnown is how long before that versions are looked for that are not new.
	versionsKnown = 7 * 24 * time.Hour
)

// affectedSpans selects the entry spans of a service that began in the time. Those that
// began before and ended in it are not counted: it reads one index range.
const affectedSpans = ` FROM spans WHERE project_id = {project:UInt32} AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes({from:DateTime64(9)})
	AND toStartOfFiveMinutes(start) <= {to:DateTime64(9)} AND start >= {from:DateTime64(9)} AND start < {to:DateTime64(9)} AND entry AND ` + serviceFilter

// Affected counts what a service did between from and to, which is exclusive, and
// lists its versions that were new. Environment "" is all.
func (s *Store) Affected(ctx context.Context, p project.ID, service, environment string, from, to time.Time) (*Affected, error) {
	out := &Affected{From: from.UTC(), To: to.UTC(), Endpoints: []AffectedEndpoint{}, Versions: []VersionChange{}}
	params := []clickhouse.Param{
		clickhouse.P("service", service), clickhouse.P("environment", environment), clickhouse.P("from", out.From), clickhouse.P("to", out.To),
		clickhouse.P("limit", affectedEndpoints),
	}
	var totals []struct {
		Transactions uint64 `ch:"transactions"`
		Failed       uint64 `ch:"failed"`
		Users        uint64 `ch:"users"`
		FailedUsers  uint64 `ch:"failed_users"`
	}
	err := s.db.Select(ctx, p, &totals, `SELECT count() AS transactions, countIf(status = 2) AS failed,
		uniqIf(user, user != '') AS users, uniqIf(user, user != '' AND status = 2) AS failed_users
		FROM (SELECT status, attr_values[indexOf(attr_keys, 'enduser.id')] AS user`+affectedSpans+`)`, params...)
	if err != nil {
		return nil, fmt.Errorf("count what was affected: %w", err)
	}
	if len(totals) > 0 {
		out.Transactions, out.Failed, out.Users, out.FailedUsers = totals[0].Transactions, totals[0].Failed, totals[0].Users, totals[0].FailedUsers
	}
	var endpoints []struct {
		Operation    string `ch:"op"`
		Transactions uint64 `ch:"transactions"`
		Failed       uint64 `ch:"failed"`
		Slowest      uint64 `ch:"slowest"`
	}
	err = s.db.Select(ctx, p, &endpoints, `SELECT toString(operation) AS op, count() AS transactions, countIf(status = 2) AS failed, max(duration) AS slowest`+
		affectedSpans+` GROUP BY op ORDER BY failed DESC, transactions DESC, op LIMIT {limit:UInt32}`, params...)
	if err != nil {
		return nil, fmt.Errorf("list affected endpoints: %w", err)
	}
	for _, e := range endpoints {
		out.Endpoints = append(out.Endpoints, AffectedEndpoint{e.Operation, e.Transactions, e.Failed, e.Slowest})
	}
	changes, err := s.NewVersions(ctx, p, []string{service}, environment, out.From, out.To)
	if err != nil {
		return nil, err
	}
	out.Versions = append(out.Versions, changes[service]...)
	return out, nil
}

// NewVersions returns the versions of services that were seen for the first time
// within a day before from, or until to, which is exclusive, by service, the newest
// first. What a service ran a week earlier and never since counts as new: it was
// brought back. Environment "" is all.
func (s *Store) NewVersions(ctx context.Context, p project.ID, services []string, environment string, from, to time.Time) (map[string][]VersionChange, error) {
	var rows []struct {
		Service string    `ch:"service"`
		Version string    `ch:"version"`
		First   time.Time `ch:"first"`
	}
	begin := from.Add(-changesBack).UTC()
	err := s.db.Select(ctx, p, &rows, `SELECT service, version, min(ended) AS first FROM transactions
		WHERE project_id = {project:UInt32} AND ended >= {since:DateTime64(9)} AND ended < {to:DateTime64(9)} AND version != ''
			AND service IN {services:Array(String)} AND ({environment:String} = '' OR environment = {environment:String})
		GROUP BY service, version ORDER BY service, first, version`,
		clickhouse.P("since", begin.Add(-versionsKnown)), clickhouse.P("to", to.UTC()), clickhouse.P("services", services), clickhouse.P("environment", environment))
	if err != nil {
		return nil, fmt.Errorf("list new versions: %w", err)
	}
	changes := map[string][]VersionChange{}
	for i := len(rows) - 1; i > 0; i-- { // the first one of a service is no change
		if r, before := rows[i], rows[i-1]; before.Service == r.Service && !r.First.Before(begin) {
			changes[r.Service] = append(changes[r.Service], VersionChange{r.Version, before.Version, r.First.UTC()})
		}
	}
	return changes, nil
}
