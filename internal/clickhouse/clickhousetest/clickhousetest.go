// Package clickhousetest gives tests the real engine: one child process per
// test binary, started when the first test asks for it, and a database of its
// own for each test.
package clickhousetest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

// Main runs the tests of a package that uses New or Engine. Call it from
// TestMain: the test binary is also what runs as the engine's process.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "engine" {
		if err := clickhouse.ServeEngine(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// New returns a database that only this test uses. It is dropped afterwards.
func New(t testing.TB) *clickhouse.DB {
	t.Helper()
	return Open(t, NewDatabase(t))
}

// NewDatabase returns the name of a database that does not exist yet and is
// dropped after the test, for tests that open several handles on it.
func NewDatabase(t testing.TB) string {
	t.Helper()
	engine := Engine(t)
	name := "test_" + strconv.FormatInt(databases.Add(1), 10)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		db, err := clickhouse.Open(ctx, clickhouse.Options{DSNs: []string{engine.DSN()}, Database: name})
		if err != nil {
			t.Errorf("drop test database: %v", err)
			return
		}
		defer db.Close()
		if err := db.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return name
}

// Open opens one more handle on a database of NewDatabase.
func Open(t testing.TB, database string) *clickhouse.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := clickhouse.Open(ctx, clickhouse.Options{DSNs: []string{Engine(t).DSN()}, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// Engine returns the engine of this test binary. Tests that kill or stop an
// engine start their own.
func Engine(t testing.TB) *clickhouse.Engine {
	t.Helper()
	engine, err := shared.start()
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

var databases atomic.Int64

// shared is the one engine of the process; testing gives us no other place
// that all tests of a package can reach.
var shared process

type process struct {
	once   sync.Once
	engine *clickhouse.Engine
	dir    string
	err    error
}

func (p *process) start() (*clickhouse.Engine, error) {
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("", "matrix-engine-test-"); p.err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		p.engine, p.err = clickhouse.StartEngine(ctx, clickhouse.EngineOptions{
			Dir:    p.dir,
			Memory: 2 << 30,
			Log:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
	})
	return p.engine, p.err
}

func (p *process) stop() error {
	if p.engine != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := p.engine.Stop(ctx); err != nil {
			return err
		}
	}
	if p.dir != "" {
		return os.RemoveAll(p.dir)
	}
	return nil
}
