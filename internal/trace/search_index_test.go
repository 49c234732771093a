package trace_test

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// TestASearchForAnAttributeReadsTheIndexOnly fails when the SQL of a search and
// the expression of the index have drifted apart: then every span is read.
func TestASearchForAnAttributeReadsTheIndexOnly(t *testing.T) {
	db, store := tracetest.Open(t)
	if err := db.Exec(t.Context(), `INSERT INTO spans (project_id, retention_days, trace_id, span_id, service, name, entry, start, duration, attr_keys, attr_values)
		SELECT 1, 20000, toFixedString(unhex(hex(MD5(toString(number)))), 16), number + 1, 'api', 's', number % 4 = 0,
			toDateTime64('2025-06-17 14:03:00', 9, 'UTC') + toIntervalMillisecond(number), 1000, ['customer.id'], [toString(number)]
		FROM numbers(200000)`); err != nil {
		t.Fatal(err)
	}
	read := func(search string) uint64 {
		t.Helper()
		before := selectedRows(t, db)
		page, err := store.Transactions(t.Context(), 1, trace.TransactionQuery{From: noon, To: noon.Add(time.Hour), Search: search})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%s: %d transactions, %v", search, len(page.Items), err)
		}
		return selectedRows(t, db) - before
	}
	if n := read("attr.customer.id=100000"); n > 20_000 {
		t.Errorf("%d rows were read for an attribute of an entry span", n)
	}
	if n := read("span.customer.id=100000"); n > 250_000 {
		t.Errorf("%d rows were read for an attribute of any span", n)
	}
	if n := read("attr.customer.id~^100000$"); n < 200_000 {
		t.Errorf("%d rows were read for a regular expression: this test measures nothing", n)
	}
}

// selectedRows returns how many rows the engine has read so far.
func selectedRows(t *testing.T, db *clickhouse.DB) uint64 {
	t.Helper()
	var rows []struct {
		Value uint64 `ch:"value"`
	}
	if err := db.SystemSelect(t.Context(), &rows, `SELECT value FROM system.events WHERE event = 'SelectedRows'`); err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	return rows[0].Value
}
