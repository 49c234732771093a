package clickhouse_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
)

func TestColumnsAreStreamedOfOneProjectOnly(t *testing.T) {
	db := clickhousetest.New(t)
	createPoints(t, db)
	for project, xs := range map[uint32][]int64{1: {10, 20, 30}, 2: {20}} {
		if err := db.Insert(t.Context(), "points", pointsInput(project, xs...)); err != nil {
			t.Fatal(err)
		}
	}
	var x proto.ColInt64
	var got []int64
	err := db.Stream(t.Context(), 1, "SELECT x FROM points WHERE project_id = {project:UInt32} AND x IN {xs:Array(UInt64)} AND x > {min:Int64} ORDER BY x",
		proto.Results{{Name: "x", Data: &x}}, func() error { got = append(got, x...); return nil },
		clickhouse.P("xs", []uint64{10, 20, 30}), clickhouse.P("min", int64(10)))
	if err != nil || !slices.Equal(got, []int64{20, 30}) {
		t.Errorf("streamed %v, %v", got, err)
	}
	if err := db.Stream(t.Context(), 1, "SELECT x FROM points", proto.Results{{Name: "x", Data: &x}}, func() error { return nil }); err == nil {
		t.Error("a stream without its project was not refused")
	}
	broken := errors.New("enough")
	err = db.Stream(t.Context(), 1, "SELECT x FROM points WHERE project_id = {project:UInt32}", proto.Results{{Name: "x", Data: &x}}, func() error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("the error of the caller became %v", err)
	}
}

func TestAParameterOfAStreamIsItsTextAndNeverSyntax(t *testing.T) {
	db := clickhousetest.New(t)
	for _, text := range []string{"", "plain", `it's`, `back\slash\'`, "tab\tline\nreturn\rnul\x00", `\N`, "한글 \xff", `']; DROP`, `{project:UInt32}`} {
		one, all := new(proto.ColStr), new(proto.ColStr)
		var got, first string
		err := db.Stream(t.Context(), 1, "SELECT {one:String} AS one, {all:Array(String)}[1] AS first WHERE {project:UInt32} > 0",
			proto.Results{{Name: "one", Data: one}, {Name: "first", Data: all}}, func() error { got, first = one.Row(0), all.Row(0); return nil },
			clickhouse.P("one", text), clickhouse.P("all", []string{text, "other"}))
		if err != nil || got != text || first != text {
			t.Errorf("%q came back as %q and %q: %v", text, got, first, err)
		}
	}
}
