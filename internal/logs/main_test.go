package logs

import (
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// open returns a store on a fresh database.
func open(t testing.TB) (*clickhouse.DB, *Store) {
	t.Helper()
	db := clickhousetest.New(t)
	for noun, migrations := range map[string][]clickhouse.Migration{"trace": trace.Migrations(), "logs": Migrations()} {
		if err := db.Migrate(t.Context(), noun, migrations); err != nil {
			t.Fatal(err)
		}
	}
	return db, NewStore(db)
}

// line is a record to write; service is "api" unless said otherwise.
type line struct {
	service, pod string
	at           time.Time
	severity     Severity
	body         string
	attributes   []string // key, value, …
	trace        byte     // the first byte of its trace id
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// around is a range that holds what tests write about noon.
func around(text string) Query {
	return Query{Text: text, From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}
}

// insert stores the lines through the columns that ingest uses.
func insert(t testing.TB, db *clickhouse.DB, p project.ID, lines ...line) {
	t.Helper()
	c := NewColumns(otel.NewCatalog())
	c.Begin(p, 20_000, noon)
	resources := otel.NewResources()
	for _, l := range lines {
		var b otel.ResourceBuilder
		b.Reset()
		service, id := l.service, uint64(1)
		if service == "" {
			service = "api"
		}
		b.Attribute([]byte("service.name"), []byte(service))
		b.Attribute([]byte("k8s.pod.name"), []byte(l.pod))
		b.Attribute([]byte("k8s.node.name"), []byte("node-of-"+service))
		for _, c := range service + "/" + l.pod {
			id = id*31 + uint64(c)
		}
		c.SetResource(&b, id)
		r := NewRow()
		r.Reset()
		r.Time, r.Severity, r.Body = l.at.UnixNano(), l.severity, []byte(l.body)
		if l.at.IsZero() {
			r.Time = noon.UnixNano()
		}
		r.TraceID[0] = l.trace
		for i := 0; i+1 < len(l.attributes); i += 2 {
			r.Attribute([]byte(l.attributes[i]), []byte(l.attributes[i+1]))
		}
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

// bodies are the bodies of records, joined.
func bodies(records []LogRecord) string {
	out := make([]string, len(records))
	for i, r := range records {
		out[i] = r.Body
	}
	return strings.Join(out, " | ")
}
