package trace

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// SQLUse is what one application instance did of SQL within one trace.
type SQLUse struct {
	Project     project.ID
	Arrived     time.Time // of the last part of it, ms precision
	Service     string
	Environment string
	Instance    string
	TraceID     TraceID
	SpanID      SpanID // the entry span, or the parent of Repeats; 0 when it has not arrived
	Endpoint    string // of the entry span, "" when it has not arrived
	Start       time.Time
	DurationNs  int64
	Calls       uint64
	Rows        uint64 // fetched
	// Of the statement that was run most often under one parent:
	Repeats   uint64
	Statement uint64  // its hash
	Variation float64 // of the durations: standard deviation by mean
	Mapper    bool    // an object-relational mapper made it
}

// HeavySQL returns what instances did within traces of which a part arrived in a time
// and that have at least so many calls, or fetched so many rows; 0 asks for none.
// With repeats it returns instead those that ran one statement so often under one
// parent. What is returned is all of the trace that has arrived, not only the
// part. reached is the arrival of the last part when the limit was, otherwise
// zero. It is for the evaluation of rules only: it crosses projects.
func (s *Store) HeavySQL(ctx context.Context, q Arrivals, calls, rows, repeats uint64) (used []SQLUse, reached time.Time, err error) {
	params, order, err := q.params()
	if err != nil {
		return nil, reached, err
	}
	// A part is a fraction of what it is part of: the tables hold only parts of some size.
	candidates := `SELECT project_id, trace_id, service, instance, max(arrived) AS arrived, min(start) AS began, count() AS parts
		FROM (SELECT * FROM sql_heavy WHERE` + arrivedIn + `ORDER BY arrived ` + order + ` LIMIT {limit:UInt32} WITH TIES)
		GROUP BY project_id, trace_id, service, instance`
	var found []struct {
		Project     uint32    `ch:"project_id"`
		TraceID     string    `ch:"trace_id"`
		Service     string    `ch:"service"`
		Environment string    `ch:"env"`
		Instance    string    `ch:"instance"`
		Arrived     time.Time `ch:"came"`
		Span        uint64    `ch:"span"`
		Endpoint    string    `ch:"endpoint"`
		Start       time.Time `ch:"started"`
		Duration    uint64    `ch:"length"`
		Calls       uint64    `ch:"calls"`
		Rows        uint64    `ch:"fetched"`
		Repeats     uint64    `ch:"repeats"`
		Statement   uint64    `ch:"statement"`
		Variation   float64   `ch:"variation"`
		Mapper      bool      `ch:"mapper"`
	}
	params = append(params, clickhouse.P("calls", calls), clickhouse.P("rows", rows), clickhouse.P("repeats", repeats),
		clickhouse.P("mappers", mappers))
	var span []struct {
		From time.Time `ch:"since"`
		To   time.Time `ch:"until"`
		Last time.Time `ch:"last"`
		N    uint64    `ch:"n"`
	}
	if err := s.db.SystemSelect(ctx, &span, `SELECT min(began) AS since, max(began) AS until, max(arrived) AS last, sum(parts) AS n FROM (`+candidates+`)`, params...); err != nil {
		return nil, reached, fmt.Errorf("find heavy use of SQL: %w", err)
	}
	if span[0].N == 0 {
		return nil, reached, nil
	}
	if span[0].N >= uint64(cmp.Or(q.Limit, 1000)) {
		reached = span[0].Last.UTC()
	}
	params = append(params, clickhouse.P("from", span[0].From.Add(-skew).UTC()), clickhouse.P("to", span[0].To.Add(time.Hour).UTC()))
	const of = ` FROM spans AS s INNER JOIN c ON s.project_id = c.project_id AND s.trace_id = c.trace_id AND s.service = c.service AND s.instance = c.instance
		WHERE s.project_id IN {projects:Array(UInt32)} AND s.start >= {from:DateTime64(9)} AND s.start <= {to:DateTime64(9)}
			AND (s.project_id, s.trace_id) IN (SELECT project_id, trace_id FROM c) `
	text := `WITH c AS (` + candidates + `)
		SELECT s.project_id AS project_id, s.trace_id AS trace_id, s.service AS service, any(s.environment) AS env, s.instance AS instance,
			max(c.arrived) AS came, argMaxIf(s.span_id, s.duration, s.entry) AS span, argMaxIf(s.operation, s.duration, s.entry) AS endpoint,
			min(s.start) AS started, toUInt64(max(toUnixTimestamp64Nano(s.start) + s.duration) - toUnixTimestamp64Nano(started)) AS length,
			uniqIf(s.span_id, s.db_hash != 0) AS calls, sumIf(s.db_rows, s.db_hash != 0) AS fetched,
			toUInt64(0) AS repeats, toUInt64(0) AS statement, toFloat64(0) AS variation, false AS mapper` + of + `
		GROUP BY project_id, trace_id, service, instance
		HAVING ({calls:UInt64} > 0 AND calls >= {calls:UInt64}) OR ({rows:UInt64} > 0 AND fetched >= {rows:UInt64})`
	if repeats > 0 {
		text = `WITH c AS (` + candidates + `)
			SELECT s.project_id AS project_id, s.trace_id AS trace_id, s.service AS service, any(s.environment) AS env, s.instance AS instance,
				max(c.arrived) AS came, s.parent_id AS span, '' AS endpoint,
				min(s.start) AS started, toUInt64(max(toUnixTimestamp64Nano(s.start) + s.duration) - toUnixTimestamp64Nano(started)) AS length,
				uniq(s.span_id) AS calls, sum(s.db_rows) AS fetched, calls AS repeats, s.db_hash AS statement,
				ifNotFinite(stddevPop(s.duration) / avg(s.duration), 0) AS variation,
				max(arrayExists(m -> positionCaseInsensitive(s.scope, m) > 0, {mappers:Array(String)})) AS mapper` + of + `AND s.db_hash != 0
			GROUP BY project_id, trace_id, service, instance, s.parent_id, s.db_hash
			HAVING repeats >= {repeats:UInt64}
			ORDER BY repeats DESC LIMIT 1 BY project_id, trace_id, service, instance`
	}
	if err := s.db.SystemSelect(ctx, &found, text, params...); err != nil {
		return nil, reached, fmt.Errorf("read heavy use of SQL: %w", err)
	}
	used = make([]SQLUse, len(found))
	for i, r := range found {
		used[i] = SQLUse{
			Project: project.ID(r.Project), Arrived: r.Arrived.UTC(), Service: r.Service, Environment: r.Environment, Instance: r.Instance,
			SpanID: SpanID(r.Span), Endpoint: r.Endpoint, Start: r.Start.UTC(), DurationNs: int64(r.Duration), Calls: r.Calls, Rows: r.Rows,
			Repeats: r.Repeats, Statement: r.Statement, Variation: r.Variation, Mapper: r.Mapper,
		}
		copy(used[i].TraceID[:], r.TraceID)
	}
	return used, reached, nil
}

// mappers are parts of the names of instrumentations of object-relational mappers.
var mappers = []string{"hibernate", "jpa", "spring-data", "mybatis", "sequelize", "typeorm", "prisma", "sqlalchemy", "django",
	"activerecord", "active_record", "entityframework", "gorm", "ent/", "doctrine", "eloquent"}
