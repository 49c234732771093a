package modelapi

import (
	"encoding/json"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// anthropic is how Anthropic words errors.
var anthropic = &protocol{refusal: func(kind fault.Kind, message, field string) any {
	types := map[fault.Kind]string{fault.Invalid: "invalid_request_error", fault.Unsupported: "invalid_request_error", fault.Unauthenticated: "authentication_error",
		fault.Denied: "permission_error", fault.NotFound: "not_found_error", fault.TooLarge: "request_too_large", fault.RateLimited: "rate_limit_error", fault.Unavailable: "overloaded_error"}
	if field != "" {
		message = field + ": " + message
	}
	t := types[kind]
	if t == "" {
		t = "api_error"
	}
	return map[string]any{"type": "error", "error": map[string]string{"type": t, "message": message}}
}}

// messagesRequest is a request for a message.
// https://docs.anthropic.com/en/api/messages
type messagesRequest struct {
	Model         string           `json:"model"`
	System        content          `json:"system"`
	Messages      []anthropicTurn  `json:"messages"`
	MaxTokens     *int64           `json:"max_tokens"`
	Temperature   *float64         `json:"temperature"`
	TopP          *float64         `json:"top_p"`
	TopK          *int64           `json:"top_k"`
	StopSequences []string         `json:"stop_sequences"`
	Tools         []anthropicTool  `json:"tools"`
	ToolChoice    *anthropicChoice `json:"tool_choice"`
	OutputConfig  *struct {
		Effort string `json:"effort"`
		Format *struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"output_config"`
	Stream bool `json:"stream"`
}

type anthropicTurn struct {
	Role    string `json:"role"`
	Content blocks `json:"content"`
}

// blocks is a text, or a list of blocks.
type blocks []block

type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	ID        string          `json:"id,omitempty"`   // of tool_use
	Name      string          `json:"name,omitempty"` // of tool_use
	Input     json.RawMessage `json:"input,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"` // of tool_result
	Content   content         `json:"content,omitempty"`     // of tool_result
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *blocks) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*b = blocks{{Type: "text", Text: text}}
		return nil
	}
	return json.Unmarshal(data, (*[]block)(b))
}

type anthropicTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"input_schema"`
}

type anthropicChoice struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

func (r *messagesRequest) input() (ai.Input, error) {
	in := ai.Input{Parameters: &ai.Parameters{MaxTokens: r.MaxTokens, Temperature: r.Temperature, TopP: r.TopP, TopK: r.TopK, Stop: r.StopSequences}}
	switch {
	case r.MaxTokens == nil:
		return in, fault.New(fault.Invalid, "field required").WithField("max_tokens")
	case len(r.Messages) == 0:
		return in, fault.New(fault.Invalid, "at least one message is required").WithField("messages")
	}
	system, err := textOf(r.System)
	if err != nil {
		return in, err
	}
	if system != "" {
		in.Messages = append(in.Messages, ai.Message{Role: ai.RoleSystem, Text: system})
	}
	for _, m := range r.Messages {
		turns, err := m.turns()
		if err != nil {
			return in, err
		}
		in.Messages = append(in.Messages, turns...)
	}
	for _, t := range r.Tools {
		if t.Type != "" && t.Type != "custom" {
			return in, fault.New(fault.Unsupported, "a tool of type %q cannot be called through MATRIX: own tools can", t.Type).WithField("tools")
		}
		in.Tools = append(in.Tools, ai.Tool{Name: t.Name, Description: t.Description, Schema: t.InputSchema})
	}
	if c := r.ToolChoice; c != nil {
		choice, known := map[string]string{"auto": ai.ToolAuto, "any": ai.ToolRequired, "none": ai.ToolNone, "tool": c.Name}[c.Type]
		if !known || c.Type == "tool" && c.Name == "" {
			return in, fault.New(fault.Invalid, "the choice is auto, any, none or a tool").WithField("tool_choice")
		}
		in.ToolChoice = choice
	}
	if o := r.OutputConfig; o != nil {
		in.Parameters.ReasoningEffort = o.Effort
		if o.Format != nil {
			if o.Format.Type != "json_schema" {
				return in, fault.New(fault.Invalid, "the format is a json_schema").WithField("output_config.format")
			}
			in.Format = &ai.Format{Type: "json_schema", Name: "answer", Schema: o.Format.Schema}
		}
	}
	return in, nil
}

// turns are what a message is here: results of tools are turns of their own.
func (m *anthropicTurn) turns() ([]ai.Message, error) {
	if m.Role != ai.RoleUser && m.Role != ai.RoleAssistant {
		return nil, fault.New(fault.Invalid, "there is no role %q of a message", m.Role).WithField("messages")
	}
	var turns []ai.Message
	said := ai.Message{Role: m.Role}
	for _, b := range m.Content {
		switch {
		case b.Type == "text":
			said.Text += b.Text
		case b.Type == "tool_use" && m.Role == ai.RoleAssistant:
			said.Calls = append(said.Calls, ai.ToolCall{ID: b.ID, Name: b.Name, Arguments: string(b.Input)})
		case b.Type == "tool_result" && m.Role == ai.RoleUser:
			text, err := textOf(b.Content)
			if err != nil {
				return nil, err
			}
			turns = append(turns, ai.Message{Role: ai.RoleTool, CallID: b.ToolUseID, Text: text})
		case b.Type == "thinking" || b.Type == "redacted_thinking": // of another model: it means nothing to the next
		default:
			return nil, unsupportedPart(b.Type)
		}
	}
	if said.Text != "" || len(said.Calls) > 0 {
		turns = append(turns, said)
	}
	return turns, nil
}

type anthropicUsage struct {
	Input      int64 `json:"input_tokens"` // without those of the cache
	CacheWrite int64 `json:"cache_creation_input_tokens"`
	CacheRead  int64 `json:"cache_read_input_tokens"`
	Output     int64 `json:"output_tokens"`
}

func anthropicUsageOf(u ai.Usage) anthropicUsage {
	return anthropicUsage{Input: max(u.InputTokens-u.CachedTokens-u.CacheWriteTokens, 0), CacheWrite: u.CacheWriteTokens, CacheRead: u.CachedTokens, Output: u.OutputTokens}
}

// message is an answer.
type message struct {
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	Role         string         `json:"role"`
	Model        string         `json:"model"`
	Content      []any          `json:"content"`
	StopReason   *string        `json:"stop_reason"`
	StopSequence *string        `json:"stop_sequence"`
	Usage        anthropicUsage `json:"usage"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type useBlock struct {
	Type  string          `json:"type"`
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

func stopReason(finish string) *string {
	reason := map[string]string{ai.FinishLength: "max_tokens", ai.FinishCalls: "tool_use"}[finish]
	if reason == "" {
		reason = "end_turn"
	}
	return &reason
}

func (s *server) messages(w http.ResponseWriter, r *http.Request, who Asker) error {
	var request messagesRequest
	if err := read(r, &request); err != nil {
		return err
	}
	in, err := request.input()
	if err != nil {
		return err
	}
	in.CallID = ai.NewCallID()
	answer := message{ID: "msg_" + in.CallID, Type: "message", Role: ai.RoleAssistant, Model: request.Model, Content: []any{}}
	if request.Stream {
		return s.messagesStream(w, r, who, in, answer)
	}
	result, err := s.run(r.Context(), who, request.Model, in)
	if err != nil {
		return err
	}
	if result.Text != "" {
		answer.Content = append(answer.Content, textBlock{"text", result.Text})
	}
	for _, c := range result.Calls {
		answer.Content = append(answer.Content, useBlock{"tool_use", c.ID, c.Name, json.RawMessage(c.Arguments)})
	}
	answer.StopReason, answer.Usage = stopReason(result.Finish), anthropicUsageOf(result.Usage)
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// messagesStream sends the events of a message: its start, each block with its
// pieces, and how it ended.
func (s *server) messagesStream(w http.ResponseWriter, r *http.Request, who Asker, in ai.Input, answer message) error {
	out := &messageStream{stream: newStream(w), answer: answer}
	in.Stream = out.text
	result, err := s.run(r.Context(), who, answer.Model, in)
	if err != nil {
		if !out.begun {
			return err
		}
		kind, message, field := s.told(r.Context(), err)
		_ = out.send("error", anthropic.refusal(kind, message, field)) // the caller is gone when this fails
		return nil
	}
	if err := out.end(result); err != nil {
		s.log.DebugContext(r.Context(), "the caller left before the end of the answer", "component", "modelapi", "error", err)
	}
	return nil
}

type messageStream struct {
	*stream
	answer message
	blocks int
	open   bool // a block of text
}

func (m *messageStream) event(kind string, fields map[string]any) error {
	fields["type"] = kind
	return m.send(kind, fields)
}

func (m *messageStream) start() error {
	if m.begun {
		return nil
	}
	return m.event("message_start", map[string]any{"message": m.answer})
}

func (m *messageStream) text(text string) error {
	if err := m.start(); err != nil {
		return err
	}
	if !m.open {
		if err := m.event("content_block_start", map[string]any{"index": m.blocks, "content_block": textBlock{"text", ""}}); err != nil {
			return err
		}
		m.open = true
	}
	return m.event("content_block_delta", map[string]any{"index": m.blocks, "delta": map[string]string{"type": "text_delta", "text": text}})
}

func (m *messageStream) closeBlock() error {
	m.open = false
	m.blocks++
	return m.event("content_block_stop", map[string]any{"index": m.blocks - 1})
}

func (m *messageStream) end(result *ai.Result) error {
	if err := m.start(); err != nil {
		return err
	}
	if m.open {
		if err := m.closeBlock(); err != nil {
			return err
		}
	}
	for _, c := range result.Calls {
		if err := m.event("content_block_start", map[string]any{"index": m.blocks, "content_block": useBlock{"tool_use", c.ID, c.Name, json.RawMessage("{}")}}); err != nil {
			return err
		}
		if err := m.event("content_block_delta", map[string]any{"index": m.blocks, "delta": map[string]string{"type": "input_json_delta", "partial_json": c.Arguments}}); err != nil {
			return err
		}
		if err := m.closeBlock(); err != nil {
			return err
		}
	}
	err := m.event("message_delta", map[string]any{
		"delta": map[string]any{"stop_reason": stopReason(result.Finish), "stop_sequence": nil}, "usage": anthropicUsageOf(result.Usage),
	})
	if err != nil {
		return err
	}
	return m.event("message_stop", map[string]any{})
}
