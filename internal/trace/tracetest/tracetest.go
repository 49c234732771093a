// Package tracetest writes spans for tests of whatever reads them: through the
// same columns as ingest, into the real engine.
package tracetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/cespare/xxhash/v2"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// Span is a span to write. Zero fields are left out, but for Service ("api")
// and Kind (internal).
type Span struct {
	Trace                                   trace.TraceID
	ID, Parent                              trace.SpanID
	Service, Environment, Instance, Version string
	Name                                    string
	Kind                                    trace.Kind
	Start                                   time.Time
	Duration                                time.Duration
	Error                                   bool
	Attributes                              map[string]string
	Resource                                map[string]string // attributes beside those above
	Events                                  []Event
	Links                                   []trace.Link // their attributes are texts
}

// Event is an event of a Span.
type Event struct {
	At         time.Time
	Name       string
	Attributes map[string]string
}

// Exception returns the event of an exception.
func Exception(at time.Time, kind, message, stack string) Event {
	return Event{At: at, Name: "exception", Attributes: map[string]string{
		"exception.type": kind, "exception.message": message, "exception.stacktrace": stack,
	}}
}

// ID returns the trace id that ends in n.
func ID(n uint64) (id trace.TraceID) {
	binary.BigEndian.PutUint64(id[8:], n)
	id[0] = 0xab
	return id
}

// retention in days is so long that spans of fixed dates do not expire.
const retention = 20_000

// Open returns the engine with the tables of trace, for this test only.
func Open(t testing.TB) (*clickhouse.DB, *trace.Store) {
	t.Helper()
	db := clickhousetest.New(t)
	if err := db.Migrate(context.Background(), "trace", trace.Migrations()); err != nil {
		t.Fatal(err)
	}
	return db, trace.NewStore(db)
}

// Insert stores the spans, and the resources and statements they point at. All
// of it can be read when Insert returns.
func Insert(t testing.TB, db *clickhouse.DB, p project.ID, spans ...Span) {
	t.Helper()
	cols := trace.NewColumns(trace.NewCatalog(otel.NewCatalog()))
	cols.Begin(p, retention, time.Now())
	for _, s := range spans {
		setResource(cols, s)
		cols.Append(row(s))
	}
	statements, resources := trace.NewStatements(), otel.NewResources()
	if pending := cols.Commit(); pending != nil {
		statements.Append(&pending.Statements)
		resources.Append(&pending.Resources)
	}
	for _, b := range []block{resources, statements, cols} {
		if b.Rows() == 0 {
			continue
		}
		if err := db.Insert(context.Background(), b.Table(), b.Input()); err != nil {
			t.Fatalf("insert %s: %v", b.Table(), err)
		}
	}
}

// block is what all columns of package trace can do.
type block interface {
	Rows() int
	Table() string
	Input() proto.Input
}

func setResource(cols *trace.Columns, s Span) {
	attributes := map[string]string{
		"service.name": s.Service, "deployment.environment.name": s.Environment, "service.instance.id": s.Instance, "service.version": s.Version,
	}
	if s.Service == "" {
		attributes["service.name"] = "api"
	}
	maps.Copy(attributes, s.Resource)
	var b otel.ResourceBuilder
	b.Reset()
	hash := xxhash.New()
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		if value := attributes[key]; value != "" {
			b.Attribute([]byte(key), []byte(value))
			_, _ = hash.WriteString(key + "\x00" + value + "\x00")
		}
	}
	cols.SetResource(&b, hash.Sum64())
}

func row(s Span) *trace.Row {
	r := trace.NewRow()
	r.Reset()
	r.TraceID, r.SpanID, r.ParentID = s.Trace, s.ID, s.Parent
	r.Name, r.Kind = []byte(s.Name), uint8(max(s.Kind, trace.KindInternal))
	r.Start, r.Duration = s.Start.UnixNano(), uint64(s.Duration)
	if s.Error {
		r.Status = uint8(trace.StatusError)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Attributes)) {
		r.Attribute([]byte(key), []byte(s.Attributes[key]))
	}
	for _, e := range s.Events {
		r.Event(e.At.UnixNano(), []byte(e.Name))
		for _, key := range slices.Sorted(maps.Keys(e.Attributes)) {
			r.EventAttribute([]byte(key), []byte(e.Attributes[key]))
		}
		r.EndEvent(0)
	}
	for _, l := range s.Links {
		r.Link(l.TraceID, l.SpanID)
		for _, key := range slices.Sorted(maps.Keys(l.Attributes)) {
			r.LinkAttribute([]byte(key), []byte(fmt.Sprint(l.Attributes[key])))
		}
		r.EndLink(0)
	}
	return r
}
