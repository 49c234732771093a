package trace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

// A call is matched when its two spans begin within apart of one another.
const apart = time.Minute

// A minute is joined settle after the last span that can belong to it began.
const settle = 30 * time.Second

// Bounds of one join.
const (
	joinSpans   = 3_000_000 // spans that one statement reads, unless a single minute has more
	joinMost    = 9_000_000 // around one minute; of more, every n-th trace is counted, times n, so that the join fits into memory
	joinMinutes = 2_000     // minutes that one JoinEdges takes on
	hostsOf     = 100       // external hosts of one caller in one minute; the rest become one
)

// OtherHosts is the name of the external hosts that one caller has beyond hostsOf.
const OtherHosts = "…"

// edgeColumns are the columns of an edge beside its time.
const edgeColumns = `environment, from_kind, from_name, to_kind, to_system, to_name, to_address,
	count, errors, duration_sum, duration_max, duration_state`

// noEdge are the values of edgeColumns in a row that only says how far a join is.
const noEdge = `'', '', '', '', '', '', '', 0, 0, 0, 0, initializeAggregation('quantilesDDState(0.02, 0.5, 0.95, 0.99)', toUInt64(0))`

// edgeJoin finds the calls that began in [from, to) in whole minutes, of every
// keep-th trace. A call is
//
//   - a client span with the server span below it, in whatever service. It is
//     measured by the client, as its user feels it,
//   - a server span below a span of another service that is no client span,
//   - a client span with nothing below it: a database, a cache, a queue, a host
//     that is not instrumented or did not answer. A client span with another
//     client span of its service below it only wraps that one,
//   - a server span whose parent is not stored: somebody from outside called,
//   - a message sent, to its topic, and a message received, from its topic:
//     messageCalls.
const edgeJoin = `
	SELECT minute, environment, from_kind, from_name, to_kind, to_system,
		if(to_kind = 'external' AND place > {hosts:UInt64}, '` + OtherHosts + `', to_name) AS to_name,
		if(to_kind = 'external' AND place > {hosts:UInt64}, '', to_address) AS to_address,
		sum(n) * {keep:UInt64} AS count, sum(failed) * {keep:UInt64} AS errors,
		sum(total) * {keep:UInt64} AS duration_sum, max(longest) AS duration_max,
		quantilesDDMergeState(0.02, 0.5, 0.95, 0.99)(state) AS duration_state
	FROM (
		SELECT toStartOfMinute(at) AS minute, environment, from_kind, from_name, to_kind, to_system, to_name, to_address,
			count() AS n, sum(error) AS failed, sum(duration) AS total, max(duration) AS longest,
			quantilesDDState(0.02, 0.5, 0.95, 0.99)(duration) AS state,
			row_number() OVER (PARTITION BY minute, from_name, to_kind ORDER BY n DESC) AS place
		FROM (
			SELECT l.kind = 3 AS told_by_caller,
				if(told_by_caller, l.start, r.start) AS at,
				if(told_by_caller, l.environment, r.environment) AS environment,
				if(told_by_caller, l.duration, r.duration) AS duration,
				if(told_by_caller, l.status, r.status) = 2 AS error,
				if(l.span_id = 0, 'user', 'service') AS from_kind,
				l.service AS from_name,
				multiIf(r.kind != 0, 'service', l.db_system IN ('redis', 'memcached', 'valkey', 'hazelcast', 'ehcache'), 'cache',
					l.db_system != '', 'database', 'external') AS to_kind,
				if(to_kind IN ('cache', 'database'), l.db_system, '') AS to_system,
				multiIf(to_kind = 'service', r.service, to_kind IN ('cache', 'database'), l.db_name,
					l.peer != '', replaceRegexpOne(toString(l.peer), ':(80|443)$', ''), splitByChar('/', toString(l.rpc))[1]) AS to_name,
				if(told_by_caller, l.peer, '') AS to_address
			FROM (
				SELECT trace_id, span_id, service, environment, kind, status, start, duration, rpc, messaging, db_system, db_name, peer
				FROM spans
				WHERE ` + spansApart + ` AND cityHash64(trace_id) % {keep:UInt64} = 0
			) AS l
			FULL JOIN (
				SELECT trace_id, parent_id, service, environment, kind, status, start, duration
				FROM spans
				WHERE ` + spansApart + ` AND cityHash64(trace_id) % {keep:UInt64} = 0
					AND (kind = 2 OR (kind = 3 AND parent_id != 0))
			) AS r ON l.trace_id = r.trace_id AND l.span_id = r.parent_id
			WHERE at >= {from:DateTime64(9)} AND at < {to:DateTime64(9)} AND multiIf(
				r.kind = 0, l.kind = 3 AND (l.messaging = '' OR l.db_system != ''),
				l.span_id = 0, r.kind = 2,
				r.kind = 2, l.kind = 3 OR l.service != r.service,
				l.kind = 3 AND l.service != r.service)
			UNION ALL ` + messageCalls + `
		)
		GROUP BY minute, environment, from_kind, from_name, to_kind, to_system, to_name, to_address
	)
	GROUP BY minute, environment, from_kind, from_name, to_kind, to_system, to_name, to_address`

