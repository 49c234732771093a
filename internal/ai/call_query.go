package ai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/project"
)

// CallQuery selects calls of one project, newest first.
type CallQuery struct {
	CallFilter
	Cursor string // NextCursor of the page before, "" = the first
	Limit  int    // at most 200; 0 = 50
}

// CallPage is one page of calls, without attempts and texts.
type CallPage struct {
	Items      []Call `json:"items"`
	NextCursor string `json:"next_cursor"` // "" = the last page
	Total      uint64 `json:"total"`
}

type callRow struct {
	askedRow
	CallID       string    `ch:"call_id"`
	Operation    string    `ch:"operation"`
	At           time.Time `ch:"at"`
	CallerKind   string    `ch:"caller_kind"`
	CallerName   string    `ch:"caller_name"`
	CallerRef    string    `ch:"caller_ref"`
	Role         string    `ch:"role"`
	RoleOwner    uint64    `ch:"role_owner"`
	RoleVersion  uint32    `ch:"role_version"`
	Label        string    `ch:"label"`
	Language     string    `ch:"language"`
	Status       string    `ch:"status"`
	Provider     string    `ch:"provider"`
	Model        string    `ch:"model"`
	Parameters   string    `ch:"parameters"`
	System       string    `ch:"system"`
	Message      string    `ch:"message"`
	Answer       string    `ch:"answer"`
	Parsed       string    `ch:"parsed"`
	Finish       string    `ch:"finish"`
	SchemaValid  *bool     `ch:"schema_valid"`
	Grounded     *bool     `ch:"grounded"`
	Dropped      []string  `ch:"dropped"`
	LatencyMs    uint32    `ch:"latency_ms"`
	FirstTokenMs uint32    `ch:"first_token_ms"`
	OverheadUs   uint32    `ch:"overhead_us"`
	InputTokens  uint64    `ch:"input_tokens"`
	CachedTokens uint64    `ch:"cached_tokens"`
	OutputTokens uint64    `ch:"output_tokens"`
	CacheWrite   uint64    `ch:"cache_write_tokens"`
	Reasoning    uint64    `ch:"reasoning_tokens"`
	CostUSD      *float64  `ch:"cost_usd"`
	Masked       string    `ch:"masked"`
	Unknown      []string  `ch:"unknown_tokens"`
	HasOriginals bool      `ch:"has_originals"`
	Error        string    `ch:"error"`
}

func (r callRow) call(p project.ID) (Call, error) {
	c := Call{
		Project: p, CallID: r.CallID, Operation: r.Operation, At: r.At.UTC(), CallerKind: r.CallerKind, CallerName: r.CallerName, CallerRef: r.CallerRef,
		Role: r.Role, RoleOwner: Owner(r.RoleOwner), RoleVersion: int(r.RoleVersion), Language: r.Language, Status: r.Status, Provider: r.Provider, Model: r.Model, Attempts: []Attempt{},
		System: r.System, Message: r.Message, Answer: r.Answer, Finish: r.Finish, SchemaValid: r.SchemaValid, Grounded: r.Grounded, Dropped: r.Dropped, Label: r.Label,
		LatencyMs: int64(r.LatencyMs), FirstTokenMs: int64(r.FirstTokenMs), OverheadUs: int64(r.OverheadUs), HasOriginals: r.HasOriginals, Error: r.Error, Unknown: r.Unknown,
		Usage: Usage{InputTokens: int64(r.InputTokens), CachedTokens: int64(r.CachedTokens), CacheWriteTokens: int64(r.CacheWrite),
			OutputTokens: int64(r.OutputTokens), ReasoningTokens: int64(r.Reasoning), CostUSD: r.CostUSD},
	}
	r.fill(&c)
	if r.Parsed != "" {
		c.Parsed = json.RawMessage(r.Parsed)
	}
	if c.Operation == "" {
		c.Operation = c.guessOperation()
	}
	return c, errors.Join(json.Unmarshal([]byte(r.Parameters), &c.Parameters), json.Unmarshal([]byte(r.Masked), &c.Masked))
}

const callFacts = `call_id, operation::String AS operation, at, caller_kind, caller_name, caller_ref, role, role_owner, role_version, label::String AS label, language, status, provider, model, parameters,
	finish::String AS finish, schema_valid, grounded, dropped::Array(String) AS dropped, latency_ms, first_token_ms, overhead_us,
	input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_usd, masked, unknown_tokens, error, ` + askedFacts

