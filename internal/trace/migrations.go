package trace

import (
	_ "embed"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

//go:embed schema.sql
var schema string

//go:embed schema_slow_parent.sql
var slowParent string

//go:embed schema_attribute_index.sql
var attributeIndex string

//go:embed schema_rollups.sql
var rollups string

//go:embed schema_edges.sql
var edges string

//go:embed schema_granules.sql
var granules string

//go:embed schema_alarms.sql
var alarms string

// Migrations returns the versions of this package's tables, oldest first, for
// clickhouse.DB.Migrate under the noun "trace".
func Migrations() []clickhouse.Migration {
	return []clickhouse.Migration{
		{Version: 1, Name: "spans and their rollups", SQL: schema},
		{Version: 2, Name: "parents of slow calls", SQL: slowParent},
		{Version: 3, Name: "search by attribute", SQL: attributeIndex},
		{Version: 4, Name: "rollups by service, by statement and by hour", SQL: rollups},
		{Version: 5, Name: "edges of the service map", SQL: edges},
		{Version: 6, Name: "small granules", SQL: granules},
		{Version: 7, Name: "what rules read by arrival", SQL: alarms},
	}
}
