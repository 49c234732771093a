package metadb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// unavailable turns an error that says that the database cannot be used now
// into fault.Unavailable. Every other error stays as it is, the end of the
// caller's context among them.
func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || fault.As(err) != nil || !isOutage(err) {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "the metadata database does not answer")
}

func isOutage(err error) bool {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && !errors.As(err, new(*pgconn.ConnectError)) {
		switch {
		case pg.Code == "57014": // a query that was cancelled
			return false
		// Of the connection, of resources, of an operator who stops the server.
		case strings.HasPrefix(pg.Code, "08"), strings.HasPrefix(pg.Code, "53"), strings.HasPrefix(pg.Code, "57"):
			return true
		}
		return isContention(err)
	}
	if lite := (*sqlite.Error)(nil); errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
			return true
		}
		return isContention(err)
	}
	return errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(net.Error)) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) ||
		// What a pool says after Close has no exported name.
		strings.HasSuffix(err.Error(), "sql: database is closed") || strings.HasSuffix(err.Error(), "closed pool")
}
