// Package llm is a fake of the model services, for tests, benchmarks and demos:
// a real HTTP server on loopback that speaks, on one port, OpenAI's chat
// completions, responses, embeddings and models, Anthropic's messages and
// models, and Gemini's generateContent, streamGenerateContent and
// batchEmbedContents. It is strict about what it accepts, answers what it is
// told to in the wire form of whoever asks, and keeps every request it got. It
// imports nothing of the product.
package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The wire forms, as Request.Wire names them.
const (
	OpenAIChat       = "openai-chat"
	OpenAIResponses  = "openai-responses"
	OpenAIEmbeddings = "openai-embeddings"
	Anthropic        = "anthropic"
	Gemini           = "gemini"
	GeminiEmbeddings = "gemini-embeddings"
)

// Message is one turn of a request, whatever its wire form.
type Message struct {
	Role    string // system, user, assistant or tool
	Content string
	Calls   []Call // of an assistant
	CallID  string // of a tool: the call it answers
}

// Call is a call of a tool.
type Call struct {
	ID        string // made up when a Reply leaves it out
	Name      string
	Arguments string // JSON
	Signature string // of Gemini: the thought signature, as it is sent and must come back
}

// Tool is a tool that a request offers.
type Tool struct {
	Name        string
	Description string
	Strict      bool
	Schema      json.RawMessage
}

// ResponseFormat is the structured answer asked for.
type ResponseFormat struct {
	Type       string // json_schema
	JSONSchema *JSONSchema
}

// JSONSchema is the schema of a structured answer. Anthropic and Gemini give it no name.
type JSONSchema struct {
	Name   string
	Strict *bool
	Schema json.RawMessage
}

// Request is a request as the service understood it.
type Request struct {
	Wire             string
	Model            string
	Messages         []Message
	Temperature      *float64
	TopP             *float64
	TopK             *int64
	MaxTokens        *int64
	Seed             *int64
	Stop             []string
	PresencePenalty  *float64
	FrequencyPenalty *float64
	ReasoningEffort  string
	ResponseFormat   *ResponseFormat
	Tools            []Tool
	ToolChoice       string // "" auto, none, required or the name of a tool
	Stream           bool
	Input            []string // to embed
	Dimensions       int
	Header           http.Header
	Raw              []byte // the body, as it arrived

	streamUsage bool // OpenAI's chat completions tell it in a stream only when asked
	base64      bool // OpenAI's embeddings
}

// Usage counts tokens the way a bill does: Input with the cached ones, Output
// with those of reasoning.
type Usage struct {
	Input, Cached, CacheWrite int
	Output, Reasoning         int
}

// Reply is what the service does with one request. The zero value answers an
// empty text with status 200.
type Reply struct {
	Text     string // the assistant's message
	Refusal  string // instead of a text
	Thoughts string // reasoning that is told before the text, where the wire form has it
	Calls    []Call
	Finish   string // "" = stop, or tool_calls with Calls; also length, content_filter
	Usage    *Usage // nil: counted out of the bytes

	Status     int           // 0 = 200; from 400 on the service's own error body
	Code       string        // of the error, in the words of the service; "" = what belongs to Status
	Message    string        // of the error
	RetryAfter time.Duration // told as the service does
	Body       string        // the whole body instead of an answer
	Header     http.Header   // added

	Delay time.Duration // before answering; ends early when the client leaves
	Hang  bool          // never answer
	Drop  bool          // close the connection without an answer

	// Of an answer that is streamed. Pieces are those of text, thoughts and
	// arguments; an answer that is not streamed stalls or is cut in its middle.
	Chunk      int           // characters in a piece; 0 = 16
	Between    time.Duration // before each piece but the first
	Split      int           // bytes of each write to the connection, in the middle of characters too; 0 = one write for an event
	StallAfter int           // pieces, then nothing any more; 0 = never
	CutAfter   int           // pieces, then the connection breaks; 0 = never
	FailAfter  int           // pieces, then the error of Status and Code within the stream; 0 = before them
}

// Behaviour decides on a reply.
type Behaviour func(Request) Reply

// Server is a running service.
type Server struct {
	// Base is http://127.0.0.1:port, what Anthropic's and Gemini's clients are
	// configured with; URL is Base + "/v1", what OpenAI's are.
	Base, URL string

	key    string
	http   *http.Server
	closed chan struct{}

	mu        sync.Mutex
	script    []Reply
	otherwise Behaviour
	noSchema  bool
	models    []string
	limit     int // of requests kept; 0 = all
	count     int
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
	base := "http://" + listener.Addr().String()
	s := &Server{Base: base, URL: base + "/v1", key: key, otherwise: Analyst, models: []string{"some-model"}, closed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.serve(chat{}))
	mux.HandleFunc("POST /v1/responses", s.serve(responses{}))
	mux.HandleFunc("POST /v1/embeddings", s.serve(embeddings{}))
	mux.HandleFunc("POST /v1/messages", s.serve(anthropic{}))
	mux.HandleFunc("POST /v1beta/models/{call}", s.serve(gemini{}))
	mux.HandleFunc("GET /v1/models", s.listModels)
	mux.HandleFunc("GET /v1beta/models", s.listGeminiModels)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fault(fmt.Errorf("no such path: %s %s", r.Method, r.URL.Path))
		send(w, http.StatusNotFound, chat{}.failure(Reply{Status: http.StatusNotFound, Code: "unknown_url", Message: "no such path: " + r.URL.Path}))
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

// RefuseSchemas makes the server answer 400 to a structured format, like servers
// that do not know it.
func (s *Server) RefuseSchemas() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noSchema = true
}

