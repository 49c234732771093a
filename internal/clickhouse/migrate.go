package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Migration is one step of a noun's schema. Once released it never changes:
// what comes later is a new version.
//
// The engine has no transactions over DDL. Each statement that was run is
// recorded, so that after a crash Migrate goes on with the next one; only the
// statement under way may run twice, so write IF NOT EXISTS and the like.
type Migration struct {
	Version int    // from 1, without gaps
	Name    string // what it does, for people
	SQL     string // statements separated by ;
}

// migrationSet is what Migrate was asked for once.
type migrationSet struct {
	noun       string
	migrations []Migration
}

// migrationTable records every statement that ran: its position within the
// migration from 1, or position 0 when the whole migration is done.
const migrationTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  noun String, version UInt32, position UInt32, name String, checksum String, applied_at DateTime64(3) DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY (noun, version, position)`

// Migrate brings the schema of one noun to the newest of ms. Any number of
// nodes may call it at once: one of them works, the others wait and find the
// work done. With several DSNs each server is migrated, those that are down
// now when they come back. It does not write ON CLUSTER: servers that share
// nothing get their schema one by one.
//
// It fails with fault.Conflict when a migration that already ran was edited
// since, and when the schema is newer than ms.
func (db *DB) Migrate(ctx context.Context, noun string, ms []Migration) error {
	for i, m := range ms {
		if m.Version != i+1 {
			return fault.New(fault.Internal, "migrations of %s: number %d has version %d", noun, i+1, m.Version)
		}
		if len(statements(m.SQL)) == 0 {
			return fault.New(fault.Internal, "migration %s %d holds no statement", noun, m.Version)
		}
	}
	db.mu.Lock()
	db.migrations = append(db.migrations, migrationSet{noun, ms})
	db.mu.Unlock()
	var failed []error
	for _, s := range db.servers {
		err := db.prepare(ctx, s)
		if err == nil {
			continue
		}
		if !fault.Is(err, fault.Unavailable) {
			return fmt.Errorf("migrate %s: %w", noun, err)
		}
		s.failed()
		failed = append(failed, fmt.Errorf("%s: %w", s.addr, err))
		db.log.Warn("clickhouse server is not migrated yet", "server", s.addr, "noun", noun, "error", err)
	}
	if len(failed) == len(db.servers) {
		return fmt.Errorf("migrate %s: %w", noun, errors.Join(failed...))
	}
	return nil
}

// migrate runs on one server what is missing of set there.
func (db *DB) migrate(ctx context.Context, s *server, set migrationSet) error {
	applied, err := s.applied(ctx, set.noun)
	if err == nil && applied.holds(set.migrations) {
		return applied.check(set)
	}
	ctx, unlock, err := s.lock(ctx, "matrix-migrate-"+db.database)
	if err != nil {
		return err
	}
	defer unlock()
	// What was applied may have changed while we waited for the lock.
	if applied, err = s.applied(ctx, set.noun); err != nil {
		return err
	}
	if err := applied.check(set); err != nil {
		return err
	}
	opts := s.migrate
	conn, err := driver.Open(&opts)
	if err != nil {
		return mapError(err)
	}
	defer func() { _ = conn.Close() }() // its statements have been answered
	for _, m := range set.migrations {
		if _, done := applied[step{m.Version, 0}]; done {
			continue
		}
		for i, statement := range statements(m.SQL) {
			if _, done := applied[step{m.Version, i + 1}]; done {
				continue
			}
			if err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("migration %s %d (%s), statement %d: %w", set.noun, m.Version, m.Name, i+1, mapError(err))
			}
			if err := s.record(ctx, set.noun, m, i+1, checksum(statement)); err != nil {
				return err
			}
		}
		if err := s.record(ctx, set.noun, m, 0, checksum(m.SQL)); err != nil {
			return err
		}
		db.log.Info("telemetry schema migrated", "noun", set.noun, "version", m.Version, "name", m.Name, "server", s.addr)
	}
	return nil
}

// step names a row of schema_migrations within a noun.
type step struct{ version, position int }

// appliedSteps maps what ran to its checksum.
type appliedSteps map[step]string

// holds reports whether nothing of ms is missing.
func (a appliedSteps) holds(ms []Migration) bool {
	for _, m := range ms {
		if _, ok := a[step{m.Version, 0}]; !ok {
			return false
		}
	}
	return true
}

// check compares what ran with what the program has.
func (a appliedSteps) check(set migrationSet) error {
	for at := range a {
		if at.version > len(set.migrations) {
			return fault.New(fault.Conflict, "the telemetry schema of %s is at version %d, but this program knows %d only: a newer matrix has migrated it; run that version or a later one", set.noun, at.version, len(set.migrations))
		}
	}
	for _, m := range set.migrations {
		if sum, done := a[step{m.Version, 0}]; done {
			if sum != checksum(m.SQL) {
				return edited(set.noun, m)
			}
			continue
		}
		// A migration that stopped half way may be mended, but only in what did not run yet.
		parts := statements(m.SQL)
		for at, sum := range a {
			if at.version == m.Version && (at.position > len(parts) || sum != checksum(parts[at.position-1])) {
				return edited(set.noun, m)
			}
		}
	}
	return nil
}

func edited(noun string, m Migration) error {
	return fault.New(fault.Conflict, "migration %s %d (%s) was edited after it ran: restore its text and put the change into a new version", noun, m.Version, m.Name)
}

func checksum(sql string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(sql)))
	return hex.EncodeToString(sum[:16])
}

func (s *server) applied(ctx context.Context, noun string) (appliedSteps, error) {
	if err := s.reads.Exec(ctx, migrationTable); err != nil {
		return nil, mapError(err)
	}
	var rows []struct {
		Version  uint32 `ch:"version"`
		Position uint32 `ch:"position"`
		Checksum string `ch:"checksum"`
	}
	err := s.reads.Select(ctx, &rows, "SELECT version, position, checksum FROM schema_migrations WHERE noun = {noun:String}", driver.Named("noun", noun))
	if err != nil {
		return nil, mapError(err)
	}
	applied := appliedSteps{}
	for _, r := range rows {
		applied[step{int(r.Version), int(r.Position)}] = r.Checksum
	}
	return applied, nil
}

func (s *server) record(ctx context.Context, noun string, m Migration, position int, sum string) error {
	// INSERT … SELECT takes server-side parameters, INSERT … VALUES does not in one round.
	err := s.reads.Exec(ctx, `INSERT INTO schema_migrations (noun, version, position, name, checksum)
		SELECT {noun:String}, {version:UInt32}, {position:UInt32}, {name:String}, {checksum:String}`,
		driver.Named("noun", noun), driver.Named("version", m.Version), driver.Named("position", position),
		driver.Named("name", m.Name), driver.Named("checksum", sum))
	return mapError(err)
}

const (
	lockRetry = 50 * time.Millisecond
	// lockLife bounds a lock; no migration of an empty or living schema takes that long.
	lockLife = 30 * time.Minute
)

// lock is a mutex among all nodes on one server, without Keeper: a query that
// sleeps, under a query id of that name. The server refuses a second query with
// the id of a running one, and ends the query when its connection ends, so a
// node that dies holds nothing. The returned context ends when the lock is lost.
func (s *server) lock(ctx context.Context, name string) (held context.Context, unlock func(), err error) {
	for {
		held, unlock, err = s.tryLock(ctx, name)
		if e := asException(err); e == nil || e.code != proto.ErrQueryWithSameIDIsAlreadyRunning {
			return held, unlock, mapError(err)
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return nil, nil, unavailable(ctx.Err(), "another node is migrating the telemetry schema", lockRetry)
		}
	}
}

func (s *server) tryLock(ctx context.Context, name string) (context.Context, func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	rows, err := s.reads.Query(driver.Context(ctx, driver.WithQueryID(name), driver.WithSettings(driver.Settings{
		"max_block_size":     1,
		"max_execution_time": int(lockLife.Seconds()),
	})), "SELECT sleepEachRow(0.1) FROM numbers(100000000)")
	if err != nil {
		cancel()
		return nil, nil, err
	}
	// The first row is the proof that the query runs, and with it the lock is ours.
	if !rows.Next() {
		err := errors.Join(rows.Err(), rows.Close())
		cancel()
		if err == nil {
			err = errors.New("the lock query returned no row")
		}
		return nil, nil, err
	}
	released := make(chan struct{})
	go func() {
		defer close(released)
		for rows.Next() { // ends with the connection, the life of the lock, or cancel
		}
		_ = rows.Close() // it was broken off on purpose, which is an error to the driver
		cancel()
	}()
	return ctx, func() {
		cancel()
		<-released
	}, nil
}
