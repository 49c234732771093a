package metadb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/matrix-aiops/matrix/internal/fault"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations returns the embedded migration files, one per noun.
func Migrations() fs.FS {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return files
}

// migrateLock is the PostgreSQL advisory lock held while migrating ("matrix" in ASCII).
const migrateLock = 0x6d6174726978

// Migrate brings the schema up to this binary's version: the embedded
// migrations, then the job queue's own. Any number of nodes may call it at the
// same time: one works, the others wait and find it done. A schema that a newer
// binary has made is fault.Conflict.
func (db *DB) Migrate(ctx context.Context) error {
	unlock, err := db.lockSchema(ctx)
	if err != nil {
		return fmt.Errorf("lock metadata schema: %w", err)
	}
	return errors.Join(db.migrate(ctx), unlock())
}

func (db *DB) migrate(ctx context.Context) error {
	conn, dialect := db.writer, goose.DialectSQLite3
	if db.pool != nil {
		conn, dialect = stdlib.OpenDBFromPool(db.pool), goose.DialectPostgres
		defer func() { _ = conn.Close() }() // gives its connections back to the pool
	}
	provider, err := goose.NewProvider(dialect, conn, Migrations())
	if err != nil {
		return fmt.Errorf("read metadata migrations: %w", err)
	}
	if err := refuseNewer(ctx, provider); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate metadata: %w", err)
	}
	if err := db.migrateJobs(ctx); err != nil {
		return fmt.Errorf("migrate job queue: %w", err)
	}
	return nil
}

// refuseNewer keeps a binary off a schema that a later one has made: it would
// read and write rows whose meaning it does not know.
func refuseNewer(ctx context.Context, provider *goose.Provider) error {
	has, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read metadata schema version: %w", err)
	}
	sources := provider.ListSources()
	if known := sources[len(sources)-1].Version; has > known {
		return fault.New(fault.Conflict, "the metadata database has schema %d and this version of matrix knows up to %d: run the newer version, or restore the backup made before the upgrade", has, known)
	}
	return nil
}

func (db *DB) migrateJobs(ctx context.Context) error {
	if db.pool != nil {
		migrator, err := rivermigrate.New(riverpgxv5.New(db.pool), nil)
		if err != nil {
			return err
		}
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
	migrator, err := rivermigrate.New(riversqlite.New(db.writer), nil)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// lockSchema holds a lock that other processes respect: an advisory lock on a
// connection of its own, or a lock on a file beside SQLite's.
func (db *DB) lockSchema(ctx context.Context) (unlock func() error, err error) {
	if db.pool == nil {
		return lockFile(ctx, db.path+".migrate")
	}
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrateLock)); err != nil {
		conn.Release()
		return nil, err
	}
	return func() error {
		defer conn.Release()
		// The lock must go even when ctx is done: the connection lives on in the pool.
		_, err := conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrateLock))
		return err
	}, nil
}

func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	for {
		unlock, err := tryLockFile(path)
		if !errors.Is(err, errLocked) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var errLocked = errors.New("another process holds it")

func tryLockFile(path string) (unlock func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file.Close, nil // closing lets go of the lock
}

// LockNode makes this process the one node that works on a SQLite file, until
// unlock or its death. PostgreSQL serves many nodes: there it does nothing.
func (db *DB) LockNode() (unlock func() error, err error) {
	if db.pool != nil {
		return func() error { return nil }, nil
	}
	unlock, err = tryLockFile(db.path + ".node")
	if errors.Is(err, errLocked) {
		return nil, fault.New(fault.Conflict, "another matrix process works on %s: stop it, or use PostgreSQL for several nodes", db.path)
	}
	return unlock, err
}
