package logs

import (
	_ "embed"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

//go:embed schema.sql
var schema string

//go:embed schema_arrival.sql
var schemaArrival string

//go:embed schema_granules.sql
var schemaGranules string

// Migrations returns the versions of this package's tables, oldest first, for
// clickhouse.DB.Migrate under the noun "logs".
func Migrations() []clickhouse.Migration {
	return []clickhouse.Migration{
		{Version: 1, Name: "logs and their levels", SQL: schema},
		{Version: 2, Name: "logs by their arrival", SQL: schemaArrival},
		{Version: 3, Name: "small granules", SQL: schemaGranules},
	}
}
