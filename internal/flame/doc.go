// Package flame is the noun call stack: what profilers counted, and the stacks
// that slow spans carry, added up to flame graphs.
//
// It owns the table of schema.sql. Profiles come as pprof, the format of most
// profilers; a Go program, async-profiler, py-spy and others write it. Stacks of
// slow spans are read from the attribute code.stacktrace, which is where
// OpenTelemetry's Java agent extension puts them, and need no second copy.
package flame

import (
	_ "embed"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

//go:embed schema.sql
var schema string

// Migrations returns the versions of this package's tables, oldest first, for
// clickhouse.DB.Migrate under the noun "flame".
func Migrations() []clickhouse.Migration {
	return []clickhouse.Migration{{Version: 1, Name: "samples of profilers", SQL: schema}}
}
