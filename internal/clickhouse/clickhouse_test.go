package clickhouse_test

import (
	"testing"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
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
