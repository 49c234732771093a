// Package ship brings the records of AI calls and their attempts to Elasticsearch
// or OpenSearch.
//
// It owns what arrived when (the table ai_arrivals of the telemetry engine), how
// far each destination has got (metadata database), the documents and their
// index template. The records themselves are package ai's. Run is one run of a
// periodic job: it reads what has arrived since the last acknowledged record and
// sends it with the bulk API. No call waits for it.
//
// Why nothing is lost and nothing is doubled: ADR 16.
package ship

import (
	_ "embed" // the schema

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

//go:embed arrivals.sql
var arrivals string

// Migrations are the versions of this package's tables in the telemetry engine,
// for clickhouse.DB.Migrate under the noun "ai_ship", after those of package ai.
func Migrations() []clickhouse.Migration {
	return []clickhouse.Migration{{Version: 1, Name: "when calls arrived", SQL: arrivals}}
}
