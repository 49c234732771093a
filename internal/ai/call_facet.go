package ai

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/project"
)

// CallFacet is a combination that calls of a project have.
type CallFacet struct {
	Role        string `json:"role" ch:"role"`
	RoleOwner   uint64 `json:"role_owner" ch:"role_owner" doc:"the organisation whose role it is; 0: the installation's"`
	RoleVersion uint32 `json:"role_version" ch:"role_version"`
	Provider    string `json:"provider" ch:"provider"`
	Model       string `json:"model" ch:"model"`
	Status      string `json:"status" ch:"status"`
	CallerKind  string `json:"caller_kind" ch:"caller_kind"`
	Calls       uint64 `json:"calls" ch:"calls"`
}

// CallFacets returns what one can choose among of the project's calls that began
// in [from, to), the most frequent first. A time that is zero is open.
func (g *Gateway) CallFacets(ctx context.Context, p project.ID, from, to time.Time) ([]CallFacet, error) {
	within, params, err := begunIn(from, to)
	if err != nil {
		return nil, err
	}
	rows := []CallFacet{}
	err = g.calls.telemetry.Select(ctx, p, &rows, `SELECT role, role_owner, role_version, provider, model, status, caller_kind, uniqExact(call_id) AS calls
		FROM ai_calls WHERE project_id = {project:UInt32}`+within+` GROUP BY ALL ORDER BY calls DESC LIMIT 1000`, params...)
	if err != nil {
		return nil, fmt.Errorf("list facets of ai calls: %w", err)
	}
	return rows, nil
}

// CallAsker is one person, API token or purpose that calls were made for.
type CallAsker struct {
	By    string `json:"by" ch:"by" enum:"person,token,purpose"`
	Key   string `json:"key" ch:"key" doc:"number or name; of a person and a token 0 for none"`
	Name  string `json:"name" doc:"of the one the key numbers, empty when it has none"`
	Calls uint64 `json:"calls" ch:"calls" doc:"exact up to some ten thousand"`
}

// CallAskers returns for whom and what the project's calls that began in [from, to)
// were made: of persons, tokens and purposes each the 200 of the most calls, these
// first, and without names. A time that is zero is open.
func (g *Gateway) CallAskers(ctx context.Context, p project.ID, from, to time.Time) ([]CallAsker, error) {
	within, params, err := begunIn(from, to)
	if err != nil {
		return nil, err
	}
	rows := []CallAsker{}
	err = g.calls.telemetry.Select(ctx, p, &rows, `SELECT asker.1 AS by, asker.2 AS key, uniq(call_id) AS calls
		FROM ai_calls ARRAY JOIN [('person', toString(person)), ('token', toString(token)), ('purpose', purpose::String)] AS asker
		WHERE project_id = {project:UInt32}`+within+` AND asker.2 != ''
		GROUP BY by, key ORDER BY calls DESC, by, key LIMIT 200 BY by`, params...)
	if err != nil {
		return nil, fmt.Errorf("list askers of ai calls: %w", err)
	}
	return rows, nil
}
