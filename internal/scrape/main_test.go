package scrape

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// quick is usual for tests.
var quick = timing{beat: 100 * time.Millisecond, giveUp: 600 * time.Millisecond, takeOver: time.Second, targets: 100 * time.Millisecond}

// place is the stores that scrapers work on, and a directory for their files.
type place struct {
	t      *testing.T
	meta   *metadb.DB
	writer *metric.Writer
	engine *metric.Engine
	dir    string
	log    *lines

	mu      sync.Mutex
	revoked map[string]bool
}

func newPlace(t *testing.T, meta *metadb.DB, limits metric.Limits) *place {
	t.Helper()
	db := clickhousetest.New(t)
	if err := db.Migrate(t.Context(), "metric", metric.Migrations()); err != nil {
		t.Fatal(err)
	}
	writer := metric.NewWriter(db, limits, clickhouse.BatchOptions{MaxDelay: 5 * time.Millisecond})
	t.Cleanup(func() {
		if err := writer.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &place{t: t, meta: meta, writer: writer, engine: metric.NewEngine(metric.NewStore(db), slog.New(slog.DiscardHandler)), dir: t.TempDir(), log: &lines{}, revoked: map[string]bool{}}
}

func here(t *testing.T) *place { return newPlace(t, metadbtest.SQLite(t), metric.Limits{}) }

// The projects that the keys of the tests belong to.
var projects = map[string]project.ID{"shop": 7, "bank": 8}

func (p *place) authenticate(_ context.Context, key string) (Project, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id := projects[key]; id != 0 && !p.revoked[key] {
		return Project{ID: id, RetentionDays: 14}, nil
	}
	return Project{}, fault.New(fault.Unauthenticated, "the ingest key is unknown or revoked")
}

func (p *place) revoke(key string, revoked bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked[key] = revoked
}

// file writes a file into the directory, as editors do: another in its place.
func (p *place) file(name, format string, args ...any) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path+".new", fmt.Appendf(nil, format, args...), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// scrape starts a node that scrapes for each key a file.
func (p *place) scrape(node string, entries ...Entry) *Scraper {
	p.t.Helper()
	s, err := New(Options{DB: p.meta, Metrics: p.writer, Authenticate: p.authenticate, Entries: entries, Node: node, Log: slog.New(slog.NewTextHandler(p.log, nil)), timing: quick})
	if err != nil {
		p.t.Fatal(err)
	}
	s.Start()
	p.t.Cleanup(func() { p.stop(s) })
	return s
}

func (p *place) stop(s *Scraper) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		p.t.Error(err)
	}
}

// shop scrapes one file for the project shop.
func (p *place) shop(format string, args ...any) *Scraper {
	p.t.Helper()
	return p.scrape("node-1", Entry{"shop", p.file("prometheus.yml", format, args...)})
}

// ask returns what a query yields for a project now, "" for nothing.
func (p *place) ask(key, query string) string {
	p.t.Helper()
	answer, err := p.engine.Instant(p.t.Context(), projects[key], query, time.Now(), 0)
	if err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	defer answer.Release()
	var out []string
	for _, s := range answer.Value.(promql.Vector) {
		if s.H != nil {
			out = append(out, s.H.String())
		} else {
			out = append(out, fmt.Sprint(s.F))
		}
	}
	return strings.Join(out, " ")
}

// expect waits until a query yields something.
func (p *place) expect(key, query, want string) {
	p.t.Helper()
	p.eventually(func() string {
		if got := p.ask(key, query); got != want {
			return fmt.Sprintf("%s = %q, want %q", query, got, want)
		}
		return ""
	})
}

func (p *place) status(key string) Status {
	p.t.Helper()
	s, err := NewStore(p.meta, nil).Status(p.t.Context(), projects[key])
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// target waits until the state of the one target of a job is as wanted.
func (p *place) target(key, job string, health string, problem string) Target {
	p.t.Helper()
	var found Target
	p.eventually(func() string {
		for _, found = range p.status(key).Targets {
			if found.Job == job && string(found.Health) == health && (problem == "") == (found.Error == "") && strings.Contains(found.Error, problem) {
				return ""
			}
		}
		return fmt.Sprintf("no target of %s is %s because of %q: %+v", job, health, problem, p.status(key))
	})
	return found
}

// eventually waits until nothing is wrong any more.
func (p *place) eventually(wrong func() string) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text := wrong()
		if text == "" {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("it never came to that: %s\n%s", text, p.log)
		}
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// exposes serves metrics as text, which may change.
type exposes struct {
	*httptest.Server
	mu   sync.Mutex
	text string
}

func newExposes(t *testing.T, text string) *exposes {
	t.Helper()
	e := &exposes{text: text}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, e.text)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *exposes) say(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text = text
}

// address is where a target is, as a file names it.
func address(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
