package ai

import (
	"encoding/json"
	"math"

	"github.com/ClickHouse/ch-go/proto"
)

type (
	textColumn = proto.ColStr
	lowColumn  = proto.ColLowCardinality[string]
)

func low() *lowColumn { return new(proto.ColStr).LowCardinality() }

// callColumns are rows of ai_calls.
type callColumns struct {
	project, version                             proto.ColUInt32
	owner                                        proto.ColUInt64
	at                                           *proto.ColDateTime64
	id, callerName, callerRef                    textColumn
	callerKind, role, label, language, status    *lowColumn
	operation                                    *lowColumn
	provider, model, finish                      *lowColumn
	parameters, system, message, answer, parsed  textColumn
	masked, originals, failure                   textColumn
	dropped, unknown                             *proto.ColArr[string]
	valid, grounded                              *proto.ColNullable[bool]
	latency, first, overhead                     proto.ColUInt32
	input, cached, cacheWrite, output, reasoning proto.ColUInt64
	cost                                         *proto.ColNullable[float64]
	attempts                                     proto.ColUInt8
	asked                                        askedColumns
}

func newCallColumns() *callColumns {
	return &callColumns{
		at: new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli), callerKind: low(), role: low(), label: low(), language: low(), status: low(),
		operation: low(), provider: low(), model: low(), finish: low(), dropped: low().Array(), unknown: new(proto.ColStr).Array(), valid: proto.NewColNullable(new(proto.ColBool)), grounded: proto.NewColNullable(new(proto.ColBool)), cost: new(proto.ColFloat64).Nullable(), asked: newAskedColumns(),
	}
}

func (c *callColumns) append(call *Call) error {
	parameters, err := json.Marshal(call.Parameters)
	if err != nil {
		return err
	}
	masked, err := json.Marshal(call.Masked)
	if err != nil {
		return err
	}
	var originals []byte
	if len(call.Originals) > 0 {
		if originals, err = json.Marshal(call.Originals); err != nil {
			return err
		}
	}
	c.project.Append(uint32(call.Project))
	c.version.Append(uint32(call.RoleVersion))
	c.owner.Append(count(int64(call.RoleOwner)))
	c.at.Append(call.At)
	c.id.Append(call.CallID)
	c.operation.Append(call.Operation)
	c.callerKind.Append(call.CallerKind)
	c.callerName.Append(call.CallerName)
	c.callerRef.Append(call.CallerRef)
	c.role.Append(call.Role)
	c.label.Append(call.Label)
	c.language.Append(call.Language)
	c.status.Append(call.Status)
	c.provider.Append(call.Provider)
	c.model.Append(call.Model)
	c.finish.Append(call.Finish)
	c.parameters.AppendBytes(parameters)
	c.system.Append(call.System)
	c.message.Append(call.Message)
	c.answer.Append(call.Answer)
	c.parsed.AppendBytes(call.Parsed)
	c.masked.AppendBytes(masked)
	c.originals.AppendBytes(originals)
	c.failure.Append(call.Error)
	c.dropped.Append(call.Dropped)
	c.unknown.Append(call.Unknown)
	c.valid.Append(nullable(call.SchemaValid))
	c.grounded.Append(nullable(call.Grounded))
	c.latency.Append(small(call.LatencyMs))
	c.first.Append(small(call.FirstTokenMs))
	c.overhead.Append(small(call.OverheadUs))
	c.input.Append(count(call.Usage.InputTokens))
	c.cached.Append(count(call.Usage.CachedTokens))
	c.cacheWrite.Append(count(call.Usage.CacheWriteTokens))
	c.output.Append(count(call.Usage.OutputTokens))
	c.reasoning.Append(count(call.Usage.ReasoningTokens))
	c.cost.Append(nullable(call.Usage.CostUSD))
	c.attempts.Append(uint8(min(len(call.Attempts), math.MaxUint8)))
	c.asked.append(call)
	return nil
}

func (c *callColumns) block() proto.Input {
	return append(c.asked.block(), proto.Input{
		{Name: "project_id", Data: c.project}, {Name: "role_version", Data: c.version}, {Name: "role_owner", Data: c.owner}, {Name: "at", Data: c.at}, {Name: "call_id", Data: c.id}, {Name: "operation", Data: c.operation},
		{Name: "caller_kind", Data: c.callerKind}, {Name: "caller_name", Data: c.callerName}, {Name: "caller_ref", Data: c.callerRef},
		{Name: "role", Data: c.role}, {Name: "label", Data: c.label}, {Name: "language", Data: c.language}, {Name: "status", Data: c.status},
		{Name: "provider", Data: c.provider}, {Name: "model", Data: c.model}, {Name: "finish", Data: c.finish}, {Name: "parameters", Data: c.parameters},
		{Name: "system", Data: c.system}, {Name: "message", Data: c.message}, {Name: "answer", Data: c.answer}, {Name: "parsed", Data: c.parsed}, {Name: "masked", Data: c.masked}, {Name: "unknown_tokens", Data: c.unknown}, {Name: "originals", Data: c.originals}, {Name: "error", Data: c.failure},
		{Name: "dropped", Data: c.dropped}, {Name: "schema_valid", Data: c.valid}, {Name: "grounded", Data: c.grounded}, {Name: "latency_ms", Data: c.latency}, {Name: "first_token_ms", Data: c.first},
		{Name: "overhead_us", Data: c.overhead}, {Name: "input_tokens", Data: c.input}, {Name: "cached_tokens", Data: c.cached}, {Name: "cache_write_tokens", Data: c.cacheWrite},
		{Name: "output_tokens", Data: c.output}, {Name: "reasoning_tokens", Data: c.reasoning}, {Name: "cost_usd", Data: c.cost}, {Name: "attempts", Data: c.attempts},
	}...)
}

