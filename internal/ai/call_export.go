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
	err := db.SystemSelect(ctx, &rows, `SELECT project_id, `+callFacts+`, system, message, answer FROM ai_calls
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
		CallID       string    `ch:"call_id"`
		At           time.Time `ch:"at"`
		Provider     string    `ch:"provider"`
		Model        string    `ch:"model"`
		ServedModel  string    `ch:"served_model"`
		Key          string    `ch:"key"`
		Repair       bool      `ch:"repair"`
		InWords      bool      `ch:"in_words"`
		InHouse      bool      `ch:"in_house"`
		Dropped      []string  `ch:"dropped"`
		Status       string    `ch:"status"`
		Class        string    `ch:"class"`
		Code         string    `ch:"code"`
		Error        string    `ch:"error"`
		Answer       string    `ch:"answer"`
		LatencyMs    uint32    `ch:"latency_ms"`
		FirstTokenMs uint32    `ch:"first_token_ms"`
		WaitMs       uint32    `ch:"wait_ms"`
		InputTokens  uint64    `ch:"input_tokens"`
		CachedTokens uint64    `ch:"cached_tokens"`
		CacheWrite   uint64    `ch:"cache_write_tokens"`
		OutputTokens uint64    `ch:"output_tokens"`
		Reasoning    uint64    `ch:"reasoning_tokens"`
		CostUSD      *float64  `ch:"cost_usd"`
	}
	// An attempt begins after its call, but for a clock that was set back meanwhile.
	err = db.SystemSelect(ctx, &attempts, `SELECT call_id, at, provider::String AS provider, model::String AS model, served_model::String AS served_model, key::String AS key,
			repair, in_words, in_house, dropped::Array(String) AS dropped, status::String AS status, class::String AS class, code::String AS code, error, answer,
			latency_ms, first_token_ms, wait_ms, input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_usd
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
		owner, provider := owned(a.Provider)
		calls[i].Attempts = append(calls[i].Attempts, Attempt{At: a.At.UTC(), Owner: owner, Provider: provider, Model: a.Model, ServedModel: a.ServedModel, Key: a.Key,
			Repair: a.Repair, InWords: a.InWords, InHouse: a.InHouse, Dropped: a.Dropped, Status: a.Status, Class: Class(a.Class), Code: a.Code, Error: a.Error, Answer: a.Answer,
			LatencyMs: int64(a.LatencyMs), FirstTokenMs: int64(a.FirstTokenMs), WaitMs: int64(a.WaitMs),
			Usage: Usage{InputTokens: int64(a.InputTokens), CachedTokens: int64(a.CachedTokens), CacheWriteTokens: int64(a.CacheWrite),
				OutputTokens: int64(a.OutputTokens), ReasoningTokens: int64(a.Reasoning), CostUSD: a.CostUSD}})
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
