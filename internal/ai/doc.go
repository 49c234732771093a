// Package ai is MATRIX AI, the gateway every call of a language model goes
// through: role, request limit, masking, chain of models, call log.
//
// It owns the roles and prices (metadata database), the way of one call, and
// the log of all calls (telemetry engine). It does not know what it is asked
// about: the caller brings the message, its sensitive values and the check of
// the answer. It talks to models through Provider only.
package ai

import (
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
	tables string
	//go:embed answers.sql
	answers string
	//go:embed gateway.sql
	gateway string
	//go:embed usage.sql
	usage string
	//go:embed in_house.sql
	inHouse string
	//go:embed unknown.sql
	unknown string
	//go:embed grounding.sql
	grounding string
	//go:embed role_owner.sql
	roleOwner string
	//go:embed operation.sql
	operation string
	//go:embed raw.sql
	raw string
)

// Migrations are the versions of this package's tables in the telemetry engine,
// for clickhouse.DB.Migrate under the noun "ai".
func Migrations() []clickhouse.Migration {
	return []clickhouse.Migration{
		{Version: 1, Name: "calls and attempts", SQL: tables},
		{Version: 2, Name: "answers of attempts", SQL: answers},
		{Version: 3, Name: "failures, parameters left out, tokens by kind", SQL: gateway},
		{Version: 4, Name: "services of the house, originals", SQL: inHouse},
		{Version: 5, Name: "unknown tokens of answers", SQL: unknown},
		{Version: 6, Name: "grounding of answers", SQL: grounding},
		{Version: 7, Name: "who asked and what it cost, by hour", SQL: usage},
		{Version: 8, Name: "whose the role of a call is", SQL: roleOwner},
		{Version: 9, Name: "operation of calls", SQL: operation},
		{Version: 10, Name: "parsed answers, usage as services tell it", SQL: raw},
	}
}

// The ways in which Run fails for the models' sake. A caller that can go on
// without a model does so; see Reason.
var (
	ErrNoModel   = fault.New(fault.Unsupported, "no model is configured: set a provider, or a chain in the role")
	ErrMasking   = fault.New(fault.Internal, "the message could not be masked and was not sent")
	ErrExhausted = fault.New(fault.Unavailable, "no model of the chain gave a valid answer")
	// ErrPartial ends an answer of which the client has a part already.
	ErrPartial = fault.New(fault.Unavailable, "the answer broke off")
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

// Caller identifies the client of a call: who, and about what.
type Caller struct {
	Project project.ID
	Kind    string // incident, change, api, …
	Name    string // the component or user
	Ref     string // the object, such as incident/12
	Purpose string // what it is for: incident_report, conversation, playground, …; "" is Kind
	Person  int64  // the account that asks, 0 for none
	Token   int64  // the API token it asks with, 0 for none
}

// Input is what a caller asks.
type Input struct {
	CallID    string            // of NewCallID; "" makes one
	Label     string            // of the role; "" is Production
	Variables map[string]string // of the role's system message
	Messages  []Message         // the turns so far; those of a system are told behind the role's own
	Message   string            // the user's turn after them, "" for none
	Thread    string            // the conversation it goes on with; NewThread begins one, "" is none
	Sensitive []mask.Value      // known values to mask, beside what the detectors find
	Recorded  []mask.Token      // that stand in the turns already, of a call in the log: they stay as they are
	Language  string            // ko, en
	// Parameters go over those of the role and of its models, one by one.
	Parameters *Parameters
	Format     *Format // of the answer, for a role that has none of its own
	Tools      []Tool
	ToolChoice string // as in Request
	// Validate judges an answer, originals put back. Its error is told to the
	// model, masked, once; then the next model is asked. nil accepts everything.
	Validate func(answer string) error
	// Grounded says whether an answer, originals put back, states only what its
	// evidence does. It goes to the log and decides nothing. nil: not known.
	Grounded func(answer string) bool
	// Stream takes the answer as it comes, originals put back and never half of
	// one. From its first call on no other model is asked. nil: not streamed.
	Stream func(text string) error
}

// Result is a valid answer, or with an error of the chain the record of how it failed.
type Result struct {
	Text        string       `json:"text"` // originals put back
	Calls       []ToolCall   `json:"calls"`
	Finish      string       `json:"finish"`
	Structured  bool         `json:"structured"`   // Text is JSON, valid against the format asked for
	SchemaValid *bool        `json:"schema_valid"` // of the last answer; nil without a format, or when nothing was answered
	CallID      string       `json:"call_id"`
	Role        string       `json:"role"`
	RoleVersion int          `json:"role_version"`
	Label       string       `json:"label"`  // by which the call found the version, "" when it named it
	Thread      string       `json:"thread"` // the conversation it is part of, "" for none
	Provider    string       `json:"provider"`
	Model       string       `json:"model"`
	Dropped     []string     `json:"dropped"` // what was asked for and the model does not take
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
	At           time.Time `json:"at"`
	Owner        Owner     `json:"owner"` // whose provider it was
	Provider     string    `json:"provider"`
	Model        string    `json:"model"`        // that was asked for
	ServedModel  string    `json:"served_model"` // that answered, as the service names it; "" when it did not say
	Key          string    `json:"key"`          // alias
	Repair       bool      `json:"repair"`       // asked again with the reason of the refusal
	InWords      bool      `json:"in_words"`     // the schema was written into the system message
	InHouse      bool      `json:"in_house"`     // nothing was masked for the service
	Dropped      []string  `json:"dropped"`      // what was asked for and the model does not take
	Status       string    `json:"status"`
	Class        Class     `json:"class"`  // of the failure
	Code         string    `json:"code"`   // of the service
	Error        string    `json:"error"`  // masked
	Answer       string    `json:"answer"` // masked; also one that was refused
	FirstTokenMs int64     `json:"first_token_ms"`
	LatencyMs    int64     `json:"latency_ms"`
	WaitMs       int64     `json:"wait_ms"`       // before the next attempt
	PriceVersion int64     `json:"price_version"` // of Price; 0 when it was unknown
	Usage        Usage     `json:"usage"`
	// UsageRaw is what the service told of the use, as it counts; nil when it did not.
	UsageRaw json.RawMessage `json:"usage_raw,omitempty" doc:"what the service told of the use, as it counts"`
}
