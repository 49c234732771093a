package modelapi

import (
	"encoding/json"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// responsesRequest is a request for a response.
// https://platform.openai.com/docs/api-reference/responses/create
type responsesRequest struct {
	Model           string            `json:"model"`
	Instructions    string            `json:"instructions"`
	Input           responseItems     `json:"input"`
	Temperature     *float64          `json:"temperature"`
	TopP            *float64          `json:"top_p"`
	MaxOutputTokens *int64            `json:"max_output_tokens"`
	Metadata        map[string]string `json:"metadata"` // the variables of a role
	Background      bool              `json:"background"`
	PreviousID      string            `json:"previous_response_id"`
	Conversation    json.RawMessage   `json:"conversation"`
	Reasoning       struct {
		Effort string `json:"effort"`
	} `json:"reasoning"`
	Text struct {
		Format *struct {
			Type   string          `json:"type"`
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"text"`
	Tools []struct {
		Type        string          `json:"type"`
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"tools"`
	ToolChoice json.RawMessage `json:"tool_choice"`
	Stream     bool            `json:"stream"`
}

// responseItems is a text, or a list of messages, calls and their outputs.
type responseItems []responseItem

type responseItem struct {
	Type      string          `json:"type"`
	Role      string          `json:"role"`
	Content   content         `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    json.RawMessage `json:"output"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *responseItems) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*r = responseItems{{Role: ai.RoleUser, Content: text}}
		return nil
	}
	return json.Unmarshal(data, (*[]responseItem)(r))
}

func (r *responsesRequest) input() (ai.Input, error) {
	in := ai.Input{Variables: r.Metadata, Language: r.Metadata["language"], Parameters: &ai.Parameters{
		Temperature: r.Temperature, TopP: r.TopP, MaxTokens: r.MaxOutputTokens, ReasoningEffort: r.Reasoning.Effort,
	}}
	switch {
	case r.Background:
		return in, fault.New(fault.Unsupported, "a response is given at once, not in the background").WithField("background")
	case r.PreviousID != "" || len(r.Conversation) > 0 && string(r.Conversation) != "null":
		return in, fault.New(fault.Unsupported, "answers are not kept here for the next question: send the turns before it as input").WithField("previous_response_id")
	case len(r.Input) == 0:
		return in, fault.New(fault.Invalid, "there is no input").WithField("input")
	}
	if r.Instructions != "" {
		in.Messages = append(in.Messages, ai.Message{Role: ai.RoleSystem, Text: r.Instructions})
	}
	for _, item := range r.Input {
		if err := item.into(&in); err != nil {
			return in, err
		}
	}
	for _, t := range r.Tools {
		if t.Type != "function" {
			return in, fault.New(fault.Unsupported, "a tool of type %q cannot be called through MATRIX: functions can", t.Type).WithField("tools")
		}
		in.Tools = append(in.Tools, ai.Tool{Name: t.Name, Description: t.Description, Schema: t.Parameters})
	}
	var err error
	if in.ToolChoice, err = responseChoice(r.ToolChoice); err != nil {
		return in, err
	}
	if f := r.Text.Format; f != nil && f.Type != "text" {
		as := chatFormat{Type: f.Type}
		if f.Type == "json_schema" {
			in.Format = &ai.Format{Type: f.Type, Name: f.Name, Schema: f.Schema}
			return in, nil
		}
		return in, as.into(&in)
	}
	return in, nil
}

// responseChoice is chatChoice, but for how a function is named.
func responseChoice(raw json.RawMessage) (string, error) {
	var named struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if json.Unmarshal(raw, &named) == nil && named.Type == "function" && named.Name != "" {
		return named.Name, nil
	}
	return chatChoice(raw)
}

func (r *responseItem) into(in *ai.Input) error {
	last := len(in.Messages) - 1
	switch r.Type {
	case "", "message":
		turn, err := (&chatMessage{Role: r.Role, Content: r.Content}).turn()
		if err != nil {
			return err
		}
		in.Messages = append(in.Messages, turn)
	case "function_call": // a part of the assistant's turn before it
		call := ai.ToolCall{ID: r.CallID, Name: r.Name, Arguments: r.Arguments}
		if last < 0 || in.Messages[last].Role != ai.RoleAssistant {
			in.Messages = append(in.Messages, ai.Message{Role: ai.RoleAssistant})
			last++
		}
		in.Messages[last].Calls = append(in.Messages[last].Calls, call)
	case "function_call_output":
		text := string(r.Output)
		_ = json.Unmarshal(r.Output, &text) // a text, or JSON as it stands
		in.Messages = append(in.Messages, ai.Message{Role: ai.RoleTool, CallID: r.CallID, Text: text})
	case "reasoning": // of another model: it means nothing to the next
	default:
		return unsupportedPart(r.Type)
	}
	return nil
}

// response is an answer, also one under way.
type response struct {
	ID                string            `json:"id"`
	Object            string            `json:"object"`
	CreatedAt         int64             `json:"created_at"`
	Status            string            `json:"status"`
	Error             any               `json:"error"`
	IncompleteDetails any               `json:"incomplete_details"`
	Instructions      *string           `json:"instructions"`
	Metadata          map[string]string `json:"metadata"`
	Model             string            `json:"model"`
	Output            []any             `json:"output"`
	ParallelToolCalls bool              `json:"parallel_tool_calls"`
	Temperature       *float64          `json:"temperature"`
	ToolChoice        any               `json:"tool_choice"`
	Tools             []any             `json:"tools"`
	TopP              *float64          `json:"top_p"`
	Usage             *responseUsage    `json:"usage"`
}

type responseUsage struct {
	InputTokens        int64            `json:"input_tokens"`
	InputTokensDetails map[string]int64 `json:"input_tokens_details"`
	OutputTokens       int64            `json:"output_tokens"`
	OutputDetails      map[string]int64 `json:"output_tokens_details"`
	TotalTokens        int64            `json:"total_tokens"`
}

type responseMessage struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Role    string         `json:"role"`
	Status  string         `json:"status"`
	Content []responsePart `json:"content"`
}

