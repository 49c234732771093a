package ai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// How a call ended.
const (
	CallOK        = "ok"
	CallExhausted = "exhausted"      // no model gave a valid answer
	CallUnmasked  = "masking_failed" // nothing was sent
	CallCancelled = "cancelled"      // the caller went away
	CallTimeout   = "timeout"        // the caller's time was up
	CallError     = "error"
)

// Call is one logged call. System, Message and Answer are the masked texts: the
// log holds no original.
type Call struct {
	Project     project.ID   `json:"project_id"`
	CallID      string       `json:"call_id"`
	At          time.Time    `json:"at"`
	CallerKind  string       `json:"caller_kind"`
	CallerName  string       `json:"caller_name"`
	CallerRef   string       `json:"caller_ref"`
	Role        string       `json:"role"`
	RoleVersion int          `json:"role_version"`
	Language    string       `json:"language"`
	Status      string       `json:"status"`
	Provider    string       `json:"provider"` // of the last attempt
	Model       string       `json:"model"`
	Parameters  Parameters   `json:"parameters"`
	System      string       `json:"system"`
	Message     string       `json:"message"`
	Answer      string       `json:"answer"`
	LatencyMs   int64        `json:"latency_ms"`
	Usage       Usage        `json:"usage"`
	Masked      []mask.Count `json:"masked"`
	Error       string       `json:"error"`
	Attempts    []Attempt    `json:"attempts"`
}

func (c *conversation) record(caller Caller, r *Result, err error) *Call {
	call := &Call{
		Project: caller.Project, CallID: r.CallID, At: c.started.UTC(), CallerKind: caller.Kind, CallerName: caller.Name, CallerRef: caller.Ref,
		Role: r.Role, RoleVersion: r.RoleVersion, Language: c.in.Language, Status: CallOK, Provider: r.Provider, Model: r.Model,
		Parameters: c.role.Parameters, System: c.system, Message: c.message, Answer: c.answer,
		LatencyMs: r.LatencyMs, Usage: r.Usage, Masked: r.Masked, Attempts: r.Attempts,
	}
	switch {
	case err == nil:
		return call
	case errors.Is(err, ErrExhausted):
		call.Status = CallExhausted
	case errors.Is(err, ErrMasking):
		call.Status = CallUnmasked
	case errors.Is(err, context.Canceled):
		call.Status = CallCancelled
	case errors.Is(err, context.DeadlineExceeded):
		call.Status = CallTimeout
	default:
		call.Status = CallError
	}
	call.Error = err.Error()
	return call
}

// callLog writes calls to the telemetry engine. A call the engine cannot take is
// kept in the metadata database until Flush moves it; only when both stores are
// down is a record lost, which is counted and logged.
type callLog struct {
	meta      *metadb.DB
	telemetry *clickhouse.DB
	log       *slog.Logger
	lost      atomic.Int64
}

const (
	writeWait  = 2 * time.Second // an answer never waits longer for its log
	flushBatch = 100
)

func (l *callLog) write(ctx context.Context, c *Call) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWait)
	defer cancel()
	err := l.insert(ctx, c)
	if err == nil {
		return
	}
	spoolCtx, cancelSpool := context.WithTimeout(context.WithoutCancel(ctx), writeWait)
	defer cancelSpool()
	if spoolErr := l.spool(spoolCtx, c); spoolErr != nil {
		l.lost.Add(1)
		l.log.ErrorContext(ctx, "the record of an ai call is lost", "call_id", c.CallID, "lost", l.lost.Load(), "error", errors.Join(err, spoolErr))
		return
	}
	l.log.WarnContext(ctx, "the record of an ai call waits for the engine", "call_id", c.CallID, "error", err)
}

func (l *callLog) spool(ctx context.Context, c *Call) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = l.meta.Exec(ctx, `INSERT INTO ai_call_spool (call_id, body, at) VALUES ($1, $2, $3) ON CONFLICT (call_id) DO NOTHING`,
		c.CallID, string(body), metadb.Micros(c.At))
	return err
}

// Flush moves the call records that wait in the metadata database to the
// engine. A record may be written twice if the node dies in between; reads count
// it once. Run it as a periodic job: see Register.
func (g *Gateway) Flush(ctx context.Context) error {
	for {
		rows, err := g.db.Query(ctx, `SELECT body FROM ai_call_spool ORDER BY at LIMIT $1`, flushBatch)
		waiting, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (*Call, error) {
			var body string
			if err := rows.Scan(&body); err != nil {
				return nil, err
			}
			var c Call
			return &c, json.Unmarshal([]byte(body), &c)
		})
		if err != nil || len(waiting) == 0 {
			return err
		}
		for _, c := range waiting {
			if err := g.calls.insert(ctx, c); err != nil {
				return fmt.Errorf("log ai call: %w", err)
			}
			if _, err := g.db.Exec(ctx, `DELETE FROM ai_call_spool WHERE call_id = $1`, c.CallID); err != nil {
				return err
			}
		}
	}
}

func text(s string) *proto.ColStr {
	c := new(proto.ColStr)
	c.Append(s)
	return c
}

