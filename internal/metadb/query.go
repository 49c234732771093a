package metadb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Exec implements Querier. Here and below, a database that cannot be used now
// is fault.Unavailable.
func (db *DB) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	if err := db.refuseInside(ctx); err != nil {
		return 0, err
	}
	if db.pool != nil {
		return execPostgres(ctx, db.pool, text, args)
	}
	return execSQLite(ctx, db.writer, text, args)
}

// Query implements Querier. On SQLite a SELECT is answered by a reading
// connection, everything else by the one that writes.
func (db *DB) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	reads := isRead(text)
	if !reads {
		if err := db.refuseInside(ctx); err != nil {
			return nil, err
		}
	}
	switch {
	case db.pool != nil:
		return queryPostgres(ctx, db.pool, text, args)
	case reads:
		return querySQLite(ctx, db.reader, text, args)
	default:
		return querySQLite(ctx, db.writer, text, args)
	}
}

// QueryRow implements Querier.
func (db *DB) QueryRow(ctx context.Context, text string, args ...any) *Row {
	rows, err := db.Query(ctx, text, args...)
	return &Row{rows, err}
}

func isRead(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) >= 6 && strings.EqualFold(text[:6], "select")
}

type sqlRunner interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

type pgxRunner interface {
	Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

func execSQLite(ctx context.Context, on sqlRunner, text string, args []any) (int64, error) {
	args, err := storable(args)
	if err != nil {
		return 0, err
	}
	result, err := on.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, unavailable(err)
	}
	return result.RowsAffected()
}

func execPostgres(ctx context.Context, on pgxRunner, text string, args []any) (int64, error) {
	args, err := storable(args)
	if err != nil {
		return 0, err
	}
	tag, err := on.Exec(ctx, text, args...)
	return tag.RowsAffected(), unavailable(err)
}

func querySQLite(ctx context.Context, on sqlRunner, text string, args []any) (*Rows, error) {
	args, err := storable(args)
	if err != nil {
		return nil, err
	}
	rows, err := on.QueryContext(ctx, text, args...) //nolint:rowserrcheck // Rows.Err is for whoever iterates
	if err != nil {
		return nil, unavailable(err)
	}
	return &Rows{lite: rows}, nil
}

func queryPostgres(ctx context.Context, on pgxRunner, text string, args []any) (*Rows, error) {
	args, err := storable(args)
	if err != nil {
		return nil, err
	}
	rows, err := on.Query(ctx, text, args...)
	if err != nil {
		return nil, unavailable(err)
	}
	return &Rows{pg: rows}, nil
}

// storable makes both databases store the same thing for the same argument.
func storable(args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case json.RawMessage:
			out[i] = string(v) // SQLite would keep a BLOB, which no TEXT comparison finds
		case time.Time, *time.Time:
			return nil, fault.New(fault.Internal, "argument $%d is a time: store metadb.Micros", i+1)
		default:
			out[i] = arg
		}
	}
	return out, nil
}

// Rows iterates over a result; hand it to Collect, or Close it.
type Rows struct {
	lite *sql.Rows
	pg   pgx.Rows
}

// Next moves to the next row.
func (r *Rows) Next() bool {
	if r.pg != nil {
		return r.pg.Next()
	}
	return r.lite.Next()
}

// Scan copies the row's columns into dest: pointers to integers, strings,
// booleans, []byte and json.RawMessage, or to pointers of these for NULL.
func (r *Rows) Scan(dest ...any) error {
	for i, d := range dest {
		if raw, ok := d.(*json.RawMessage); ok {
			dest[i] = (*rawText)(raw)
		}
	}
	if r.pg != nil {
		return r.pg.Scan(dest...)
	}
	return r.lite.Scan(dest...)
}

// Err returns the error that ended the iteration, if any.
func (r *Rows) Err() error {
	if r.pg != nil {
		return unavailable(r.pg.Err())
	}
	return unavailable(r.lite.Err())
}

// Close releases the connection. It may be called more than once.
func (r *Rows) Close() error {
	if r.pg != nil {
		r.pg.Close()
		return nil
	}
	return r.lite.Close()
}

// rawText lets a TEXT column be scanned into a json.RawMessage on both databases.
type rawText json.RawMessage

// Scan implements sql.Scanner.
func (r *rawText) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*r = nil
	case string:
		*r = rawText(v)
	case []byte:
		*r = append(rawText(nil), v...)
	default:
		return fmt.Errorf("scan %T into json", value)
	}
	return nil
}

// Row is the result of QueryRow.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the one row into dest, or returns ErrNoRows.
func (r *Row) Scan(dest ...any) (err error) {
	if r.err != nil {
		return r.err
	}
	defer func() {
		if closed := r.rows.Close(); err == nil {
			err = closed
		}
	}()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	// A RETURNING statement is complete, and its constraint errors known, only
	// once the rows are drained.
	for r.rows.Next() {
	}
	return r.rows.Err()
}

// Collect scans every row and closes rows. It takes Query's two results:
//
//	rows, err := q.Query(ctx, …)
//	return metadb.Collect(rows, err, scan)
//
// A result without rows is empty, not nil, so that it is [] in JSON.
func Collect[T any](rows *Rows, err error, scan func(*Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	out := []T{}
	defer func() { _ = rows.Close() }() // Err below carries what matters
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, nil
}
