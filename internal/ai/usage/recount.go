package usage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Recount is the work of counting the costs of logged calls again, with the prices
// as they are now said to have been when each call was made. What was used of
// budgets is not changed by it: calls were let through or refused by what was
// known then.
type Recount struct {
	ID         int64      `json:"id"`
	From       time.Time  `json:"from" doc:"begin of its first day, of UTC"`
	To         time.Time  `json:"to" doc:"end of its last day"`
	DoneUntil  time.Time  `json:"done_until" doc:"days before it are done"`
	State      string     `json:"state" enum:"running,done,cancelled"`
	Calls      int64      `json:"calls" doc:"whose cost was changed so far"`
	Error      string     `json:"error" doc:"why the last try of a day went wrong; it is tried again"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	FinishedAt *time.Time `json:"finished_at"`
}

// The states of a Recount.
const (
	RecountRunning   = "running"
	RecountDone      = "done"
	RecountCancelled = "cancelled"
)

const (
	day = 24 * time.Hour
	// keptCalls is how long calls are logged; no earlier day has any.
	keptCalls = 91 * day
	// longestCall is how long after its call an attempt may begin.
	longestCall = 2 * time.Hour
	// recountTurn is how long one run of the job works before it makes room.
	recountTurn = 2 * time.Minute
	recountTold = 20 // of the latest
)

// recountArgs is the job that works on a Recount.
type recountArgs struct {
	ID int64 `json:"id"`
}

// Kind implements job.Args.
func (recountArgs) Kind() string { return "ai_recount_costs" }

// StartRecount begins to count the costs of calls from a moment on again, by whole
// days of UTC. One runs at a time: fault.Conflict; fault.Invalid.
func (l *Ledger) StartRecount(ctx context.Context, from time.Time, author string) (*Recount, error) {
	now := l.now().UTC()
	if from.After(now) {
		return nil, fault.New(fault.Invalid, "there are no calls yet from then on").WithField("from")
	}
	if l.jobs == nil {
		return nil, fault.New(fault.Unavailable, "no work is done on this node")
	}
	first := from.UTC().Truncate(day)
	if oldest := now.Add(-keptCalls).Truncate(day); first.Before(oldest) {
		first = oldest
	}
	r := Recount{From: first, To: now.Truncate(day).Add(day), DoneUntil: first, State: RecountRunning, CreatedAt: now.Truncate(time.Microsecond), CreatedBy: author}
	err := l.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var running int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM ai_recount WHERE state = $1`, RecountRunning).Scan(&running); err != nil {
			return err
		}
		if running > 0 {
			return fault.New(fault.Conflict, "costs are being counted again already")
		}
		// Two who start at once take the same number, and one of them fails.
		if err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(id), 0) + 1 FROM ai_recount`).Scan(&r.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO ai_recount (id, since, until, next, state, created_at, created_by) VALUES ($1, $2, $3, $2, $4, $5, $6)`,
			r.ID, metadb.Micros(r.From), metadb.Micros(r.To), r.State, metadb.Micros(r.CreatedAt), author)
		if err != nil {
			return err
		}
		return l.jobs.Insert(ctx, tx, recountArgs{r.ID})
	})
	if err != nil {
		return nil, fmt.Errorf("start to count costs again: %w", err)
	}
	return &r, nil
}

// Recounts returns the latest recounts, the newest first.
func (l *Ledger) Recounts(ctx context.Context) ([]Recount, error) {
	return l.recounts(ctx, `ORDER BY id DESC LIMIT $1`, recountTold)
}

func (l *Ledger) recounts(ctx context.Context, which string, args ...any) ([]Recount, error) {
	rows, err := l.db.Query(ctx, `SELECT id, since, until, next, state, calls, error, created_at, created_by, finished_at FROM ai_recount `+which, args...)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Recount, error) {
		var r Recount
		var since, until, next, created, finished int64
		err := rows.Scan(&r.ID, &since, &until, &next, &r.State, &r.Calls, &r.Error, &created, &r.CreatedBy, &finished)
		r.From, r.To, r.DoneUntil, r.CreatedAt = metadb.FromMicros(since), metadb.FromMicros(until), metadb.FromMicros(next), metadb.FromMicros(created)
		if finished != 0 {
			at := metadb.FromMicros(finished)
			r.FinishedAt = &at
		}
		return r, err
	})
}

// Recounting reports whether a recount may have changed records of calls at a
// time between two moments, so that copies of them elsewhere are to be changed too.
func (l *Ledger) Recounting(ctx context.Context, from, to time.Time) (bool, error) {
	var n int
	// One that was cancelled still ends its day.
	err := l.db.QueryRow(ctx, `SELECT COUNT(*) FROM ai_recount WHERE created_at <= $1 AND (state = $2 OR finished_at >= $3)`,
		metadb.Micros(to), RecountRunning, metadb.Micros(from.Add(-recountTurn))).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("find recounts: %w", err)
	}
	return n > 0, nil
}

