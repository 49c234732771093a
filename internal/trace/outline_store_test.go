package trace

import (
	"context"
	"testing"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
)

func TestOneTraceIsReadWithoutTheRestOfItsDay(t *testing.T) {
	ctx := context.Background()
	db := clickhousetest.New(t)
	if err := db.Migrate(ctx, "trace", Migrations()); err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(ctx, `INSERT INTO spans (project_id, retention_days, trace_id, span_id, start, duration)
		SELECT 1, 20000, toFixedString(MD5(toString(number)), 16), number + 1, toDateTime64('2025-06-17 00:00:00', 9, 'UTC') + toIntervalMillisecond(number * 288), 1000000
		FROM numbers(300000)`); err != nil {
		t.Fatal(err)
	}
	var ids []struct {
		ID string `ch:"id"`
	}
	if err := db.Select(ctx, 1, &ids, `SELECT lower(hex(trace_id)) AS id FROM spans WHERE project_id = {project:UInt32} AND span_id = 150000`); err != nil {
		t.Fatal(err)
	}
	var read []struct {
		Rows uint64 `ch:"rows"`
	}
	if err := db.Select(ctx, 1, &read, `SELECT rows FROM (EXPLAIN ESTIMATE `+whereTraceLies+`SELECT count()`+ofTrace+`) WHERE table = 'spans' AND {project:UInt32} > 0`, clickhouse.P("trace", ids[0].ID)); err != nil {
		t.Fatal(err)
	}
	if len(read) != 1 || read[0].Rows > 2*8192 {
		t.Errorf("reads %+v of 300,000 rows", read)
	}
}
