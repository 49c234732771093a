package trace_test

import (
	"testing"

	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestEveryTableExpires(t *testing.T) {
	db, _ := tracetest.Open(t)
	var tables []struct {
		Name string `ch:"name"`
		TTL  bool   `ch:"ttl"`
	}
	err := db.SystemSelect(t.Context(), &tables, `SELECT name, position(engine_full, ' TTL ') > 0 AS ttl FROM system.tables
		WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations'`)
	if err != nil {
		t.Fatal(err)
	}
	// One row of ten days ago in each of them, to be kept for a day.
	for _, sql := range []string{
		"SYSTEM STOP TTL MERGES",
		`INSERT INTO spans (project_id, retention_days, trace_id, span_id, service, name, entry, start, duration, db_hash, db_rows, exception_type, arrived)
			SELECT 1, 1, toFixedString('t', 16), 1, 'api', 's', true, now64(9) - toIntervalDay(10), 1000000000, 7, 200, 'E', now64(3) - toIntervalDay(10)`,
		"INSERT INTO resources (project_id, retention_days, day, resource_id) SELECT 1, 1, today() - 10, 1",
		"INSERT INTO sql_statements (project_id, retention_days, day, db_hash) SELECT 1, 1, today() - 10, 1",
		"INSERT INTO edge_minute (project_id, retention_days, minute) SELECT 1, 1, now() - toIntervalDay(10)",
		"INSERT INTO edge_hour (project_id, retention_days, hour) SELECT 1, 1, now() - toIntervalDay(10)",
	} {
		if err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	count := func(table string) uint64 {
		t.Helper()
		var rows []struct {
			N uint64 `ch:"n"`
		}
		if err := db.SystemSelect(t.Context(), &rows, "SELECT count() AS n FROM "+table); err != nil {
			t.Fatal(err)
		}
		return rows[0].N
	}
	for _, table := range tables {
		if !table.TTL {
			t.Errorf("%s keeps its rows for ever", table.Name)
		}
		if n := count(table.Name); n != 1 {
			t.Errorf("%s has %d rows, want the old one", table.Name, n)
		}
	}
	if err := db.Exec(t.Context(), "SYSTEM START TTL MERGES"); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if err := db.Exec(t.Context(), "OPTIMIZE TABLE "+table.Name+" FINAL"); err != nil {
			t.Fatal(err)
		}
		if n := count(table.Name); n != 0 {
			t.Errorf("%s still has %d rows", table.Name, n)
		}
	}
	if len(tables) != 16 {
		t.Errorf("%d tables, want 16", len(tables))
	}
}
