package usage

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Scope is what somebody may see of the use of models: the calls of these
// projects, and of them those of a person only when that is not 0. Without a
// project there is nothing to see.
type Scope struct {
	Projects []project.ID
	Person   int64
}

// Query asks what was used of models in [From, To).
type Query struct {
	From, To time.Time
	By       string            // of Dimensions; "" adds up all
	Where    map[string]string // value by dimension
	// Before compares with the time before that is as long.
	Before bool
}

// Dimensions are what use is told apart by, with the column of each.
var Dimensions = map[string]string{
	"org": "org_id", "group": "group_id", "project": "project_id", "person": "person", "token": "token",
	"purpose": "purpose", "role": "role", "provider": "provider", "model": "model",
}

// Used is what was used of models.
type Used struct {
	Calls            uint64 `json:"calls"`
	Failed           uint64 `json:"failed" doc:"calls that no model answered"`
	InputTokens      uint64 `json:"input_tokens" doc:"cached and cache_write included"`
	CachedTokens     uint64 `json:"cached_tokens"`
	CacheWriteTokens uint64 `json:"cache_write_tokens"`
	OutputTokens     uint64 `json:"output_tokens" doc:"reasoning included"`
	ReasoningTokens  uint64 `json:"reasoning_tokens"`
	// CostUSD is nil when no call has a known cost.
	CostUSD        *float64 `json:"cost_usd" doc:"of the calls whose cost is known; null when there are none"`
	Unpriced       uint64   `json:"unpriced" doc:"calls with tokens whose cost is not known: they are in no cost"`
	UnpricedTokens uint64   `json:"unpriced_tokens"`
	LatencyAvgMs   float64  `json:"latency_avg_ms"`
	LatencyP95Ms   float64  `json:"latency_p95_ms"`
}

// Row is what one of a dimension used.
type Row struct {
	Key    string `json:"key" doc:"number or name; of a person and a token 0 for none"`
	Name   string `json:"name" doc:"of the one the key numbers, empty when it has none"`
	Used   Used   `json:"used"`
	Before *Used  `json:"before" doc:"in the time before that is as long; null when it is not compared or used nothing"`
}

// Series is what one of a dimension used, step by step.
type Series struct {
	Key    string     `json:"key" doc:"empty for the others together"`
	Others bool       `json:"others"`
	Calls  []uint64   `json:"calls"`
	Tokens []uint64   `json:"tokens" doc:"of questions and answers"`
	Cost   []*float64 `json:"cost" doc:"null where none is known"`
	Failed []uint64   `json:"failed"`
}

// Report is what was used of models over a time.
type Report struct {
	From   time.Time `json:"from" doc:"as asked, to the whole hour when it is longer ago than the hour before this one"`
	To     time.Time `json:"to"`
	By     string    `json:"by"`
	Total  Used      `json:"total"`
	Before *Used     `json:"before" doc:"null when it is not compared"`
	Rows   []Row     `json:"rows" doc:"the most expensive first, then those of the most tokens; at most 500"`
	Keys   uint64    `json:"keys" doc:"how many there are in all"`
	Step   int64     `json:"step" doc:"seconds"`
	At     []int64   `json:"at" doc:"when each step begins, Unix seconds"`
	Series []Series  `json:"series" doc:"of the first rows, and the others together"`
}

const (
	maxRows = 500
	drawn   = 7
	maxDays = 93
)

// usedColumns add up rows of either source; latency is a state in both.
const usedColumns = `sum(calls) AS n_calls, sum(failed) AS n_failed, sum(input_tokens) AS n_input, sum(cached_tokens) AS n_cached, sum(cache_write_tokens) AS n_write,
	sum(output_tokens) AS n_output, sum(reasoning_tokens) AS n_reasoning, sum(unpriced) AS n_unpriced, sum(unpriced_tokens) AS n_unpriced_tokens,
	sum(priced) AS n_priced, sum(cost_usd) AS n_cost, sum(latency_ms) AS n_latency`

type usedRow struct {
	Key       string  `ch:"key"`
	At        int64   `ch:"bucket"`
	Calls     uint64  `ch:"n_calls"`
	Failed    uint64  `ch:"n_failed"`
	Input     uint64  `ch:"n_input"`
	Cached    uint64  `ch:"n_cached"`
	Write     uint64  `ch:"n_write"`
	Output    uint64  `ch:"n_output"`
	Reasoning uint64  `ch:"n_reasoning"`
	Unpriced  uint64  `ch:"n_unpriced"`
	UnTokens  uint64  `ch:"n_unpriced_tokens"`
	Priced    uint64  `ch:"n_priced"`
	Cost      float64 `ch:"n_cost"`
	Latency   uint64  `ch:"n_latency"`
	P95       float64 `ch:"p95"`
	Keys      uint64  `ch:"n_keys"`
}

