package usage

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

// span is the time that is read: the present from now to to, and before it, from
// from on, what it is compared with.
type span struct {
	from, now, to time.Time
	rolled        time.Time // see rolledBefore
	step          int64     // seconds of a step
}

// usedColumns add up rows of either source; latency is a state in both.
const usedColumns = `sum(calls) AS n_calls, sum(failed) AS n_failed, sum(input_tokens) AS n_input, sum(cached_tokens) AS n_cached, sum(cache_write_tokens) AS n_write,
	sum(output_tokens) AS n_output, sum(reasoning_tokens) AS n_reasoning, sum(unpriced) AS n_unpriced, sum(unpriced_tokens) AS n_unpriced_tokens,
	sum(priced) AS n_priced, sum(cost_usd) AS n_cost, sum(latency_ms) AS n_latency`

// usedRow is what was used by one of a dimension, or by the whole or the others
// together: in one of two times, or in one step.
type usedRow struct {
	Key       string  `ch:"key"`
	Whole     uint8   `ch:"whole"`   // of all keys
	Present   uint8   `ch:"present"` // not in the time before
	Others    uint8   `ch:"others"`  // of all keys but those asked for
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
	SELECT toInt64(toUnixTimestamp(at)) AS second, at >= {now:DateTime} AS present, project_id, org_id, group_id, person, token, purpose::String AS purpose, role::String AS role, provider::String AS provider, model::String AS model,
		calls, failed, input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, unpriced, unpriced_tokens, priced, cost_usd, latency_ms, latency
	FROM (SELECT *, toUInt64(input_tokens + output_tokens > unpriced_tokens) AS priced FROM ai_usage FINAL
		WHERE project_id IN {projects:Array(UInt32)} AND ({only:UInt64} = 0 OR person = {only:UInt64}) AND at >= {from:DateTime} AND at < least({to:DateTime}, {rolled:DateTime}))
	UNION ALL
	SELECT second, present, project_id, org_id, group_id, person, token, purpose::String AS purpose, role::String AS role, provider::String AS provider, model::String AS model,
		calls, failed, input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, unpriced, unpriced_tokens,
		toUInt64(input_tokens + output_tokens > unpriced_tokens) AS priced, cost_usd, latency_ms, latency
	FROM (SELECT intDiv(toUnixTimestamp(at), {fine:Int64}) * {fine:Int64} AS second, present, ` + addedUp + `
		FROM (SELECT ` + narrow + `, at >= {now_ms:DateTime64(3)} AS present FROM ai_calls FINAL
			WHERE project_id IN {projects:Array(UInt32)} AND ({only:UInt64} = 0 OR person = {only:UInt64})
			AND at >= greatest({from_ms:DateTime64(3)}, {rolled_ms:DateTime64(3)}) AND at < {to_ms:DateTime64(3)})
		GROUP BY second, present, project_id, org_id, group_id, person, token, purpose, role, provider, model)
)`

// selected is the source of a query narrowed to its filters, with its parameters.
func (q *Query) selected(scope Scope, s span) (from string, params []clickhouse.Param) {
	params = []clickhouse.Param{
		clickhouse.P("only", uint64(scope.Person)), clickhouse.P("fine", min(s.step, 3600)),
		clickhouse.P("from", s.from.Truncate(time.Second)), clickhouse.P("now", s.now.Truncate(time.Second)), clickhouse.P("to", s.to.Truncate(time.Second)), clickhouse.P("rolled", s.rolled),
		clickhouse.P("from_ms", s.from), clickhouse.P("now_ms", s.now), clickhouse.P("to_ms", s.to), clickhouse.P("rolled_ms", s.rolled),
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

// usedAgain adds up what usedColumns added up by key.
var usedAgain = func() string {
	var sums []string
	for _, column := range strings.Split("n_calls n_failed n_input n_cached n_write n_output n_reasoning n_unpriced n_unpriced_tokens n_priced n_cost n_latency", " ") {
		sums = append(sums, "sum(by_key."+column+") AS "+column)
	}
	return strings.Join(sums, ", ")
}()

// usedBy adds up a span by key, the present and the time before apart: first the
// whole, then the keys that used something in the present, the most expensive
// first. The table is read once, and each state of latency merged once into that
// of its key: that is most of the work.
func (l *Ledger) usedBy(ctx context.Context, scope Scope, q *Query, s span) (rows []usedRow, err error) {
	from, params := q.selected(scope, s)
	err = l.telemetry.SelectOf(ctx, scope.Projects, &rows, `SELECT * EXCEPT (now_cost, now_tokens, now_calls) FROM (
			SELECT *, countIf(present AND NOT whole) OVER () AS n_keys,
				sumIf(n_cost, present) OVER of_key AS now_cost, sumIf(n_input + n_output, present) OVER of_key AS now_tokens, sumIf(n_calls, present) OVER of_key AS now_calls
			FROM (
				SELECT key, toUInt8(grouping(key)) AS whole, present, `+usedAgain+`, toFloat64(quantileTDigestMerge(0.95)(latencies)) AS p95
				FROM (SELECT `+q.key()+` AS key, present, `+usedColumns+`, quantileTDigestMergeState(0.95)(latency) AS latencies FROM `+from+` GROUP BY key, present) AS by_key
				GROUP BY GROUPING SETS ((key, present), (present))
			) WINDOW of_key AS (PARTITION BY whole, key)
		) WHERE whole OR now_calls > 0
		ORDER BY whole DESC, now_cost DESC, now_tokens DESC, key, present DESC LIMIT `+strconv.Itoa(2+2*maxRows)+oncePerPartition, params...)
	if kept := 0; err == nil { // of keys without a time before, more than asked for came
		rows = slices.DeleteFunc(rows, func(r usedRow) bool {
			if r.Whole == 0 && r.Present > 0 {
				kept++
			}
			return r.Whole == 0 && kept > maxRows
		})
	}
	return rows, err
}

// usedOver adds up a span by step: each of keys by itself, and the others together.
func (l *Ledger) usedOver(ctx context.Context, scope Scope, q *Query, s span, keys []string) (rows []usedRow, err error) {
	from, params := q.selected(scope, s)
	err = l.telemetry.SelectOf(ctx, scope.Projects, &rows, `SELECT toUInt8(NOT has({keys:Array(String)}, `+q.key()+`)) AS others, if(others, '', `+q.key()+`) AS key,
		intDiv(second, {step:Int64}) * {step:Int64} AS bucket, `+usedColumns+` FROM `+from+` GROUP BY others, key, bucket`+oncePerPartition,
		append(params, clickhouse.P("step", s.step), clickhouse.P("keys", keys))...)
	return rows, err
}
