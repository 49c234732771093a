package ship

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/project"
)

// document is one line pair of a bulk request.
type document struct {
	project project.ID
	id      string
	line    []byte // what to do, and the document
	source  int    // where in line the document begins
	// replaces says that an index holds an earlier one, which is replaced.
	replaces bool
}

func (s *Shipper) calls() string    { return s.opts.Index + "-calls" }
func (s *Shipper) attempts() string { return s.opts.Index + "-attempts" }

// fields is a document. Names with dots stand for objects. Those of gen_ai.* and
// error.* are OpenTelemetry's, the others ours.
type fields map[string]any

// set puts what is not empty.
func set[T comparable](f fields, name string, value T) {
	var zero T
	if value != zero {
		f[name] = value
	}
}

func (f fields) list(name string, values []string) {
	if len(values) > 0 {
		f[name] = values
	}
}

// documents are a document for each call and for each of its attempts. Their ids
// are those of the records, so that sending them twice makes no second one.
func (s *Shipper) documents(calls []ai.Call) ([]document, error) {
	docs := make([]document, 0, 2*len(calls))
	add := func(stream, id string, p project.ID, f fields) error {
		action, err := json.Marshal(map[string]any{"create": map[string]string{"_index": stream, "_id": id}})
		if err != nil {
			return fmt.Errorf("write document: %w", err)
		}
		text, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("write document: %w", err)
		}
		line := make([]byte, 0, len(action)+len(text)+2)
		line = append(append(append(append(line, action...), '\n'), text...), '\n')
		docs = append(docs, document{project: p, id: id, line: line, source: len(action) + 1})
		return nil
	}
	for i := range calls {
		c := &calls[i]
		if err := add(s.calls(), c.CallID, c.Project, ofCall(c)); err != nil {
			return nil, err
		}
		for n := range c.Attempts {
			if err := add(s.attempts(), c.CallID+"-"+strconv.Itoa(n+1), c.Project, ofAttempt(c, n)); err != nil {
				return nil, err
			}
		}
	}
	return docs, nil
}

// common are the fields of calls and attempts.
func common(c *ai.Call, at time.Time) fields {
	f := fields{
		"@timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z"), "gen_ai.operation.name": c.Operation,
		"matrix.call.id": c.CallID, "matrix.project.id": int64(c.Project),
	}
	set(f, "matrix.caller.kind", c.CallerKind)
	set(f, "matrix.caller.name", c.CallerName)
	set(f, "matrix.caller.ref", c.CallerRef)
	set(f, "matrix.role.code", c.Role)
	set(f, "matrix.role.version", c.RoleVersion)
	set(f, "matrix.role.label", c.Label)
	return f
}

func ofCall(c *ai.Call) fields {
	f := common(c, c.At)
	set(f, "gen_ai.provider.name", c.Provider)
	set(f, "gen_ai.request.model", c.Model)
	f.usage(c.Usage)
	f.parameters(c.Parameters)
	if c.Finish != "" {
		f["gen_ai.response.finish_reasons"] = []string{c.Finish}
	}
	if c.Status != ai.CallOK {
		f["error.type"] = c.Status
	}
	set(f, "error.message", c.Error)
	f["matrix.status"] = c.Status
	f["matrix.latency_ms"] = c.LatencyMs
	set(f, "matrix.first_token_ms", c.FirstTokenMs)
	f["matrix.overhead_us"] = c.OverheadUs
	f["matrix.attempts"] = len(c.Attempts)
	set(f, "matrix.language", c.Language)
	if c.SchemaValid != nil {
		f["matrix.schema_valid"] = *c.SchemaValid
	}
	f.list("matrix.dropped", c.Dropped)
	total, classes := 0, []string{}
	for _, m := range c.Masked {
		total += m.Count
		classes = append(classes, string(m.Class))
	}
	f["matrix.masked.total"] = total
	f.list("matrix.masked.classes", classes)
	set(f, "matrix.system", c.System)
	set(f, "matrix.message", c.Message)
	set(f, "matrix.answer", c.Answer)
	if len(c.Parsed) > 0 {
		f["matrix.parsed"] = c.Parsed // kept and not searched: its fields are those of any schema
	}
	return f
}

func ofAttempt(c *ai.Call, n int) fields {
	a := &c.Attempts[n]
	f := common(c, a.At)
	set(f, "gen_ai.provider.name", a.Provider)
	set(f, "gen_ai.request.model", a.Model)
	set(f, "gen_ai.response.model", a.ServedModel)
	f.usage(a.Usage)
	if a.Status != ai.AttemptOK {
		f["error.type"] = a.Status
		set(f, "error.type", string(a.Class))
	}
	set(f, "error.message", a.Error)
	f["matrix.status"] = a.Status
	f["matrix.latency_ms"] = a.LatencyMs
	set(f, "matrix.first_token_ms", a.FirstTokenMs)
	f["matrix.attempt.number"] = n + 1
	set(f, "matrix.attempt.key", a.Key)
	set(f, "matrix.attempt.code", a.Code)
	f["matrix.attempt.repair"] = a.Repair
	f["matrix.attempt.in_words"] = a.InWords
	f["matrix.attempt.in_house"] = a.InHouse
	set(f, "matrix.attempt.wait_ms", a.WaitMs)
	if len(a.UsageRaw) > 0 {
		f["matrix.attempt.usage"] = a.UsageRaw
	}
	f.list("matrix.dropped", a.Dropped)
	set(f, "matrix.answer", a.Answer)
	return f
}

func (f fields) usage(u ai.Usage) {
	if u.InputTokens+u.OutputTokens > 0 {
		f["gen_ai.usage.input_tokens"], f["gen_ai.usage.output_tokens"] = u.InputTokens, u.OutputTokens
	}
	set(f, "gen_ai.usage.cache_read.input_tokens", u.CachedTokens)
	set(f, "gen_ai.usage.cache_creation.input_tokens", u.CacheWriteTokens)
	set(f, "gen_ai.usage.reasoning.output_tokens", u.ReasoningTokens)
	if u.CostUSD != nil { // unknown is not 0
		f["matrix.cost_usd"] = *u.CostUSD
	}
}

func (f fields) parameters(p ai.Parameters) {
	for name, value := range map[string]*float64{
		"temperature": p.Temperature, "top_p": p.TopP, "presence_penalty": p.PresencePenalty, "frequency_penalty": p.FrequencyPenalty,
	} {
		if value != nil {
			f["gen_ai.request."+name] = *value
		}
	}
	for name, value := range map[string]*int64{"top_k": p.TopK, "max_tokens": p.MaxTokens, "seed": p.Seed} {
		if value != nil {
			f["gen_ai.request."+name] = *value
		}
	}
	f.list("gen_ai.request.stop_sequences", p.Stop)
	set(f, "matrix.reasoning_effort", p.ReasoningEffort)
}
