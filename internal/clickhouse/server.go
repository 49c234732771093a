package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
)

const (
	dialTimeout = 2 * time.Second
	// queryTime is what one read may take on the server when the caller's
	// context sets no earlier deadline.
	queryTime = 30 * time.Second
	// insertTime bounds one insert: an engine that hangs must not hold its callers.
	insertTime = 30 * time.Second

	minPenalty = 250 * time.Millisecond
	maxPenalty = 15 * time.Second
)

// server is one ClickHouse address: connections for reads, for
// inserts and for reads of whole columns, and what we believe about its health.
type server struct {
	addr    string
	reads   driver.Conn
	inserts *columnPool
	streams *columnPool
	admin   driver.Options // without a database, to create it
	migrate driver.Options // without limits of time

	mu        sync.Mutex
	downUntil time.Time
	penalty   time.Duration

	preparing chan struct{} // a mutex that can be waited for with a context; guards what follows
	created   bool
	migrated  int // how many of DB.migrations this server has run
	failure   error
	failedAt  time.Time // of the last preparation that failed, with failure
}

func newServer(dsn, database string, maxOpen int) (*server, error) {
	opts, err := driver.ParseDSN(dsn)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "a ClickHouse DSN is malformed; it looks like clickhouse://user:password@host:9000")
	}
	if opts.Protocol != driver.Native || len(opts.Addr) != 1 {
		return nil, fault.New(fault.Invalid, "a ClickHouse DSN names one server of the native protocol; give several servers as several DSNs").WithField("dsns")
	}
	opts.DialTimeout = dialTimeout
	opts.ReadTimeout = queryTime + 5*time.Second
	opts.DialStrategy = dialToTheEnd
	opts.DialContext = func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := dialGently(ctx, addr, dialTimeout)
		if err != nil || opts.TLS == nil {
			return conn, err
		}
		return secure(ctx, conn, addr, opts.TLS)
	}
	opts.MaxOpenConns = maxOpen
	opts.MaxIdleConns = maxOpen
	opts.Settings["max_execution_time"] = int(queryTime.Seconds())
	opts.Settings["timeout_overflow_mode"] = "throw"
	opts.Settings["session_timezone"] = "UTC" // of days that a query computes: the tables count in UTC wherever the server stands

	admin := *opts
	admin.Auth.Database = ""
	admin.MaxOpenConns, admin.MaxIdleConns = 1, 1
	opts.Auth.Database = database
	migrate := *opts
	migrate.ReadTimeout = lockLife // DDL says nothing before it is done
	migrate.MaxOpenConns, migrate.MaxIdleConns = 1, 1
	migrate.Settings = maps.Clone(opts.Settings)
	migrate.Settings["max_execution_time"] = 0
	reads, err := driver.Open(opts)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "a ClickHouse DSN is not usable")
	}
	columns := ch.Options{
		Address:     opts.Addr[0],
		Database:    database,
		User:        opts.Auth.Username,
		Password:    opts.Auth.Password,
		TLS:         opts.TLS,
		DialTimeout: dialTimeout,
		ReadTimeout: insertTime,
		Compression: ch.CompressionDisabled,
		ClientName:  "matrix",
	}
	return &server{
		addr: opts.Addr[0], reads: reads, inserts: newColumnPool(columns, maxOpen), streams: newColumnPool(columns, maxOpen),
		admin: admin, migrate: migrate, preparing: make(chan struct{}, 1),
	}, nil
}

// dialToTheEnd dials without the caller's cancellation: the engine library does
// not survive a client that leaves in the middle of the handshake (ADR 0002).
func dialToTheEnd(ctx context.Context, id int, opts *driver.Options, dial driver.Dial) (driver.DialResult, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*dialTimeout)
	defer cancel()
	return driver.DefaultDialStrategy(ctx, id, opts, dial)
}

func (s *server) close() {
	_ = s.reads.Close() // closing connections of a server that is gone fails, and nothing depends on it
	s.inserts.close()
	s.streams.close()
}

func (s *server) healthy(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !now.Before(s.downUntil)
}

func (s *server) succeeded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.downUntil, s.penalty = time.Time{}, 0
}

// failed keeps the server out of the first choice for a while that doubles
// with each failure.
func (s *server) failed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.penalty = min(max(2*s.penalty, minPenalty), maxPenalty)
	s.downUntil = time.Now().Add(s.penalty)
}

// prepare brings a server to where requests may go to it: the database exists
// and every migration set that was asked for has run. It costs a lock when
// there is nothing to do. Of many requests that come while a server is down one
// tries, and the others share what it finds.
func (db *DB) prepare(ctx context.Context, s *server) error {
	asked := time.Now()
	select {
	case s.preparing <- struct{}{}:
		defer func() { <-s.preparing }()
	case <-ctx.Done():
		return mapError(ctx.Err())
	}
	if s.failedAt.After(asked) {
		return s.failure
	}
	err := db.bringUp(ctx, s)
	if err != nil && ctx.Err() == nil {
		s.failure, s.failedAt = err, time.Now()
	}
	return err
}

func (db *DB) bringUp(ctx context.Context, s *server) error {
	if !s.created {
		if err := s.createDatabase(ctx, db.database); err != nil {
			return err
		}
		s.created = true
	}
	db.mu.Lock()
	pending := db.migrations[min(s.migrated, len(db.migrations)):]
	db.mu.Unlock()
	for _, set := range pending {
		if err := db.migrate(ctx, s, set); err != nil {
			return err
		}
		s.migrated++
	}
	return nil
}

func (s *server) createDatabase(ctx context.Context, database string) error {
	opts := s.admin
	conn, err := driver.Open(&opts)
	if err != nil {
		return mapError(err)
	}
	defer func() { _ = conn.Close() }() // its statement has been answered
	// Atomic, because the engine's built-in database refuses refreshable views.
	if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+database+" ENGINE = Atomic"); err != nil {
		return fmt.Errorf("create database: %w", mapError(err))
	}
	return nil
}
