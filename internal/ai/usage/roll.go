package usage

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

// rollArgs is the job that adds up calls by hour.
type rollArgs struct{}

// Kind implements job.Args.
func (rollArgs) Kind() string { return "ai_add_up_usage" }

const (
	rollEvery = 5 * time.Minute
	// rollSlack is how far the clocks of nodes may be apart, and how long a record
	// may be on its way into the table, without being left out.
	rollSlack = 10 * time.Minute
	// oncePerPartition tells the engine that rows which replace each other are of
	// one day: the day is part of their key.
	oncePerPartition = ` SETTINGS do_not_merge_across_partitions_select_final = 1`
	// writing gives a job that rewrites a day more time than a read has.
	writing = oncePerPartition + `, max_execution_time = 240`
)

// AddUp makes the hours anew of which calls were stored since it last did, also
// late ones and those that were counted again. It can be repeated at will: an hour
// made anew replaces the one before.
func (l *Ledger) AddUp(ctx context.Context) error {
	started := time.Now().UTC()
	var last []struct {
		At time.Time `ch:"last"`
	}
	if err := l.telemetry.SystemSelect(ctx, &last, `SELECT max(rolled_at) AS last FROM ai_usage`); err != nil {
		return fmt.Errorf("add up the use of models: %w", err)
	}
	stored, params := "1", []clickhouse.Param{} // all, the first time
	if len(last) > 0 && last[0].At.Unix() > 0 {
		stored, params = "stored_at >= {since:DateTime64(3)}", append(params, clickhouse.P("since", last[0].At.UTC().Add(-rollSlack)))
	}
	var days []struct {
		Day   time.Time `ch:"day"`
		Hours []uint32  `ch:"hours"`
	}
	err := l.telemetry.SystemSelect(ctx, &days, `SELECT toStartOfDay(at, 'UTC') AS day, groupUniqArray(toUInt32(intDiv(toUnixTimestamp(at), 3600))) AS hours
		FROM ai_calls WHERE `+stored+` GROUP BY day ORDER BY day`, params...)
	if err != nil {
		return fmt.Errorf("add up the use of models: %w", err)
	}
	for _, d := range days { // a day at a time bounds the memory
		err := l.telemetry.Exec(ctx, `INSERT INTO ai_usage (at, project_id, org_id, group_id, person, token, purpose, role, provider, model,
				calls, failed, input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, unpriced, unpriced_tokens, cost_usd, latency_ms, latency, rolled_at)
			SELECT toDateTime(intDiv(toUnixTimestamp(at), 3600) * 3600) AS hour, `+addedUp+`, {started:DateTime64(3)}
			FROM (SELECT `+narrow+` FROM ai_calls FINAL WHERE at >= {from:DateTime64(3)} AND at < {to:DateTime64(3)} AND intDiv(toUnixTimestamp(at), 3600) IN {hours:Array(UInt32)})
			GROUP BY hour, project_id, org_id, group_id, person, token, purpose, role, provider, model`+writing,
			clickhouse.P("started", started), clickhouse.P("from", d.Day.UTC()), clickhouse.P("to", d.Day.UTC().Add(24*time.Hour)), clickhouse.P("hours", d.Hours))
		if err != nil {
			return fmt.Errorf("add up the use of models on %s: %w", d.Day.Format(time.DateOnly), err)
		}
	}
	return nil
}
