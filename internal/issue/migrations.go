package issue

import (
	_ "embed"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

//go:embed schema.sql
var schema string

// Migrations returns the versions of this package's tables, oldest first, for
// clickhouse.DB.Migrate under the noun "issue".
func Migrations() []clickhouse.Migration {
	return []clickhouse.Migration{{Version: 1, Name: "occurrences of errors", SQL: schema}}
}