// CancelRecount ends a recount that runs; the days it has done stay done.
func (l *Ledger) CancelRecount(ctx context.Context, id int64) error {
	n, err := l.db.Exec(ctx, `UPDATE ai_recount SET state = $2, finished_at = $3 WHERE id = $1 AND state = $4`, id, RecountCancelled, metadb.Micros(l.now()), RecountRunning)
	if err != nil {
		return fmt.Errorf("cancel recount: %w", err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "no recount of number %d is running", id)
	}
	return nil
}

// recount goes on with a recount where it was left, day by day. A day that is
// done twice is the same as one done once.
func (l *Ledger) recount(ctx context.Context, id int64) error {
	began := time.Now()
	for {
		found, err := l.recounts(ctx, `WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].State != RecountRunning {
			return nil
		}
		r := &found[0]
		if !r.DoneUntil.Before(r.To) {
			_, err := l.db.Exec(ctx, `UPDATE ai_recount SET state = $2, finished_at = $3, error = '' WHERE id = $1 AND state = $4`,
				id, RecountDone, metadb.Micros(l.now()), RecountRunning)
			return err
		}
		if time.Since(began) > recountTurn {
			return job.Snooze(0)
		}
		changed, err := l.recountDay(ctx, r.DoneUntil)
		if err == nil {
			err = l.AddUp(ctx)
		}
		if err != nil {
			_, noted := l.db.Exec(context.WithoutCancel(ctx), `UPDATE ai_recount SET error = $2 WHERE id = $1`, id, fault.KindOf(err).String())
			return errors.Join(fmt.Errorf("count the costs of %s again: %w", r.DoneUntil.Format(time.DateOnly), err), noted)
		}
		_, err = l.db.Exec(ctx, `UPDATE ai_recount SET next = $2, calls = calls + $3, error = '' WHERE id = $1 AND next = $4`,
			id, metadb.Micros(r.DoneUntil.Add(day)), changed, metadb.Micros(r.DoneUntil))
		if err != nil {
			return err
		}
	}
}

// priceTable is the prices of models as the engine joins them: one row for each
// moment from which another price holds.
type priceTable struct {
	provider, model          []string
	since, version           []int64
	input, output            []float64
	cached, write, reasoning []float64
}

func (t *priceTable) add(provider, model string, p *ai.Price) {
	t.provider, t.model = append(t.provider, provider), append(t.model, model)
	since, version := int64(0), p.Version
	if p.From != nil {
		since = p.From.UnixMilli()
	}
	if p.Ended {
		version = 0
	}
	t.since, t.version = append(t.since, since), append(t.version, version)
	or := func(own *float64, instead float64) float64 {
		if own != nil {
			return *own
		}
		return instead
	}
	t.input, t.output = append(t.input, p.Input), append(t.output, p.Output)
	t.cached, t.write = append(t.cached, or(p.Cached, p.Input)), append(t.write, or(p.CacheWrite, p.Input))
	t.reasoning = append(t.reasoning, or(p.Reasoning, p.Output))
}

func (t *priceTable) params() []clickhouse.Param {
	return []clickhouse.Param{
		clickhouse.P("p_provider", t.provider), clickhouse.P("p_model", t.model), clickhouse.P("p_since", t.since), clickhouse.P("p_version", t.version),
		clickhouse.P("p_input", t.input), clickhouse.P("p_output", t.output), clickhouse.P("p_cached", t.cached), clickhouse.P("p_write", t.write), clickhouse.P("p_reasoning", t.reasoning),
	}
}

// pricedAnew are the attempts of a time with what they cost by the price table:
// the formula of Price.cost.
const pricedAnew = `
	SELECT a.*, ifNull(p.version, 0) AS new_version, if(a.input_tokens + a.output_tokens = 0 OR new_version = 0, NULL,
			(toFloat64(a.input_tokens - least(a.cached_tokens, a.input_tokens) - least(a.cache_write_tokens, a.input_tokens - least(a.cached_tokens, a.input_tokens))) * p.input
			+ toFloat64(least(a.cached_tokens, a.input_tokens)) * p.cached
			+ toFloat64(least(a.cache_write_tokens, a.input_tokens - least(a.cached_tokens, a.input_tokens))) * p.cache_write
			+ toFloat64(a.output_tokens - least(a.reasoning_tokens, a.output_tokens)) * p.output
			+ toFloat64(least(a.reasoning_tokens, a.output_tokens)) * p.reasoning) / 1e6) AS new_cost
	FROM (SELECT * FROM ai_attempts FINAL WHERE at >= {from:DateTime64(3)} AND at < {late:DateTime64(3)} AND input_tokens + output_tokens > 0) AS a
	ASOF LEFT JOIN (
		SELECT row.1 AS provider, row.2 AS model, fromUnixTimestamp64Milli(row.3) AS since, toUInt64(row.4) AS version,
			row.5 AS input, row.6 AS output, row.7 AS cached, row.8 AS cache_write, row.9 AS reasoning
		FROM (SELECT arrayJoin(arrayZip({p_provider:Array(String)}, {p_model:Array(String)}, {p_since:Array(Int64)}, {p_version:Array(Int64)},
			{p_input:Array(Float64)}, {p_output:Array(Float64)}, {p_cached:Array(Float64)}, {p_write:Array(Float64)}, {p_reasoning:Array(Float64)})) AS row)
	) AS p ON a.provider = p.provider AND a.model = p.model AND a.at >= p.since`

// differs compares a cost with the one it had; sums of the same numbers may differ
// in their last digit.
const differs = `(isNull(new_cost) != isNull(cost_usd) OR abs(ifNull(new_cost, 0) - ifNull(cost_usd, 0)) > 1e-12 + 1e-9 * abs(ifNull(new_cost, 0)) OR new_version != price_version)`

// repriced are the calls of a day whose cost is no longer that of their attempts.
const repriced = `
	SELECT c.project_id AS project_id, c.call_id AS call_id, n.new_cost AS new_cost, n.new_version AS new_version
	FROM (SELECT project_id, call_id, cost_usd, price_version FROM ai_calls FINAL WHERE at >= {from:DateTime64(3)} AND at < {to:DateTime64(3)}) AS c
	INNER JOIN (
		SELECT project_id, call_id, if(countIf(cost_usd IS NULL) = 0, sum(ifNull(cost_usd, 0)), NULL) AS new_cost, max(price_version) AS new_version
		FROM ai_attempts FINAL WHERE at >= {from:DateTime64(3)} AND at < {late:DateTime64(3)} AND input_tokens + output_tokens > 0
		GROUP BY project_id, call_id
	) AS n ON c.project_id = n.project_id AND c.call_id = n.call_id
	WHERE ` + differs

// recountDay counts the costs of the calls of one day again, and returns how many
// of them changed. Only what changes is written.
func (l *Ledger) recountDay(ctx context.Context, from time.Time) (changed int64, err error) {
	db := l.telemetry
	from = from.UTC()
	params := []clickhouse.Param{clickhouse.P("from", from), clickhouse.P("to", from.Add(day)), clickhouse.P("late", from.Add(day+longestCall))}
	var models []struct {
		Provider string `ch:"provider"`
		Model    string `ch:"model"`
	}
	if err := db.SystemSelect(ctx, &models, `SELECT DISTINCT provider::String AS provider, model::String AS model FROM ai_attempts WHERE at >= {from:DateTime64(3)} AND at < {late:DateTime64(3)}`, params...); err != nil {
		return 0, err
	}
	if len(models) == 0 {
		return 0, nil
	}
	known, err := l.roles.PriceList(ctx)
	if err != nil {
		return 0, err
	}
	var table priceTable
	for _, m := range models {
		versions := known.Of(m.Provider, m.Model)
		for i := range versions {
			table.add(m.Provider, m.Model, &versions[i])
		}
	}
	if len(table.provider) == 0 { // the engine does not tell the type of an empty list
		table.add("", "", &ai.Price{Ended: true})
	}
	params = append(params, table.params()...)
	err = db.Exec(ctx, `INSERT INTO ai_attempts SELECT * EXCEPT (new_cost, new_version) REPLACE (new_cost AS cost_usd, toUInt64(new_version) AS price_version, now64(3) AS stored_at)
		FROM (SELECT * FROM (`+pricedAnew+`) WHERE `+differs+`)`+writing, params...)
	if err != nil {
		return 0, err
	}
	var n []struct {
		N uint64 `ch:"n"`
	}
	if err := db.SystemSelect(ctx, &n, `SELECT count() AS n FROM (`+repriced+`)`+oncePerPartition, params[:3]...); err != nil {
		return 0, err
	}
	if len(n) == 0 || n[0].N == 0 {
		return 0, nil
	}
	err = db.Exec(ctx, `INSERT INTO ai_calls SELECT c.* REPLACE (r.new_cost AS cost_usd, toUInt64(r.new_version) AS price_version, now64(3) AS stored_at)
		FROM (SELECT * FROM ai_calls FINAL WHERE at >= {from:DateTime64(3)} AND at < {to:DateTime64(3)} AND call_id IN (SELECT call_id FROM (`+repriced+`))) AS c
		INNER JOIN (`+repriced+`) AS r ON c.project_id = r.project_id AND c.call_id = r.call_id`+writing, params[:3]...)
	return int64(n[0].N), err
}