// Offer sets the models that the service lists. It answers for any.
func (s *Server) Offer(models ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models = models
}

// Keep makes the server remember the last n requests only, for load without end.
func (s *Server) Keep(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = n
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

func (s *Server) fault(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, err.Error())
}

// wire is one of the forms in which the service is spoken to.
type wire interface {
	// key is the one that the request carries; an error is a request that is not
	// well formed.
	key(r *http.Request) (string, error)
	read(r *http.Request, raw []byte) (Request, error)
	// badKey is the reply to a wrong key.
	badKey(key string) Reply
	// failure is the body of an error.
	failure(reply Reply) any
	// whole is the body of an answer, stream its events.
	whole(r Request, reply Reply, n int) any
	stream(r Request, reply Reply, n int) []event
	// broken is the event of an error within a stream.
	broken(reply Reply) event
	// retryAfter tells when to come again, beside what failure says of it.
	retryAfter(h http.Header, wait time.Duration)
}

// refusal is a request that is well formed and that the model does not take.
type refusal struct{ code, message string }

func (r refusal) Error() string { return r.message }

func (s *Server) serve(form wire) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, err := form.key(r)
		if err == nil && s.key != "" && key != s.key {
			s.answer(w, r, form, Request{}, form.badKey(key), 0)
			return
		}
		raw, readErr := io.ReadAll(io.LimitReader(r.Body, 32<<20))
		if readErr != nil {
			return
		}
		if got := r.Header.Get("Content-Type"); err == nil && got != "application/json" {
			err = fmt.Errorf("content type is %q", got)
		}
		var request Request
		if err == nil {
			request, err = form.read(r, raw)
		}
		if refused := (refusal{}); errors.As(err, &refused) {
			s.keep(request, r, raw)
			s.answer(w, r, form, request, Reply{Status: http.StatusBadRequest, Code: refused.code, Message: refused.message}, 0)
			return
		}
		if err != nil {
			s.fault(err)
			s.answer(w, r, form, request, Reply{Status: http.StatusBadRequest, Message: err.Error()}, 0)
			return
		}
		reply, n := s.decide(request, r, raw)
		s.answer(w, r, form, request, reply, n)
	}
}

func (s *Server) keep(request Request, r *http.Request, raw []byte) (n int, script *Reply) {
	request.Header, request.Raw = r.Header.Clone(), raw
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.count = append(s.requests, request), s.count+1
	if over := len(s.requests) - s.limit; s.limit > 0 && over > 0 {
		s.requests = slices.Delete(s.requests, 0, over)
	}
	if (!s.noSchema || request.ResponseFormat == nil) && len(s.script) > 0 {
		reply := s.script[0]
		script, s.script = &reply, s.script[1:]
	}
	return s.count, script
}

func (s *Server) decide(request Request, r *http.Request, raw []byte) (Reply, int) {
	n, script := s.keep(request, r, raw)
	s.mu.Lock()
	noSchema, behaviour := s.noSchema && request.ResponseFormat != nil, s.otherwise
	s.mu.Unlock()
	switch {
	case noSchema:
		return Reply{Status: http.StatusBadRequest, Code: "unsupported_parameter", Message: "response_format is not supported"}, n
	case script != nil:
		return *script, n
	}
	request.Header, request.Raw = r.Header.Clone(), raw
	return behaviour(request), n
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, form wire, request Request, reply Reply, n int) {
	if reply.Drop {
		panic(http.ErrAbortHandler)
	}
	if !s.wait(r, reply.Delay, reply.Hang) {
		return
	}
	status := reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.Header().Set("Content-Type", "application/json")
	for name, values := range reply.Header {
		w.Header()[name] = values
	}
	if reply.RetryAfter > 0 {
		form.retryAfter(w.Header(), reply.RetryAfter)
	}
	switch {
	case reply.Body != "":
		w.WriteHeader(status)
		_, _ = io.WriteString(w, reply.Body)
	case status >= 400 && (!request.Stream || reply.FailAfter == 0):
		send(w, status, form.failure(reply))
	case request.Stream:
		s.stream(w, r, form.stream(request, reply, n), form, reply)
	default:
		s.whole(w, r, status, form.whole(request, reply, n), reply)
	}
}

// wait waits; it reports false when the client or the server left.
func (s *Server) wait(r *http.Request, d time.Duration, forever bool) bool {
	if d <= 0 && !forever {
		return true
	}
	var due <-chan time.Time // nil: never
	if !forever {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return true
	case <-r.Context().Done():
	case <-s.closed:
	}
	return false
}

func (s *Server) whole(w http.ResponseWriter, r *http.Request, status int, body any, reply Reply) {
	if reply.StallAfter == 0 && reply.CutAfter == 0 {
		send(w, status, body)
		return
	}
	data := encode(body)
	w.WriteHeader(status)
	_, _ = w.Write(data[:len(data)/2])
	_ = http.NewResponseController(w).Flush()
	s.wait(r, 0, reply.StallAfter > 0)
	panic(http.ErrAbortHandler)
}

func send(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

func encode(body any) []byte {
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("llm: a body of its own that is no JSON: %v", err))
	}
	return data
}
