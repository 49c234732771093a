package clickhouse

import (
	"context"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// projectsParam must occur in a read of several projects, as projectParam in that
// of one.
const projectsParam = "{projects:Array(UInt32)}"

// SelectOf is Select over several projects, which the caller is allowed to read
// all: sql must contain {projects:Array(UInt32)}, which SelectOf fills in. It takes
// the place of a read of the first one.
func (db *DB) SelectOf(ctx context.Context, projects []project.ID, dest any, sql string, params ...Param) error {
	if len(projects) == 0 {
		return fault.New(fault.Internal, "a read of telemetry names no project")
	}
	if !strings.Contains(sql, projectsParam) {
		return fault.New(fault.Internal, "a read of telemetry does not contain %s", projectsParam)
	}
	ids := make([]uint32, len(projects))
	for i, p := range projects {
		if p == 0 {
			return fault.New(fault.Internal, "a read of telemetry names no project")
		}
		ids[i] = uint32(p)
	}
	release, err := db.turns.take(ctx, projects[0])
	if err != nil {
		return err
	}
	defer release()
	return tooMuch(db.SystemSelect(bounded(ctx), dest, sql, append(params[:len(params):len(params)], P("projects", ids))...))
}