type responsePart struct {
	Type        string `json:"type"`
	Text        string `json:"text"`
	Annotations []any  `json:"annotations"`
}

type responseCall struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
	Status    string `json:"status"`
}

// finished fills in what the answer is.
func (r *response) finished(result *ai.Result, callID string) {
	r.Status = "completed"
	if result.Finish == ai.FinishLength {
		r.Status, r.IncompleteDetails = "incomplete", map[string]string{"reason": "max_output_tokens"}
	}
	u := result.Usage
	r.Usage = &responseUsage{InputTokens: u.InputTokens, InputTokensDetails: map[string]int64{"cached_tokens": u.CachedTokens},
		OutputTokens: u.OutputTokens, OutputDetails: map[string]int64{"reasoning_tokens": u.ReasoningTokens}, TotalTokens: u.InputTokens + u.OutputTokens}
	if result.Text != "" {
		r.Output = append(r.Output, responseMessage{"msg_" + callID, "message", ai.RoleAssistant, "completed", []responsePart{{"output_text", result.Text, []any{}}}})
	}
	for _, c := range result.Calls {
		r.Output = append(r.Output, responseCall{"fc_" + c.ID, "function_call", c.ID, c.Name, c.Arguments, "completed"})
	}
}

func (s *server) responses(w http.ResponseWriter, r *http.Request, who Asker) error {
	var request responsesRequest
	if err := read(r, &request); err != nil {
		return err
	}
	in, err := request.input()
	if err != nil {
		return err
	}
	in.CallID = ai.NewCallID()
	answer := response{ID: "resp_" + in.CallID, Object: "response", CreatedAt: s.now().Unix(), Status: "in_progress", Metadata: request.Metadata, Model: request.Model,
		Output: []any{}, ParallelToolCalls: true, Temperature: request.Temperature, ToolChoice: "auto", Tools: []any{}, TopP: request.TopP}
	if answer.Metadata == nil {
		answer.Metadata = map[string]string{}
	}
	if request.Stream {
		return s.responsesStream(w, r, who, in, answer)
	}
	result, err := s.run(r.Context(), who, request.Model, in)
	if err != nil {
		return err
	}
	answer.finished(result, in.CallID)
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// responsesStream sends the events of a response: its start, the text as it
// comes, the calls, and the whole at the end.
func (s *server) responsesStream(w http.ResponseWriter, r *http.Request, who Asker, in ai.Input, answer response) error {
	out := &responseStream{stream: newStream(w), answer: answer, message: responseMessage{"msg_" + in.CallID, "message", ai.RoleAssistant, "in_progress", []responsePart{}}}
	in.Stream = out.piece
	result, err := s.run(r.Context(), who, answer.Model, in)
	if err != nil {
		if !out.begun {
			return err
		}
		_, message, _ := s.told(r.Context(), err)
		out.answer.Status, out.answer.Error = "failed", map[string]string{"code": "server_error", "message": message}
		_ = out.event("response.failed", map[string]any{"response": out.answer}) // the caller is gone when this fails
		return nil
	}
	if err := out.end(result, in.CallID); err != nil {
		s.log.DebugContext(r.Context(), "the caller left before the end of the answer", "component", "modelapi", "error", err)
	}
	return nil
}

type responseStream struct {
	*stream
	answer   response
	message  responseMessage
	sequence int
	text     string
}

func (o *responseStream) event(kind string, fields map[string]any) error {
	fields["type"], fields["sequence_number"] = kind, o.sequence
	o.sequence++
	return o.send(kind, fields)
}

// events sends one after the other until one cannot be sent.
func (o *responseStream) events(all ...func() error) error {
	for _, each := range all {
		if err := each(); err != nil {
			return err
		}
	}
	return nil
}

func (o *responseStream) later(kind string, fields map[string]any) func() error {
	return func() error { return o.event(kind, fields) }
}

func (o *responseStream) start() error {
	if o.begun {
		return nil
	}
	return o.events(o.later("response.created", map[string]any{"response": o.answer}), o.later("response.in_progress", map[string]any{"response": o.answer}))
}

// part is where text goes.
func (o *responseStream) part(fields map[string]any) map[string]any {
	fields["item_id"], fields["output_index"], fields["content_index"] = o.message.ID, 0, 0
	return fields
}

func (o *responseStream) piece(text string) error {
	if err := o.start(); err != nil {
		return err
	}
	if o.text == "" {
		err := o.events(
			o.later("response.output_item.added", map[string]any{"output_index": 0, "item": o.message}),
			o.later("response.content_part.added", o.part(map[string]any{"part": responsePart{"output_text", "", []any{}}})),
		)
		if err != nil {
			return err
		}
	}
	o.text += text
	return o.event("response.output_text.delta", o.part(map[string]any{"delta": text, "logprobs": []any{}}))
}

func (o *responseStream) end(result *ai.Result, callID string) error {
	if err := o.start(); err != nil {
		return err
	}
	o.answer.finished(result, callID)
	if o.text != "" {
		err := o.events(
			o.later("response.output_text.done", o.part(map[string]any{"text": o.text, "logprobs": []any{}})),
			o.later("response.content_part.done", o.part(map[string]any{"part": responsePart{"output_text", o.text, []any{}}})),
			o.later("response.output_item.done", map[string]any{"output_index": 0, "item": o.answer.Output[0]}),
		)
		if err != nil {
			return err
		}
	}
	for i, item := range o.answer.Output {
		call, ok := item.(responseCall)
		if !ok {
			continue
		}
		begun := call
		begun.Arguments, begun.Status = "", "in_progress"
		where := func(fields map[string]any) map[string]any {
			fields["item_id"], fields["output_index"] = call.ID, i
			return fields
		}
		err := o.events(
			o.later("response.output_item.added", map[string]any{"output_index": i, "item": begun}),
			o.later("response.function_call_arguments.delta", where(map[string]any{"delta": call.Arguments})),
			o.later("response.function_call_arguments.done", where(map[string]any{"arguments": call.Arguments, "name": call.Name})),
			o.later("response.output_item.done", map[string]any{"output_index": i, "item": call}),
		)
		if err != nil {
			return err
		}
	}
	kind := "response.completed"
	if o.answer.Status == "incomplete" {
		kind = "response.incomplete"
	}
	return o.event(kind, map[string]any{"response": o.answer})
}
