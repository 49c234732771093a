package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// chat is POST /v1/chat/completions.
type chat struct{ openAI }

type chatCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type chatRequest struct {
	Model    string `json:"model"`
	Messages []struct {
		Role       string     `json:"role"`
		Content    content    `json:"content"`
		ToolCalls  []chatCall `json:"tool_calls"`
		ToolCallID string     `json:"tool_call_id"`
		Name       string     `json:"name"`
		Refusal    *string    `json:"refusal"`
	} `json:"messages"`
	Temperature         *float64 `json:"temperature"`
	TopP                *float64 `json:"top_p"`
	TopK                *int64   `json:"top_k"` // of vLLM and others, not of OpenAI
	MaxTokens           *int64   `json:"max_tokens"`
	MaxCompletionTokens *int64   `json:"max_completion_tokens"`
	Seed                *int64   `json:"seed"`
	Stop                words    `json:"stop"`
	PresencePenalty     *float64 `json:"presence_penalty"`
	FrequencyPenalty    *float64 `json:"frequency_penalty"`
	ReasoningEffort     string   `json:"reasoning_effort"`
	ResponseFormat      *struct {
		Type       string `json:"type"`
		JSONSchema *struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Strict      *bool           `json:"strict"`
			Schema      json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	Tools []struct {
		Type     string `json:"type"`
		Function struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Strict      bool            `json:"strict"`
			Parameters  json.RawMessage `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`
	ToolChoice        *toolChoice `json:"tool_choice"`
	ParallelToolCalls *bool       `json:"parallel_tool_calls"`
	Stream            bool        `json:"stream"`
	StreamOptions     *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	N        *int              `json:"n"`
	User     string            `json:"user"`
	Metadata map[string]string `json:"metadata"`
	Store    *bool             `json:"store"`
}

func (chat) read(h *http.Request, raw []byte) (Request, error) {
	var in chatRequest
	r := Request{Wire: OpenAIChat}
	if err := decode(raw, &in); err != nil {
		return r, err
	}
	r.Model, r.Temperature, r.TopP, r.TopK, r.Seed, r.Stop = in.Model, in.Temperature, in.TopP, in.TopK, in.Seed, in.Stop
	r.PresencePenalty, r.FrequencyPenalty, r.ReasoningEffort, r.Stream = in.PresencePenalty, in.FrequencyPenalty, in.ReasoningEffort, in.Stream
	switch {
	case in.MaxTokens != nil && in.MaxCompletionTokens != nil:
		return r, errors.New("max_tokens and max_completion_tokens exclude each other")
	case own(h) && in.TopK != nil:
		return r, errors.New("unrecognized request argument supplied: top_k")
	case in.StreamOptions != nil && !in.Stream:
		return r, errors.New("stream_options is only allowed when stream is enabled")
	case in.N != nil && *in.N != 1:
		return r, fmt.Errorf("n is %d", *in.N)
	case len(in.Stop) > 4:
		return r, fmt.Errorf("stop has %d sequences", len(in.Stop))
	case in.ParallelToolCalls != nil && len(in.Tools) == 0:
		return r, errors.New("parallel_tool_calls is only allowed when tools are specified")
	}
	r.MaxTokens = in.MaxTokens
	if in.MaxCompletionTokens != nil {
		r.MaxTokens = in.MaxCompletionTokens
	}
	r.streamUsage = in.StreamOptions != nil && in.StreamOptions.IncludeUsage
	for i, m := range in.Messages {
		message := Message{Role: m.Role, Content: m.Content.text, CallID: m.ToolCallID}
		if m.Role == "developer" {
			message.Role = "system"
		}
		if len(m.ToolCalls) > 0 && m.Role != "assistant" || m.ToolCallID != "" && m.Role != "tool" || m.Role == "tool" && !m.Content.set {
			return r, fmt.Errorf("message %d of the %s: what another role has", i, m.Role)
		}
		for _, c := range m.ToolCalls {
			if c.Type != "function" {
				return r, fmt.Errorf("message %d: a call of type %q", i, c.Type)
			}
			message.Calls = append(message.Calls, Call{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
		}
		r.Messages = append(r.Messages, message)
	}
	for _, tool := range in.Tools {
		if tool.Type != "function" {
			return r, fmt.Errorf("a tool of type %q", tool.Type)
		}
		r.Tools = append(r.Tools, Tool{Name: tool.Function.Name, Description: tool.Function.Description, Strict: tool.Function.Strict, Schema: tool.Function.Parameters})
	}
	if in.ToolChoice != nil {
		if len(in.Tools) == 0 {
			return r, errors.New("tool_choice is only allowed when tools are specified")
		}
		r.ToolChoice = in.ToolChoice.name
	}
	if f := in.ResponseFormat; f != nil && f.Type != "text" {
		if f.Type != "json_schema" || f.JSONSchema == nil {
			return r, fmt.Errorf("a response_format of type %q", f.Type)
		}
		r.ResponseFormat = &ResponseFormat{Type: f.Type, JSONSchema: &JSONSchema{Name: f.JSONSchema.Name, Strict: f.JSONSchema.Strict, Schema: f.JSONSchema.Schema}}
	}
	if err := checkOpenAI(r); err != nil {
		return r, err
	}
	if in.MaxTokens != nil && reasoning.MatchString(in.Model) {
		return r, refusal{"unsupported_parameter", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."}
	}
	return r, nil
}

func chatUsage(u Usage) map[string]any {
	return map[string]any{
		"prompt_tokens": u.Input, "completion_tokens": u.Output, "total_tokens": u.Input + u.Output,
		"prompt_tokens_details":     map[string]any{"cached_tokens": u.Cached, "cache_write_tokens": u.CacheWrite, "audio_tokens": 0},
		"completion_tokens_details": map[string]any{"reasoning_tokens": u.Reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
	}
}

func callID(c Call, n, i int) string { return one(c.ID, fmt.Sprintf("call_%d_%d", n, i)) }

func (chat) whole(r Request, reply Reply, n int) any {
	message := map[string]any{"role": "assistant", "content": reply.Text, "refusal": nil}
	if reply.Refusal != "" {
		message["content"], message["refusal"] = nil, reply.Refusal
	}
	if len(reply.Calls) > 0 {
		calls := []any{}
		for i, c := range reply.Calls {
			calls = append(calls, map[string]any{"id": callID(c, n, i), "type": "function", "function": map[string]any{"name": c.Name, "arguments": c.Arguments}})
		}
		message["tool_calls"] = calls
		if reply.Text == "" {
			message["content"] = nil
		}
	}
	return map[string]any{
		"id": "chatcmpl-" + strconv.Itoa(n), "object": "chat.completion", "created": 1_750_000_000, "model": r.Model,
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": finish(reply), "logprobs": nil}},
		"usage":   chatUsage(usage(r, reply)),
	}
}

func (chat) stream(r Request, reply Reply, n int) []event {
	chunk := func(delta map[string]any, finish any) map[string]any {
		body := map[string]any{"id": "chatcmpl-" + strconv.Itoa(n), "object": "chat.completion.chunk", "created": 1_750_000_000, "model": r.Model,
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": nil}}}
		if r.streamUsage {
			body["usage"] = nil
		}
		return body
	}
	events := []event{{data: chunk(map[string]any{"role": "assistant", "content": "", "refusal": nil}, nil)}}
	for _, text := range chunks(reply.Text, reply.Chunk) {
		events = append(events, event{data: chunk(map[string]any{"content": text}, nil), piece: true})
	}
	for _, text := range chunks(reply.Refusal, reply.Chunk) {
		events = append(events, event{data: chunk(map[string]any{"refusal": text}, nil), piece: true})
	}
	for i, c := range reply.Calls {
		call := func(more map[string]any) map[string]any {
			more["index"] = i
			return chunk(map[string]any{"tool_calls": []any{more}}, nil)
		}
		events = append(events, event{piece: true, data: call(map[string]any{"id": callID(c, n, i), "type": "function", "function": map[string]any{"name": c.Name, "arguments": ""}})})
		for _, text := range chunks(c.Arguments, reply.Chunk) {
			events = append(events, event{piece: true, data: call(map[string]any{"function": map[string]any{"arguments": text}})})
		}
	}
	events = append(events, event{data: chunk(map[string]any{}, finish(reply))})
	if r.streamUsage {
		last := chunk(nil, nil)
		last["choices"], last["usage"] = []any{}, chatUsage(usage(r, reply))
		events = append(events, event{data: last})
	}
	return append(events, event{data: "[DONE]"})
}

func (chat) broken(reply Reply) event { return event{data: chat{}.failure(reply)} }
