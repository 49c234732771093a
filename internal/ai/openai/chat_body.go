package openai

import (
	"encoding/json"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/wire"
	"github.com/matrix-aiops/matrix/internal/schema"
)

// The bodies of chat completions, as far as MATRIX says and reads them. The
// official client sends and receives them; its own types for them cost as much
// time as the rest of a call (see ADR 17).
// https://platform.openai.com/docs/api-reference/chat

type chatRequest struct {
	Model               string            `json:"model"`
	Messages            []chatMessage     `json:"messages"`
	Temperature         *float64          `json:"temperature,omitempty"`
	TopP                *float64          `json:"top_p,omitempty"`
	TopK                *int64            `json:"top_k,omitempty"` // vLLM and LiteLLM know it
	MaxCompletionTokens *int64            `json:"max_completion_tokens,omitempty"`
	MaxTokens           *int64            `json:"max_tokens,omitempty"` // what vLLM and Ollama know
	Seed                *int64            `json:"seed,omitempty"`
	PresencePenalty     *float64          `json:"presence_penalty,omitempty"`
	FrequencyPenalty    *float64          `json:"frequency_penalty,omitempty"`
	ReasoningEffort     string            `json:"reasoning_effort,omitempty"`
	Stop                []string          `json:"stop,omitempty"`
	Tools               []chatTool        `json:"tools,omitempty"`
	ToolChoice          any               `json:"tool_choice,omitempty"`
	ResponseFormat      *chatFormat       `json:"response_format,omitempty"`
	Stream              bool              `json:"stream,omitempty"`
	StreamOptions       *chatStreamOption `json:"stream_options,omitempty"`
}

type chatMessage struct {
	Role       string         `json:"role"`
	Content    *string        `json:"content,omitempty"`
	ToolCalls  []chatToolCall `json:"tool_calls,omitempty"`
	ToolCallID string         `json:"tool_call_id,omitempty"`
}

type chatToolCall struct {
	Index    int64        `json:"index,omitempty"` // in a stream
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function chatFunction `json:"function"`
}

type chatFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type chatTool struct {
	Type     string     `json:"type"`
	Function definition `json:"function"`
}

// chatChoice makes the model call one tool.
type chatChoice struct {
	Type     string `json:"type"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

type chatFormat struct {
	Type       string     `json:"type"`
	JSONSchema definition `json:"json_schema"`
}

type chatStreamOption struct {
	IncludeUsage bool `json:"include_usage"`
}

// chatCompletion is an answer, or a piece of one.
type chatCompletion struct {
	Model   string `json:"model"`
	Choices []struct {
		Message      chatSaid `json:"message"`
		Delta        chatSaid `json:"delta"`
		FinishReason string   `json:"finish_reason"`
	} `json:"choices"`
	Usage *chatUsage      `json:"usage"`
	Error json.RawMessage `json:"error"` // some gateways answer errors with status 200
}

type chatSaid struct {
	Content   string         `json:"content"`
	Refusal   string         `json:"refusal"`
	ToolCalls []chatToolCall `json:"tool_calls"`
}

type chatUsage struct {
	PromptTokens        int64 `json:"prompt_tokens"`
	CompletionTokens    int64 `json:"completion_tokens"`
	PromptTokensDetails struct {
		CachedTokens     int64 `json:"cached_tokens"`
		CacheWriteTokens int64 `json:"cache_write_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionTokensDetails struct {
		ReasoningTokens int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
	raw json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler: the log keeps what was told.
func (u *chatUsage) UnmarshalJSON(data []byte) error {
	type plain chatUsage
	u.raw = ai.RawUsage(string(data))
	return json.Unmarshal(data, (*plain)(u))
}

// into fills in what was used; a service need not tell it.
func (u *chatUsage) into(r *ai.Response) {
	if u == nil {
		return
	}
	r.UsageRaw = u.raw
	r.Usage = ai.Usage{
		InputTokens: u.PromptTokens, CachedTokens: u.PromptTokensDetails.CachedTokens, CacheWriteTokens: u.PromptTokensDetails.CacheWriteTokens,
		OutputTokens: u.CompletionTokens, ReasoningTokens: u.CompletionTokensDetails.ReasoningTokens,
	}
}

// request is what the service is asked.
func (s service) request(r ai.Request) (*chatRequest, error) {
	p := r.Parameters
	body := &chatRequest{
		Model: r.Model, Messages: make([]chatMessage, 0, len(r.Messages)), Temperature: p.Temperature, TopP: p.TopP, TopK: p.TopK, Seed: p.Seed,
		PresencePenalty: p.PresencePenalty, FrequencyPenalty: p.FrequencyPenalty, ReasoningEffort: p.ReasoningEffort, Stop: p.Stop,
	}
	switch {
	case s.own && p.TopK != nil:
		return nil, wire.Missing("top_k")
	case s.own:
		body.MaxCompletionTokens = p.MaxTokens
	default:
		body.MaxTokens = p.MaxTokens
	}
	for i := range r.Messages {
		if m := &r.Messages[i]; m.Role != ai.RoleSystem || m.Text != "" {
			body.Messages = append(body.Messages, said(m))
		}
	}
	for _, t := range r.Tools {
		body.Tools = append(body.Tools, chatTool{Type: "function", Function: tool(t)})
	}
	switch {
	case len(r.Tools) == 0 || r.ToolChoice == ai.ToolAuto:
	case r.ToolChoice == ai.ToolNone || r.ToolChoice == ai.ToolRequired: // the service's own words
		body.ToolChoice = r.ToolChoice
	default:
		one := chatChoice{Type: "function"}
		one.Function.Name = r.ToolChoice
		body.ToolChoice = one
	}
	if f := r.Format; f != nil {
		lowered, err := wire.Lower(schema.OpenAI, f.Schema)
		if err != nil {
			return nil, err
		}
		body.ResponseFormat = &chatFormat{Type: "json_schema", JSONSchema: definition{Name: f.Name, Schema: lowered, Strict: true}}
	}
	return body, nil
}

func said(m *ai.Message) chatMessage {
	turn := chatMessage{Role: m.Role, Content: &m.Text}
	switch m.Role {
	case ai.RoleTool:
		turn.ToolCallID = wire.CallID(m.CallID, longestCallID)
	case ai.RoleAssistant:
		if m.Text == "" && len(m.Calls) > 0 {
			turn.Content = nil
		}
		for _, c := range m.Calls {
			turn.ToolCalls = append(turn.ToolCalls, chatToolCall{ID: wire.CallID(c.ID, longestCallID), Type: "function", Function: chatFunction{c.Name, c.Arguments}})
		}
	}
	return turn
}
