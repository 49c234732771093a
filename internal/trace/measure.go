package trace

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Measured is what a service, or an endpoint of it, did in the time before a
// moment.
type Measured struct {
	Project                        project.ID
	Service, Environment, Endpoint string    // Endpoint is "" for the service as a whole
	End                            time.Time // a whole minute
	Count, Errors                  uint64
	P50, P90, P95, P99             int64 // ns
	// Satisfied and Tolerated are how many took up to Target, and from there up to
	// four times as long, without an error: what Apdex is made of.
	Satisfied, Tolerated uint64
}

// MeasureQuery selects what is measured; of several projects.
type MeasureQuery struct {
	Projects []project.ID
	Ends     []time.Time // whole minutes, from early to late
	Window   time.Duration
	// Endpoints makes it one answer per endpoint instead of one per service.
	Endpoints bool
	Endpoint  string        // only this one
	Target    time.Duration // asks for Satisfied and Tolerated, and for nothing else beside the counts
	Counts    bool          // asks for the counts alone
}

// Measure returns what services did before each of the ends: nothing for one in
// whose window it did nothing. It is for the evaluation of rules only: it crosses
// projects.
func (s *Store) Measure(ctx context.Context, q MeasureQuery) ([]Measured, error) {
	if len(q.Projects) == 0 || len(q.Ends) == 0 {
		return nil, fault.New(fault.Internal, "a measurement names no project or no time")
	}
	ends := make([]uint32, len(q.Ends))
	for i, e := range q.Ends {
		ends[i] = uint32(e.Unix())
	}
	projects := make([]uint32, len(q.Projects))
	for i, p := range q.Projects {
		projects[i] = uint32(p)
	}
	first, last := q.Ends[0], q.Ends[len(q.Ends)-1]
	params := []clickhouse.Param{clickhouse.P("projects", projects), clickhouse.P("ends", ends), clickhouse.P("window", uint32(q.Window/time.Minute)),
		clickhouse.P("from", first.Add(-q.Window).UTC()), clickhouse.P("to", last.UTC()), clickhouse.P("endpoint", q.Endpoint),
		clickhouse.P("target", uint64(q.Target))}
	// A minute is in the windows that end up to window minutes after it. With one
	// end it is that one, which spares the list.
	const inWindows = `toUInt32(arrayJoin(arrayFilter(e -> has({ends:Array(UInt32)}, e), arrayMap(k -> toUnixTimestamp(minute) + 60 * k, range(1, {window:UInt32} + 1))))) AS end`
	window := inWindows
	switch {
	case len(ends) == 1:
		window = `{ends:Array(UInt32)}[1] AS end`
	case int(ends[len(ends)-1]-ends[0]) == 60*(len(ends)-1): // every minute, which need not be looked up
		window = `toUInt32(arrayJoin(arrayFilter(e -> e >= {ends:Array(UInt32)}[1] AND e <= {ends:Array(UInt32)}[-1], arrayMap(k -> toUnixTimestamp(minute) + 60 * k, range(1, {window:UInt32} + 1))))) AS end`
	}
	const during = ` project_id IN {projects:Array(UInt32)} AND minute >= {from:DateTime} AND minute < {to:DateTime}`
	table, endpoint, where := "service_minute", "''", during
	if q.Endpoints || q.Endpoint != "" {
		table, where = "red_minute", during+" AND entry"
		if q.Endpoints {
			endpoint = "operation"
		}
		if q.Endpoint != "" {
			where += " AND operation = {endpoint:String}"
		}
	}
	values := `sum(count) AS n, sum(errors) AS bad, quantilesDDMerge(0.02, 0.5, 0.9, 0.95, 0.99)(duration_state) AS q, toUInt64(0) AS satisfied, toUInt64(0) AS tolerated`
	if q.Counts {
		values = `sum(count) AS n, sum(errors) AS bad, emptyArrayFloat32() AS q, toUInt64(0) AS satisfied, toUInt64(0) AS tolerated`
	}
	if q.Target == 0 && wholeHours(q.Window, q.Ends) {
		table, window = strings.Replace(table, "minute", "hour", 1), `toUInt32(toUnixTimestamp(hour) + 3600) AS end`
		where = strings.Replace(where, during, ` project_id IN {projects:Array(UInt32)} AND hour >= {from:DateTime} AND hour < {to:DateTime}
			AND has({ends:Array(UInt32)}, toUInt32(toUnixTimestamp(hour) + 3600))`, 1)
	}
	if q.Target > 0 { // no rollup knows the target
		table, endpoint, where = "(SELECT *, toStartOfMinute(ended) AS minute FROM transactions WHERE project_id IN {projects:Array(UInt32)} AND ended >= {from:DateTime} AND ended < {to:DateTime})", "''", during
		if q.Endpoints {
			endpoint = "endpoint"
		}
		if q.Endpoint != "" {
			where += " AND endpoint = {endpoint:String}"
		}
		values = `count() AS n, countIf(error) AS bad, emptyArrayFloat32() AS q,
			countIf(NOT error AND elapsed <= {target:UInt64}) AS satisfied, countIf(NOT error AND elapsed > {target:UInt64} AND elapsed <= 4 * {target:UInt64}) AS tolerated`
	}
	var rows []struct {
		Project     uint32    `ch:"project_id"`
		Service     string    `ch:"service"`
		Environment string    `ch:"environment"`
		Endpoint    string    `ch:"what"`
		End         uint32    `ch:"end"`
		Count       uint64    `ch:"n"`
		Errors      uint64    `ch:"bad"`
		Quantiles   []float32 `ch:"q"`
		Satisfied   uint64    `ch:"satisfied"`
		Tolerated   uint64    `ch:"tolerated"`
	}
	err := s.db.SystemSelect(ctx, &rows, `SELECT project_id, service, environment, `+endpoint+` AS what, `+window+`, `+values+`
		FROM `+table+` WHERE`+where+` GROUP BY project_id, service, environment, what, end`, params...)
	if err != nil {
		return nil, fmt.Errorf("measure services: %w", err)
	}
	measured := make([]Measured, len(rows))
	for i, r := range rows {
		m := Measured{Project: project.ID(r.Project), Service: r.Service, Environment: r.Environment, Endpoint: r.Endpoint,
			End: time.Unix(int64(r.End), 0).UTC(), Count: r.Count, Errors: r.Errors, Satisfied: r.Satisfied, Tolerated: r.Tolerated}
		if len(r.Quantiles) == 4 {
			m.P50, m.P90, m.P95, m.P99 = int64(r.Quantiles[0]), int64(r.Quantiles[1]), int64(r.Quantiles[2]), int64(r.Quantiles[3])
		}
		measured[i] = m
	}
	return measured, nil
}

