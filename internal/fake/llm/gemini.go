package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// gemini is POST /v1beta/models/{model}:{method} of the Gemini API.
type gemini struct{}

func (gemini) key(r *http.Request) (string, error) {
	if r.URL.Query().Has("key") {
		return "", errors.New("the key is in the address, where every log on the way has it")
	}
	return r.Header.Get("X-Goog-Api-Key"), nil
}

func (gemini) badKey(string) Reply {
	return Reply{Status: http.StatusBadRequest, Code: "API_KEY_INVALID", Message: "API key not valid. Please pass a valid API key."}
}

var geminiStates = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED",
	500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}

// failure knows as codes the states of Google's errors, and for a reason within
// them API_KEY_INVALID and, of a quota by the day, quota_per_day.
func (gemini) failure(reply Reply) any {
	state, details := one(geminiStates[reply.Status], "UNKNOWN"), []any{}
	switch reply.Code {
	case "API_KEY_INVALID":
		details = append(details, map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"})
	case "quota_per_day":
		details = append(details, map[string]any{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []any{map[string]any{
			"quotaMetric": "generativelanguage.googleapis.com/generate_requests_per_model_per_day", "quotaId": "GenerateRequestsPerDayPerProjectPerModel"}}})
	default:
		for _, known := range geminiStates {
			if reply.Code == known {
				state = known
			}
		}
		if reply.Code == "FAILED_PRECONDITION" {
			state = reply.Code
		}
	}
	if reply.RetryAfter > 0 {
		details = append(details, map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": strconv.FormatFloat(reply.RetryAfter.Seconds(), 'f', -1, 64) + "s"})
	}
	body := map[string]any{"code": reply.Status, "message": one(reply.Message, "scripted failure"), "status": state}
	if len(details) > 0 {
		body["details"] = details
	}
	return map[string]any{"error": body}
}

func (gemini) retryAfter(http.Header, time.Duration) {} // it is in the body

type geminiContent struct {
	Role  string `json:"role"`
	Parts []struct {
		Text             string `json:"text"`
		Thought          bool   `json:"thought"`
		ThoughtSignature string `json:"thoughtSignature"`
		FunctionCall     *struct {
			ID   string          `json:"id"`
			Name string          `json:"name"`
			Args json.RawMessage `json:"args"`
		} `json:"functionCall"`
		FunctionResponse *struct {
			ID       string          `json:"id"`
			Name     string          `json:"name"`
			Response json.RawMessage `json:"response"`
		} `json:"functionResponse"`
	} `json:"parts"`
}

type geminiRequest struct {
	Contents          []geminiContent `json:"contents"`
	SystemInstruction *geminiContent  `json:"systemInstruction"`
	GenerationConfig  struct {
		Temperature        *float64        `json:"temperature"`
		TopP               *float64        `json:"topP"`
		TopK               *float64        `json:"topK"`
		MaxOutputTokens    *int64          `json:"maxOutputTokens"`
		StopSequences      []string        `json:"stopSequences"`
		Seed               *int32          `json:"seed"`
		PresencePenalty    *float64        `json:"presencePenalty"`
		FrequencyPenalty   *float64        `json:"frequencyPenalty"`
		ResponseMIMEType   string          `json:"responseMimeType"`
		ResponseJSONSchema json.RawMessage `json:"responseJsonSchema"`
		CandidateCount     int             `json:"candidateCount"`
		ThinkingConfig     *struct {
			ThinkingLevel   string `json:"thinkingLevel"`
			ThinkingBudget  *int   `json:"thinkingBudget"`
			IncludeThoughts bool   `json:"includeThoughts"`
		} `json:"thinkingConfig"`
	} `json:"generationConfig"`
	Tools []struct {
		FunctionDeclarations []struct {
			Name                 string          `json:"name"`
			Description          string          `json:"description"`
			ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
		} `json:"functionDeclarations"`
	} `json:"tools"`
	ToolConfig *struct {
		FunctionCallingConfig struct {
			Mode                 string   `json:"mode"`
			AllowedFunctionNames []string `json:"allowedFunctionNames"`
		} `json:"functionCallingConfig"`
	} `json:"toolConfig"`
}

func (gemini) read(h *http.Request, raw []byte) (Request, error) {
	model, method, _ := strings.Cut(h.PathValue("call"), ":")
	r := Request{Wire: Gemini, Model: model}
	switch method {
	case "batchEmbedContents":
		return readGeminiEmbeddings(model, raw)
	case "streamGenerateContent":
		if r.Stream = true; h.URL.Query().Get("alt") != "sse" {
			return r, errors.New("a stream is asked for without alt=sse")
		}
	case "generateContent":
	default:
		return r, fmt.Errorf("no method %q", method)
	}
	var in geminiRequest
	if err := decode(raw, &in); err != nil {
		return r, err
	}
	c := in.GenerationConfig
	r.Temperature, r.TopP, r.MaxTokens, r.Stop, r.PresencePenalty, r.FrequencyPenalty = c.Temperature, c.TopP, c.MaxOutputTokens, c.StopSequences, c.PresencePenalty, c.FrequencyPenalty
	if c.TopK != nil {
		k := int64(*c.TopK)
		r.TopK = &k
	}
	if c.Seed != nil {
		seed := int64(*c.Seed)
		r.Seed = &seed
	}
	if t := c.ThinkingConfig; t != nil {
		r.ReasoningEffort = strings.ToLower(t.ThinkingLevel)
		if !slices.Contains([]string{"", "minimal", "low", "medium", "high"}, r.ReasoningEffort) {
			return r, fmt.Errorf("thinkingLevel %q", t.ThinkingLevel)
		}
	}
	if in.SystemInstruction != nil {
		text := ""
		for _, part := range in.SystemInstruction.Parts {
			text += part.Text
		}
		r.Messages = append(r.Messages, Message{Role: "system", Content: text})
	}
	if err := geminiTurns(&r, in.Contents); err != nil {
		return r, err
	}
	for _, tool := range in.Tools {
		for _, f := range tool.FunctionDeclarations {
			if err := strictGemini(f.ParametersJSONSchema); err != nil {
				return r, fmt.Errorf("tool %q: %w", f.Name, err)
			}
			r.Tools = append(r.Tools, Tool{Name: f.Name, Description: f.Description, Schema: f.ParametersJSONSchema})
		}
	}
	if in.ToolConfig != nil {
		f := in.ToolConfig.FunctionCallingConfig
		switch f.Mode {
		case "AUTO":
		case "NONE":
			r.ToolChoice = "none"
		case "ANY":
			r.ToolChoice = "required"
			if len(f.AllowedFunctionNames) == 1 {
				r.ToolChoice = f.AllowedFunctionNames[0]
			}
		default:
			return r, fmt.Errorf("functionCallingConfig.mode %q", f.Mode)
		}
		if f.Mode != "ANY" && len(f.AllowedFunctionNames) > 0 {
			return r, errors.New("allowed_function_names is for mode ANY only")
		}
	}
	for _, err := range []error{checkTurns(r.Messages), checkTools(r.Tools, r.ToolChoice), checkRange("temperature", r.Temperature, 0, 2), checkRange("topP", r.TopP, 0, 1), positive("topK", r.TopK), positive("maxOutputTokens", r.MaxTokens)} {
		if err != nil {
			return r, err
		}
	}
	switch {
	case len(r.Stop) > 5 || c.CandidateCount > 1:
		return r, fmt.Errorf("%d stop sequences, %d candidates", len(r.Stop), c.CandidateCount)
	case c.ResponseJSONSchema != nil && c.ResponseMIMEType != "application/json":
		return r, errors.New("responseJsonSchema needs the MIME type application/json")
	case c.ResponseJSONSchema != nil:
		if err := strictGemini(c.ResponseJSONSchema); err != nil {
			return r, err
		}
		r.ResponseFormat = &ResponseFormat{Type: "json_schema", JSONSchema: &JSONSchema{Schema: c.ResponseJSONSchema}}
	}
	if r.ResponseFormat != nil && len(r.Tools) > 0 && strings.HasPrefix(model, "gemini-2") {
		return r, refusal{"INVALID_ARGUMENT", "Function calling with a response mime type: 'application/json' is unsupported"}
	}
	return r, nil
}

// geminiTurns reads the turns. Their calls have ids only when the client keeps
// those of the service; the results follow in the order of the calls.
func geminiTurns(r *Request, contents []geminiContent) error {
	var open []Call
	for i, c := range contents {
		if c.Role != "user" && c.Role != "model" || i == 0 && c.Role != "user" || len(c.Parts) == 0 {
			return fmt.Errorf("contents %d: role %q with %d parts", i, c.Role, len(c.Parts))
		}
		said := Message{Role: map[string]string{"user": "user", "model": "assistant"}[c.Role]}
		answered := 0
		for _, part := range c.Parts {
			switch {
			case part.FunctionCall != nil:
				f := part.FunctionCall
				if strings.HasPrefix(r.Model, "gemini-3") && part.ThoughtSignature == "" && len(said.Calls) == 0 {
					return errors.New("function call is missing a thought_signature in functionCall parts")
				}
				var args bytes.Buffer
				if err := json.Compact(&args, []byte(one(string(f.Args), "{}"))); err != nil {
					return err
				}
				said.Calls = append(said.Calls, Call{ID: one(f.ID, fmt.Sprintf("%d/%d", i, len(said.Calls))), Name: f.Name, Arguments: args.String(), Signature: part.ThoughtSignature})
			case part.FunctionResponse != nil:
				f := part.FunctionResponse
				if answered >= len(open) || open[answered].Name != f.Name || f.ID != "" && open[answered].ID != f.ID || len(f.Response) == 0 || f.Response[0] != '{' {
					return fmt.Errorf("contents %d: the function response parts are not those of the function call parts before", i)
				}
				r.Messages = append(r.Messages, Message{Role: "tool", CallID: open[answered].ID, Content: geminiOutput(f.Response)})
				answered++
			case part.Text == "":
				return fmt.Errorf("contents %d: a part without data", i)
			case !part.Thought:
				said.Content += part.Text
			}
		}
		if answered != len(open) {
			return fmt.Errorf("contents %d: %d function responses to %d function calls", i, answered, len(open))
		}
		open = said.Calls
		if said.Content != "" || len(said.Calls) > 0 {
			r.Messages = append(r.Messages, said)
		}
	}
	return nil
}

// geminiOutput is the text of a result that is wrapped as {"output": text}.
func geminiOutput(raw json.RawMessage) string {
	var wrapped struct {
		Output *string `json:"output"`
	}
	if json.Unmarshal(raw, &wrapped) == nil && wrapped.Output != nil {
		return *wrapped.Output
	}
	return string(raw)
}

func readGeminiEmbeddings(model string, raw []byte) (Request, error) {
	var in struct {
		Requests []struct {
			Model                string        `json:"model"`
			Content              geminiContent `json:"content"`
			OutputDimensionality int           `json:"outputDimensionality"`
			TaskType             string        `json:"taskType"`
		} `json:"requests"`
	}
	r := Request{Wire: GeminiEmbeddings, Model: model}
	if err := decode(raw, &in); err != nil {
		return r, err
	}
	for i, one := range in.Requests {
		if one.Model != "models/"+model || len(one.Content.Parts) != 1 {
			return r, fmt.Errorf("requests %d: model %q with %d parts", i, one.Model, len(one.Content.Parts))
		}
		r.Input, r.Dimensions = append(r.Input, one.Content.Parts[0].Text), one.OutputDimensionality
	}
	return r, checkEmbeddings(r)
}

func geminiBody(r Request, n int, candidate map[string]any, u *Usage) map[string]any {
	body := map[string]any{"modelVersion": r.Model, "responseId": "fake-" + strconv.Itoa(n)}
	if candidate != nil {
		candidate["index"] = 0
		body["candidates"] = []any{candidate}
	}
	if u != nil {
		body["usageMetadata"] = map[string]any{"promptTokenCount": u.Input, "cachedContentTokenCount": u.Cached, "candidatesTokenCount": u.Output - u.Reasoning,
			"thoughtsTokenCount": u.Reasoning, "totalTokenCount": u.Input + u.Output}
	}
	return body
}

func geminiFinish(reply Reply) string {
	return map[string]string{"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}[finish(reply)]
}

func geminiCalls(reply Reply) []any {
	var parts []any
	for _, c := range reply.Calls {
		call := map[string]any{"name": c.Name, "args": json.RawMessage(one(c.Arguments, "{}"))}
		if c.ID != "" {
			call["id"] = c.ID
		}
		part := map[string]any{"functionCall": call}
		if c.Signature != "" {
			part["thoughtSignature"] = c.Signature
		}
		parts = append(parts, part)
	}
	return parts
}

// blocked is the answer to a prompt that the service's policy refuses.
func blocked(r Request, reply Reply, n int) map[string]any {
	u := usage(r, reply)
	body := geminiBody(r, n, nil, &u)
	body["promptFeedback"] = map[string]any{"blockReason": "PROHIBITED_CONTENT"}
	return body
}

func (gemini) whole(r Request, reply Reply, n int) any {
	u := usage(r, reply)
	if r.Wire == GeminiEmbeddings {
		all := []any{}
		for _, text := range r.Input {
			all = append(all, map[string]any{"values": Vector(text, r.Dimensions)})
		}
		return map[string]any{"embeddings": all}
	}
	if reply.Refusal != "" {
		return blocked(r, reply, n)
	}
	parts := []any{}
	if reply.Thoughts != "" {
		parts = append(parts, map[string]any{"text": reply.Thoughts, "thought": true})
	}
	if reply.Text != "" {
		parts = append(parts, map[string]any{"text": reply.Text})
	}
	candidate := map[string]any{"finishReason": geminiFinish(reply), "content": map[string]any{"role": "model", "parts": append(parts, geminiCalls(reply)...)}}
	return geminiBody(r, n, candidate, &u)
}

func (gemini) stream(r Request, reply Reply, n int) []event {
	u := usage(r, reply)
	var events []event
	say := func(body map[string]any, piece bool) {
		events = append(events, event{data: body, piece: piece, end: "\r\n\r\n"})
	}
	if reply.Refusal != "" {
		say(blocked(r, reply, n), true)
		return events
	}
	begun := Usage{Input: u.Input, Cached: u.Cached}
	part := func(part any) {
		say(geminiBody(r, n, map[string]any{"content": map[string]any{"role": "model", "parts": []any{part}}}, &begun), true)
	}
	for _, text := range chunks(reply.Thoughts, reply.Chunk) {
		part(map[string]any{"text": text, "thought": true})
	}
	for _, text := range chunks(reply.Text, reply.Chunk) {
		part(map[string]any{"text": text})
	}
	for _, call := range geminiCalls(reply) {
		part(call)
	}
	say(geminiBody(r, n, map[string]any{"finishReason": geminiFinish(reply), "content": map[string]any{"role": "model", "parts": []any{map[string]any{"text": ""}}}}, &u), false)
	return events
}

func (gemini) broken(reply Reply) event {
	return event{data: gemini{}.failure(reply), end: "\r\n\r\n"}
}
