package clickhouse

import (
	"context"
	"strings"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	chdriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Param is a value the server puts in the place of {Name:Type}. It never
// becomes part of the SQL text.
type Param struct {
	Name  string
	Value any
}

// P returns a Param. Strings, integers, floats, bools, time.Time (exact to the
// nanosecond for DateTime64(9)), slices of these and fmt.Stringer work.
func P(name string, value any) Param { return Param{Name: name, Value: value} }

// projectParam must occur in every project's read, so that a query which
// forgets its tenant is refused before it reaches the server.
const projectParam = "{project:UInt32}"

// Rows is the streaming result of Query. The caller closes it and then looks at Err.
type Rows = chdriver.Rows

// Select reads all rows of one project into dest, a pointer to a slice of
// structs whose fields carry `ch:"column"` tags. sql must contain
// {project:UInt32}, which Select fills in.
func (db *DB) Select(ctx context.Context, p project.ID, dest any, sql string, params ...Param) error {
	if err := scoped(p, sql); err != nil {
		return err
	}
	return db.SystemSelect(ctx, dest, sql, append(params[:len(params):len(params)], P("project", uint32(p)))...)
}

// Query is Select for results that are too large for memory or not of one shape.
func (db *DB) Query(ctx context.Context, p project.ID, sql string, params ...Param) (Rows, error) {
	if err := scoped(p, sql); err != nil {
		return nil, err
	}
	args := arguments(append(params[:len(params):len(params)], P("project", uint32(p))))
	var rows chdriver.Rows
	err := db.on(ctx, func(s *server) (err error) {
		rows, err = s.reads.Query(ctx, sql, args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &faultRows{rows}, nil
}

// SystemSelect reads across projects: for the evaluation of rules and for
// maintenance only, never for a request of a user.
func (db *DB) SystemSelect(ctx context.Context, dest any, sql string, params ...Param) error {
	args := arguments(params)
	return db.on(ctx, func(s *server) error { return s.reads.Select(ctx, dest, sql, args...) })
}

// Exec runs one statement of DDL or maintenance. After a lost connection it may
// run a second time on another server, so sql must bear that.
func (db *DB) Exec(ctx context.Context, sql string, params ...Param) error {
	args := arguments(params)
	return db.on(ctx, func(s *server) error { return s.reads.Exec(ctx, sql, args...) })
}

func scoped(p project.ID, sql string) error {
	if p == 0 {
		return fault.New(fault.Internal, "a read of telemetry names no project")
	}
	if !strings.Contains(sql, projectParam) {
		return fault.New(fault.Internal, "a read of telemetry does not contain %s", projectParam)
	}
	return nil
}

func arguments(params []Param) []any {
	args := make([]any, len(params))
	for i, p := range params {
		args[i] = driver.Named(p.Name, p.Value)
	}
	return args
}

// faultRows gives the errors of a result that breaks off midway their kinds.
type faultRows struct{ chdriver.Rows }

func (r *faultRows) Err() error                { return mapError(r.Rows.Err()) }
func (r *faultRows) Scan(dest ...any) error    { return mapError(r.Rows.Scan(dest...)) }
func (r *faultRows) ScanStruct(dest any) error { return mapError(r.Rows.ScanStruct(dest)) }
