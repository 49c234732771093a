package otel

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// MinuteCount is how many records of a service there were in a minute.
type MinuteCount struct {
	Service     string    `ch:"service"`
	Environment string    `ch:"environment"`
	Minute      time.Time `ch:"minute"` // its begin
	N           uint64    `ch:"n"`
}

// Heard is in which minutes something came from a service.
type Heard struct {
	Project     project.ID
	Service     string
	Environment string
	Minutes     []time.Time // their begins, from early to late
}

// HeardIn returns in which minutes of [from, to) something came from each service,
// by a rollup per minute, or only the last of them. It is for the evaluation of
// rules only: it crosses projects.
func HeardIn(ctx context.Context, db *clickhouse.DB, table string, projects []project.ID, from, to time.Time, lastOnly bool) ([]Heard, error) {
	var rows []struct {
		Project     uint32   `ch:"project_id"`
		Service     string   `ch:"service"`
		Environment string   `ch:"environment"`
		Minutes     []uint32 `ch:"minutes"`
	}
	minutes := "arraySort(groupUniqArray(toUnixTimestamp(minute)))"
	if lastOnly {
		minutes = "[max(toUnixTimestamp(minute))]"
	}
	ids := make([]uint32, len(projects))
	for i, p := range projects {
		ids[i] = uint32(p)
	}
	err := db.SystemSelect(ctx, &rows, `SELECT project_id, service, environment, `+minutes+` AS minutes FROM `+table+`
		WHERE project_id IN {projects:Array(UInt32)} AND minute >= {from:DateTime} AND minute < {to:DateTime}
		GROUP BY project_id, service, environment`,
		clickhouse.P("projects", ids), clickhouse.P("from", from.UTC().Truncate(time.Second)), clickhouse.P("to", to.UTC().Truncate(time.Second)))
	if err != nil {
		return nil, fmt.Errorf("find when services were heard: %w", err)
	}
	heard := make([]Heard, len(rows))
	for i, r := range rows {
		heard[i] = Heard{Project: project.ID(r.Project), Service: r.Service, Environment: r.Environment, Minutes: make([]time.Time, len(r.Minutes))}
		for j, at := range r.Minutes {
			heard[i].Minutes[j] = time.Unix(int64(at), 0).UTC()
		}
	}
	return heard, nil
}
