package trace_test

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestTablesMadeAnewKeepTheirRowsAndTheirViews(t *testing.T) {
	ctx := t.Context()
	db := clickhousetest.New(t)
	before := trace.Migrations()[:5]
	if err := db.Migrate(ctx, "trace", before); err != nil {
		t.Fatal(err)
	}
	tracetest.Insert(t, db, 1, request(1, noon, time.Second)...)
	if err := db.Migrate(ctx, "trace", trace.Migrations()); err != nil {
		t.Fatal(err)
	}
	tracetest.Insert(t, db, 1, request(2, noon.Add(time.Minute), time.Second)...)

	store := trace.NewStore(db)
	page, err := store.Transactions(ctx, 1, trace.TransactionQuery{})
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("%d transactions, %v", len(page.Items), err)
	}
	for _, tx := range page.Items {
		if tx.SQLCount != 1 || tx.CallCount != 1 {
			t.Errorf("%s: %d statements, %d calls, want one of each", tx.TraceID, tx.SQLCount, tx.CallCount)
		}
		if got, err := store.Trace(ctx, 1, tx.TraceID); err != nil || len(got.Spans) != len(request(1, noon, time.Second)) {
			t.Errorf("%s: %d spans, %v", tx.TraceID, len(got.Spans), err)
		}
	}
	var tables []struct {
		Name string `ch:"name"`
	}
	err = db.Select(ctx, 1, &tables, `SELECT name FROM system.tables
		WHERE database = currentDatabase() AND (name LIKE '%fine' OR name LIKE '%coarse') AND {project:UInt32} = 1`)
	if err != nil || len(tables) > 0 {
		t.Errorf("left over: %v, %v", tables, err)
	}
}
