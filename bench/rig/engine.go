package rig

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

// Engine is a telemetry engine as MATRIX embeds it, run by the benchmark so that it can look inside.
type Engine struct {
	*clickhouse.Engine
	db *clickhouse.DB
}

// ServeEngine takes over the process when the benchmark was started again as its own engine. A benchmark's
// main calls it first.
func ServeEngine() {
	if len(os.Args) < 2 || os.Args[1] != "engine" {
		return
	}
	if err := clickhouse.ServeEngine(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// StartEngine starts an engine with its data in dir; database is where the benchmark looks.
func StartEngine(ctx context.Context, dir, database string) (*Engine, error) {
	engine, err := clickhouse.StartEngine(ctx, clickhouse.EngineOptions{Dir: dir})
	if err != nil {
		return nil, err
	}
	db, err := clickhouse.Open(ctx, clickhouse.Options{DSNs: []string{engine.DSN()}, Database: database, MaxOpen: 4})
	if err != nil {
		_ = engine.Stop(ctx)
		return nil, err
	}
	return &Engine{Engine: engine, db: db}, nil
}

// Stop ends the engine.
func (e *Engine) Stop() error {
	e.db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return e.Engine.Stop(ctx)
}

// Restart ends the engine as kill -9 does and waits until it answers again, at the same address: its caches are
// empty, those of the system are not.
func (e *Engine) Restart(ctx context.Context) error {
	before := e.Restarts()
	if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the engine: %w", err)
	}
	for e.Restarts() == before || !e.Healthy() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// Number returns the result of a query for one number.
func (e *Engine) Number(ctx context.Context, sql string) (int64, error) {
	var rows []struct {
		N int64 `ch:"n"`
	}
	if err := e.db.SystemSelect(ctx, &rows, "SELECT toInt64(("+sql+")) AS n"); err != nil {
		return 0, err
	}
	return rows[0].N, nil
}

// Reads returns how many SELECTs the engine has run since it was started, and how many rows they read.
func (e *Engine) Reads(ctx context.Context) (selects, rows int64, err error) {
	var out []struct {
		Selects int64 `ch:"selects"`
		Rows    int64 `ch:"n"`
	}
	err = e.db.SystemSelect(ctx, &out, `SELECT toInt64(sumIf(value, event = 'SelectQuery')) AS selects, toInt64(sumIf(value, event = 'SelectedRows')) AS n FROM system.events`)
	if err != nil {
		return 0, 0, err
	}
	return out[0].Selects, out[0].Rows, nil
}

// Version returns the version of ClickHouse.
func (e *Engine) Version(ctx context.Context) (string, error) {
	var rows []struct {
		Version string `ch:"v"`
	}
	if err := e.db.SystemSelect(ctx, &rows, "SELECT version() AS v"); err != nil {
		return "", err
	}
	return rows[0].Version, nil
}

// SpanIDs counts the rows that fulfil a condition by span id. column is an expression that gives the id as a
// big-endian number.
func (e *Engine) SpanIDs(ctx context.Context, table, column, where string) (map[uint64]int, error) {
	var rows []struct {
		ID uint64 `ch:"id"`
	}
	if err := e.db.SystemSelect(ctx, &rows, fmt.Sprintf("SELECT %s AS id FROM %s WHERE %s", column, table, where)); err != nil {
		return nil, err
	}
	ids := make(map[uint64]int, len(rows))
	for _, row := range rows {
		ids[row.ID]++
	}
	return ids, nil
}

// Texts returns the results of a query for one column of text, thing, as a set.
func (e *Engine) Texts(ctx context.Context, sql string) (map[string]bool, error) {
	var rows []struct {
		Thing string `ch:"thing"`
	}
	if err := e.db.SystemSelect(ctx, &rows, sql); err != nil {
		return nil, err
	}
	texts := make(map[string]bool, len(rows))
	for _, row := range rows {
		texts[row.Thing] = true
	}
	return texts, nil
}

// Settle waits until no merge is running and the parts of the database have stayed the same for ten seconds.
func (e *Engine) Settle(ctx context.Context, database string) error {
	const quiet = 10 * time.Second
	parts, since := int64(-1), time.Now()
	for time.Since(since) < quiet {
		merges, err := e.Number(ctx, "SELECT count() FROM system.merges")
		if err != nil {
			return err
		}
		// Ids of parts, not their number: a merge may keep it.
		now, err := e.Number(ctx, "SELECT toInt64(sum(cityHash64(table, name)) % 1000000007) FROM system.parts WHERE active AND database = '"+database+"'")
		if err != nil {
			return err
		}
		if merges > 0 || now != parts {
			parts, since = now, time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
	return nil
}

// BytesOnDisk is the size of all tables of a database.
func (e *Engine) BytesOnDisk(ctx context.Context, database string) (int64, error) {
	tables, err := e.Tables(ctx, database)
	total := int64(0)
	for _, t := range tables {
		total += t.Bytes
	}
	return total, err
}

// Table is what a table holds.
type Table struct {
	Name  string `ch:"name"`
	Rows  int64  `ch:"n"`
	Bytes int64  `ch:"size"` // on disk, with its indexes
}

// Tables lists the tables of a database that hold anything, the largest first.
func (e *Engine) Tables(ctx context.Context, database string) ([]Table, error) {
	var tables []Table
	err := e.db.SystemSelect(ctx, &tables, `SELECT table AS name, toInt64(sum(rows)) AS n, toInt64(sum(bytes_on_disk)) AS size
		FROM system.parts WHERE active AND database = '`+database+`' GROUP BY table ORDER BY size DESC, name`)
	return tables, err
}
