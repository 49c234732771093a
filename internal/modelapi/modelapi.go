// Package modelapi speaks the protocols of model services, so that unmodified
// clients of OpenAI and of Anthropic ask MATRIX AI: the name of a model is a role
// ("role:agent-alert-analyzer", "role:code@label") or, for who may, a model of a
// configured service ("openai/gpt-4.1").
//
// It owns the translation of requests, answers and errors. It does not know who
// asks or how a question is answered: app hands in the one, package ai is the other.
package modelapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// Options configure the protocols. Gateway and Asker are required.
type Options struct {
	Gateway *ai.Gateway
	// Asker tells who sends a request, and refuses who may not ask models.
	Asker func(*http.Request) (Asker, error)
	Log   *slog.Logger
	Now   func() time.Time
}

// Asker is who asks a model, and for which project.
type Asker struct {
	Caller ai.Caller
	Models bool // may ask models by name, beside roles
}

type server struct {
	gateway *ai.Gateway
	asker   func(*http.Request) (Asker, error)
	log     *slog.Logger
	now     func() time.Time
}

// New returns the handler of the paths below /v1/.
func New(opts Options) http.Handler {
	s := &server{gateway: opts.Gateway, asker: opts.Asker, log: opts.Log, now: opts.Now}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	mux := http.NewServeMux()
	mux.Handle("POST /v1/chat/completions", s.handle(openAI, s.chat))
	mux.Handle("POST /v1/responses", s.handle(openAI, s.responses))
	mux.Handle("POST /v1/embeddings", s.handle(openAI, s.embed))
	mux.Handle("GET /v1/models", s.handle(openAI, s.models))
	mux.Handle("GET /v1/models/{model...}", s.handle(openAI, s.model))
	mux.Handle("POST /v1/messages", s.handle(anthropic, s.messages))
	mux.Handle("/v1/", s.handle(openAI, func(http.ResponseWriter, *http.Request, Asker) error {
		return fault.New(fault.NotFound, "there is no such path: chat/completions, responses, embeddings, messages and models are answered here")
	}))
	return mux
}

// protocol writes what is the same in all answers of a service.
type protocol struct {
	// refusal is the body of an error.
	refusal func(kind fault.Kind, message, field string) any
}

// handle finds out who asks and answers an error in the words of the protocol.
func (s *server) handle(p *protocol, answer func(http.ResponseWriter, *http.Request, Asker) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asker, err := s.asker(r)
		if err == nil {
			err = answer(w, r, asker)
		}
		if err != nil {
			s.refuse(w, r, p, err)
		}
	})
}

var statuses = map[fault.Kind]int{
	fault.Internal: http.StatusInternalServerError, fault.Invalid: http.StatusBadRequest, fault.Unauthenticated: http.StatusUnauthorized,
	fault.Denied: http.StatusForbidden, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.RateLimited: http.StatusTooManyRequests, fault.Unsupported: http.StatusBadRequest, fault.Unavailable: http.StatusServiceUnavailable,
}

func (s *server) refuse(w http.ResponseWriter, r *http.Request, p *protocol, err error) {
	kind, message, field := s.told(r.Context(), err)
	if f := fault.As(err); f != nil && f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	writeJSON(w, statuses[kind], p.refusal(kind, message, field))
}

// told is what a caller may know of an error. What is our fault is logged.
func (s *server) told(ctx context.Context, err error) (kind fault.Kind, message, field string) {
	if f := fault.As(err); f != nil && f.Kind != fault.Internal || errors.Is(err, ai.ErrMasking) {
		return f.Kind, f.Message, f.Field
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Unavailable, "the answer took too long", ""
	}
	s.log.ErrorContext(ctx, "a question to a model failed", "component", "modelapi", "error", err)
	return fault.Internal, "this is our fault, and in our log", ""
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller is gone when this fails
}

// bodies are buffers of requests; one over keptBody is not kept for the next.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keptBody = 256 << 10

// read decodes a request. Fields that it does not know are left alone, as the
// services themselves get new ones.
func read(r *http.Request, into any) error {
	body, _ := bodies.Get().(*bytes.Buffer)
	defer func() {
		if body.Cap() <= keptBody {
			body.Reset()
			bodies.Put(body)
		}
	}()
	_, err := body.ReadFrom(r.Body)
	if err == nil && body.Len() == 0 {
		return fault.New(fault.Invalid, "the request is empty")
	}
	if err == nil {
		err = json.Unmarshal(body.Bytes(), into)
	}
	if err == nil {
		return nil
	}
	var tooLarge *http.MaxBytesError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &tooLarge):
		return fault.New(fault.TooLarge, "the request is over %d bytes", tooLarge.Limit)
	case errors.As(err, &shape):
		return fault.New(fault.Invalid, "%s is not a %s", shape.Field, shape.Type).WithField(shape.Field)
	}
	return fault.New(fault.Invalid, "the request is not JSON of this protocol: %v", err)
}

// run asks the role or model that a client names.
func (s *server) run(ctx context.Context, who Asker, model string, in ai.Input) (*ai.Result, error) {
	if in.Language == "" {
		in.Language = "en"
	}
	name, isRole := strings.CutPrefix(model, "role:")
	if !isRole {
		entry, err := s.entry(ctx, who, model)
		if err != nil {
			return nil, err
		}
		return s.gateway.Ask(ctx, who.Caller, entry, in)
	}
	code, label, _ := strings.Cut(name, "@")
	in.Label = label
	return s.gateway.Run(ctx, who.Caller, code, in)
}

// entry is a model of a service by name: "service/model", or "model" when one
// service is configured.
func (s *server) entry(ctx context.Context, who Asker, model string) (ai.Entry, error) {
	if !who.Models {
		return ai.Entry{}, fault.New(fault.Denied, "this token asks roles only: name one as role:code").WithField("model")
	}
	known, err := s.gateway.Providers(ctx, who.Caller.Project)
	if err != nil {
		return ai.Entry{}, err
	}
	service, name, found := strings.Cut(model, "/")
	for _, each := range known {
		if found && each == service && name != "" {
			return ai.Entry{Provider: service, Model: name}, nil
		}
	}
	if len(known) == 1 && model != "" {
		return ai.Entry{Provider: known[0], Model: model}, nil
	}
	return ai.Entry{}, fault.New(fault.NotFound, "there is no model %q: name a role as role:code, or a model as service/model; services are %s", model, strings.Join(known, ", ")).WithField("model")
}

// stream is a response of server-sent events. Its header goes out with the first
// event, so that an error before it still has a status.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func newStream(w http.ResponseWriter) *stream {
	return &stream{w: w, control: http.NewResponseController(w)}
}

// writeWithin is how long a slow reader may take for one event.
const writeWithin = 30 * time.Second

func (s *stream) begin() {
	if s.begun {
		return
	}
	s.begun = true
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the events back
	s.w.WriteHeader(http.StatusOK)
}

// send writes an event with a name, "" for none.
func (s *stream) send(event string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return s.raw(event, string(body))
}

func (s *stream) raw(event, data string) error {
	s.begin()
	if err := s.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if event != "" {
		if _, err := fmt.Fprintf(s.w, "event: %s\n", event); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(s.w, "data: %s\n\n", data); err != nil {
		return err
	}
	return s.control.Flush()
}
