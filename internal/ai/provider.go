package ai

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Provider is the seam to one model service. Implementations are safe for
// concurrent use and pass the suite of aitest.
type Provider interface {
	// Complete asks a model once: it does not retry and does not fall back to
	// another model. It honours ctx and returns ctx.Err() (wrapped) when it ends
	// first. With on, the service is asked to stream, and on is told each piece
	// in the order it came, before Complete returns; an error of on ends the
	// call and is returned as it is. The Response is whole in either case.
	//
	// Every other error is a *Failure (wrapped or not) and contains neither the
	// key nor the request nor the service's free text. With an error the
	// Response holds what is known nevertheless: tokens of an answer that cannot
	// be used are paid for all the same, and the text that came before a cut.
	Complete(ctx context.Context, r Request, on func(Piece) error) (Response, error)
}

// Embedder is a Provider that also turns texts into vectors.
type Embedder interface {
	// Embed returns a vector for each input, in their order, and obeys what
	// Provider.Complete promises about ctx and errors.
	Embed(ctx context.Context, r EmbedRequest) (EmbedResponse, error)
}

// The roles of a Message.
const (
	RoleSystem    = "system"
	RoleUser      = "user"
	RoleAssistant = "assistant"
	RoleTool      = "tool" // the answer to a call of the message before
)

// Message is one turn.
type Message struct {
	Role   string     `json:"role"`
	Text   string     `json:"text"`
	Calls  []ToolCall `json:"calls,omitempty"`   // of an assistant
	CallID string     `json:"call_id,omitempty"` // of a tool: the call that Text answers
}

// Tool is a function that the model may ask to be called.
type Tool struct {
	Name        string          `json:"name"` // ^[a-zA-Z0-9_-]{1,64}$
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"` // JSON schema of the arguments, an object
}

// ToolCall is a call that the model asks for.
type ToolCall struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON as the model wrote it, "{}" when it wrote nothing
}

// The values of Request.ToolChoice beside the name of a tool.
const (
	ToolAuto     = "" // the model decides
	ToolNone     = "none"
	ToolRequired = "required" // any
)

// Request is one completion to ask for. A Provider sends what it says and
// nothing else: parameters that a model does not take are left out before.
type Request struct {
	Key        string // of the service; never logged
	Model      string
	Messages   []Message // a system message first or none, then user and assistant in turn
	Parameters Parameters
	Format     *Format // nil: free text
	Tools      []Tool
	ToolChoice string // ToolAuto, ToolNone, ToolRequired or the name of a tool
}

// Parameters are sent when set and left to the model when nil.
type Parameters struct {
	Temperature      *float64 `json:"temperature,omitempty"`       // 0 to 2
	TopP             *float64 `json:"top_p,omitempty"`             // over 0, at most 1
	TopK             *int64   `json:"top_k,omitempty"`             // 1 or more
	MaxTokens        *int64   `json:"max_tokens,omitempty"`        // of the answer, reasoning included
	Seed             *int64   `json:"seed,omitempty"`              //
	Stop             []string `json:"stop,omitempty"`              // at most 4
	PresencePenalty  *float64 `json:"presence_penalty,omitempty"`  // -2 to 2
	FrequencyPenalty *float64 `json:"frequency_penalty,omitempty"` // -2 to 2
	ReasoningEffort  string   `json:"reasoning_effort,omitempty"`  // minimal, low, medium, high; "" leaves it
}

// Format asks for an answer that is valid against a JSON schema. The Schema is
// the canonical one; each Provider lowers it to what its service takes.
type Format struct {
	Type   string          `json:"type"` // json_schema
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
}

// Piece is a part of an answer that is streamed: of its text, or of a call.
type Piece struct {
	Text string
	Call *CallPiece
}

// CallPiece is a part of a ToolCall. ID and Name come with the first of a call,
// Arguments in any number of pieces.
type CallPiece struct {
	Index     int // of the call in the answer, from 0
	ID        string
	Name      string
	Arguments string
}

// Why an answer ended.
const (
	FinishStop   = "stop"
	FinishLength = "length" // at the limit of tokens
	FinishCalls  = "tool_calls"
)

// Response is an answer.
type Response struct {
	Text   string
	Calls  []ToolCall
	Finish string // FinishStop, FinishLength or FinishCalls
	Model  string // as the service names it, "" when it does not
	Usage  Usage
	// UsageRaw is the JSON object from which Usage was read; see RawUsage.
	UsageRaw json.RawMessage
}

// RawUsage is what a service told of the use of its model, for the log: one JSON
// object of a size that such an object has, or nil.
func RawUsage(told string) json.RawMessage {
	const most = 4 << 10
	if len(told) > most || !strings.HasPrefix(told, "{") || !json.Valid([]byte(told)) {
		return nil
	}
	return json.RawMessage(told)
}

