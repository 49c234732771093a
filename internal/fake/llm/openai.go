package llm

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// openAI is what OpenAI's paths have in common: keys and errors.
type openAI struct{}

// key reads the header of OpenAI, or that of Azure OpenAI where the request is
// for an Azure host.
func (openAI) key(r *http.Request) (string, error) {
	if azure(r) {
		return r.Header.Get("Api-Key"), nil
	}
	header := r.Header.Get("Authorization")
	key, ok := strings.CutPrefix(header, "Bearer")
	if !ok && header != "" {
		return "", errors.New("the Authorization header is no Bearer token")
	}
	return strings.TrimSpace(key), nil
}

func hostname(r *http.Request) string {
	host, _, _ := strings.Cut(r.Host, ":")
	return host
}

func azure(r *http.Request) bool { return strings.HasSuffix(hostname(r), ".azure.com") }

// own reports whether the request is for OpenAI's own service, which takes no
// parameters of others; tests reach it through a client that dials the fake.
func own(r *http.Request) bool { return strings.HasSuffix(hostname(r), ".openai.com") || azure(r) }

// badKey quotes the key, as the real service does.
func (openAI) badKey(key string) Reply {
	return Reply{Status: http.StatusUnauthorized, Code: "invalid_api_key", Message: "Incorrect API key provided: " + key + ". You can find your API key at https://platform.openai.com/account/api-keys."}
}

// openAITypes is the type that goes with a code.
var openAITypes = map[string]string{
	"insufficient_quota": "insufficient_quota", "rate_limit_exceeded": "requests", "server_error": "server_error",
}

func (openAI) failure(reply Reply) any { return map[string]any{"error": openAIError(reply)} }

func openAIError(reply Reply) map[string]any {
	code := reply.Code
	if code == "" {
		code = map[int]string{401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}[reply.Status]
	}
	kind := openAITypes[code]
	if kind == "" {
		kind = "invalid_request_error"
		if reply.Status >= 500 {
			kind = "server_error"
		}
	}
	var coded any
	if code != "" {
		coded = code
	}
	return map[string]any{"message": one(reply.Message, "scripted failure"), "type": kind, "param": nil, "code": coded}
}

func (openAI) retryAfter(h http.Header, wait time.Duration) {
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	h.Set("Retry-After-Ms", strconv.FormatInt(wait.Milliseconds(), 10))
}

var (
	formatName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	reasoning  = regexp.MustCompile(`^(o[1-9]|gpt-5)`)
	efforts    = map[string]bool{"": true, "none": true, "minimal": true, "low": true, "medium": true, "high": true, "xhigh": true}
)

// checkOpenAI holds what chat completions and responses have in common to its
// rules, and the parameters to what the model takes.
func checkOpenAI(r Request) error {
	if r.Model == "" {
		return errors.New("model is missing")
	}
	if !efforts[r.ReasoningEffort] {
		return fmt.Errorf("reasoning effort %q", r.ReasoningEffort)
	}
	for _, err := range []error{
		checkTurns(r.Messages), checkTools(r.Tools, r.ToolChoice), checkRange("temperature", r.Temperature, 0, 2), checkRange("top_p", r.TopP, 0, 1),
		checkRange("presence_penalty", r.PresencePenalty, -2, 2), checkRange("frequency_penalty", r.FrequencyPenalty, -2, 2),
		positive("max_tokens", r.MaxTokens), positive("top_k", r.TopK),
	} {
		if err != nil {
			return err
		}
	}
	for _, m := range r.Messages {
		if len(m.CallID) > 64 {
			return fmt.Errorf("the id of a call is longer than 64: %d", len(m.CallID))
		}
	}
	for _, tool := range r.Tools {
		if tool.Strict {
			if err := strictOpenAI(tool.Schema); err != nil {
				return err
			}
		}
	}
	if f := r.ResponseFormat; f != nil {
		if !formatName.MatchString(f.JSONSchema.Name) || f.JSONSchema.Strict == nil || !*f.JSONSchema.Strict {
			return errors.New("the format is no strict json_schema with a name")
		}
		if err := strictOpenAI(f.JSONSchema.Schema); err != nil {
			return err
		}
	}
	if reasoning.MatchString(r.Model) {
		switch {
		case r.Temperature != nil && *r.Temperature != 1:
			return refusal{"unsupported_value", "Unsupported value: 'temperature' does not support this value with this model. Only the default (1) value is supported."}
		case r.TopP != nil && *r.TopP != 1, r.PresencePenalty != nil, r.FrequencyPenalty != nil:
			return refusal{"unsupported_parameter", "Unsupported parameter: 'top_p' is not supported with this model."}
		}
	} else if r.ReasoningEffort != "" && strings.HasPrefix(r.Model, "gpt-4") {
		return refusal{"unsupported_parameter", "Unsupported parameter: 'reasoning_effort' is not supported with this model."}
	}
	return nil
}

