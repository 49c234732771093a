package ai

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/project"
)

// How a call ended.
const (
	CallOK        = "ok"
	CallExhausted = "exhausted"      // no model gave a valid answer
	CallPartial   = "partial"        // it broke off after the client had a part of the answer
	CallUnmasked  = "masking_failed" // nothing was sent
	CallCancelled = "cancelled"      // the caller went away
	CallTimeout   = "timeout"        // the caller's time was up
	CallError     = "error"
)

// What a call asks for, as the semantic conventions of OpenTelemetry for generative
// AI name it. Every answer in words is a chat, in whichever protocol it was asked for.
const (
	OperationChat       = "chat"
	OperationEmbeddings = "embeddings"
)

// Call is one logged call. System, Message and Answer are the masked texts, "" when
// the log keeps none.
type Call struct {
	Project     project.ID `json:"project_id"`
	CallID      string     `json:"call_id"`
	At          time.Time  `json:"at"`
	CallerKind  string     `json:"caller_kind"`
	CallerName  string     `json:"caller_name"`
	CallerRef   string     `json:"caller_ref"`
	Org         int64      `json:"org_id"`   // where the project was then
	Group       int64      `json:"group_id"` // as Org
	Person      int64      `json:"person"`   // the account that asked, 0 for none
	Token       int64      `json:"token"`    // the API token it asked with, 0 for none
	Purpose     string     `json:"purpose"`
	Operation   string     `json:"operation"` // OperationChat or OperationEmbeddings
	Role        string     `json:"role"`
	RoleOwner   Owner      `json:"role_owner" doc:"the organisation whose role it is; 0: the installation's"`
	RoleVersion int        `json:"role_version"`
	Label       string     `json:"label"` // by which it was found, "" for a try of a version
	Language    string     `json:"language"`
	Status      string     `json:"status"`
	Provider    string     `json:"provider"` // of the last attempt
	Model       string     `json:"model"`
	Parameters  Parameters `json:"parameters"`
	Dropped     []string   `json:"dropped"` // of them, what the model that answered does not take
	System      string     `json:"system"`
	Message     string     `json:"message"`
	Answer      string     `json:"answer"` // as the model gave it
	// Parsed is an answer that is valid for the role's schema as it is by that
	// schema, so without what only the model service wanted to be there; nil for others.
	Parsed json.RawMessage `json:"parsed,omitempty" doc:"the answer by the schema of the role, when it is valid for it"`
	Finish string          `json:"finish"`
	// SchemaValid is null when the role has no schema or nothing was answered.
	SchemaValid *bool `json:"schema_valid"`
	// Grounded is of the first answer; null when nobody looked.
	Grounded     *bool `json:"grounded"`
	LatencyMs    int64 `json:"latency_ms"`
	FirstTokenMs int64 `json:"first_token_ms"` // 0: not streamed
	OverheadUs   int64 `json:"overhead_us"`    // of the latency, what no model and no pause took
	Usage        Usage `json:"usage"`
	// PriceVersion is the newest of the prices it was counted with, 0 for none.
	PriceVersion int64        `json:"price_version"`
	Masked       []mask.Count `json:"masked"`
	Unknown      []string     `json:"unknown_tokens"` // what looks like a token in the answer and is none of the call, never restored
	// Originals are what the tokens stand for, where a policy keeps it. Who reads
	// a call does not get them with it: see Gateway.Originals.
	Originals    []mask.Token `json:"-"`
	HasOriginals bool         `json:"has_originals" doc:"the log keeps what the tokens stand for"`
	Error        string       `json:"error"`
	Attempts     []Attempt    `json:"attempts"`
}

func (c *conversation) record(ctx context.Context, caller Caller, r *Result, err error) *Call {
	call := &Call{
		Project: caller.Project, CallID: r.CallID, Operation: cmp.Or(c.operation, OperationChat), At: c.started.UTC(), CallerKind: caller.Kind, CallerName: caller.Name, CallerRef: caller.Ref,
		Role: r.Role, RoleOwner: c.role.Owner, RoleVersion: r.RoleVersion, Language: c.in.Language, Status: CallOK, Provider: r.Provider, Model: r.Model,
		Label: r.Label, Parameters: c.role.Parameters.over(c.in.Parameters), Dropped: r.Dropped,
		Finish: r.Finish, SchemaValid: r.SchemaValid, Grounded: c.grounded,
		LatencyMs: r.LatencyMs, OverheadUs: c.overhead().Microseconds(), Usage: r.Usage, Unknown: c.unknown, Attempts: r.Attempts,
	}
	call.attribute(caller, c.g.placeOf(caller.Project))
	c.keepTexts(ctx, call)
	for _, a := range r.Attempts {
		call.PriceVersion = max(call.PriceVersion, a.PriceVersion)
		if a.FirstTokenMs > 0 {
			call.FirstTokenMs = a.At.Add(time.Duration(a.FirstTokenMs) * time.Millisecond).Sub(c.started).Milliseconds()
		}
	}
	switch {
	case err == nil:
		return call
	case errors.Is(err, ErrExhausted):
		call.Status = CallExhausted
	case errors.Is(err, ErrPartial):
		call.Status = CallPartial
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

// overhead is the part of a call that no model and no pause took.
func (c *conversation) overhead() time.Duration {
	return max(c.g.now().Sub(c.started)-c.elsewhere, 0)
}