func (r *usedRow) used() Used {
	u := Used{
		Calls: r.Calls, Failed: r.Failed, InputTokens: r.Input, CachedTokens: r.Cached, CacheWriteTokens: r.Write, OutputTokens: r.Output,
		ReasoningTokens: r.Reasoning, Unpriced: r.Unpriced, UnpricedTokens: r.UnTokens, CostUSD: r.cost(), LatencyP95Ms: r.P95,
	}
	if r.Calls > 0 {
		u.LatencyAvgMs = float64(r.Latency) / float64(r.Calls)
	}
	if math.IsNaN(u.LatencyP95Ms) {
		u.LatencyP95Ms = 0
	}
	return u
}

func (r *usedRow) cost() *float64 {
	if r.Priced == 0 {
		return nil
	}
	return &r.Cost
}

// rolledBefore is the moment up to which use is read from the hours added up; from
// then on the calls themselves are counted.
func rolledBefore(now time.Time) time.Time { return now.UTC().Truncate(time.Hour).Add(-time.Hour) }

// addedUp counts calls as a row of ai_usage does, in steps of {step} seconds.
const addedUp = `project_id, org_id, group_id, person, token, purpose, role, provider, model,
	count() AS calls, countIf(status != '` + ai.CallOK + `') AS failed, sum(one_input) AS input_tokens, sum(one_cached) AS cached_tokens,
	sum(one_write) AS cache_write_tokens, sum(one_output) AS output_tokens, sum(one_reasoning) AS reasoning_tokens,
	countIf(one_cost IS NULL AND one_input + one_output > 0) AS unpriced, sumIf(one_input + one_output, one_cost IS NULL) AS unpriced_tokens,
	sum(ifNull(one_cost, 0)) AS cost_usd, sum(one_latency) AS latency_ms, quantileTDigestState(0.95)(one_latency) AS latency`

// narrow are the columns of a call that are counted, once for each call.
const narrow = `project_id, at, org_id, group_id, person, token, purpose, role, provider, model, status, input_tokens AS one_input, cached_tokens AS one_cached,
	cache_write_tokens AS one_write, output_tokens AS one_output, reasoning_tokens AS one_reasoning, cost_usd AS one_cost, latency_ms AS one_latency`

// source is the table of what a scope used: rows of hours that were added up,
// and rows of the calls since.
const source = `(
	SELECT toInt64(toUnixTimestamp(at)) AS second, project_id, org_id, group_id, person, token, purpose::String AS purpose, role::String AS role, provider::String AS provider, model::String AS model,
		calls, failed, input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, unpriced, unpriced_tokens, priced, cost_usd, latency_ms, latency
	FROM (SELECT *, toUInt64(input_tokens + output_tokens > unpriced_tokens) AS priced FROM ai_usage FINAL
		WHERE project_id IN {projects:Array(UInt32)} AND ({only:UInt64} = 0 OR person = {only:UInt64}) AND at >= {from:DateTime} AND at < least({to:DateTime}, {rolled:DateTime}))
	UNION ALL
	SELECT second, project_id, org_id, group_id, person, token, purpose::String AS purpose, role::String AS role, provider::String AS provider, model::String AS model,
		calls, failed, input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, unpriced, unpriced_tokens,
		toUInt64(input_tokens + output_tokens > unpriced_tokens) AS priced, cost_usd, latency_ms, latency
	FROM (SELECT intDiv(toUnixTimestamp(at), {fine:Int64}) * {fine:Int64} AS second, ` + addedUp + `
		FROM (SELECT ` + narrow + ` FROM ai_calls FINAL
			WHERE project_id IN {projects:Array(UInt32)} AND ({only:UInt64} = 0 OR person = {only:UInt64})
			AND at >= greatest({from_ms:DateTime64(3)}, {rolled_ms:DateTime64(3)}) AND at < {to_ms:DateTime64(3)})
		GROUP BY second, project_id, org_id, group_id, person, token, purpose, role, provider, model)
)`

// steps are the widths of a step that a chart has.
var steps = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 24 * time.Hour}

const mostSteps = 130

func stepOf(from, to time.Time, rolled bool) time.Duration {
	for _, step := range steps {
		if (!rolled || step >= time.Hour) && to.Sub(from) <= mostSteps*step {
			return step
		}
	}
	return steps[len(steps)-1]
}