// The spans of the range of a join, those that may belong to them, and those
// that may have sent what they receive. The engine finds the rows of a time by
// the five minutes that the table is sorted by and not by start itself.
const (
	spansBetween = `project_id = {project:UInt32} AND start >= {from:DateTime64(9)} AND start < {to:DateTime64(9)}
		AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes({from:DateTime64(9)}) AND toStartOfFiveMinutes(start) <= {to:DateTime64(9)}`
	spansApart = `project_id = {project:UInt32} AND start >= ({from:DateTime64(9)} - toIntervalSecond({apart:UInt32}) AS low)
		AND start < ({to:DateTime64(9)} + toIntervalSecond({apart:UInt32}) AS high)
		AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes(low) AND toStartOfFiveMinutes(start) <= high`
	spansBefore = `project_id = {project:UInt32} AND start >= ({from:DateTime64(9)} - toIntervalSecond({lag:UInt32}) AS low)
		AND start < ({to:DateTime64(9)} + toIntervalSecond({apart:UInt32}) AS high)
		AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes(low) AND toStartOfFiveMinutes(start) <= high`
)

// entries is what services took in from [from, to), as they measured it, in the
// columns of edgeJoin.
const entries = `
	SELECT minute, environment, 'entry' AS from_kind, '' AS from_name, 'service' AS to_kind, '' AS to_system, service AS to_name, '' AS to_address,
		sum(r.count) AS count, sum(r.errors) AS errors, sum(r.duration_sum) AS duration_sum, max(r.duration_max) AS duration_max,
		quantilesDDMergeState(0.02, 0.5, 0.95, 0.99)(r.duration_state) AS duration_state
	FROM red_minute AS r
	WHERE project_id = {project:UInt32} AND minute >= toDateTime({from:DateTime64(9)}, 'UTC') AND minute < toDateTime({to:DateTime64(9)}, 'UTC') AND entry
	GROUP BY minute, environment, service`

// joinParams are the parameters of edgeJoin and entries beside the project.
func joinParams(from, to time.Time, keep uint64) []clickhouse.Param {
	return []clickhouse.Param{
		clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()), clickhouse.P("apart", uint32(apart.Seconds())),
		clickhouse.P("keep", keep), clickhouse.P("hosts", uint64(hostsOf)), clickhouse.P("lag", uint32(lag.Seconds())),
	}
}

// openMinute is a minute whose edges are missing, or older than its spans.
type openMinute struct {
	Project   uint32    `ch:"project_id"`
	Minute    time.Time `ch:"minute"`
	Spans     uint64    `ch:"spans"` // of it and of the minutes beside it
	Retention uint16    `ch:"retention_days"`
}

// JoinEdges brings edge_minute and edge_hour up to date with the spans of all
// projects that began since the given time, the newest first, and returns how
// many minutes it joined: those that are over for a while and were never
// joined, and those around which spans have arrived since. It takes on so much
// that a call ends; what it leaves, the next call does. It is safe to run it
// twice at once.
func (s *Store) JoinEdges(ctx context.Context, since, now time.Time) (int, error) {
	since, until := since.UTC().Truncate(time.Hour), now.UTC().Add(-apart-settle).Truncate(time.Minute)
	open, err := s.openMinutes(ctx, since, until)
	if err != nil {
		return 0, fmt.Errorf("find minutes to join: %w", err)
	}
	joined, failed := 0, []error(nil)
	for _, chunk := range chunks(open) {
		if err := s.join(ctx, chunk); err != nil { // the others need not wait for it
			failed = append(failed, fmt.Errorf("join edges: %w", err))
			continue
		}
		joined += len(chunk)
	}
	hours, err := s.openHours(ctx, since, until)
	if err != nil {
		failed = append(failed, fmt.Errorf("find hours to sum up: %w", err))
	}
	for _, h := range hours {
		if err := s.sumUp(ctx, h); err != nil {
			failed = append(failed, fmt.Errorf("sum up edges: %w", err))
		}
	}
	return joined, errors.Join(failed...)
}