// attemptRow is a row of ai_attempts: attemptFacts.
type attemptRow struct {
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
	UsageRaw     string    `ch:"usage_raw"`
	CostUSD      *float64  `ch:"cost_usd"`
	PriceVersion uint64    `ch:"price_version"`
}

const attemptFacts = `at, provider::String AS provider, model::String AS model, served_model::String AS served_model, key::String AS key, repair, in_words, in_house,
	dropped::Array(String) AS dropped, status::String AS status, class::String AS class, code::String AS code, error, answer, latency_ms, first_token_ms, wait_ms,
	input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, usage_raw, cost_usd, price_version`

func (r attemptRow) attempt() Attempt {
	owner, provider := Owned(r.Provider)
	return Attempt{At: r.At.UTC(), Owner: owner, Provider: provider, Model: r.Model, ServedModel: r.ServedModel, Key: r.Key, Repair: r.Repair, InWords: r.InWords,
		InHouse: r.InHouse, Dropped: r.Dropped, Status: r.Status, Class: Class(r.Class), Code: r.Code, Error: r.Error, Answer: r.Answer,
		LatencyMs: int64(r.LatencyMs), FirstTokenMs: int64(r.FirstTokenMs), WaitMs: int64(r.WaitMs), PriceVersion: int64(r.PriceVersion), UsageRaw: RawUsage(r.UsageRaw),
		Usage: Usage{InputTokens: int64(r.InputTokens), CachedTokens: int64(r.CachedTokens), CacheWriteTokens: int64(r.CacheWrite),
			OutputTokens: int64(r.OutputTokens), ReasoningTokens: int64(r.Reasoning), CostUSD: r.CostUSD}}
}

// Calls returns one page of the project's calls, newest first, without
// attempts and texts.
func (g *Gateway) Calls(ctx context.Context, p project.ID, q CallQuery) (*CallPage, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	where, params, err := q.where()
	if err != nil {
		return nil, err
	}
	selected := ` FROM ai_calls WHERE project_id = {project:UInt32}` + where
	var count []struct {
		N uint64 `ch:"n"`
	}
	if err := g.calls.telemetry.Select(ctx, p, &count, `SELECT uniqExact(call_id) AS n`+selected, params...); err != nil {
		return nil, fmt.Errorf("count ai calls: %w", err)
	}
	before, beforeID, err := readCursor(q.Cursor)
	if err != nil {
		return nil, err
	}
	params = append(params, clickhouse.P("before", before), clickhouse.P("before_id", beforeID), clickhouse.P("limit", uint64(limit+1)))
	if beforeID != "" { // said once more of the bare column, so that later calls are not read
		selected += ` AND at <= fromUnixTimestamp64Milli({before:Int64})`
	}
	var rows []callRow
	err = g.calls.telemetry.Select(ctx, p, &rows, `SELECT `+callFacts+selected+`
		AND ({before_id:String} = '' OR (toUnixTimestamp64Milli(at), call_id) < ({before:Int64}, {before_id:String}))
		ORDER BY at DESC, call_id DESC, stored_at DESC LIMIT 1 BY call_id LIMIT {limit:UInt64}`, params...)
	if err != nil {
		return nil, fmt.Errorf("list ai calls: %w", err)
	}
	page := &CallPage{Items: []Call{}}
	if len(count) > 0 {
		page.Total = count[0].N
	}
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		page.NextCursor = strconv.FormatInt(last.At.UnixMilli(), 10) + "." + last.CallID
	}
	for _, r := range rows {
		c, err := r.call(p)
		if err != nil {
			return nil, fmt.Errorf("read ai call: %w", err)
		}
		page.Items = append(page.Items, c)
	}
	return page, nil
}

// Spending is what models did for a project over a time.
type Spending struct {
	Calls  uint64 `json:"calls"`
	Failed uint64 `json:"failed" doc:"calls that no model answered"`
	// Unpriced are in no cost: the price of a model was not known.
	Unpriced     uint64  `json:"unpriced" doc:"calls with tokens and without a known cost"`
	InputTokens  uint64  `json:"input_tokens"`
	OutputTokens uint64  `json:"output_tokens"`
	CostUSD      float64 `json:"cost_usd" doc:"of the calls whose cost is known"`
}

