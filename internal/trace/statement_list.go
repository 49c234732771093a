package trace

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// defaultStatements is how many statements are listed unless more are asked for.
const defaultStatements = 50

// StatementOrder is the order of a list of statements, the largest first.
type StatementOrder string

// The orders.
const (
	StatementsByTime    StatementOrder = "time" // all durations added up
	StatementsByRate    StatementOrder = "rate"
	StatementsByAverage StatementOrder = "average"
	StatementsByP95     StatementOrder = "p95"
	StatementsByErrors  StatementOrder = "errors" // their share
	StatementsByRows    StatementOrder = "rows"
)

// statementKeys are the orders in terms of redSums and the rows.
var statementKeys = map[StatementOrder]string{
	StatementsByTime: "took", StatementsByRate: "n", StatementsByAverage: "took / n",
	StatementsByP95: "quantilesDDMerge(0.02, 0.95)(duration_state)[1]", StatementsByErrors: "failed / n", StatementsByRows: "fetched",
}

// StatementQuery selects statements; a zero field selects all.
type StatementQuery struct {
	Range
	Service     string
	Environment string
	System      string         // db.system, lower case
	Text        string         // part of the normalised text, in any case
	Order       StatementOrder // default StatementsByTime
	Limit       int            // default 50, at most 500
}

// StatementStats is how one normalised statement did in a range.
type StatementStats struct {
	Hash      string   `json:"hash"`      // 16 hex digits
	System    string   `json:"system"`    // db.system
	Text      string   `json:"text"`      // normalised
	Operation string   `json:"operation"` // SELECT, …; "" when unknown
	Tables    []string `json:"tables"`
	Services  []string `json:"services"` // that ran it in the range
	// Rows were fetched, of those calls that say so.
	Rows uint64 `json:"rows"`
	// Share is of the time of all statements the query selects, 0 to 1.
	Share float64 `json:"share"`
	Compared
}

const statementFilter = `({service:String} = '' OR service = {service:String})
	AND ({environment:String} = '' OR environment = {environment:String})
	AND ({system:String} = '' OR db_system = {system:String})`

func (q *StatementQuery) params() []clickhouse.Param {
	return []clickhouse.Param{
		clickhouse.P("service", q.Service), clickhouse.P("environment", q.Environment), clickhouse.P("system", q.System), clickhouse.P("text", q.Text),
	}
}

// Statements lists the statements that ran in the range.
func (s *Store) Statements(ctx context.Context, p project.ID, q StatementQuery) (Top[StatementStats], error) {
	top := Top[StatementStats]{Items: []StatementStats{}}
	limit, err := limited(cmp.Or(q.Limit, defaultStatements))
	if err != nil {
		return top, err
	}
	key, ok := statementKeys[cmp.Or(q.Order, StatementsByTime)]
	if !ok {
		return top, fault.New(fault.Invalid, "statements are not ordered by %q", q.Order).WithField("sort")
	}
	filter := statementFilter
	if q.Text != "" {
		filter += ` AND db_hash IN (SELECT db_hash FROM sql_statements
			WHERE project_id = {project:UInt32} AND positionCaseInsensitiveUTF8(text, {text:String}) > 0)`
	}
	var rows []struct {
		Hash     uint64   `ch:"db_hash"`
		Services []string `ch:"services"`
		Fetched  uint64   `ch:"fetched"`
		Count    uint64   `ch:"n"`
		Errors   uint64   `ch:"failed"`
		Took     uint64   `ch:"took"`
		Total    uint64   `ch:"total"`
		AllTime  uint64   `ch:"all_time"`
	}
	columns := "db_hash, toString(service) AS service, rows, count, errors, duration_sum"
	if q.Order == StatementsByP95 { // only this needs the states of every statement
		columns += ", duration_state"
	}
	err = s.db.Select(ctx, p, &rows, `
		SELECT db_hash, arraySort(groupUniqArray(20)(service)) AS services, sum(rows) AS fetched, sum(count) AS n, sum(errors) AS failed,
			sum(duration_sum) AS took, count() OVER () AS total, sum(took) OVER () AS all_time
		FROM `+byStatement.over(columns, filter, q.unit, q.window)+`
		GROUP BY db_hash ORDER BY `+key+` DESC, db_hash LIMIT {limit:UInt32}`, append(q.params(), clickhouse.P("limit", limit))...)
	if err != nil {
		return top, fmt.Errorf("list statements: %w", err)
	}
	for _, r := range rows {
		top.Total = r.Total
		top.Items = append(top.Items, StatementStats{
			Hash: HashString(r.Hash), Tables: []string{}, Services: r.Services, Rows: r.Fetched,
			Share: float64(r.Took) / float64(max(r.AllTime, 1)),
		})
	}
	if err := s.compareStatements(ctx, p, q, top.Items); err != nil {
		return top, err
	}
	return top, s.nameStatements(ctx, p, top.Items)
}

// hashes returns the numbers of statements as the engine has them, and where each is.
func hashes(items []StatementStats) ([]uint64, map[uint64]*StatementStats) {
	all, at := make([]uint64, len(items)), make(map[uint64]*StatementStats, len(items))
	for i := range items {
		all[i], _ = strconv.ParseUint(items[i].Hash, 16, 64) // made by HashString
		at[all[i]] = &items[i]
	}
	return all, at
}

// compareStatements fills in how the statements did, now and before.
func (s *Store) compareStatements(ctx context.Context, p project.ID, q StatementQuery, items []StatementStats) error {
	if len(items) == 0 {
		return nil
	}
	all, at := hashes(items)
	var rows []struct {
		Hash uint64 `ch:"db_hash"`
		redRow
	}
	err := s.db.Select(ctx, p, &rows, `SELECT w, db_hash, `+redSums+`
		FROM `+byStatement.over("db_hash, "+redStates, statementFilter+" AND db_hash IN {hashes:Array(UInt64)}", q.unit, q.windows()...)+`
		GROUP BY w, db_hash`, append(q.params(), clickhouse.P("hashes", all))...)
	if err != nil {
		return fmt.Errorf("compare statements: %w", err)
	}
	for _, r := range rows {
		at[r.Hash].set(r.Window, r.red(q.seconds(r.Window)))
	}
	return nil
}

// nameStatements fills in what the statements are.
func (s *Store) nameStatements(ctx context.Context, p project.ID, items []StatementStats) error {
	if len(items) == 0 {
		return nil
	}
	all, at := hashes(items)
	var rows []struct {
		Hash      uint64   `ch:"db_hash"`
		System    string   `ch:"system"`
		Operation string   `ch:"operation"`
		Tables    []string `ch:"tables"`
		Text      string   `ch:"text"`
	}
	err := s.db.Select(ctx, p, &rows, `SELECT db_hash, system, operation, tables, text FROM sql_statements
		WHERE project_id = {project:UInt32} AND db_hash IN {hashes:Array(UInt64)}
		ORDER BY day DESC LIMIT 1 BY db_hash`, clickhouse.P("hashes", all))
	if err != nil {
		return fmt.Errorf("name statements: %w", err)
	}
	for _, r := range rows {
		item := at[r.Hash]
		item.System, item.Operation, item.Tables, item.Text = r.System, r.Operation, r.Tables, r.Text
	}
	return nil
}
