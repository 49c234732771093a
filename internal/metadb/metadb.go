// Package metadb is the metadata database: SQLite by default, PostgreSQL at
// scale, behind one SQL text ($1 parameters, ON CONFLICT, RETURNING; BIGINT,
// TEXT and BOOLEAN columns; JSON in TEXT; times as BIGINT unix microseconds).
//
// It owns the connections, transactions, migrations and ids. It owns no noun:
// every table but `sequence` belongs to the package whose migration makes it.
package metadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// The dialects DB.Dialect returns.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// sqliteReaders is how many connections read beside the one that writes. In
// WAL mode readers never wait for the writer.
const sqliteReaders = 4

// postgresConns is the pool's size when the DSN names none (pool_max_conns).
const postgresConns = 16

// ErrNoRows is what Row.Scan returns when the query found nothing.
var ErrNoRows = sql.ErrNoRows

// Querier is what DB and *Tx share: one statement at a time.
type Querier interface {
	// Exec runs a statement and returns the number of rows it changed.
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	// Query runs a statement that returns rows; hand both results to Collect.
	Query(ctx context.Context, sql string, args ...any) (*Rows, error)
	// QueryRow runs a statement that returns at most one row; errors surface in Scan.
	QueryRow(ctx context.Context, sql string, args ...any) *Row
}

// DB is an open metadata database, safe for concurrent use.
type DB struct {
	path   string  // SQLite file, "" on PostgreSQL
	writer *sql.DB // SQLite: one connection, BEGIN IMMEDIATE
	reader *sql.DB // SQLite: several, query_only
	pool   *pgxpool.Pool
}

var (
	_ Querier = (*DB)(nil)
	_ Querier = (*Tx)(nil)
)

// Open connects to dsn: "postgres://…", "sqlite:<path>" or a plain path. A
// SQLite file and its directory are made when missing, readable by their owner
// only. The schema is not touched: call Migrate.
func Open(ctx context.Context, dsn string) (*DB, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return openPostgres(ctx, dsn)
	}
	return openSQLite(ctx, strings.TrimPrefix(dsn, "sqlite:"))
}

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("parse metadata dsn: %w", err) // pgx leaves the password out
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = postgresConns
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open metadata database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to metadata database: %w", unavailable(err))
	}
	return &DB{pool: pool}, nil
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if path == "" {
		return nil, errors.New("metadata dsn is empty: give a file path, sqlite:<path> or postgres://…")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make metadata directory: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open metadata file: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	// synchronous=FULL: an acknowledged write survives kill -9 and a power cut.
	writer, err := openPool(ctx, path, 1, "_txlock=immediate",
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)")
	if err != nil {
		return nil, err
	}
	reader, err := openPool(ctx, path, sqliteReaders, "_txlock=deferred",
		"busy_timeout(10000)", "foreign_keys(ON)", "query_only(ON)")
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return &DB{path: path, writer: writer, reader: reader}, nil
}

func openPool(ctx context.Context, path string, conns int, lock string, pragmas ...string) (*sql.DB, error) {
	params := []string{lock}
	for _, pragma := range pragmas {
		params = append(params, "_pragma="+url.QueryEscape(pragma))
	}
	file := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(params, "&")}
	pool, err := sql.Open("sqlite", file.String())
	if err != nil {
		return nil, fmt.Errorf("open metadata file: %w", err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open metadata file: %w", err), pool.Close())
	}
	return pool, nil
}

// Dialect returns SQLite or Postgres.
func (db *DB) Dialect() string {
	if db.pool != nil {
		return Postgres
	}
	return SQLite
}

// Pools returns the raw pools for drivers that need one (River, goose): the
// writing SQLite connection, or the PostgreSQL pool; the other is nil.
func (db *DB) Pools() (*sql.DB, *pgxpool.Pool) { return db.writer, db.pool }

// Ping answers whether the database can be reached.
func (db *DB) Ping(ctx context.Context) error {
	if db.pool != nil {
		return unavailable(db.pool.Ping(ctx))
	}
	return unavailable(db.reader.PingContext(ctx))
}

// Close closes every connection. SQLite folds its log into the file.
func (db *DB) Close() error {
	if db.pool != nil {
		db.pool.Close()
		return nil
	}
	return errors.Join(db.reader.Close(), db.writer.Close())
}

// Micros is how a time is stored: unix microseconds; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros is the reverse of Micros, in UTC.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// IsUnique reports whether err is a violated primary key or unique index.
func IsUnique(err error) bool {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	if lite := (*sqlite.Error)(nil); errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// isContention reports whether a transaction that failed with err may succeed
// when simply run again.
func isContention(err error) bool {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	if lite := (*sqlite.Error)(nil); errors.As(err, &lite) {
		primary := lite.Code() & 0xff
		return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
	}
	return false
}
