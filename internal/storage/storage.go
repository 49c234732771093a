// Package storage knows what telemetry a project holds in the engine, whatever
// noun it belongs to, and takes it away: what is past a retention that was
// lowered, and all of it when the project is deleted. (What is past the retention
// it was written with, the tables drop by themselves.)
//
// It works on every table that has a project_id, so that no noun can be
// forgotten, and reads from metadata what should be there: a sweep that was cut
// off, or that another node does too, is made good by the next.
package storage

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Options connect a Store. All but Log and Now are required.
type Options struct {
	DB      *clickhouse.DB
	Tenants *tenant.Store
	// Erase removes a deleted project's rows of metadata, each noun its own.
	Erase []func(ctx context.Context, tx *metadb.Tx, p project.ID) error
	Log   *slog.Logger
	Now   func() time.Time
}

// Store looks after all telemetry. It is safe for concurrent use.
type Store struct {
	opts Options

	mu    sync.Mutex
	swept map[project.ID]string // retention and day of the last sweep of this process
}

// New returns a Store.
func New(opts Options) (*Store, error) {
	if opts.DB == nil || opts.Tenants == nil {
		return nil, fault.New(fault.Invalid, "storage needs an engine and tenants").WithField("db")
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.Log = opts.Log.With("component", "storage")
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Store{opts: opts, swept: map[project.ID]string{}}, nil
}

// table is a table of the engine that holds rows of projects.
type table struct {
	name   string
	signal project.Signal // "" for what has a retention of its own, as calls of models
}

// tables lists the tables that hold rows of projects.
func (s *Store) tables(ctx context.Context) ([]table, error) {
	var rows []struct {
		Name      string `ch:"name"`
		Partition string `ch:"partition_key"`
	}
	err := s.opts.DB.SystemSelect(ctx, &rows, `SELECT name, partition_key FROM system.tables
		WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
			AND name IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'project_id')
		ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	out := make([]table, len(rows))
	for i, r := range rows {
		out[i] = table{name: r.Name}
		if strings.HasSuffix(r.Partition, ", retention_days)") {
			out[i].signal = signalOf(r.Name)
		}
	}
	return out, nil
}

// signalOf is the signal of a table whose rows carry their retention. Tables are
// named after their noun; what is not of logs or metrics was made from spans.
func signalOf(name string) project.Signal {
	switch {
	case name == "logs" || strings.HasPrefix(name, "log_"):
		return project.Logs
	case strings.HasPrefix(name, "metric_"):
		return project.Metrics
	}
	return project.Traces
}

// Footprint is what a project's telemetry takes.
type Footprint struct {
	Signals []SignalFootprint `json:"signals"`
	Bytes   uint64            `json:"bytes" doc:"on the engine's disk, compressed, with indexes; a table that several projects share is divided by rows"`
}

// SignalFootprint is what one signal takes.
type SignalFootprint struct {
	Signal        string           `json:"signal" enum:"traces,logs,metrics,ai" doc:"ai: calls of models"`
	RetentionDays int              `json:"retention_days" doc:"0 where it cannot be set"`
	Rows          uint64           `json:"rows"`
	Bytes         uint64           `json:"bytes"`
	Tables        []TableFootprint `json:"tables" doc:"largest first"`
}

// TableFootprint is what one table takes.
type TableFootprint struct {
	Table string `json:"table"`
	Rows  uint64 `json:"rows"`
	Bytes uint64 `json:"bytes"`
}

// Footprint returns what a project holds.
func (s *Store) Footprint(ctx context.Context, p project.ID) (*Footprint, error) {
	settings, err := s.opts.Tenants.Project(ctx, p)
	if err != nil {
		return nil, err
	}
	tables, err := s.tables(ctx)
	if err != nil {
		return nil, err
	}
	var all []struct {
		Table string `ch:"table"`
		Rows  uint64 `ch:"rows"`
		Bytes uint64 `ch:"bytes"`
	}
	if err := s.opts.DB.SystemSelect(ctx, &all, `SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
		WHERE database = currentDatabase() AND active GROUP BY table`); err != nil {
		return nil, fmt.Errorf("read sizes: %w", err)
	}
	bySignal := map[project.Signal]*SignalFootprint{}
	out := &Footprint{Signals: []SignalFootprint{}}
	for _, t := range tables {
		rows, err := s.count(ctx, p, t.name, "1")
		if err != nil {
			return nil, err
		}
		use := TableFootprint{Table: t.name, Rows: rows}
		for _, a := range all {
			if a.Table == t.name && a.Rows > 0 {
				use.Bytes = uint64(float64(a.Bytes) * float64(rows) / float64(a.Rows))
			}
		}
		signal := bySignal[t.signal]
		if signal == nil {
			signal = &SignalFootprint{Signal: string(t.signal)}
			if t.signal == "" {
				signal.Signal = "ai"
			}
			bySignal[t.signal] = signal
		}
		signal.Rows += use.Rows
		signal.Bytes += use.Bytes
		out.Bytes += use.Bytes
		signal.Tables = append(signal.Tables, use)
	}
	add := func(signal project.Signal, days int) {
		if u := bySignal[signal]; u != nil {
			u.RetentionDays = days
			slices.SortStableFunc(u.Tables, func(a, b TableFootprint) int { return int(int64(b.Bytes) - int64(a.Bytes)) })
			out.Signals = append(out.Signals, *u)
		}
	}
	for signal, days := range settings.Retention.BySignal() {
		add(signal, *days)
	}
	add("", 0)
	return out, nil
}

// count counts a project's rows of a table.
func (s *Store) count(ctx context.Context, p project.ID, table, condition string) (uint64, error) {
	var rows []struct {
		N uint64 `ch:"n"`
	}
	err := s.opts.DB.Select(ctx, p, &rows, "SELECT count() AS n FROM "+table+" WHERE project_id = {project:UInt32} AND "+condition)
	if err != nil {
		return 0, fmt.Errorf("count rows of %s: %w", table, err)
	}
	return rows[0].N, nil
}

// Sweep takes away what should not be there any more: of deleted projects
// everything, of others what is past a lowered retention.
func (s *Store) Sweep(ctx context.Context) error {
	tables, err := s.tables(ctx)
	if err != nil {
		return err
	}
	deleted, err := s.opts.Tenants.ArchivedProjects(ctx)
	if err != nil {
		return fmt.Errorf("list deleted projects: %w", err)
	}
	for _, p := range deleted {
		if err := s.erase(ctx, p, tables); err != nil {
			return fmt.Errorf("erase project %s: %w", p, err)
		}
	}
	kept, err := s.opts.Tenants.AllProjects(ctx)
	if err != nil {
		return fmt.Errorf("list projects: %w", err)
	}
	parts, err := s.parts(ctx, tables)
	if err != nil {
		return err
	}
	today := s.opts.Now().UTC().Truncate(24 * time.Hour)
	for _, p := range kept {
		mark := fmt.Sprint(p.Retention, today.Unix())
		s.mu.Lock()
		done := s.swept[p.ID] == mark
		s.mu.Unlock()
		if done {
			continue
		}
		if err := s.trim(ctx, p, parts, today); err != nil {
			return fmt.Errorf("trim project %s: %w", p.ID, err)
		}
		s.mu.Lock()
		s.swept[p.ID] = mark
		s.mu.Unlock()
	}
	return nil
}

// erase deletes a project's telemetry and, once none is left, its metadata.
func (s *Store) erase(ctx context.Context, p project.ID, tables []table) error {
	var left uint64
	for _, t := range tables {
		n, err := s.count(ctx, p, t.name, "1")
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		left += n
		if err := s.remove(ctx, p, t.name, ""); err != nil {
			return err
		}
	}
	if left > 0 {
		s.opts.Log.InfoContext(ctx, "telemetry of a deleted project is being removed", "project", p.String(), "rows", left)
		return nil // what comes late, and the metadata, are left to the next sweep
	}
	if err := s.opts.Tenants.EraseProject(ctx, p, s.opts.Erase); err != nil {
		return err
	}
	s.opts.Log.InfoContext(ctx, "a deleted project is erased", "project", p.String())
	return nil
}

// part is a partition of a table whose rows carry their retention.
type part struct {
	table  string
	signal project.Signal
	id     string
	day    time.Time
	days   int // of retention
}

// partition is the name of a partition: its day and the retention of its rows.
var partition = regexp.MustCompile(`^\('(\d{4}-\d\d-\d\d)',(\d+)\)$`)

// trim removes what a project wrote under a longer retention than it has now.
func (s *Store) trim(ctx context.Context, p tenant.Project, parts []part, today time.Time) error {
	days := map[project.Signal]int{}
	for signal, n := range p.Retention.BySignal() {
		days[signal] = *n
	}
	for _, part := range parts {
		keep := days[part.signal]
		if part.days <= keep || !part.day.Before(today.AddDate(0, 0, -keep)) {
			continue
		}
		n, err := s.count(ctx, p.ID, part.table, "_partition_id = '"+part.id+"'")
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := s.remove(ctx, p.ID, part.table, part.id); err != nil {
			return err
		}
		s.opts.Log.InfoContext(ctx, "telemetry past a lowered retention is removed", "project", p.ID.String(), "table", part.table, "rows", n)
	}
	return nil
}

// parts lists the partitions whose rows carry their retention.
func (s *Store) parts(ctx context.Context, tables []table) ([]part, error) {
	var rows []struct {
		Table     string `ch:"table"`
		Partition string `ch:"partition"`
		ID        string `ch:"partition_id"`
	}
	if err := s.opts.DB.SystemSelect(ctx, &rows, `SELECT DISTINCT table, partition, partition_id FROM system.parts
		WHERE database = currentDatabase() AND active ORDER BY table, partition`); err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	var out []part
	for _, r := range rows {
		i := slices.IndexFunc(tables, func(t table) bool { return t.name == r.Table && t.signal != "" })
		match := partition.FindStringSubmatch(r.Partition)
		if i < 0 || match == nil {
			continue
		}
		day, err := time.Parse(time.DateOnly, match[1])
		if err != nil {
			continue
		}
		retention, _ := strconv.Atoi(match[2]) // digits
		out = append(out, part{table: r.Table, signal: tables[i].signal, id: r.ID, day: day, days: retention})
	}
	return out, nil
}

// remove deletes a project's rows of a table, or of one partition, from the
// engine's disk. The parts that hold them are rewritten beside the engine's other
// work; a rewriting that is still under way is not asked for again.
func (s *Store) remove(ctx context.Context, p project.ID, table, partitionID string) error {
	in := ""
	if partitionID != "" {
		in = " IN PARTITION ID '" + partitionID + "'"
	}
	command := "DELETE" + in + " WHERE project_id = " + p.String()
	var under []struct {
		N uint64 `ch:"n"`
	}
	err := s.opts.DB.SystemSelect(ctx, &under, `SELECT count() AS n FROM system.mutations WHERE database = currentDatabase()
		AND table = {table:String} AND NOT is_done AND replaceAll(replaceAll(command, '(', ''), ')', '') = {command:String}`,
		clickhouse.P("table", table), clickhouse.P("command", command))
	if err != nil {
		return fmt.Errorf("read mutations: %w", err)
	}
	if under[0].N > 0 {
		return nil
	}
	if err := s.opts.DB.Exec(ctx, "ALTER TABLE "+table+" "+command); err != nil {
		return fmt.Errorf("delete rows of %s: %w", table, err)
	}
	return nil
}