func (s *Server) listModels(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	models := s.models
	s.mu.Unlock()
	if r.Header.Get("Anthropic-Version") != "" {
		data := []any{}
		for _, name := range models {
			data = append(data, map[string]any{"type": "model", "id": name, "display_name": name, "created_at": "2025-06-15T00:00:00Z"})
		}
		s.list(w, r, anthropic{}, map[string]any{"data": data, "has_more": false, "first_id": nil, "last_id": nil})
		return
	}
	data := []any{}
	for _, name := range models {
		data = append(data, map[string]any{"id": name, "object": "model", "created": 1_750_000_000, "owned_by": "fake"})
	}
	s.list(w, r, chat{}, map[string]any{"object": "list", "data": data})
}

func (s *Server) listGeminiModels(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	models := s.models
	s.mu.Unlock()
	data := []any{}
	for _, name := range models {
		data = append(data, map[string]any{"name": "models/" + name, "supportedGenerationMethods": []string{"generateContent"}})
	}
	s.list(w, r, gemini{}, map[string]any{"models": data})
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, form wire, body any) {
	switch key, err := form.key(r); {
	case err != nil:
		s.fault(err)
		send(w, http.StatusBadRequest, form.failure(Reply{Status: http.StatusBadRequest, Message: err.Error()}))
	case s.key != "" && key != s.key:
		bad := form.badKey(key)
		send(w, bad.Status, form.failure(bad))
	default:
		send(w, http.StatusOK, body)
	}
}

// embeddings is POST /v1/embeddings.
type embeddings struct{ openAI }

func (embeddings) read(_ *http.Request, raw []byte) (Request, error) {
	var in struct {
		Model          string `json:"model"`
		Input          words  `json:"input"`
		Dimensions     int    `json:"dimensions"`
		EncodingFormat string `json:"encoding_format"`
		User           string `json:"user"`
	}
	r := Request{Wire: OpenAIEmbeddings}
	if err := decode(raw, &in); err != nil {
		return r, err
	}
	r.Model, r.Input, r.Dimensions, r.base64 = in.Model, in.Input, in.Dimensions, in.EncodingFormat == "base64"
	if in.EncodingFormat != "" && in.EncodingFormat != "float" && !r.base64 {
		return r, fmt.Errorf("encoding format %q", in.EncodingFormat)
	}
	return r, checkEmbeddings(r)
}

func checkEmbeddings(r Request) error {
	if r.Model == "" || len(r.Input) == 0 || len(r.Input) > 2048 || r.Dimensions < 0 {
		return fmt.Errorf("%d texts to embed with model %q in %d dimensions", len(r.Input), r.Model, r.Dimensions)
	}
	for _, text := range r.Input {
		if text == "" {
			return errors.New("a text to embed is empty")
		}
	}
	return nil
}

func (embeddings) whole(r Request, reply Reply, _ int) any {
	data := []any{}
	for i, text := range r.Input {
		var vector any = Vector(text, r.Dimensions)
		if r.base64 {
			var raw []byte
			for _, x := range Vector(text, r.Dimensions) {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
			}
			vector = base64.StdEncoding.EncodeToString(raw)
		}
		data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": vector})
	}
	u := usage(r, reply)
	return map[string]any{"object": "list", "data": data, "model": r.Model, "usage": map[string]any{"prompt_tokens": u.Input, "total_tokens": u.Input}}
}

func (embeddings) stream(Request, Reply, int) []event { return nil }
func (embeddings) broken(Reply) event                 { return event{} }

// Vector is what the service embeds a text as: of length 1, the same for the
// same text, in 8 dimensions unless asked otherwise.
func Vector(text string, dimensions int) []float32 {
	if dimensions == 0 {
		dimensions = 8
	}
	values, sum := make([]float64, dimensions), 0.0
	for i := range values {
		hash := fnv.New32a()
		_, _ = fmt.Fprintf(hash, "%d %s", i, text)
		values[i] = float64(hash.Sum32())/math.MaxUint32*2 - 1
		sum += values[i] * values[i]
	}
	out := make([]float32, dimensions)
	for i, v := range values {
		out[i] = float32(v / math.Sqrt(sum))
	}
	return out
}

// toolChoice is "auto", "none", "required" or an object that names a function.
type toolChoice struct{ name string }

func (c *toolChoice) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		if err := json.Unmarshal(data, &c.name); err != nil {
			return err
		}
		switch c.name {
		case "auto":
			c.name = ""
		case "none", "required":
		default:
			return fmt.Errorf("tool_choice %q", c.name)
		}
		return nil
	}
	var named struct {
		Type     string `json:"type"`
		Name     string `json:"name"` // responses
		Function struct {
			Name string `json:"name"`
		} `json:"function"` // chat completions
	}
	if err := decode(data, &named); err != nil {
		return err
	}
	c.name = named.Name + named.Function.Name
	if named.Type != "function" || c.name == "" {
		return errors.New("tool_choice names no function")
	}
	return nil
}
