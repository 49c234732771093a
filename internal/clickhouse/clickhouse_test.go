package clickhouse_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// createPoints makes a table that pointsInput writes to.
func createPoints(t testing.TB, db *clickhouse.DB) {
	t.Helper()
	if err := db.Exec(t.Context(), "CREATE TABLE points (project_id UInt32, x Int64, note LowCardinality(String)) ENGINE = MergeTree ORDER BY (project_id, x)"); err != nil {
		t.Fatal(err)
	}
}

func pointsInput(project uint32, xs ...int64) proto.Input {
	p, x, note := new(proto.ColUInt32), new(proto.ColInt64), new(proto.ColStr).LowCardinality()
	for _, v := range xs {
		p.Append(project)
		x.Append(v)
		note.Append("n")
	}
	return proto.Input{{Name: "project_id", Data: p}, {Name: "x", Data: x}, {Name: "note", Data: note}}
}

type point struct {
	X    int64  `ch:"x"`
	Note string `ch:"note"`
}

func TestInsertedRowsAreReadBackByTheirProjectOnly(t *testing.T) {
	db := clickhousetest.New(t)
	createPoints(t, db)
	for project, xs := range map[uint32][]int64{1: {10, 20}, 2: {30}} {
		if err := db.Insert(t.Context(), "points", pointsInput(project, xs...)); err != nil {
			t.Fatal(err)
		}
	}
	var got []point
	err := db.Select(t.Context(), 1, &got, "SELECT x, note FROM points WHERE project_id = {project:UInt32} AND x > {min:Int64} ORDER BY x", clickhouse.P("min", 10))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != (point{20, "n"}) {
		t.Errorf("rows = %v, want the one of project 1 above 10", got)
	}
}

func TestAReadThatForgetsItsProjectIsRefused(t *testing.T) {
	db := clickhousetest.New(t)
	createPoints(t, db)
	var got []point
	for what, err := range map[string]error{
		"no parameter": db.Select(t.Context(), 1, &got, "SELECT x, note FROM points"),
		"no project":   db.Select(t.Context(), 0, &got, "SELECT x, note FROM points WHERE project_id = {project:UInt32}"),
	} {
		if !fault.Is(err, fault.Internal) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := db.Query(t.Context(), 1, "SELECT 1"); !fault.Is(err, fault.Internal) {
		t.Errorf("query: %v", err)
	}
}

func TestParametersReachTheServerAsTheyAre(t *testing.T) {
	db := clickhousetest.New(t)
	at := time.Date(2026, 11, 23, 1, 2, 3, 123456789, time.UTC)
	var rows []struct {
		Text string    `ch:"text"`
		List []string  `ch:"list"`
		At   time.Time `ch:"at"`
		Big  uint64    `ch:"big"`
	}
	const text = "'; DROP TABLE points; --\t\\ \n{project:UInt32} \x00 한글"
	err := db.Select(t.Context(), 1, &rows, `SELECT {text:String} AS text, {list:Array(String)} AS list,
		{at:DateTime64(9)} AS at, {big:UInt64} AS big WHERE {project:UInt32} = 1`,
		clickhouse.P("text", text), clickhouse.P("list", []string{"a'b", `c\d`}), clickhouse.P("at", at), clickhouse.P("big", uint64(1<<64-1)))
	if err != nil {
		t.Fatal(err)
	}
	r := rows[0]
	if r.Text != text || len(r.List) != 2 || r.List[0] != "a'b" || r.List[1] != `c\d` || !r.At.Equal(at) || r.Big != 1<<64-1 {
		t.Errorf("came back as %+v", r)
	}
}

func TestAQueryEndsWithItsContext(t *testing.T) {
	db := clickhousetest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- db.Exec(ctx, "SELECT sleepEachRow(0.1) FROM numbers(100000) SETTINGS max_block_size = 1 -- endless")
	}()
	count := func() int {
		var rows []struct {
			N uint64 `ch:"n"`
		}
		if err := db.SystemSelect(t.Context(), &rows, "SELECT count() AS n FROM system.processes WHERE query LIKE '%-- endless' AND query NOT LIKE '%processes%'"); err != nil {
			t.Fatal(err)
		}
		return int(rows[0].N)
	}
	eventually(t, func() bool { return count() == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	eventually(t, func() bool { return count() == 0 })
}

func TestAQueryOverItsLimitsIsToldToNarrowTheRange(t *testing.T) {
	db := clickhousetest.New(t)
	for sql, want := range map[string]string{
		"SELECT sum(sleepEachRow(0.05)) FROM numbers(1000) WHERE {project:UInt32} > 0 SETTINGS max_execution_time = 0.1, max_block_size = 1": "that one query may take",
		"SELECT groupArray(toString(number)) FROM numbers(10000000) WHERE {project:UInt32} > 0 SETTINGS max_memory_usage = 10000000":         "more memory than one query may take",
		"SELECT number FROM numbers(1000000) WHERE {project:UInt32} > 0 SETTINGS max_result_rows = 1000, max_block_size = 100":               "rows that one query may return",
	} {
		rows, err := db.Query(t.Context(), 1, sql)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			_ = rows.Close()
		}
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want %q", err, want)
		}
	}
	// The same limits of what no user asked for are no fault of the caller.
	if err := db.Exec(t.Context(), "SELECT sum(sleepEachRow(0.05)) FROM numbers(1000) SETTINGS max_execution_time = 0.1, max_block_size = 1"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("error = %v", err)
	}
}

// One project's slow reads must leave connections to the others.
func TestAProjectsReadsLeaveConnectionsToTheOthers(t *testing.T) {
	db := clickhousetest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	var reads sync.WaitGroup
	for range 20 {
		reads.Go(func() {
			var rows []struct {
				N uint8 `ch:"n"`
			}
			_ = db.Select(ctx, 1, &rows, "SELECT sleepEachRow(3) AS n FROM numbers(10) WHERE {project:UInt32} > 0 SETTINGS max_block_size = 1")
		})
	}
	defer reads.Wait()
	defer cancel()
	quick, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	var rows []struct {
		N uint8 `ch:"n"`
	}
	if err := db.Select(quick, 2, &rows, "SELECT toUInt8(1) AS n WHERE {project:UInt32} > 0"); err != nil || len(rows) != 1 {
		t.Errorf("another project's read: %v, %v", rows, err)
	}
}
