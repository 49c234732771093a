package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// anthropic is POST /v1/messages.
type anthropic struct{}

// The versions of the API: the official client for Go speaks the first, the one
// of npm the second, in whose requests the key is a Bearer token and there are no
// sampling parameters.
const (
	firstVersion  = "2023-06-01"
	secondVersion = "2026-10-21"
)

func (anthropic) key(r *http.Request) (string, error) {
	switch version := r.Header.Get("Anthropic-Version"); version {
	case firstVersion:
		return r.Header.Get("X-Api-Key"), nil
	case secondVersion:
		return openAI{}.key(r)
	default:
		return "", fmt.Errorf("anthropic-version is %q", version)
	}
}

func (anthropic) badKey(string) Reply {
	return Reply{Status: http.StatusUnauthorized, Code: "authentication_error", Message: "invalid x-api-key"}
}

var anthropicCodes = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
	429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error",
}

func (anthropic) failure(reply Reply) any {
	kind := anthropicCodes[reply.Status]
	if slices.Contains([]string{"invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error", "request_too_large",
		"rate_limit_error", "api_error", "timeout_error", "overloaded_error"}, reply.Code) {
		kind = reply.Code
	}
	return map[string]any{"type": "error", "error": map[string]any{"type": one(kind, "api_error"), "message": one(reply.Message, "scripted failure")}, "request_id": "req_fake"}
}

func (anthropic) retryAfter(h http.Header, wait time.Duration) {
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

type anthropicBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   content         `json:"content"`
	IsError   bool            `json:"is_error"`
	Thinking  string          `json:"thinking"`
	Signature string          `json:"signature"`
	Cache     json.RawMessage `json:"cache_control"`
}

// anthropicBlocks is a text or a list of blocks.
type anthropicBlocks []anthropicBlock

func (b *anthropicBlocks) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		var text string
		err := json.Unmarshal(data, &text)
		*b = anthropicBlocks{{Type: "text", Text: text}}
		return err
	}
	var kinds []struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &kinds); err != nil {
		return err
	}
	for _, kind := range kinds {
		if !slices.Contains([]string{"text", "tool_use", "tool_result", "thinking"}, kind.Type) {
			return fmt.Errorf("a block of type %q is not supported by this model", kind.Type)
		}
	}
	return decode(data, (*[]anthropicBlock)(b))
}