// attemptColumns are rows of ai_attempts.
type attemptColumns struct {
	project                                      proto.ColUInt32
	at                                           *proto.ColDateTime64
	id, failure, answer, usage                   textColumn
	number                                       proto.ColUInt8
	provider, model, served, key                 *lowColumn
	status, class, code                          *lowColumn
	repair, inWords, inHouse                     proto.ColBool
	dropped                                      *proto.ColArr[string]
	latency, first, wait                         proto.ColUInt32
	input, cached, cacheWrite, output, reasoning proto.ColUInt64
	cost                                         *proto.ColNullable[float64]
	price                                        pricedColumns
}

func newAttemptColumns() *attemptColumns {
	return &attemptColumns{
		at: new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli), provider: low(), model: low(), served: low(), key: low(),
		status: low(), class: low(), code: low(), dropped: low().Array(), cost: new(proto.ColFloat64).Nullable(), price: newPricedColumns(),
	}
}

func (c *attemptColumns) append(call *Call) {
	for i := range call.Attempts {
		a := &call.Attempts[i]
		c.project.Append(uint32(call.Project))
		c.at.Append(a.At)
		c.id.Append(call.CallID)
		c.failure.Append(a.Error)
		c.answer.Append(a.Answer)
		c.number.Append(uint8(min(i+1, math.MaxUint8)))
		c.provider.Append(a.Owner.key(a.Provider)) // two services of one name are told apart here only
		c.model.Append(a.Model)
		c.served.Append(a.ServedModel)
		c.key.Append(a.Key)
		c.status.Append(a.Status)
		c.class.Append(string(a.Class))
		c.code.Append(a.Code)
		c.repair.Append(a.Repair)
		c.inWords.Append(a.InWords)
		c.inHouse.Append(a.InHouse)
		c.dropped.Append(a.Dropped)
		c.latency.Append(small(a.LatencyMs))
		c.first.Append(small(a.FirstTokenMs))
		c.wait.Append(small(a.WaitMs))
		c.input.Append(count(a.Usage.InputTokens))
		c.cached.Append(count(a.Usage.CachedTokens))
		c.cacheWrite.Append(count(a.Usage.CacheWriteTokens))
		c.output.Append(count(a.Usage.OutputTokens))
		c.reasoning.Append(count(a.Usage.ReasoningTokens))
		c.usage.AppendBytes(a.UsageRaw)
		c.cost.Append(nullable(a.Usage.CostUSD))
		c.price.append(a.PriceVersion)
	}
}

func (c *attemptColumns) block() proto.Input {
	return append(c.price.block(), proto.Input{
		{Name: "project_id", Data: c.project}, {Name: "at", Data: c.at}, {Name: "call_id", Data: c.id}, {Name: "number", Data: c.number},
		{Name: "provider", Data: c.provider}, {Name: "model", Data: c.model}, {Name: "served_model", Data: c.served}, {Name: "key", Data: c.key},
		{Name: "status", Data: c.status}, {Name: "class", Data: c.class}, {Name: "code", Data: c.code}, {Name: "error", Data: c.failure}, {Name: "answer", Data: c.answer},
		{Name: "repair", Data: c.repair}, {Name: "in_words", Data: c.inWords}, {Name: "in_house", Data: c.inHouse}, {Name: "dropped", Data: c.dropped},
		{Name: "latency_ms", Data: c.latency}, {Name: "first_token_ms", Data: c.first}, {Name: "wait_ms", Data: c.wait},
		{Name: "input_tokens", Data: c.input}, {Name: "cached_tokens", Data: c.cached}, {Name: "cache_write_tokens", Data: c.cacheWrite},
		{Name: "output_tokens", Data: c.output}, {Name: "reasoning_tokens", Data: c.reasoning}, {Name: "usage_raw", Data: c.usage}, {Name: "cost_usd", Data: c.cost},
	}...)
}

func nullable[T any](v *T) proto.Nullable[T] {
	if v == nil {
		return proto.Null[T]()
	}
	return proto.NewNullable(*v)
}

// count and small make what a model or a clock says fit a column.
func count(n int64) uint64 { return uint64(max(n, 0)) }
func small(n int64) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }
