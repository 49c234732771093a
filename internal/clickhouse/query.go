package clickhouse

import (
	"context"
	"strings"
	"sync"

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
//
// A read of a project is bounded: by the time of queryTime, by the engine's memory
// for one query, by maxResultRows, and by how many of them the project may have
// under way. One that is over a bound of its own is fault.Invalid and says so.
func (db *DB) Select(ctx context.Context, p project.ID, dest any, sql string, params ...Param) error {
	if err := scoped(p, sql); err != nil {
		return err
	}
	release, err := db.turns.take(ctx, p)
	if err != nil {
		return err
	}
	defer release()
	return tooMuch(db.SystemSelect(bounded(ctx), dest, sql, append(params[:len(params):len(params)], P("project", uint32(p)))...))
}

// Query is Select for results that are too large for memory or not of one shape.
func (db *DB) Query(ctx context.Context, p project.ID, sql string, params ...Param) (Rows, error) {
	if err := scoped(p, sql); err != nil {
		return nil, err
	}
	release, err := db.turns.take(ctx, p)
	if err != nil {
		return nil, err
	}
	args := arguments(append(params[:len(params):len(params)], P("project", uint32(p))))
	var rows chdriver.Rows
	err = db.on(ctx, func(s *server) (err error) {
		rows, err = s.reads.Query(bounded(ctx), sql, args...)
		return err
	})
	if err != nil {
		release()
		return nil, tooMuch(err)
	}
	return &projectRows{Rows: rows, release: release}, nil
}

// maxResultRows is how many rows one read of a project may return.
const maxResultRows = 5_000_000

// bounded adds to the limits of all reads (newServer) that of what a project is given.
func bounded(ctx context.Context) context.Context {
	return driver.Context(ctx, driver.WithSettings(driver.Settings{
		"max_result_rows": maxResultRows, "result_overflow_mode": "throw",
	}))
}

// turns bounds how many reads each project has under way, so that one cannot
// take all connections from the others.
type turns struct {
	limit int

	mu        sync.Mutex
	byProject map[project.ID]*queue
}

// queue is one project's reads; its places are in slots, and users counts who
// holds or waits for one.
type queue struct {
	slots chan struct{}
	users int
}

func newTurns(limit int) *turns { return &turns{limit: limit, byProject: map[project.ID]*queue{}} }

// take waits for a place and returns what gives it back; it may be called twice.
func (t *turns) take(ctx context.Context, p project.ID) (release func(), err error) {
	t.mu.Lock()
	q := t.byProject[p]
	if q == nil {
		q = &queue{slots: make(chan struct{}, t.limit)}
		t.byProject[p] = q
	}
	q.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if q.users--; q.users == 0 {
			delete(t.byProject, p)
		}
	}
	select {
	case q.slots <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, mapError(ctx.Err())
	}
	return sync.OnceFunc(func() {
		<-q.slots
		leave()
	}), nil
}

// SystemSelect reads across projects: for the evaluation of rules, for
// maintenance and for who administers the installation, never for a request of
// anybody else.
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

// projectRows gives the errors of a result that breaks off midway their kinds,
// and the project's place back at its end.
type projectRows struct {
	chdriver.Rows
	release func()
}

func (r *projectRows) Err() error                { return tooMuch(mapError(r.Rows.Err())) }
func (r *projectRows) Scan(dest ...any) error    { return mapError(r.Rows.Scan(dest...)) }
func (r *projectRows) ScanStruct(dest any) error { return mapError(r.Rows.ScanStruct(dest)) }

// Close implements Rows.
func (r *projectRows) Close() error {
	defer r.release()
	return r.Rows.Close()
}
