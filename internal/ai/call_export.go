package ai

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// CallKey finds the record of a call.
type CallKey struct {
	Project project.ID
	At      time.Time
	CallID  string
}

// LoadCalls reads the records of calls of any projects, with their texts and
// attempts, in no particular order, and as they were stored last. A record that is gone is left out. It is for
// maintenance, as clickhouse.DB.SystemSelect.
func LoadCalls(ctx context.Context, db *clickhouse.DB, keys []CallKey) ([]Call, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	projects, ids := make([]uint32, len(keys)), make([]string, len(keys))
	from, to := keys[0].At, keys[0].At
	for i, k := range keys {
		projects[i], ids[i] = uint32(k.Project), k.CallID
		if k.At.Before(from) {
			from = k.At
		}
		if k.At.After(to) {
			to = k.At
		}
	}
	params := []clickhouse.Param{clickhouse.P("projects", projects), clickhouse.P("ids", ids), clickhouse.P("from", from.UTC())}
	var rows []struct {
		ProjectID uint32 `ch:"project_id"`
		callRow
	}
	err := db.SystemSelect(ctx, &rows, `SELECT project_id, `+callFacts+`, system, message, answer, parsed FROM ai_calls
		WHERE project_id IN {projects:Array(UInt32)} AND at >= {from:DateTime64(3)} AND at <= {to:DateTime64(3)} AND call_id IN {ids:Array(String)}
		ORDER BY project_id, call_id, stored_at DESC LIMIT 1 BY project_id, call_id`, append(params, clickhouse.P("to", to.UTC()))...)
	if err != nil {
		return nil, fmt.Errorf("load ai calls: %w", err)
	}
	calls := make([]Call, 0, len(rows))
	place := make(map[string]int, len(rows))
	for _, r := range rows {
		c, err := r.call(project.ID(r.ProjectID))
		if err != nil {
			return nil, fmt.Errorf("read ai call: %w", err)
		}
		place[c.CallID] = len(calls)
		calls = append(calls, c)
	}
	var attempts []struct {
		CallID string `ch:"call_id"`
		attemptRow
	}
	// An attempt begins after its call, but for a clock that was set back meanwhile.
	err = db.SystemSelect(ctx, &attempts, `SELECT call_id, `+attemptFacts+`
		FROM ai_attempts WHERE project_id IN {projects:Array(UInt32)} AND at >= {from:DateTime64(3)} AND at <= {to:DateTime64(3)} AND call_id IN {ids:Array(String)}
		ORDER BY call_id, number, stored_at DESC LIMIT 1 BY call_id, number`, append(params[:2:2], clickhouse.P("from", from.UTC().Add(-time.Hour)), clickhouse.P("to", to.UTC().Add(24*time.Hour)))...)
	if err != nil {
		return nil, fmt.Errorf("load ai attempts: %w", err)
	}
	for _, a := range attempts {
		i, known := place[a.CallID]
		if !known {
			continue
		}
		calls[i].Attempts = append(calls[i].Attempts, a.attempt())
	}
	return calls, nil
}

// guessOperation is the operation of a call that was logged before it was kept:
// what asked for vectors has no role, and nothing that came back was counted or
// finished.
func (c *Call) guessOperation() string {
	if c.Role == "" && c.Status == CallOK && c.Finish == "" && c.Answer == "" && c.Usage.OutputTokens == 0 {
		return OperationEmbeddings
	}
	return OperationChat
}
