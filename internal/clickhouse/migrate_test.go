package clickhouse_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
)

func TestManyNodesMigrateAtOnceAndEachStatementRunsOnce(t *testing.T) {
	name := clickhousetest.NewDatabase(t)
	// Nothing here is idempotent: a second run of any statement would fail or add a row.
	migrations := []clickhouse.Migration{
		{Version: 1, Name: "runs", SQL: "CREATE TABLE runs (n UInt8) ENGINE = MergeTree ORDER BY n; INSERT INTO runs SELECT 1;"},
		{Version: 2, Name: "more", SQL: "INSERT INTO runs SELECT 2; -- the ; in here is no end\nCREATE TABLE more (n UInt8) ENGINE = MergeTree ORDER BY n"},
	}
	var nodes sync.WaitGroup
	for range 4 {
		db := clickhousetest.Open(t, name)
		nodes.Go(func() {
			if err := db.Migrate(t.Context(), "runs", migrations); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	var rows []struct {
		N uint8 `ch:"n"`
	}
	if err := clickhousetest.Open(t, name).SystemSelect(t.Context(), &rows, "SELECT n FROM runs ORDER BY n"); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].N != 1 || rows[1].N != 2 {
		t.Errorf("runs = %v, want 1 and 2 once each", rows)
	}
}

func TestAMigrationHasNoLimitOfTime(t *testing.T) {
	db := clickhousetest.New(t)
	if err := db.Migrate(t.Context(), "limits", []clickhouse.Migration{{Version: 1, Name: "limit",
		SQL: "CREATE TABLE limits ENGINE = MergeTree ORDER BY tuple() AS SELECT toUInt64(getSetting('max_execution_time')) AS seconds"}}); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Seconds uint64 `ch:"seconds"`
		Read    uint64 `ch:"read"`
	}
	if err := db.SystemSelect(t.Context(), &rows, "SELECT seconds, toUInt64(getSetting('max_execution_time')) AS read FROM limits"); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Seconds != 0 || rows[0].Read != 30 {
		t.Errorf("limits %+v, want none for the migration and 30 s for a read", rows)
	}
}

func TestAnEditedMigrationIsRefused(t *testing.T) {
	name := clickhousetest.NewDatabase(t)
	m := clickhouse.Migration{Version: 1, Name: "first", SQL: "CREATE TABLE a (n UInt8) ENGINE = MergeTree ORDER BY n"}
	if err := clickhousetest.Open(t, name).Migrate(t.Context(), "noun", []clickhouse.Migration{m}); err != nil {
		t.Fatal(err)
	}
	m.SQL = strings.Replace(m.SQL, "UInt8", "UInt16", 1)
	err := clickhousetest.Open(t, name).Migrate(t.Context(), "noun", []clickhouse.Migration{m})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "migration noun 1 (first) was edited") {
		t.Errorf("error = %v, want a conflict that names the migration", err)
	}
}

func TestASchemaOfANewerProgramIsRefused(t *testing.T) {
	name := clickhousetest.NewDatabase(t)
	ms := []clickhouse.Migration{
		{Version: 1, Name: "a", SQL: "CREATE TABLE a (n UInt8) ENGINE = Memory"},
		{Version: 2, Name: "b", SQL: "CREATE TABLE b (n UInt8) ENGINE = Memory"},
	}
	if err := clickhousetest.Open(t, name).Migrate(t.Context(), "noun", ms); err != nil {
		t.Fatal(err)
	}
	err := clickhousetest.Open(t, name).Migrate(t.Context(), "noun", ms[:1])
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "at version 2") {
		t.Errorf("error = %v, want a conflict that names the version", err)
	}
}

func TestAMigrationThatFailedHalfWayGoesOnWhereItStopped(t *testing.T) {
	name := clickhousetest.NewDatabase(t)
	good := "CREATE TABLE a (n UInt8) ENGINE = Memory"
	broken := []clickhouse.Migration{{Version: 1, Name: "a", SQL: good + "; CREATE TABLE b (n NoSuchType) ENGINE = Memory"}}
	if err := clickhousetest.Open(t, name).Migrate(t.Context(), "noun", broken); err == nil {
		t.Fatal("the broken migration was accepted")
	}
	mended := []clickhouse.Migration{{Version: 1, Name: "a", SQL: good + "; CREATE TABLE b (n UInt8) ENGINE = Memory"}}
	db := clickhousetest.Open(t, name)
	if err := db.Migrate(t.Context(), "noun", mended); err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(t.Context(), "INSERT INTO b SELECT n FROM a"); err != nil {
		t.Error(err)
	}
}

func TestANodeThatDiesWhileMigratingDoesNotBlockTheNext(t *testing.T) {
	name := clickhousetest.NewDatabase(t)
	wire := newWire(t, clickhousetest.Engine(t).DSN())
	dying, err := clickhouse.Open(t.Context(), clickhouse.Options{DSNs: []string{wire.dsn}, Database: name})
	if err != nil {
		t.Fatal(err)
	}
	defer dying.Close()
	done := make(chan error, 1)
	go func() {
		done <- dying.Migrate(t.Context(), "slow", []clickhouse.Migration{{Version: 1, Name: "slow",
			SQL: "SELECT sleepEachRow(0.5) FROM numbers(1000) SETTINGS max_block_size = 1"}})
	}()
	other := clickhousetest.Open(t, name)
	eventually(t, func() bool { return running(t, other, "matrix-migrate-"+name) })
	fast := []clickhouse.Migration{{Version: 1, Name: "fast", SQL: "CREATE TABLE f (n UInt8) ENGINE = Memory"}}
	impatient, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := other.Migrate(impatient, "fast", fast); !fault.Is(err, fault.Unavailable) {
		t.Errorf("while the other node lives = %v, want to wait for it", err)
	}
	wire.cut()
	if err := <-done; err == nil {
		t.Error("the node whose connections are cut says it migrated")
	}
	if err := other.Migrate(t.Context(), "fast", fast); err != nil {
		t.Error(err)
	}
}

// running reports whether a query of that id runs.
func running(t testing.TB, db *clickhouse.DB, id string) bool {
	t.Helper()
	var rows []struct {
		N uint64 `ch:"n"`
	}
	if err := db.SystemSelect(t.Context(), &rows, "SELECT count() AS n FROM system.processes WHERE query_id = {id:String}", clickhouse.P("id", id)); err != nil {
		t.Fatal(err)
	}
	return rows[0].N > 0
}

// eventually polls the real engine until it is so, or fails the test after 10 s.
func eventually(t testing.TB, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen within 10 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