type anthropicRequest struct {
	Model     string          `json:"model"`
	MaxTokens *int64          `json:"max_tokens"`
	System    anthropicBlocks `json:"system"`
	Messages  []struct {
		Role    string          `json:"role"`
		Content anthropicBlocks `json:"content"`
	} `json:"messages"`
	Temperature   *float64 `json:"temperature"`
	TopP          *float64 `json:"top_p"`
	TopK          *int64   `json:"top_k"`
	StopSequences []string `json:"stop_sequences"`
	Stream        bool     `json:"stream"`
	Tools         []struct {
		Type        string          `json:"type"`
		Name        string          `json:"name"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"input_schema"`
		Strict      bool            `json:"strict"`
		Cache       json.RawMessage `json:"cache_control"`
	} `json:"tools"`
	ToolChoice *struct {
		Type                   string `json:"type"`
		Name                   string `json:"name"`
		DisableParallelToolUse bool   `json:"disable_parallel_tool_use"`
	} `json:"tool_choice"`
	OutputConfig *struct {
		Effort string `json:"effort"`
		Format *struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"output_config"`
	Thinking *struct {
		Type         string `json:"type"`
		BudgetTokens *int64 `json:"budget_tokens"`
	} `json:"thinking"`
	Metadata *struct {
		UserID string `json:"user_id"`
	} `json:"metadata"`
	ServiceTier string `json:"service_tier"`
}

// oneSampling are the models that take temperature or top_p, not both.
var oneSampling = regexp.MustCompile(`^claude-(opus-4-[1-9]|sonnet-4-[5-9]|haiku-4-[5-9]|(opus|sonnet|haiku)-[5-9])`)

var anthropicIDs = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

func (anthropic) read(h *http.Request, raw []byte) (Request, error) {
	var in anthropicRequest
	r := Request{Wire: Anthropic}
	if err := decode(raw, &in); err != nil {
		return r, err
	}
	r.Model, r.MaxTokens, r.Temperature, r.TopP, r.TopK, r.Stop, r.Stream = in.Model, in.MaxTokens, in.Temperature, in.TopP, in.TopK, in.StopSequences, in.Stream
	if in.Model == "" || in.MaxTokens == nil || *in.MaxTokens < 1 {
		return r, errors.New("model and max_tokens are required")
	}
	if h.Header.Get("Anthropic-Version") == secondVersion && (in.Temperature != nil || in.TopP != nil || in.TopK != nil) {
		return r, errors.New("temperature, top_p and top_k are no parameters of this version")
	}
	system := ""
	for _, block := range in.System {
		system += block.Text
	}
	if system != "" {
		r.Messages = append(r.Messages, Message{Role: "system", Content: system})
	}
	for i, m := range in.Messages {
		messages, err := anthropicTurn(m.Role, m.Content)
		if err != nil {
			return r, fmt.Errorf("messages.%d: %w", i, err)
		}
		r.Messages = append(r.Messages, messages...)
	}
	if len(in.Messages) > 0 && in.Messages[0].Role != "user" {
		return r, errors.New("the first message is not the user's")
	}
	for _, tool := range in.Tools {
		if tool.Type != "" && tool.Type != "custom" {
			return r, fmt.Errorf("a tool of type %q", tool.Type)
		}
		r.Tools = append(r.Tools, Tool{Name: tool.Name, Description: tool.Description, Strict: tool.Strict, Schema: tool.InputSchema})
	}
	if c := in.ToolChoice; c != nil {
		switch c.Type {
		case "auto":
		case "any":
			r.ToolChoice = "required"
		case "none":
			r.ToolChoice = "none"
		case "tool":
			r.ToolChoice = c.Name
		default:
			return r, fmt.Errorf("tool_choice of type %q", c.Type)
		}
	}
	for _, err := range []error{checkTurns(r.Messages), checkTools(r.Tools, r.ToolChoice), checkRange("temperature", r.Temperature, 0, 1), checkRange("top_p", r.TopP, 0, 1), positive("top_k", r.TopK)} {
		if err != nil {
			return r, err
		}
	}
	if len(r.Tools) == 0 && slices.ContainsFunc(r.Messages, func(m Message) bool { return len(m.Calls) > 0 }) {
		return r, errors.New("requests which include `tool_use` or `tool_result` blocks must define tools")
	}
	if err := anthropicOutput(&r, in); err != nil {
		return r, err
	}
	if r.Temperature != nil && r.TopP != nil && oneSampling.MatchString(r.Model) {
		return r, refusal{"invalid_request_error", "`temperature` and `top_p` cannot both be specified for this model. Please use only one."}
	}
	return r, nil
}

func anthropicOutput(r *Request, in anthropicRequest) error {
	if c := in.OutputConfig; c != nil {
		r.ReasoningEffort = c.Effort
		if !slices.Contains([]string{"", "low", "medium", "high", "xhigh", "max"}, c.Effort) {
			return fmt.Errorf("output_config.effort %q", c.Effort)
		}
		if f := c.Format; f != nil {
			if f.Type != "json_schema" {
				return fmt.Errorf("output_config.format of type %q", f.Type)
			}
			if err := strictAnthropic(f.Schema); err != nil {
				return err
			}
			r.ResponseFormat = &ResponseFormat{Type: f.Type, JSONSchema: &JSONSchema{Schema: f.Schema}}
		}
	}
	if t := in.Thinking; t != nil {
		if t.Type == "enabled" && (t.BudgetTokens == nil || *t.BudgetTokens < 1024 || *t.BudgetTokens >= *in.MaxTokens) {
			return errors.New("thinking.budget_tokens must be at least 1024 and less than max_tokens")
		}
		if t.Type != "disabled" && (r.Temperature != nil && *r.Temperature != 1 || r.TopK != nil) {
			return errors.New("temperature and top_k may not be set when thinking is enabled")
		}
	}
	return nil
}

// anthropicTurn divides a turn into neutral messages: the results of calls come
// first and are messages of their own.
func anthropicTurn(role string, blocks anthropicBlocks) ([]Message, error) {
	var all []Message
	said := Message{Role: role}
	for _, b := range blocks {
		switch b.Type {
		case "text":
			if b.Text == "" {
				return nil, errors.New("text content blocks must be non-empty")
			}
			said.Content += b.Text
		case "tool_use":
			if role != "assistant" || !anthropicIDs.MatchString(b.ID) || len(b.Input) == 0 || b.Input[0] != '{' {
				return nil, fmt.Errorf("tool_use %q of the %s with the input %s", b.ID, role, b.Input)
			}
			var input bytes.Buffer
			if err := json.Compact(&input, b.Input); err != nil {
				return nil, err
			}
			said.Calls = append(said.Calls, Call{ID: b.ID, Name: b.Name, Arguments: input.String()})
		case "tool_result":
			if role != "user" || said.Content != "" {
				return nil, errors.New("tool_result blocks come first in the turn of the user")
			}
			all = append(all, Message{Role: "tool", CallID: b.ToolUseID, Content: b.Content.text})
		case "thinking":
			if role != "assistant" || b.Signature == "" {
				return nil, errors.New("thinking without a signature")
			}
		}
	}
	if said.Content != "" || len(said.Calls) > 0 || len(all) == 0 {
		all = append(all, said)
	}
	return all, nil
}

func anthropicUsage(u Usage) map[string]any {
	return map[string]any{
		"input_tokens": u.Input - u.Cached - u.CacheWrite, "cache_read_input_tokens": u.Cached, "cache_creation_input_tokens": u.CacheWrite,
		"output_tokens": u.Output, "output_tokens_details": map[string]any{"thinking_tokens": u.Reasoning}, "service_tier": "standard",
	}
}

func anthropicStop(reply Reply) string {
	if reply.Refusal != "" {
		return "refusal"
	}
	return map[string]string{"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}[finish(reply)]
}

func toolUseID(c Call, n, i int) string { return one(c.ID, fmt.Sprintf("toolu_%d_%d", n, i)) }

func anthropicMessage(r Request, n int, content []any, stop any, u map[string]any) map[string]any {
	return map[string]any{"id": "msg_" + strconv.Itoa(n), "type": "message", "role": "assistant", "model": r.Model, "content": content,
		"stop_reason": stop, "stop_sequence": nil, "usage": u}
}

func (anthropic) whole(r Request, reply Reply, n int) any {
	content := []any{}
	if reply.Thoughts != "" {
		content = append(content, map[string]any{"type": "thinking", "thinking": reply.Thoughts, "signature": "c2lnbmF0dXJl"})
	}
	if text := reply.Text + reply.Refusal; text != "" {
		content = append(content, map[string]any{"type": "text", "text": text})
	}
	for i, c := range reply.Calls {
		content = append(content, map[string]any{"type": "tool_use", "id": toolUseID(c, n, i), "name": c.Name, "input": json.RawMessage(one(c.Arguments, "{}"))})
	}
	return anthropicMessage(r, n, content, anthropicStop(reply), anthropicUsage(usage(r, reply)))
}

func (anthropic) stream(r Request, reply Reply, n int) []event {
	u := anthropicUsage(usage(r, reply))
	begun := map[string]any{}
	for name, value := range u {
		begun[name] = value
	}
	begun["output_tokens"] = 1
	delete(begun, "output_tokens_details")
	var events []event
	say := func(kind string, piece bool, more map[string]any) {
		more["type"] = kind
		events = append(events, event{name: kind, data: more, piece: piece})
	}
	say("message_start", false, map[string]any{"message": anthropicMessage(r, n, []any{}, nil, begun)})
	say("ping", false, map[string]any{})
	index := 0
	block := func(start map[string]any, kind, word string, pieces []string) {
		say("content_block_start", false, map[string]any{"index": index, "content_block": start})
		for _, piece := range pieces {
			say("content_block_delta", true, map[string]any{"index": index, "delta": map[string]any{"type": kind, word: piece}})
		}
		if start["type"] == "thinking" {
			say("content_block_delta", false, map[string]any{"index": index, "delta": map[string]any{"type": "signature_delta", "signature": "c2lnbmF0dXJl"}})
		}
		say("content_block_stop", false, map[string]any{"index": index})
		index++
	}
	if reply.Thoughts != "" {
		block(map[string]any{"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking", chunks(reply.Thoughts, reply.Chunk))
	}
	if text := reply.Text + reply.Refusal; text != "" {
		block(map[string]any{"type": "text", "text": ""}, "text_delta", "text", chunks(text, reply.Chunk))
	}
	for i, c := range reply.Calls {
		pieces := chunks(c.Arguments, reply.Chunk)
		if strings.TrimSpace(c.Arguments) == "{}" {
			pieces = []string{""}
		}
		block(map[string]any{"type": "tool_use", "id": toolUseID(c, n, i), "name": c.Name, "input": map[string]any{}}, "input_json_delta", "partial_json", pieces)
	}
	say("message_delta", false, map[string]any{"delta": map[string]any{"stop_reason": anthropicStop(reply), "stop_sequence": nil},
		"usage": map[string]any{"output_tokens": u["output_tokens"], "output_tokens_details": u["output_tokens_details"]}})
	say("message_stop", false, map[string]any{})
	return events
}

func (anthropic) broken(reply Reply) event {
	return event{name: "error", data: anthropic{}.failure(reply)}
}
