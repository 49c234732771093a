// Package ai is MATRIX AI, the gateway every call of a language model goes
// through: role, request limit, masking, chain of models, call log.
//
// It owns the roles and prices (metadata database), the way of one call, and
// the log of all calls (telemetry engine). It does not know what it is asked
// about: the caller brings the message, its sensitive values and the check of
// the answer. It talks to models through Provider only.
package ai

import (
	"context"
	_ "embed" // the schema
	"encoding/json"
	"errors"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/project"
)

var (
	//go:embed schema.sql
	schema string
	//go:embed answers.sql
	answers string
)

// Migrations are the versions of this package's tables in the telemetry engine,
// for clickhouse.DB.Migrate under the noun "ai".
func Migrations() []clickhouse.Migration {
	return []clickhouse.Migration{
		{Version: 1, Name: "calls and attempts", SQL: schema},
		{Version: 2, Name: "answers of attempts", SQL: answers},
	}
}

// The ways in which Run fails for the models' sake. A caller that can go on
// without a model does so; see Reason.
var (
	ErrNoModel   = fault.New(fault.Unsupported, "no model is configured: set a provider, or a chain in the role")
	ErrMasking   = fault.New(fault.Internal, "the message could not be masked and was not sent")
	ErrExhausted = fault.New(fault.Unavailable, "no model of the chain gave a valid answer")
)

// Reason names why Run gave no answer, as reports and logs show it: no_model,
// masking_failed, rate_limited or model_failed.
func Reason(err error) string {
	switch {
	case errors.Is(err, ErrNoModel):
		return "no_model"
	case errors.Is(err, ErrMasking):
		return "masking_failed"
	case fault.Is(err, fault.RateLimited):
		return "rate_limited"
	}
	return "model_failed"
}

// Provider is the seam to one model service. Implementations are safe for
// concurrent use and pass aitest.Conformance.
type Provider interface {
	// Complete asks once: it does not retry and does not fall back to another
	// model. It honours ctx and returns ctx.Err() (wrapped) when it ends first.
	// Other errors carry a fault kind: Unauthenticated or Denied (key), NotFound
	// (the model), Invalid (the request was refused), RateLimited, TooLarge (the answer is over the
	// bound), Unsupported (the model declined to answer), Unavailable (anything
	// transient, and answers that are not of the protocol). No error contains
	// the key, the request or the service's free text. With an error the
	// Response has no Text, but what is known of the rest: tokens of an answer
	// that cannot be used are paid for all the same.
	Complete(ctx context.Context, r Request) (Response, error)
}

// Request is one completion to ask for.
type Request struct {
	Model      string
	Messages   []Message // a system message first, then user and assistant in turn
	Parameters Parameters
	Format     *Format // nil: free text
}

// Message is one turn. Role is system, user or assistant.
type Message struct {
	Role string `json:"role"`
	Text string `json:"text"`
}

// Parameters are sent when set and left to the model when nil.
type Parameters struct {
	Temperature *float64 `json:"temperature,omitempty"` // 0 to 2
	TopP        *float64 `json:"top_p,omitempty"`       // 0 to 1
	MaxTokens   *int64   `json:"max_tokens,omitempty"`  // of the answer
}

// Format asks for an answer that is valid against a JSON schema.
type Format struct {
	Type   string          `json:"type"` // json_schema
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
}

// Response is a complete answer. A truncated one is an error.
type Response struct {
	Text     string
	Model    string // as the service names it, "" when it does not
	Requests int    // that were sent: 2 when the first was refused for its format
	Usage    Usage  // of all of them
}

// Usage counts tokens. CostUSD is nil when the price is unknown.
type Usage struct {
	InputTokens  int64    `json:"input_tokens"` // CachedTokens included
	CachedTokens int64    `json:"cached_tokens"`
	OutputTokens int64    `json:"output_tokens"`
	CostUSD      *float64 `json:"cost_usd"`
}

// Caller identifies the client of a call: who, and about what.
type Caller struct {
	Project project.ID
	Kind    string // incident, change, api, …
	Name    string // the component or user
	Ref     string // the object, such as incident/12
}

// Input is what a caller asks.
type Input struct {
	Message   string
	Sensitive []mask.Value // known values to mask, beside what the detectors find
	Language  string       // ko, en
	// Validate judges an answer, originals put back. Its error is told to the
	// model, masked, once; then the next model is asked. nil accepts everything.
	Validate func(answer string) error
}

// Result is a valid answer, or with an error of the chain the record of how it failed.
type Result struct {
	Text        string       `json:"text"` // originals put back
	CallID      string       `json:"call_id"`
	Role        string       `json:"role"`
	RoleVersion int          `json:"role_version"`
	Provider    string       `json:"provider"`
	Model       string       `json:"model"`
	Masked      []mask.Count `json:"masked"`
	Tokens      []mask.Token `json:"tokens"`
	Attempts    []Attempt    `json:"attempts"`
	Usage       Usage        `json:"usage"`
	LatencyMs   int64        `json:"latency_ms"`
}

// How an attempt ended.
const (
	AttemptOK      = "ok"
	AttemptInvalid = "invalid" // the caller's check refused the answer
	AttemptTimeout = "timeout"
	AttemptError   = "error"
	AttemptSkipped = "skipped" // its provider is not configured; nothing was sent
)

// Attempt is one question to one model.
type Attempt struct {
	At          time.Time `json:"at"`
	Provider    string    `json:"provider"`
	Model       string    `json:"model"`        // that was asked for
	ServedModel string    `json:"served_model"` // that answered, as the service names it; "" when it did not say
	Repair      bool      `json:"repair"`       // asked again with the reason of the refusal
	Status      string    `json:"status"`
	Error       string    `json:"error"`    // masked
	Answer      string    `json:"answer"`   // masked; also one that was refused
	Requests    int64     `json:"requests"` // sent to the service; 2 when it refused the format
	LatencyMs   int64     `json:"latency_ms"`
	Usage       Usage     `json:"usage"`
}