// openMinutes finds what to join, by project, the newest minute first.
func (s *Store) openMinutes(ctx context.Context, since, until time.Time) (open []openMinute, err error) {
	err = s.db.SystemSelect(ctx, &open, `
		SELECT c.project_id AS project_id, c.minute AS minute, c.around AS spans, c.retention_days AS retention_days
		FROM (
			SELECT project_id, minute, retention_days, sum(n) OVER (
				PARTITION BY project_id ORDER BY toUnixTimestamp(minute) RANGE BETWEEN {apart:UInt32} PRECEDING AND {apart:UInt32} FOLLOWING) AS around
			FROM (
				SELECT project_id, minute, sum(count) AS n, max(retention_days) AS retention_days FROM red_minute
				WHERE minute >= {since:DateTime} - toIntervalSecond({apart:UInt32}) AND minute < {until:DateTime} + toIntervalSecond({apart:UInt32})
				GROUP BY project_id, minute
			)
		) AS c
		LEFT JOIN (
			SELECT project_id, minute, argMax(spans, run) AS spans FROM edge_minute
			WHERE minute >= {since:DateTime} AND minute < {until:DateTime} AND from_kind = ''
			GROUP BY project_id, minute
		) AS e ON c.project_id = e.project_id AND c.minute = e.minute
		WHERE c.minute >= {since:DateTime} AND c.minute < {until:DateTime} AND c.around != e.spans
		ORDER BY minute DESC LIMIT {limit:UInt32}`,
		clickhouse.P("since", since), clickhouse.P("until", until), clickhouse.P("apart", uint32(apart.Seconds())),
		clickhouse.P("limit", joinMinutes))
	slices.SortStableFunc(open, func(a, b openMinute) int { return cmp.Compare(a.Project, b.Project) })
	return open, err
}

// chunks divides minutes, in the order of openMinutes, into runs without gaps
// of one project, none of which is too much for one statement.
func chunks(open []openMinute) (all [][]openMinute) {
	var spans uint64
	for i, m := range open {
		if i == 0 || m.Project != open[i-1].Project || !m.Minute.Equal(open[i-1].Minute.Add(-time.Minute)) || spans+m.Spans > joinSpans {
			all, spans = append(all, nil), 0
		}
		last := len(all) - 1
		all[last], spans = append(all[last], m), spans+m.Spans
	}
	return all
}

// join writes the edges of a chunk. The run is the engine's clock: should the
// statement be repeated after a lost connection, the later one counts. It sorts,
// so that all of it becomes one block and so one part: a run is whole or absent.
func (s *Store) join(ctx context.Context, chunk []openMinute) error {
	minutes, spans, retention := make([]uint32, len(chunk)), make([]uint64, len(chunk)), make([]uint16, len(chunk))
	for i, m := range chunk {
		minutes[i], spans[i], retention[i] = uint32(m.Minute.Unix()), m.Spans, m.Retention
	}
	from, to := chunk[len(chunk)-1].Minute, chunk[0].Minute.Add(time.Minute)
	keep := slices.Max(spans)/joinMost + 1
	return s.db.Exec(ctx, `
		INSERT INTO edge_minute (project_id, retention_days, minute, run, spans, `+edgeColumns+`)
		SELECT {project:UInt32}, transform(toUnixTimestamp(minute), {minutes:Array(UInt32)}, {retention:Array(UInt16)}, toUInt16(1)),
			minute, toUnixTimestamp64Nano(now64(9)), spans, `+edgeColumns+`
		FROM (
			SELECT minute, 0 AS spans, `+edgeColumns+` FROM (`+edgeJoin+` UNION ALL `+entries+`)
			UNION ALL
			SELECT toDateTime(m.1, 'UTC'), m.2, `+noEdge+`
			FROM (SELECT arrayJoin(arrayZip({minutes:Array(UInt32)}, {spans:Array(UInt64)})) AS m)
		)
		ORDER BY minute, from_kind, from_name, to_kind, to_name
		SETTINGS max_insert_threads = 1`,
		append(joinParams(from, to, keep), clickhouse.P("project", chunk[0].Project),
			clickhouse.P("minutes", minutes), clickhouse.P("spans", spans), clickhouse.P("retention", retention))...)
}

