package clickhouse_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
)

var pointsMigration = []clickhouse.Migration{{Version: 1, Name: "points",
	SQL: "CREATE TABLE IF NOT EXISTS points (project_id UInt32, x Int64, note LowCardinality(String)) ENGINE = MergeTree ORDER BY (project_id, x)"}}

func TestRequestsGoToTheServersThatAnswer(t *testing.T) {
	a := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	b := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	db := open(t, a.DSN(), b.DSN())
	if err := db.Migrate(t.Context(), "points", pointsMigration); err != nil {
		t.Fatal(err)
	}
	stop(t, a)
	for i := range int64(10) {
		if err := db.Insert(t.Context(), "points", pointsInput(1, i)); err != nil {
			t.Errorf("insert %d with one of two servers down: %v", i, err)
		}
		countPoints(t, db)
	}
	if n := countPoints(t, open(t, b.DSN())); n != 10 {
		t.Errorf("%d rows on the server that was left, want 10", n)
	}
	stop(t, b)
	if err := db.Insert(t.Context(), "points", pointsInput(1, 1)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("with both down: %v", err)
	}
}

func TestWithAllServersUpEveryRowIsReadBack(t *testing.T) {
	a := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	b := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	db := open(t, a.DSN(), b.DSN())
	if err := db.Migrate(t.Context(), "points", pointsMigration); err != nil {
		t.Fatal(err)
	}
	for i := range int64(6) {
		if err := db.Insert(t.Context(), "points", pointsInput(1, i)); err != nil {
			t.Fatal(err)
		}
		if n := countPoints(t, db); n != uint64(i+1) {
			t.Errorf("%d rows after %d inserts", n, i+1)
		}
	}
	if n := countPoints(t, open(t, a.DSN())); n != 6 {
		t.Errorf("%d rows on the server named first, want all 6", n)
	}
}

func TestRequestsDoNotQueueForAServerThatDoesNotAnswer(t *testing.T) {
	e := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	w := newWire(t, e.DSN())
	db := open(t, w.dsn, "clickhouse://"+silent.Addr().String())
	tries := make(chan net.Conn, 100)
	go func() {
		for conn, err := silent.Accept(); err == nil; conn, err = silent.Accept() {
			tries <- conn
		}
	}()
	<-tries // of Open
	w.cut()
	var requests sync.WaitGroup
	began := time.Now()
	for range 8 {
		requests.Go(func() {
			if err := db.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("ping: %v", err)
			}
		})
	}
	<-tries
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	asked := time.Now()
	if err := db.Ping(ctx); !fault.Is(err, fault.Unavailable) || time.Since(asked) > time.Second {
		t.Errorf("a request with 50 ms to spend got %v after %v", err, time.Since(asked))
	}
	requests.Wait()
	if took := time.Since(began); took > 10*time.Second { // one after the other takes 16 s
		t.Errorf("8 requests took %v", took)
	}
}

func TestAServerThatComesLateGetsItsSchemaThen(t *testing.T) {
	a := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	b := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	late := newWire(t, b.DSN())
	late.cut()
	db := open(t, late.dsn, a.DSN())
	if err := db.Migrate(t.Context(), "points", pointsMigration); err != nil {
		t.Fatal(err)
	}
	late.mend()
	direct := open(t, b.DSN())
	eventually(t, func() bool {
		if err := db.Insert(t.Context(), "points", pointsInput(1, 1)); err != nil {
			t.Fatal(err)
		}
		var rows []struct {
			N uint64 `ch:"n"`
		}
		return direct.SystemSelect(t.Context(), &rows, "SELECT count() AS n FROM points") == nil && rows[0].N > 0
	})
}

func TestAnInsertCutOffMidwayIsTheCallersToRepeat(t *testing.T) {
	e := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	w := newWire(t, e.DSN())
	db := open(t, w.dsn)
	if err := db.Exec(t.Context(), `CREATE TABLE slow (project_id UInt32, x Int64, note String,
		CONSTRAINT waits CHECK sleep(1) = 0) ENGINE = MergeTree ORDER BY x`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- db.Insert(t.Context(), "slow", pointsInput(1, 1)) }()
	direct := open(t, e.DSN())
	eventually(t, func() bool {
		var rows []struct {
			N uint64 `ch:"n"`
		}
		return direct.SystemSelect(t.Context(), &rows, "SELECT count() AS n FROM system.processes WHERE query LIKE 'INSERT%slow%'") == nil && rows[0].N > 0
	})
	began := time.Now()
	w.cut()
	if err := <-done; !fault.Is(err, fault.Unavailable) {
		t.Errorf("error = %v, want unavailable", err)
	}
	if waited := time.Since(began); waited > 900*time.Millisecond {
		t.Errorf("it took %s to notice", waited)
	}
}

func TestADSNThatCannotWorkIsRefused(t *testing.T) {
	f := func(dsns []string, database string) {
		t.Helper()
		_, err := clickhouse.Open(t.Context(), clickhouse.Options{DSNs: dsns, Database: database})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q, %q: %v, want invalid", dsns, database, err)
		}
	}
	f(nil, "")
	f([]string{"://"}, "")
	f([]string{"clickhouse://a:1,b:2"}, "")
	f([]string{"http://a:8123"}, "")
	f([]string{"clickhouse://a:1"}, "bad-name; DROP")
}