func lowText(s string) *proto.ColLowCardinality[string] {
	c := new(proto.ColStr).LowCardinality()
	c.Append(s)
	return c
}

func dollars(usd *float64) *proto.ColNullable[float64] {
	c := new(proto.ColFloat64).Nullable()
	if usd == nil {
		c.Append(proto.Null[float64]())
	} else {
		c.Append(proto.NewNullable(*usd))
	}
	return c
}

func (l *callLog) insert(ctx context.Context, c *Call) error {
	parameters, err := json.Marshal(c.Parameters)
	if err != nil {
		return err
	}
	masked, err := json.Marshal(c.Masked)
	if err != nil {
		return err
	}
	at := new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)
	at.Append(c.At)
	count := func(n int64) uint64 { return uint64(max(n, 0)) }
	err = l.telemetry.Insert(ctx, "ai_calls", proto.Input{
		{Name: "project_id", Data: proto.ColUInt32{uint32(c.Project)}}, {Name: "at", Data: at}, {Name: "call_id", Data: text(c.CallID)},
		{Name: "caller_kind", Data: lowText(c.CallerKind)}, {Name: "caller_name", Data: text(c.CallerName)}, {Name: "caller_ref", Data: text(c.CallerRef)},
		{Name: "role", Data: lowText(c.Role)}, {Name: "role_version", Data: proto.ColUInt32{uint32(c.RoleVersion)}}, {Name: "language", Data: lowText(c.Language)},
		{Name: "status", Data: lowText(c.Status)}, {Name: "provider", Data: lowText(c.Provider)}, {Name: "model", Data: lowText(c.Model)},
		{Name: "parameters", Data: text(string(parameters))}, {Name: "system", Data: text(c.System)}, {Name: "message", Data: text(c.Message)}, {Name: "answer", Data: text(c.Answer)},
		{Name: "latency_ms", Data: proto.ColUInt32{uint32(count(c.LatencyMs))}},
		{Name: "input_tokens", Data: proto.ColUInt64{count(c.Usage.InputTokens)}}, {Name: "cached_tokens", Data: proto.ColUInt64{count(c.Usage.CachedTokens)}}, {Name: "output_tokens", Data: proto.ColUInt64{count(c.Usage.OutputTokens)}},
		{Name: "cost_usd", Data: dollars(c.Usage.CostUSD)}, {Name: "attempts", Data: proto.ColUInt8{uint8(len(c.Attempts))}}, {Name: "masked", Data: text(string(masked))}, {Name: "error", Data: text(c.Error)},
	})
	if err != nil || len(c.Attempts) == 0 {
		return err
	}
	return l.telemetry.Insert(ctx, "ai_attempts", attemptColumns(c))
}

func attemptColumns(c *Call) proto.Input {
	var (
		projects           proto.ColUInt32
		numbers, requests  proto.ColUInt8
		latencies          proto.ColUInt32
		input, cached, out proto.ColUInt64
		repairs            proto.ColBool
		ids, errs, answers proto.ColStr
		at                 = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)
		providers, models  = new(proto.ColStr).LowCardinality(), new(proto.ColStr).LowCardinality()
		statuses, served   = new(proto.ColStr).LowCardinality(), new(proto.ColStr).LowCardinality()
		costs              = new(proto.ColFloat64).Nullable()
		nonNegative        = func(n int64) uint64 { return uint64(max(n, 0)) }
	)
	for i, a := range c.Attempts {
		projects.Append(uint32(c.Project))
		at.Append(a.At)
		ids.Append(c.CallID)
		numbers.Append(uint8(i + 1))
		providers.Append(a.Provider)
		models.Append(a.Model)
		repairs.Append(a.Repair)
		statuses.Append(a.Status)
		errs.Append(a.Error)
		served.Append(a.ServedModel)
		answers.Append(a.Answer)
		requests.Append(uint8(nonNegative(a.Requests)))
		latencies.Append(uint32(nonNegative(a.LatencyMs)))
		input.Append(nonNegative(a.Usage.InputTokens))
		cached.Append(nonNegative(a.Usage.CachedTokens))
		out.Append(nonNegative(a.Usage.OutputTokens))
		if a.Usage.CostUSD == nil {
			costs.Append(proto.Null[float64]())
		} else {
			costs.Append(proto.NewNullable(*a.Usage.CostUSD))
		}
	}
	return proto.Input{
		{Name: "project_id", Data: projects}, {Name: "at", Data: at}, {Name: "call_id", Data: ids}, {Name: "number", Data: numbers},
		{Name: "provider", Data: providers}, {Name: "model", Data: models}, {Name: "served_model", Data: served}, {Name: "repair", Data: repairs}, {Name: "status", Data: statuses},
		{Name: "error", Data: errs}, {Name: "answer", Data: answers}, {Name: "requests", Data: requests}, {Name: "latency_ms", Data: latencies}, {Name: "input_tokens", Data: input}, {Name: "cached_tokens", Data: cached},
		{Name: "output_tokens", Data: out}, {Name: "cost_usd", Data: costs},
	}
}
