// Package clickhouse owns the telemetry engine: the embedded ClickHouse child
// process, the connections to it or to external servers, schema migrations and
// group commit. It talks to ClickHouse only. It knows no table: every noun owns
// its schema and its queries, and hands them to this package.
//
// Two ways lead to a DB. Embedded: Locate finds a ClickHouse on this machine,
// StartEngine runs and watches it as a child process, and Open connects to its
// DSN. External: Open connects to the given DSNs. Requests go to the first of
// them, and to a later one only while those before it do not answer: servers
// that share nothing would otherwise hold a part of the rows each.
package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// DefaultDatabase is the database of the product when Options name no other.
const DefaultDatabase = "matrix"

// Options say where the servers are and how to use them.
type Options struct {
	// DSNs are clickhouse://user:password@host:port[/database][?secure=true], in
	// the order of preference. At least one. A database in a DSN is ignored in favour of Database.
	DSNs []string
	// Database holds all tables; created when missing. Default "matrix".
	Database string
	Log      *slog.Logger
	// MaxOpen is the number of connections per server and per direction
	// (reads, inserts). Default 8.
	MaxOpen int
}

// DB reads from and writes to the telemetry database. It is safe for use by
// many goroutines.
type DB struct {
	servers  []*server
	database string
	log      *slog.Logger
	turns    *turns

	mu         sync.Mutex
	migrations []migrationSet // what a server that comes back late still has to run
}

var validDatabase = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,62}$`)

// Open connects, and creates the database where it is missing. It fails when
// no server answers before ctx ends; servers that answer later join in then.
func Open(ctx context.Context, opts Options) (*DB, error) {
	if len(opts.DSNs) == 0 {
		return nil, fault.New(fault.Invalid, "no ClickHouse DSN is given").WithField("dsns")
	}
	database := cmp.Or(opts.Database, DefaultDatabase)
	if !validDatabase.MatchString(database) {
		return nil, fault.New(fault.Invalid, "%q is not a database name: letters, digits and _ only", database).WithField("database")
	}
	opts.MaxOpen = cmp.Or(opts.MaxOpen, 8)
	db := &DB{
		database: database, log: cmp.Or(opts.Log, slog.New(slog.DiscardHandler)),
		turns: newTurns(max(1, opts.MaxOpen/2)),
	}
	for _, dsn := range opts.DSNs {
		s, err := newServer(dsn, database, opts.MaxOpen)
		if err != nil {
			db.Close()
			return nil, err
		}
		db.servers = append(db.servers, s)
	}
	var failed []error
	for _, s := range db.servers {
		if err := db.prepare(ctx, s); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.addr, err))
			s.failed()
			db.log.Warn("clickhouse server is not usable yet", "server", s.addr, "error", err)
		}
	}
	if len(failed) == len(db.servers) {
		db.Close()
		return nil, fmt.Errorf("open clickhouse: %w", errors.Join(failed...))
	}
	return db, nil
}

// Ping asks whether at least one server answers. The error is fault.Unavailable when none does.
func (db *DB) Ping(ctx context.Context) error {
	return db.on(ctx, func(s *server) error { return s.reads.Ping(ctx) })
}

// Close ends all connections. Requests under way fail.
func (db *DB) Close() {
	for _, s := range db.servers {
		s.close()
	}
}

// on runs fn on the first healthy server; when that turns out to be unreachable, on the
// next one. fn must be safe to run again: reads, pings, idempotent DDL.
func (db *DB) on(ctx context.Context, fn func(*server) error) error {
	var err error
	for _, s := range db.order() {
		if err = db.prepare(ctx, s); err == nil {
			err = mapError(fn(s))
		}
		if err == nil {
			s.succeeded()
			return nil
		}
		if ctx.Err() != nil || !fault.Is(err, fault.Unavailable) {
			return err
		}
		if unreachable(err) {
			s.failed()
		}
	}
	return err
}

// order lists the servers to try: healthy ones first, as they were given, then
// those whose penalty is not over, because a wrong guess about their health must
// not be an outage.
func (db *DB) order() []*server {
	if len(db.servers) == 1 {
		return db.servers
	}
	now := time.Now()
	healthy := make([]*server, 0, len(db.servers))
	var penalised []*server
	for _, s := range db.servers {
		if s.healthy(now) {
			healthy = append(healthy, s)
		} else {
			penalised = append(penalised, s)
		}
	}
	return append(healthy, penalised...)
}
