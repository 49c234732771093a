package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// responses is POST /v1/responses.
type responses struct{ openAI }

type responsesItem struct {
	Type      string          `json:"type"`
	Role      string          `json:"role"`
	Content   content         `json:"content"`
	ID        string          `json:"id"`
	Status    string          `json:"status"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    *string         `json:"output"`
	Summary   json.RawMessage `json:"summary"` // of reasoning
}

// responsesInput is a text or a list of items.
type responsesInput []responsesItem

func (in *responsesInput) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		var text string
		err := json.Unmarshal(data, &text)
		*in = responsesInput{{Role: "user", Content: content{text: text, set: true}}}
		return err
	}
	return decode(data, (*[]responsesItem)(in))
}

type responsesRequest struct {
	Model           string         `json:"model"`
	Input           responsesInput `json:"input"`
	Instructions    string         `json:"instructions"`
	MaxOutputTokens *int64         `json:"max_output_tokens"`
	Temperature     *float64       `json:"temperature"`
	TopP            *float64       `json:"top_p"`
	Reasoning       *struct {
		Effort  string `json:"effort"`
		Summary string `json:"summary"`
	} `json:"reasoning"`
	Text *struct {
		Verbosity string `json:"verbosity"`
		Format    *struct {
			Type        string          `json:"type"`
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Strict      *bool           `json:"strict"`
			Schema      json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"text"`
	Tools []struct {
		Type        string          `json:"type"`
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Strict      *bool           `json:"strict"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"tools"`
	ToolChoice        *toolChoice       `json:"tool_choice"`
	ParallelToolCalls *bool             `json:"parallel_tool_calls"`
	Store             *bool             `json:"store"`
	Stream            bool              `json:"stream"`
	Metadata          map[string]string `json:"metadata"`
	User              string            `json:"user"`
	Include           []string          `json:"include"`
	Truncation        string            `json:"truncation"`
}

func (responses) read(_ *http.Request, raw []byte) (Request, error) {
	var in responsesRequest
	r := Request{Wire: OpenAIResponses}
	if err := decode(raw, &in); err != nil {
		return r, err
	}
	r.Model, r.Temperature, r.TopP, r.MaxTokens, r.Stream = in.Model, in.Temperature, in.TopP, in.MaxOutputTokens, in.Stream
	if in.MaxOutputTokens != nil && *in.MaxOutputTokens < 16 {
		return r, fmt.Errorf("max_output_tokens is %d, the least is 16", *in.MaxOutputTokens)
	}
	if in.Reasoning != nil {
		r.ReasoningEffort = in.Reasoning.Effort
	}
	if in.Instructions != "" {
		r.Messages = append(r.Messages, Message{Role: "system", Content: in.Instructions})
	}
	for i, item := range in.Input {
		switch item.Type {
		case "", "message":
			role := item.Role
			if role == "developer" {
				role = "system"
			}
			r.Messages = append(r.Messages, Message{Role: role, Content: item.Content.text})
		case "function_call":
			// The calls of a turn, and the text before them, are items of their own.
			last := len(r.Messages) - 1
			if last < 0 || r.Messages[last].Role != "assistant" {
				r.Messages, last = append(r.Messages, Message{Role: "assistant"}), last+1
			}
			r.Messages[last].Calls = append(r.Messages[last].Calls, Call{ID: item.CallID, Name: item.Name, Arguments: item.Arguments})
		case "function_call_output":
			if item.Output == nil {
				return r, fmt.Errorf("input %d: no output", i)
			}
			r.Messages = append(r.Messages, Message{Role: "tool", CallID: item.CallID, Content: *item.Output})
		case "reasoning":
		default:
			return r, fmt.Errorf("input %d: type %q", i, item.Type)
		}
	}
	for _, tool := range in.Tools {
		if tool.Type != "function" {
			return r, fmt.Errorf("a tool of type %q", tool.Type)
		}
		// Unlike in chat completions a tool is strict unless it says otherwise.
		r.Tools = append(r.Tools, Tool{Name: tool.Name, Description: tool.Description, Strict: tool.Strict == nil || *tool.Strict, Schema: tool.Parameters})
	}
	if in.ToolChoice != nil {
		if len(in.Tools) == 0 && in.ToolChoice.name != "" {
			return r, errors.New("tool_choice is only allowed when tools are specified")
		}
		r.ToolChoice = in.ToolChoice.name
	}
	if in.Text != nil && in.Text.Format != nil && in.Text.Format.Type != "text" {
		f := in.Text.Format
		if f.Type != "json_schema" {
			return r, fmt.Errorf("a text format of type %q", f.Type)
		}
		r.ResponseFormat = &ResponseFormat{Type: f.Type, JSONSchema: &JSONSchema{Name: f.Name, Strict: f.Strict, Schema: f.Schema}}
	}
	return r, checkOpenAI(r)
}

// response is the object of an answer, as far as it has come.
func response(r Request, reply Reply, n int, status string, output []any) map[string]any {
	body := map[string]any{
		"id": "resp_" + strconv.Itoa(n), "object": "response", "created_at": 1_750_000_000, "status": status, "model": r.Model, "output": output,
		"error": nil, "incomplete_details": nil, "instructions": nil, "metadata": map[string]any{}, "parallel_tool_calls": true,
		"temperature": 1, "top_p": 1, "tool_choice": "auto", "tools": []any{}, "max_output_tokens": r.MaxTokens, "usage": nil,
		"text": map[string]any{"format": map[string]any{"type": "text"}},
	}
	switch status {
	case "incomplete":
		body["incomplete_details"] = map[string]any{"reason": map[string]string{"length": "max_output_tokens"}[reply.Finish]}
		if reply.Finish == "content_filter" {
			body["incomplete_details"] = map[string]any{"reason": "content_filter"}
		}
		fallthrough
	case "completed":
		u := usage(r, reply)
		body["usage"] = map[string]any{
			"input_tokens": u.Input, "input_tokens_details": map[string]any{"cached_tokens": u.Cached, "cache_write_tokens": u.CacheWrite},
			"output_tokens": u.Output, "output_tokens_details": map[string]any{"reasoning_tokens": u.Reasoning}, "total_tokens": u.Input + u.Output,
		}
	}
	return body
}

// outputs are the items of an answer, whole.
func outputs(reply Reply, n int) []any {
	all := []any{}
	if reply.Thoughts != "" {
		all = append(all, map[string]any{"type": "reasoning", "id": fmt.Sprintf("rs_%d", n), "summary": []any{map[string]any{"type": "summary_text", "text": reply.Thoughts}}})
	}
	if reply.Text != "" || reply.Refusal != "" || len(reply.Calls) == 0 {
		part := map[string]any{"type": "output_text", "text": reply.Text, "annotations": []any{}, "logprobs": []any{}}
		if reply.Refusal != "" {
			part = map[string]any{"type": "refusal", "refusal": reply.Refusal}
		}
		all = append(all, map[string]any{"type": "message", "id": fmt.Sprintf("msg_%d", n), "status": "completed", "role": "assistant", "content": []any{part}})
	}
	for i, c := range reply.Calls {
		all = append(all, map[string]any{"type": "function_call", "id": fmt.Sprintf("fc_%d_%d", n, i), "call_id": callID(c, n, i), "name": c.Name, "arguments": c.Arguments, "status": "completed"})
	}
	return all
}

func responsesStatus(reply Reply) string {
	if reply.Finish == "length" || reply.Finish == "content_filter" {
		return "incomplete"
	}
	return "completed"
}

func (responses) whole(r Request, reply Reply, n int) any {
	return response(r, reply, n, responsesStatus(reply), outputs(reply, n))
}

func (responses) stream(r Request, reply Reply, n int) []event {
	var events []event
	say := func(kind string, piece bool, more map[string]any) {
		more["type"], more["sequence_number"] = kind, len(events)
		events = append(events, event{name: kind, data: more, piece: piece})
	}
	say("response.created", false, map[string]any{"response": response(r, reply, n, "in_progress", []any{})})
	say("response.in_progress", false, map[string]any{"response": response(r, reply, n, "in_progress", []any{})})
	items := outputs(reply, n)
	for index, item := range items {
		item := item.(map[string]any)
		at := func(more map[string]any) map[string]any {
			more["item_id"], more["output_index"] = item["id"], index
			return more
		}
		begun := map[string]any{}
		for name, value := range item {
			begun[name] = value
		}
		begun["status"] = "in_progress"
		switch item["type"] {
		case "message":
			begun["content"] = []any{}
		case "function_call":
			begun["arguments"] = ""
		case "reasoning":
			begun["summary"] = []any{}
			delete(begun, "status")
		}
		say("response.output_item.added", false, map[string]any{"output_index": index, "item": begun})
		switch item["type"] {
		case "reasoning":
			for _, text := range chunks(reply.Thoughts, reply.Chunk) {
				say("response.reasoning_summary_text.delta", true, at(map[string]any{"summary_index": 0, "delta": text}))
			}
			say("response.reasoning_summary_text.done", false, at(map[string]any{"summary_index": 0, "text": reply.Thoughts}))
		case "message":
			kind, word, text := "output_text", "text", reply.Text
			empty := map[string]any{"type": "output_text", "text": "", "annotations": []any{}}
			if reply.Refusal != "" {
				kind, word, text = "refusal", "refusal", reply.Refusal
				empty = map[string]any{"type": "refusal", "refusal": ""}
			}
			say("response.content_part.added", false, at(map[string]any{"content_index": 0, "part": empty}))
			for _, piece := range chunks(text, reply.Chunk) {
				say("response."+kind+".delta", true, at(map[string]any{"content_index": 0, "delta": piece, "logprobs": []any{}}))
			}
			say("response."+kind+".done", false, at(map[string]any{"content_index": 0, word: text, "logprobs": []any{}}))
			say("response.content_part.done", false, at(map[string]any{"content_index": 0, "part": item["content"].([]any)[0]}))
		case "function_call":
			for _, piece := range chunks(item["arguments"].(string), reply.Chunk) {
				say("response.function_call_arguments.delta", true, at(map[string]any{"delta": piece}))
			}
			say("response.function_call_arguments.done", false, at(map[string]any{"arguments": item["arguments"], "name": item["name"]}))
		}
		say("response.output_item.done", false, map[string]any{"output_index": index, "item": item})
	}
	status := responsesStatus(reply)
	say("response."+status, false, map[string]any{"response": response(r, reply, n, status, items)})
	return events
}

func (responses) broken(reply Reply) event {
	e := openAIError(reply)
	return event{name: "error", data: map[string]any{"type": "error", "code": e["code"], "message": e["message"], "param": nil, "sequence_number": 0}}
}
