package ai_test

import (
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
)

func TestTheLogOfCallsExpires(t *testing.T) {
	db := clickhousetest.New(t)
	if err := db.Migrate(t.Context(), "ai", ai.Migrations()); err != nil {
		t.Fatal(err)
	}
	var tables []struct {
		Name string `ch:"name"`
	}
	if err := db.SystemSelect(t.Context(), &tables, `SELECT name FROM system.tables
		WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations'`); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		for _, sql := range []string{
			"INSERT INTO " + table.Name + " (project_id, at) SELECT 1, now64(3) - toIntervalDay(100)",
			"OPTIMIZE TABLE " + table.Name + " FINAL",
		} {
			if err := db.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		var rows []struct {
			N uint64 `ch:"n"`
		}
		if err := db.SystemSelect(t.Context(), &rows, "SELECT count() AS n FROM "+table.Name); err != nil {
			t.Fatal(err)
		}
		if rows[0].N != 0 {
			t.Errorf("%s keeps its rows for ever", table.Name)
		}
	}
	if len(tables) == 0 {
		t.Error("no tables")
	}
}
