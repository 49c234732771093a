// Package logstest writes log records for tests of other packages, through the
// columns that ingest uses.
package logstest

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Line is a record to write. Severity is OpenTelemetry's number, 9 info, 17 error.
type Line struct {
	Service, Environment string
	At                   time.Time
	Severity             logs.Severity
	Body                 string
	Trace                [16]byte
}

// Insert stores the lines of a project.
func Insert(t testing.TB, db *clickhouse.DB, p project.ID, lines ...Line) {
	t.Helper()
	c := logs.NewColumns(otel.NewCatalog())
	c.Begin(p, 20_000, time.Now())
	resources := otel.NewResources()
	for _, l := range lines {
		var b otel.ResourceBuilder
		b.Reset()
		b.Attribute([]byte("service.name"), []byte(l.Service))
		if l.Environment != "" {
			b.Attribute([]byte("deployment.environment.name"), []byte(l.Environment))
		}
		id := uint64(1)
		for _, r := range l.Service + "/" + l.Environment {
			id = id*31 + uint64(r)
		}
		c.SetResource(&b, id)
		r := logs.NewRow()
		r.Reset()
		r.Time, r.Severity, r.Body, r.TraceID = l.At.UnixNano(), l.Severity, []byte(l.Body), l.Trace
		c.Append(r)
	}
	pending := c.Commit()
	resources.Append(&pending)
	if resources.Rows() > 0 {
		if err := db.Insert(t.Context(), resources.Table(), resources.Input()); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Insert(t.Context(), c.Table(), c.Input()); err != nil {
		t.Fatal(err)
	}
}
