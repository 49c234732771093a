package modelapi

import (
	"encoding/json"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// openAI is how OpenAI words errors.
var openAI = &protocol{refusal: func(kind fault.Kind, message, field string) any {
	types := map[fault.Kind]string{fault.Unauthenticated: "authentication_error", fault.Denied: "permission_error", fault.RateLimited: "rate_limit_error",
		fault.Internal: "server_error", fault.Unavailable: "server_error"}
	codes := map[fault.Kind]string{fault.Unauthenticated: "invalid_api_key", fault.NotFound: "model_not_found", fault.RateLimited: "rate_limit_exceeded",
		fault.TooLarge: "context_length_exceeded"}
	type refusal struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	e := refusal{Message: message, Type: "invalid_request_error"}
	if t := types[kind]; t != "" {
		e.Type = t
	}
	if field != "" {
		e.Param = &field
	}
	if code := codes[kind]; code != "" {
		e.Code = &code
	}
	return map[string]any{"error": e}
}}

// chatRequest is a request for a chat completion.
// https://platform.openai.com/docs/api-reference/chat/create
type chatRequest struct {
	Model               string            `json:"model"`
	Messages            []chatMessage     `json:"messages"`
	Temperature         *float64          `json:"temperature"`
	TopP                *float64          `json:"top_p"`
	TopK                *int64            `json:"top_k"` // of vLLM and others
	MaxTokens           *int64            `json:"max_tokens"`
	MaxCompletionTokens *int64            `json:"max_completion_tokens"`
	Seed                *int64            `json:"seed"`
	Stop                oneOrMore         `json:"stop"`
	PresencePenalty     *float64          `json:"presence_penalty"`
	FrequencyPenalty    *float64          `json:"frequency_penalty"`
	ReasoningEffort     string            `json:"reasoning_effort"`
	N                   *int              `json:"n"`
	Logprobs            bool              `json:"logprobs"`
	Modalities          []string          `json:"modalities"`
	Functions           json.RawMessage   `json:"functions"`
	Tools               []chatTool        `json:"tools"`
	ToolChoice          json.RawMessage   `json:"tool_choice"`
	ResponseFormat      *chatFormat       `json:"response_format"`
	Metadata            map[string]string `json:"metadata"` // the variables of a role
	Stream              bool              `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// oneOrMore is a text or a list of them.
type oneOrMore []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		if one != "" {
			*o = oneOrMore{one}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(o))
}

type chatMessage struct {
	Role       string      `json:"role"`
	Content    content     `json:"content"`
	ToolCalls  []chatCalls `json:"tool_calls"`
	ToolCallID string      `json:"tool_call_id"`
}

// content is a text, a list of parts, or nil, as the decoder reads it: a type
// that decodes itself would have a long text looked at twice more.
type content any

// textOf is the text of a content, in which only texts are taken.
func textOf(c content) (text string, err error) {
	switch c := c.(type) {
	case nil:
		return "", nil
	case string:
		return c, nil
	case []any:
		for _, each := range c {
			part, _ := each.(map[string]any)
			kind, _ := part["type"].(string)
			if kind != "text" && kind != "input_text" && kind != "output_text" {
				return "", unsupportedPart(kind)
			}
			said, isText := part["text"].(string)
			if !isText {
				return "", fault.New(fault.Invalid, "a part of type %q has no text", kind).WithField("messages")
			}
			text += said
		}
		return text, nil
	}
	return "", fault.New(fault.Invalid, "content is a text or a list of parts").WithField("messages")
}

type chatTool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

type chatCalls struct {
	Index    *int   `json:"index,omitempty"` // in a stream
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type chatFormat struct {
	Type       string `json:"type"`
	JSONSchema *struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
}

// input translates the request.
func (r *chatRequest) input() (ai.Input, error) {
	in := ai.Input{Variables: r.Metadata, Language: r.Metadata["language"], Parameters: &ai.Parameters{
		Temperature: r.Temperature, TopP: r.TopP, TopK: r.TopK, MaxTokens: r.MaxCompletionTokens, Seed: r.Seed, Stop: r.Stop,
		PresencePenalty: r.PresencePenalty, FrequencyPenalty: r.FrequencyPenalty, ReasoningEffort: r.ReasoningEffort,
	}}
	if in.Parameters.MaxTokens == nil {
		in.Parameters.MaxTokens = r.MaxTokens
	}
	switch {
	case len(r.Messages) == 0:
		return in, fault.New(fault.Invalid, "there are no messages").WithField("messages")
	case r.N != nil && *r.N != 1:
		return in, fault.New(fault.Unsupported, "one answer is given to one question").WithField("n")
	case r.Logprobs:
		return in, fault.New(fault.Unsupported, "probabilities of tokens are not given: they would tell masked texts").WithField("logprobs")
	case len(r.Functions) > 0:
		return in, fault.New(fault.Unsupported, "functions are an old form of tools: send tools").WithField("functions")
	}
	for _, m := range r.Modalities {
		if m != "text" {
			return in, fault.New(fault.Unsupported, "only text is answered").WithField("modalities")
		}
	}
	for _, m := range r.Messages {
		turn, err := m.turn()
		if err != nil {
			return in, err
		}
		in.Messages = append(in.Messages, turn)
	}
	for _, t := range r.Tools {
		if t.Type != "function" {
			return in, fault.New(fault.Unsupported, "a tool of type %q cannot be called through MATRIX: functions can", t.Type).WithField("tools")
		}
		in.Tools = append(in.Tools, ai.Tool{Name: t.Function.Name, Description: t.Function.Description, Schema: t.Function.Parameters})
	}
	var err error
	if in.ToolChoice, err = chatChoice(r.ToolChoice); err != nil {
		return in, err
	}
	return in, r.ResponseFormat.into(&in)
}

func (m *chatMessage) turn() (ai.Message, error) {
	text, err := textOf(m.Content)
	if err != nil {
		return ai.Message{}, err
	}
	turn := ai.Message{Role: m.Role, Text: text}
	switch m.Role {
	case "developer":
		turn.Role = ai.RoleSystem
	case ai.RoleSystem, ai.RoleUser:
	case ai.RoleAssistant:
		for _, c := range m.ToolCalls {
			turn.Calls = append(turn.Calls, ai.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
		}
	case ai.RoleTool:
		turn.CallID = m.ToolCallID
	default:
		return turn, fault.New(fault.Invalid, "there is no role %q of a message", m.Role).WithField("messages")
	}
	return turn, nil
}

// unsupportedPart refuses images, sound and files: what is in them cannot be masked.
func unsupportedPart(kind string) error {
	return fault.New(fault.Unsupported, "a message of type %q is not taken: only text can be masked before it leaves", kind).WithField("messages")
}

func chatChoice(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return ai.ToolAuto, nil
	}
	var word string
	if json.Unmarshal(raw, &word) == nil {
		switch word {
		case "auto":
			return ai.ToolAuto, nil
		case "none", "required":
			return word, nil
		}
	}
	var named struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal(raw, &named) == nil && named.Function.Name != "" {
		return named.Function.Name, nil
	}
	return "", fault.New(fault.Invalid, "tool_choice is auto, none, required or a function").WithField("tool_choice")
}

func (f *chatFormat) into(in *ai.Input) error {
	switch {
	case f == nil || f.Type == "text":
		return nil
	case f.Type == "json_schema" && f.JSONSchema != nil:
		in.Format = &ai.Format{Type: f.Type, Name: f.JSONSchema.Name, Schema: f.JSONSchema.Schema}
		return nil
	case f.Type == "json_object":
		in.Format = &ai.Format{Type: "json_schema", Name: "object", Schema: json.RawMessage(`{"type":"object"}`)}
		return nil
	}
	return fault.New(fault.Invalid, "response_format is text, json_object or json_schema").WithField("response_format")
}

type chatUsage struct {
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`
	TotalTokens      int64 `json:"total_tokens"`
	PromptDetails    struct {
		CachedTokens int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		ReasoningTokens int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

func chatUsageOf(u ai.Usage) *chatUsage {
	out := &chatUsage{PromptTokens: u.InputTokens, CompletionTokens: u.OutputTokens, TotalTokens: u.InputTokens + u.OutputTokens}
	out.PromptDetails.CachedTokens, out.CompletionDetails.ReasoningTokens = u.CachedTokens, u.ReasoningTokens
	return out
}

// chatAnswer is a completion, or a chunk of one.
type chatAnswer struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []chatChosen `json:"choices"`
	Usage   *chatUsage   `json:"usage,omitempty"`
}

type chatChosen struct {
	Index        int       `json:"index"`
	Message      *chatSaid `json:"message,omitempty"`
	Delta        *chatSaid `json:"delta,omitempty"`
	FinishReason *string   `json:"finish_reason"`
	Logprobs     *struct{} `json:"logprobs"`
}

type chatSaid struct {
	Role      string      `json:"role,omitempty"`
	Content   *string     `json:"content,omitempty"`
	Refusal   *string     `json:"refusal,omitempty"`
	ToolCalls []chatCalls `json:"tool_calls,omitempty"`
}

func (s *server) chat(w http.ResponseWriter, r *http.Request, who Asker) error {
	var request chatRequest
	if err := read(r, &request); err != nil {
		return err
	}
	in, err := request.input()
	if err != nil {
		return err
	}
	in.CallID = ai.NewCallID()
	answer := chatAnswer{ID: "chatcmpl-" + in.CallID, Object: "chat.completion", Created: s.now().Unix(), Model: request.Model}
	if request.Stream {
		return s.chatStream(w, r, who, &request, in, answer)
	}
	result, err := s.run(r.Context(), who, request.Model, in)
	if err != nil {
		return err
	}
	said := &chatSaid{Role: ai.RoleAssistant, ToolCalls: chatCallsOf(result.Calls, false)}
	if result.Text != "" || len(result.Calls) == 0 {
		said.Content = &result.Text
	}
	answer.Choices = []chatChosen{{Message: said, FinishReason: &result.Finish}}
	answer.Usage = chatUsageOf(result.Usage)
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (s *server) chatStream(w http.ResponseWriter, r *http.Request, who Asker, request *chatRequest, in ai.Input, answer chatAnswer) error {
	out := newStream(w)
	answer.Object = "chat.completion.chunk"
	chunk := func(said chatSaid, finish *string) error {
		answer.Choices = []chatChosen{{Delta: &said, FinishReason: finish}}
		return out.send("", answer)
	}
	role := ai.RoleAssistant
	first := func() string { // the role is told once
		told := role
		role = ""
		return told
	}
	in.Stream = func(text string) error { return chunk(chatSaid{Role: first(), Content: &text}, nil) }
	result, err := s.run(r.Context(), who, request.Model, in)
	if err != nil {
		if !out.begun {
			return err
		}
		kind, message, field := s.told(r.Context(), err)
		_ = out.send("", openAI.refusal(kind, message, field)) // the caller is gone when this fails
		return nil
	}
	if calls := chatCallsOf(result.Calls, true); len(calls) > 0 {
		err = chunk(chatSaid{Role: first(), ToolCalls: calls}, nil)
	}
	if err == nil {
		err = chunk(chatSaid{Role: first()}, &result.Finish)
	}
	if err == nil && request.StreamOptions.IncludeUsage {
		answer.Choices, answer.Usage = []chatChosen{}, chatUsageOf(result.Usage)
		err = out.send("", answer)
	}
	if err == nil {
		err = out.raw("", "[DONE]")
	}
	if err != nil {
		s.log.DebugContext(r.Context(), "the caller left before the end of the answer", "component", "modelapi", "error", err)
	}
	return nil
}

func chatCallsOf(calls []ai.ToolCall, streamed bool) (out []chatCalls) {
	for i, c := range calls {
		made := chatCalls{ID: c.ID, Type: "function"}
		made.Function.Name, made.Function.Arguments = c.Name, c.Arguments
		if streamed {
			made.Index = &i
		}
		out = append(out, made)
	}
	return out
}