// Spent adds up the project's calls that began in [from, to).
func (g *Gateway) Spent(ctx context.Context, p project.ID, from, to time.Time) (*Spending, error) {
	if !from.Before(to) {
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	var rows []struct {
		Calls    uint64  `ch:"calls"`
		Failed   uint64  `ch:"failed"`
		Unpriced uint64  `ch:"unpriced"`
		Input    uint64  `ch:"input"`
		Output   uint64  `ch:"output"`
		Cost     float64 `ch:"cost"`
	}
	err := g.calls.telemetry.Select(ctx, p, &rows, `SELECT count() AS calls, countIf(status != '`+CallOK+`') AS failed,
			countIf(cost_usd IS NULL AND input_tokens + output_tokens > 0) AS unpriced,
			sum(input_tokens) AS input, sum(output_tokens) AS output, sum(ifNull(cost_usd, 0)) AS cost
		FROM (SELECT call_id, status, input_tokens, output_tokens, cost_usd FROM ai_calls
			WHERE project_id = {project:UInt32} AND at >= {from:DateTime64(3)} AND at < {to:DateTime64(3)} ORDER BY call_id, stored_at DESC LIMIT 1 BY call_id)`,
		clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()))
	if err != nil {
		return nil, fmt.Errorf("add up ai calls: %w", err)
	}
	if len(rows) == 0 {
		return &Spending{}, nil
	}
	r := rows[0]
	return &Spending{Calls: r.Calls, Failed: r.Failed, Unpriced: r.Unpriced, InputTokens: r.Input, OutputTokens: r.Output, CostUSD: r.Cost}, nil
}

func readCursor(cursor string) (before int64, id string, err error) {
	if cursor == "" {
		return 0, "", nil
	}
	ms, id, ok := strings.Cut(cursor, ".")
	before, err = strconv.ParseInt(ms, 10, 64)
	if err != nil || !ok || id == "" {
		return 0, "", fault.New(fault.Invalid, "the cursor is not one of ours").WithField("cursor")
	}
	return before, id, nil
}

// Call returns one call of the project with its attempts; fault.NotFound.
func (g *Gateway) Call(ctx context.Context, p project.ID, id string) (*Call, error) {
	var rows []callRow
	err := g.calls.telemetry.Select(ctx, p, &rows, `SELECT `+callFacts+`, system, message, answer, parsed, originals != '' AS has_originals FROM ai_calls WHERE project_id = {project:UInt32} AND call_id = {id:String} ORDER BY stored_at DESC LIMIT 1`, clickhouse.P("id", id))
	if err != nil {
		return nil, fmt.Errorf("load ai call: %w", err)
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "there is no call %q", id)
	}
	c, err := rows[0].call(p)
	if err != nil {
		return nil, fmt.Errorf("read ai call: %w", err)
	}
	var attempts []attemptRow
	err = g.calls.telemetry.Select(ctx, p, &attempts, `SELECT `+attemptFacts+` FROM ai_attempts
		WHERE project_id = {project:UInt32} AND call_id = {id:String} ORDER BY number, stored_at DESC LIMIT 1 BY number`, clickhouse.P("id", id))
	if err != nil {
		return nil, fmt.Errorf("load ai attempts: %w", err)
	}
	for _, a := range attempts {
		c.Attempts = append(c.Attempts, a.attempt())
	}
	return &c, nil
}

// Originals returns what the tokens of a call stand for, empty where the log
// keeps none. Who may see them is the caller's to know. fault.NotFound.
func (g *Gateway) Originals(ctx context.Context, p project.ID, id string) ([]mask.Token, error) {
	var rows []struct {
		Originals string `ch:"originals"`
	}
	err := g.calls.telemetry.Select(ctx, p, &rows, `SELECT originals FROM ai_calls WHERE project_id = {project:UInt32} AND call_id = {id:String} LIMIT 1`, clickhouse.P("id", id))
	if err != nil {
		return nil, fmt.Errorf("load originals of ai call: %w", err)
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "there is no call %q", id)
	}
	tokens := []mask.Token{}
	if rows[0].Originals == "" {
		return tokens, nil
	}
	if err := json.Unmarshal([]byte(rows[0].Originals), &tokens); err != nil {
		return nil, fmt.Errorf("read originals of ai call: %w", err)
	}
	return tokens, nil
}
