package metadb

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// attempts bounds how often a transaction that lost against another is run
// again; with the back-off below that is about three seconds.
const attempts = 20

// Tx is a running transaction. It is for one goroutine.
type Tx struct {
	lite *sql.Tx
	pg   pgx.Tx
}

// Raw returns the driver's transaction: one of the two, the other is nil.
func (tx *Tx) Raw() (*sql.Tx, pgx.Tx) { return tx.lite, tx.pg }

type insideKey struct{ db *DB }

// refuseInside turns what would be a deadlock on SQLite's one writing
// connection, and a write outside of the transaction on PostgreSQL, into an
// error on both.
func (db *DB) refuseInside(ctx context.Context) error {
	if ctx.Value(insideKey{db}) != nil {
		return fault.New(fault.Internal, "a write beside a running transaction: use the transaction")
	}
	return nil
}

// InTx runs fn in a serializable transaction and commits when fn returns nil.
// When the database says that it lost against another transaction, fn is run
// again from the start: it must have no effects but those on tx. The context
// given to fn refuses writes that bypass tx. A database that cannot be used now,
// or loses too often, is fault.Unavailable.
func (db *DB) InTx(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if err := db.refuseInside(ctx); err != nil {
		return err
	}
	inside := context.WithValue(ctx, insideKey{db}, true)
	for attempt := 1; ; attempt++ {
		err := db.once(inside, fn)
		if err == nil || attempt == attempts || !isContention(err) {
			return unavailable(err)
		}
		pause := time.NewTimer(time.Duration(1+rand.IntN(min(20*attempt, 250))) * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

func (db *DB) once(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if db.pool != nil {
		return pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(raw pgx.Tx) error {
			return fn(ctx, &Tx{pg: raw})
		})
	}
	raw, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Rollback() }() // after Commit it says so and does nothing
	if err := fn(ctx, &Tx{lite: raw}); err != nil {
		return err
	}
	return raw.Commit()
}

// Exec implements Querier.
func (tx *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	if tx.pg != nil {
		return execPostgres(ctx, tx.pg, text, args)
	}
	return execSQLite(ctx, tx.lite, text, args)
}

// Query implements Querier.
func (tx *Tx) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	if tx.pg != nil {
		return queryPostgres(ctx, tx.pg, text, args)
	}
	return querySQLite(ctx, tx.lite, text, args)
}

// QueryRow implements Querier.
func (tx *Tx) QueryRow(ctx context.Context, text string, args ...any) *Row {
	rows, err := tx.Query(ctx, text, args...)
	return &Row{rows, err}
}

// NextID returns the next id of the named sequence, from 1. In a transaction
// ids are dense: a rolled back one is given again.
func NextID(ctx context.Context, q Querier, name string) (int64, error) {
	var id int64
	err := q.QueryRow(ctx, `INSERT INTO sequence (name, last) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET last = sequence.last + 1 RETURNING last`, name).Scan(&id)
	return id, err
}