// wholeHours reports whether hours of the clock are asked for, which have rollups
// of their own.
func wholeHours(window time.Duration, ends []time.Time) bool {
	return window == time.Hour && !slices.ContainsFunc(ends, func(e time.Time) bool { return !e.Truncate(time.Hour).Equal(e) })
}

// LateMinutes returns the ends of the minutes before a time for which transactions
// arrived in (after, until], of the last day, per project.
func (s *Store) LateMinutes(ctx context.Context, projects []project.ID, after, until, before time.Time) (map[project.ID][]time.Time, error) {
	a := Arrivals{Projects: projects, After: after, Until: until}
	params, _, err := a.params()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Project uint32    `ch:"project_id"`
		Minute  time.Time `ch:"minute"`
	}
	err = s.db.SystemSelect(ctx, &rows, `SELECT project_id, toStartOfMinute(ended) AS minute FROM transactions
		WHERE`+arrivedIn+`AND ended < {before:DateTime} AND ended >= {before:DateTime} - toIntervalDay(1)
		GROUP BY project_id, minute ORDER BY project_id, minute LIMIT 10000`, append(params, clickhouse.P("before", before.UTC().Truncate(time.Second)))...)
	if err != nil {
		return nil, fmt.Errorf("find minutes that came late: %w", err)
	}
	late := map[project.ID][]time.Time{}
	for _, r := range rows {
		late[project.ID(r.Project)] = append(late[project.ID(r.Project)], r.Minute.Add(time.Minute).UTC())
	}
	return late, nil
}