// Usage counts tokens. CostUSD is nil when the price is unknown.
type Usage struct {
	InputTokens      int64    `json:"input_tokens"` // CachedTokens and CacheWriteTokens included
	CachedTokens     int64    `json:"cached_tokens"`
	CacheWriteTokens int64    `json:"cache_write_tokens"`
	OutputTokens     int64    `json:"output_tokens"` // ReasoningTokens included
	ReasoningTokens  int64    `json:"reasoning_tokens"`
	CostUSD          *float64 `json:"cost_usd"`
}

// EmbedRequest asks for vectors.
type EmbedRequest struct {
	Key        string
	Model      string
	Input      []string
	Dimensions int // 0 leaves it to the model
}

// EmbedResponse is a vector for each input.
type EmbedResponse struct {
	Vectors  [][]float64
	Model    string
	Usage    Usage
	UsageRaw json.RawMessage // as of a Response
}

// Class says why a model gave no usable answer, and so what to do next: ask
// again, ask the next model, or give up.
type Class string

// The classes.
const (
	Transport     Class = "transport"       // not reached, cut off, or not of the protocol
	RateLimited   Class = "rate_limited"    // too often: again after RetryAfter
	QuotaExceeded Class = "quota_exceeded"  // the account is spent: waiting does not help
	Overloaded    Class = "overloaded"      // the service is failing: 5xx, 529, 408
	TooLong       Class = "context_length"  // the request is longer than the model takes
	Refused       Class = "refused"         // by the model, or by the service's policy
	BadRequest    Class = "bad_request"     // not accepted as it is, by any repetition
	BadKey        Class = "unauthenticated" // the key is not accepted
	NotAllowed    Class = "denied"          // the key may not do this
	UnknownModel  Class = "unknown_model"   //
	EmptyAnswer   Class = "empty_answer"    // neither text nor calls
	HugeAnswer    Class = "huge_answer"     // over the bound of a response
	CutOff        Class = "cut_off"         // ended at the limit of tokens where a whole answer is needed
	InvalidAnswer Class = "invalid_answer"  // not valid against the schema, or refused by the caller's check
	Unmasked      Class = "unmasked"        // the gate refused the request: nothing was sent
	TimedOut      Class = "timeout"         // no answer, no first or no next piece in time
)

var kinds = map[Class]fault.Kind{
	Transport: fault.Unavailable, RateLimited: fault.RateLimited, QuotaExceeded: fault.RateLimited, Overloaded: fault.Unavailable,
	TooLong: fault.TooLarge, Refused: fault.Unsupported, BadRequest: fault.Invalid, BadKey: fault.Unauthenticated, NotAllowed: fault.Denied,
	UnknownModel: fault.NotFound, EmptyAnswer: fault.Unavailable, HugeAnswer: fault.TooLarge, CutOff: fault.TooLarge,
	InvalidAnswer: fault.Unavailable, Unmasked: fault.Internal, TimedOut: fault.Unavailable,
}

// Failure is why one attempt at a model gave no answer.
type Failure struct {
	Class      Class
	Status     int           // of HTTP, 0 for none
	Code       string        // the service's own, of a known list, or why it was not reached; "" for none
	RetryAfter time.Duration // that the service asks for; 0 for none
	Message    string        // for logs and callers, without anything of the request
}

// Fail returns a Failure with a message made like fmt.Sprintf does.
func Fail(class Class, format string, args ...any) *Failure {
	return &Failure{Class: class, Message: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (f *Failure) Error() string {
	switch {
	case f.Status != 0 && f.Code != "":
		return fmt.Sprintf("%s (status %d %s)", f.Message, f.Status, f.Code)
	case f.Code != "":
		return fmt.Sprintf("%s (%s)", f.Message, f.Code)
	case f.Status != 0:
		return fmt.Sprintf("%s (status %d)", f.Message, f.Status)
	}
	return f.Message
}

// Unwrap gives the failure the kind of fault that it is for a caller.
func (f *Failure) Unwrap() error {
	return fault.New(kinds[f.Class], "%s", f.Error()).WithRetryAfter(f.RetryAfter)
}

type gateKey struct{}

// WithGate returns a context whose requests to a service are shown to gate,
// byte for byte as they would leave, and are not sent when it refuses them.
func WithGate(ctx context.Context, gate func(body []byte) error) context.Context {
	return context.WithValue(ctx, gateKey{}, gate)
}

// GateOf returns the gate of a context, nil for none. Whoever sends a request for
// a Provider asks it.
func GateOf(ctx context.Context) func(body []byte) error {
	gate, _ := ctx.Value(gateKey{}).(func([]byte) error)
	return gate
}