// openHour is an hour that is over and whose sum is missing, or older than its minutes.
type openHour struct {
	Project   uint32    `ch:"project_id"`
	Hour      time.Time `ch:"hour"`
	Runs      uint64    `ch:"runs"`
	Retention uint16    `ch:"retention_days"`
}

// hourRuns is the sum of the newest runs of the minutes of each hour, of one
// project or, if that is 0, of all.
const hourRuns = `
	SELECT project_id, toStartOfHour(minute) AS hour, sum(newest) AS runs, max(retention_days) AS retention_days
	FROM (SELECT project_id, minute, max(run) AS newest, max(retention_days) AS retention_days FROM edge_minute
		WHERE minute >= {since:DateTime} AND minute < {until:DateTime} AND from_kind = '' AND ({project:UInt32} = 0 OR project_id = {project:UInt32})
		GROUP BY project_id, minute)
	GROUP BY project_id, hour`

// hourSums is what the newest sum of each hour was made of.
const hourSums = `
	SELECT project_id, hour, argMax(runs, run) AS runs FROM edge_hour
	WHERE hour >= {since:DateTime} AND hour < {until:DateTime} AND from_kind = '' AND ({project:UInt32} = 0 OR project_id = {project:UInt32})
	GROUP BY project_id, hour`

func (s *Store) openHours(ctx context.Context, since, until time.Time) (open []openHour, err error) {
	err = s.db.SystemSelect(ctx, &open, `
		SELECT m.project_id AS project_id, m.hour AS hour, m.runs AS runs, m.retention_days AS retention_days
		FROM (`+hourRuns+`) AS m LEFT JOIN (`+hourSums+`) AS h ON m.project_id = h.project_id AND m.hour = h.hour
		WHERE m.runs != h.runs ORDER BY hour DESC LIMIT {limit:UInt32}`,
		clickhouse.P("since", since), clickhouse.P("until", until.Truncate(time.Hour)), clickhouse.P("project", 0), clickhouse.P("limit", joinMinutes))
	return open, err
}

// sumUp writes the sum of an hour, as join does a minute.
func (s *Store) sumUp(ctx context.Context, h openHour) error {
	return s.db.Exec(ctx, `
		INSERT INTO edge_hour (project_id, retention_days, hour, run, runs, `+edgeColumns+`)
		SELECT {project:UInt32}, {retention:UInt16}, {since:DateTime}, toUnixTimestamp64Nano(now64(9)), runs, `+edgeColumns+`
		FROM (
			SELECT 0 AS runs, environment, from_kind, from_name, to_kind, to_system, to_name, to_address,
				sum(e.count) AS count, sum(e.errors) AS errors, sum(e.duration_sum) AS duration_sum, max(e.duration_max) AS duration_max,
				quantilesDDMergeState(0.02, 0.5, 0.95, 0.99)(e.duration_state) AS duration_state
			FROM edge_minute AS e
			WHERE project_id = {project:UInt32} AND minute >= {since:DateTime} AND minute < {until:DateTime} AND from_kind != ''
				AND (minute, run) IN (
					SELECT minute, max(run) FROM edge_minute
					WHERE project_id = {project:UInt32} AND minute >= {since:DateTime} AND minute < {until:DateTime} AND from_kind = ''
					GROUP BY minute)
			GROUP BY environment, from_kind, from_name, to_kind, to_system, to_name, to_address
			UNION ALL
			SELECT {runs:UInt64}, `+noEdge+`
		)
		ORDER BY from_kind, from_name, to_kind, to_name
		SETTINGS max_insert_threads = 1`,
		clickhouse.P("project", h.Project), clickhouse.P("retention", h.Retention), clickhouse.P("runs", h.Runs),
		clickhouse.P("since", h.Hour), clickhouse.P("until", h.Hour.Add(time.Hour)))
}
