// Package model is a fake of an OpenAI-compatible model service, for tests and
// demos: a real HTTP server on loopback that is strict about what it accepts,
// answers what it is told to, and keeps every request it got. It imports nothing
// of the product.
package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Message is one turn of a request.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Request is a chat completion as the service understood it.
type Request struct {
	Model               string          `json:"model"`
	Messages            []Message       `json:"messages"`
	Temperature         *float64        `json:"temperature"`
	TopP                *float64        `json:"top_p"`
	MaxTokens           *int64          `json:"max_tokens"`
	MaxCompletionTokens *int64          `json:"max_completion_tokens"`
	ResponseFormat      *ResponseFormat `json:"response_format"`
	Raw                 []byte          `json:"-"` // the body, as it arrived
}

// ResponseFormat is the structured answer asked for.
type ResponseFormat struct {
	Type       string `json:"type"`
	JSONSchema *struct {
		Name   string          `json:"name"`
		Strict *bool           `json:"strict"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
}

// Reply is what the service does with one request. The zero value answers an
// empty text with status 200.
type Reply struct {
	Status  int           // 0 = 200
	Text    string        // the assistant's message
	Refusal string        // instead of a text
	Finish  string        // "" = stop
	Body    string        // the whole body instead of a completion
	Header  http.Header   // added
	Delay   time.Duration // before answering; ends early when the client leaves
	Hang    bool          // never answer
}

// Behaviour decides on a reply.
type Behaviour func(Request) Reply

// Server is a running service.
type Server struct {
	// URL is the base URL to configure, http://127.0.0.1:port/v1.
	URL string

	key    string
	http   *http.Server
	closed chan struct{}

	mu        sync.Mutex
	script    []Reply
	otherwise Behaviour
	noSchema  bool
	requests  []Request
	faults    []string
}

// Start serves on a free port of loopback. key is the only one accepted; ""
// accepts any. Without a script it behaves as Analyst.
func Start(key string) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + listener.Addr().String() + "/v1", key: key, otherwise: Analyst, closed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.complete)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, http.StatusNotFound, "unknown_url", "no such path: "+r.Method+" "+r.URL.Path)
	})
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// Close stops the server, also requests that hang.
func (s *Server) Close() error {
	close(s.closed)
	return s.http.Close()
}

// Script queues replies for the next requests; afterwards the behaviour decides.
func (s *Server) Script(replies ...Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, replies...)
}

// Behave sets what answers requests beyond the script.
func (s *Server) Behave(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.otherwise = b
}

// RefuseSchemas makes the server answer 400 to a response_format, like servers
// that do not know it.
func (s *Server) RefuseSchemas() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noSchema = true
}

// Requests returns the well-formed requests so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Faults returns what was wrong with requests that were not well formed. A test
// asserts that it is empty.
func (s *Server) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	if s.key != "" && r.Header.Get("Authorization") != "Bearer "+s.key {
		// As the real service does, the message quotes the key.
		s.refuse(w, http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided: "+r.Header.Get("Authorization"))
		return
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		return
	}
	request, err := read(r, raw)
	if err != nil {
		s.mu.Lock()
		s.faults = append(s.faults, err.Error())
		s.mu.Unlock()
		s.refuse(w, http.StatusBadRequest, "invalid_request_error", err.Error())
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, *request)
	n := len(s.requests)
	noSchema, behaviour := s.noSchema && request.ResponseFormat != nil, s.otherwise
	var reply Reply
	scripted := !noSchema && len(s.script) > 0
	if scripted {
		reply, s.script = s.script[0], s.script[1:]
	}
	s.mu.Unlock()
	if noSchema {
		s.refuse(w, http.StatusBadRequest, "unsupported_parameter", "response_format is not supported")
		return
	}
	if !scripted {
		reply = behaviour(*request)
	}
	s.answer(w, r, request, reply, n)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, request *Request, reply Reply, n int) {
	if reply.Hang || reply.Delay > 0 {
		var due <-chan time.Time // nil: never
		if !reply.Hang {
			timer := time.NewTimer(reply.Delay)
			defer timer.Stop()
			due = timer.C
		}
		select {
		case <-due:
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		}
	}
	for name, values := range reply.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	status := reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	if reply.Body != "" {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, reply.Body)
		return
	}
	if status >= 400 {
		s.refuse(w, status, "scripted", "scripted failure")
		return
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(completion(request, reply, n))
}

func completion(request *Request, reply Reply, n int) map[string]any {
	finish := reply.Finish
	if finish == "" {
		finish = "stop"
	}
	message := map[string]any{"role": "assistant", "content": reply.Text, "refusal": nil}
	if reply.Refusal != "" {
		message["content"], message["refusal"] = nil, reply.Refusal
	}
	prompt := 0
	for _, m := range request.Messages {
		prompt += len(m.Content)
	}
	prompt, answer := prompt/4+1, len(reply.Text)/4+1
	return map[string]any{
		"id": "chatcmpl-" + strconv.Itoa(n), "object": "chat.completion", "created": 1_750_000_000, "model": request.Model,
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": finish, "logprobs": nil}},
		"usage": map[string]any{"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer,
			"prompt_tokens_details": map[string]any{"cached_tokens": 0}},
	}
}

func (s *Server) refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": "error", "param": nil, "code": code}})
}

var formatName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// read parses a request as strictly as the strictest of the services.
func read(r *http.Request, raw []byte) (*Request, error) {
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		return nil, fmt.Errorf("content type is %q", got)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	request := &Request{Raw: raw}
	if err := decoder.Decode(request); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	switch {
	case request.Model == "":
		return nil, errors.New("model is missing")
	case len(request.Messages) == 0:
		return nil, errors.New("messages are missing")
	case request.MaxTokens != nil && request.MaxCompletionTokens != nil:
		return nil, errors.New("max_tokens and max_completion_tokens exclude each other")
	}
	for i, m := range request.Messages {
		if !slices.Contains([]string{"system", "user", "assistant"}, m.Role) || m.Content == "" || m.Role == "system" && i > 0 {
			return nil, fmt.Errorf("message %d: role %q with %d bytes", i, m.Role, len(m.Content))
		}
	}
	if last := request.Messages[len(request.Messages)-1]; last.Role != "user" {
		return nil, fmt.Errorf("the last message is the %s's", last.Role)
	}
	return request, checkFormat(request.ResponseFormat)
}

func checkFormat(f *ResponseFormat) error {
	if f == nil {
		return nil
	}
	if f.Type != "json_schema" || f.JSONSchema == nil || !formatName.MatchString(f.JSONSchema.Name) || f.JSONSchema.Strict == nil || !*f.JSONSchema.Strict {
		return errors.New("response_format is no strict json_schema with a name")
	}
	var schema any
	if err := json.Unmarshal(f.JSONSchema.Schema, &schema); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	return checkStrict(schema)
}

// checkStrict holds a schema to the rules of strict mode: every object closes
// its properties and requires them all.
func checkStrict(schema any) error {
	switch node := schema.(type) {
	case []any:
		for _, child := range node {
			if err := checkStrict(child); err != nil {
				return err
			}
		}
	case map[string]any:
		if properties, ok := node["properties"].(map[string]any); ok && node["type"] == "object" {
			required, _ := node["required"].([]any)
			if node["additionalProperties"] != false || len(required) != len(properties) {
				return errors.New("schema: an object in strict mode needs additionalProperties false and all properties required")
			}
		}
		for _, child := range node {
			if err := checkStrict(child); err != nil {
				return err
			}
		}
	}
	return nil
}