// Report adds up what a scope used of models. Calls that were counted again count
// as they were then, and each once. Errors: fault.Invalid.
func (l *Ledger) Report(ctx context.Context, scope Scope, q Query) (*Report, error) {
	if !q.From.Before(q.To) {
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	if q.To.Sub(q.From) > maxDays*24*time.Hour {
		return nil, fault.New(fault.Invalid, "at most %d days are added up at once", maxDays).WithField("from")
	}
	if q.By != "" && Dimensions[q.By] == "" {
		return nil, fault.New(fault.Invalid, "use is not told apart by %q", q.By).WithField("by")
	}
	for name := range q.Where {
		if Dimensions[name] == "" {
			return nil, fault.New(fault.Invalid, "use is not told apart by %q", name).WithField(name)
		}
	}
	now := l.now().UTC()
	rolled := rolledBefore(now)
	q.From, q.To = q.From.UTC(), q.To.UTC()
	old := q.From.Before(rolled)
	if old {
		q.From = q.From.Truncate(time.Hour)
	}
	if q.To.Before(rolled) && !q.To.Equal(q.To.Truncate(time.Hour)) {
		q.To = q.To.Truncate(time.Hour).Add(time.Hour)
	}
	step := stepOf(q.From, q.To, old)
	report := &Report{From: q.From, To: q.To, By: q.By, Rows: []Row{}, Series: []Series{}, Step: int64(step / time.Second), At: []int64{}}
	for at := q.From.Truncate(step); at.Before(q.To); at = at.Add(step) {
		report.At = append(report.At, at.Unix())
	}
	if len(scope.Projects) == 0 {
		return report, nil
	}
	if err := l.fill(ctx, scope, q, rolled, report); err != nil {
		return nil, fmt.Errorf("add up the use of models: %w", err)
	}
	return report, nil
}

func (l *Ledger) fill(ctx context.Context, scope Scope, q Query, rolled time.Time, report *Report) error {
	rows, err := l.usedBy(ctx, scope, q, rolled, report.Step)
	if err != nil {
		return err
	}
	total, err := l.total(ctx, scope, q, rolled, report.Step, rows)
	if err != nil {
		return err
	}
	if len(total) > 0 {
		report.Total = total[0].used()
	}
	for i := range rows {
		report.Keys = rows[i].Keys
		report.Rows = append(report.Rows, Row{Key: rows[i].Key, Used: rows[i].used()})
	}
	if q.Before {
		if err := l.compare(ctx, scope, q, rolled, report); err != nil {
			return err
		}
	}
	steps, err := l.usedOver(ctx, scope, q, rolled, report.Step)
	if err != nil {
		return err
	}
	report.draw(steps)
	return nil
}

// total adds up all rows of a query; one row alone is its own total.
func (l *Ledger) total(ctx context.Context, scope Scope, q Query, rolled time.Time, step int64, rows []usedRow) ([]usedRow, error) {
	if len(rows) <= 1 {
		return rows, nil
	}
	q.By = ""
	return l.usedBy(ctx, scope, q, rolled, step)
}

// compare fills in what was used in the time before.
func (l *Ledger) compare(ctx context.Context, scope Scope, q Query, rolled time.Time, report *Report) error {
	q.From, q.To = q.From.Add(-q.To.Sub(q.From)), q.From
	rows, err := l.usedBy(ctx, scope, q, rolled, report.Step)
	if err != nil {
		return err
	}
	total, err := l.total(ctx, scope, q, rolled, report.Step, rows)
	if err != nil {
		return err
	}
	report.Before = &Used{}
	if len(total) > 0 {
		*report.Before = total[0].used()
	}
	before := map[string]Used{}
	for i := range rows {
		before[rows[i].Key] = rows[i].used()
	}
	for i := range report.Rows {
		if used, any := before[report.Rows[i].Key]; any {
			report.Rows[i].Before = &used
		}
	}
	return nil
}

// selected is the source of a query narrowed to its filters, with its parameters.
func (q *Query) selected(scope Scope, rolled time.Time, step int64) (from string, params []clickhouse.Param) {
	params = []clickhouse.Param{
		clickhouse.P("only", uint64(scope.Person)), clickhouse.P("fine", min(step, 3600)),
		clickhouse.P("from", q.From.Truncate(time.Second)), clickhouse.P("to", q.To.Truncate(time.Second)), clickhouse.P("rolled", rolled),
		clickhouse.P("from_ms", q.From), clickhouse.P("to_ms", q.To), clickhouse.P("rolled_ms", rolled),
	}
	conditions := []string{"1"}
	for name, value := range q.Where {
		column := Dimensions[name]
		conditions = append(conditions, "toString("+column+") = {w_"+name+":String}")
		params = append(params, clickhouse.P("w_"+name, value))
	}
	slices.Sort(conditions)
	return source + " WHERE " + strings.Join(conditions, " AND "), params
}

func (q *Query) key() string {
	if q.By == "" {
		return "''"
	}
	return "toString(" + Dimensions[q.By] + ")"
}

func (l *Ledger) usedBy(ctx context.Context, scope Scope, q Query, rolled time.Time, step int64) (rows []usedRow, err error) {
	from, params := q.selected(scope, rolled, step)
	err = l.telemetry.SelectOf(ctx, scope.Projects, &rows, `SELECT `+q.key()+` AS key, toInt64(0) AS bucket, `+usedColumns+`,
		toFloat64(quantileTDigestMerge(0.95)(latency)) AS p95, count() OVER () AS n_keys FROM `+from+`
		GROUP BY key ORDER BY n_cost DESC, n_input + n_output DESC, key LIMIT `+strconv.Itoa(maxRows)+oncePerPartition, params...)
	return rows, err
}

func (l *Ledger) usedOver(ctx context.Context, scope Scope, q Query, rolled time.Time, step int64) (rows []usedRow, err error) {
	from, params := q.selected(scope, rolled, step)
	err = l.telemetry.SelectOf(ctx, scope.Projects, &rows, `SELECT `+q.key()+` AS key, intDiv(second, {step:Int64}) * {step:Int64} AS bucket, `+usedColumns+`,
		toFloat64(0) AS p95, toUInt64(0) AS n_keys FROM `+from+` GROUP BY key, bucket`+oncePerPartition, append(params, clickhouse.P("step", step))...)
	return rows, err
}

// draw makes the series of a chart: the first rows by themselves, the rest as one.
func (r *Report) draw(steps []usedRow) {
	index := map[int64]int{}
	for i, at := range r.At {
		index[at] = i
	}
	series := map[string]*Series{}
	add := func(key string, others bool) *Series {
		n := len(r.At)
		r.Series = append(r.Series, Series{Key: key, Others: others, Calls: make([]uint64, n), Tokens: make([]uint64, n), Cost: make([]*float64, n), Failed: make([]uint64, n)})
		return &r.Series[len(r.Series)-1]
	}
	own := min(len(r.Rows), drawn)
	r.Series = slices.Grow(r.Series, own+1)
	for i := range own {
		series[r.Rows[i].Key] = add(r.Rows[i].Key, false)
	}
	var others *Series
	for i := range steps {
		row := &steps[i]
		at, known := index[row.At]
		if !known {
			continue
		}
		s := series[row.Key]
		if s == nil {
			if others == nil {
				others = add("", true)
			}
			s = others
		}
		s.Calls[at] += row.Calls
		s.Failed[at] += row.Failed
		s.Tokens[at] += row.Input + row.Output
		if usd := row.cost(); usd != nil {
			sum := *usd + *cmp.Or(s.Cost[at], new(float64))
			s.Cost[at] = &sum
		}
	}
}

// UnpricedModel is a model without a price for tokens it used.
type UnpricedModel struct {
	Provider     string    `json:"provider" ch:"provider"`
	Model        string    `json:"model" ch:"model"`
	Attempts     uint64    `json:"attempts" ch:"attempts"`
	InputTokens  uint64    `json:"input_tokens" ch:"input"`
	OutputTokens uint64    `json:"output_tokens" ch:"output"`
	First        time.Time `json:"first" ch:"first"`
	Last         time.Time `json:"last" ch:"last"`
}

// Unpriced lists the models that used tokens in [from, to) whose price was not
// known, those of the most tokens first. It is for who administers prices: it
// reads all projects and tells of none.
func (l *Ledger) Unpriced(ctx context.Context, from, to time.Time) ([]UnpricedModel, error) {
	if !from.Before(to) {
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	models := []UnpricedModel{}
	err := l.telemetry.SystemSelect(ctx, &models, `SELECT provider::String AS provider, model::String AS model, count() AS attempts, sum(input_tokens) AS input, sum(output_tokens) AS output, min(at) AS first, max(at) AS last
		FROM (SELECT provider, model, input_tokens, output_tokens, at, cost_usd FROM ai_attempts FINAL WHERE at >= {from:DateTime64(3)} AND at < {to:DateTime64(3)})
		WHERE cost_usd IS NULL AND input_tokens + output_tokens > 0
		GROUP BY provider, model ORDER BY input + output DESC, provider, model LIMIT 200`, clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()))
	if err != nil {
		return nil, fmt.Errorf("list models without a price: %w", err)
	}
	return models, nil
}
