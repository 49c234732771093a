package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// RunRequest is a question to an AI role.
type RunRequest struct {
	Input     string            `json:"input,omitempty" doc:"the turn of the user"`
	Messages  []ai.Message      `json:"messages,omitempty" maxItems:"500" doc:"the turns before it"`
	Variables map[string]string `json:"variables,omitempty" doc:"of the role's system message"`
	// Conversation keeps tokens the same over its turns.
	Conversation string `json:"conversation,omitempty" maxLength:"64" doc:"\"new\" begins one, its id goes on with it; absent: the question stands alone"`
	Label        string `json:"label,omitempty" maxLength:"32" doc:"of the role; absent is production"`
	Language     string `json:"language,omitempty" enum:"ko,en" doc:"of the answer; absent is ko"`
	Stream       bool   `json:"stream,omitempty" doc:"answer as server-sent events: text, then done or error"`
}

// RunAnswer is what a role answered.
type RunAnswer struct {
	CallID       string          `json:"call_id" doc:"of the log of calls"`
	Text         string          `json:"text"`
	Parsed       json.RawMessage `json:"parsed,omitempty" doc:"the answer of a role with a response format"`
	Finish       string          `json:"finish" doc:"stop or length"`
	Conversation string          `json:"conversation,omitempty" doc:"its id, to go on with it"`
	Role         string          `json:"role"`
	RoleVersion  int             `json:"role_version"`
	Provider     string          `json:"provider"`
	Model        string          `json:"model"`
	Dropped      []string        `json:"dropped,omitempty" doc:"parameters that the model does not take"`
	Usage        ai.Usage        `json:"usage"`
	LatencyMs    int64           `json:"latency_ms"`
}

func answerOf(r *ai.Result) RunAnswer {
	a := RunAnswer{CallID: r.CallID, Text: r.Text, Finish: r.Finish, Conversation: r.Thread, Role: r.Role, RoleVersion: r.RoleVersion, Provider: r.Provider, Model: r.Model,
		Dropped: r.Dropped, Usage: r.Usage, LatencyMs: r.LatencyMs}
	if r.Structured {
		a.Parsed = json.RawMessage(r.Text)
	}
	return a
}

// runWithin bounds a question: a chain of slow models takes longer than other requests.
const runWithin = 10 * time.Minute

// streamed describes an operation that answers with an A, at once or as events.
func streamed[A any](s *server, id, path, summary string) huma.Operation {
	of := reflect.TypeFor[A]()
	answer := s.api.OpenAPI().Components.Schemas.Schema(of, true, of.Name())
	op := post(id, path, summary, http.StatusOK)
	op.Responses = map[string]*huma.Response{"default": s.failure, "200": {Description: "OK", Content: map[string]*huma.MediaType{
		"application/json":  {Schema: answer},
		"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString, Description: "events text {text}, then done with the answer, or error with a problem"}},
	}}}
	return op
}

func (s *server) registerRuns() {
	op := streamed[RunAnswer](s, "run-role", "/api/v1/ai/roles/{role}/runs", "Ask an AI role; every call is masked, limited and logged")
	register(s, tenant.ProjectAsk, op, func(ctx context.Context, a tenant.Actor, in *struct {
		InRole
		Project string `query:"project" doc:"for which it is asked; absent when you can see one only"`
		Body    RunRequest
	}) (*huma.StreamResponse, error) {
		p, err := s.tenants.ProjectFor(ctx, a, in.Project)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { s.answerRun(hc, AskerOf(a, p), in.Role, in.Body) }}, nil
	})
	register(s, tenant.ProjectAsk, get("get-conversation", "/api/v1/ai/conversations/{conversation}", "A conversation of yours with a role, its turns as they were said"),
		func(ctx context.Context, a tenant.Actor, in *inConversation) (*result[*ai.Thread], error) {
			p, err := s.tenants.ProjectFor(ctx, a, in.Project)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.AI.Thread(ctx, AskerOf(a, p), in.Conversation))
		})
	register(s, tenant.ProjectAsk, del("delete-conversation", "/api/v1/ai/conversations/{conversation}", "Forget a conversation of yours"),
		func(ctx context.Context, a tenant.Actor, in *inConversation) (*struct{}, error) {
			p, err := s.tenants.ProjectFor(ctx, a, in.Project)
			if err != nil {
				return nil, err
			}
			return nil, s.opts.AI.DeleteThread(ctx, AskerOf(a, p), in.Conversation)
		})
}

// inConversation names a conversation and the project it is about.
type inConversation struct {
	Conversation string `path:"conversation" maxLength:"64"`
	Project      string `query:"project" doc:"absent when you can see one only"`
}

// AskerOf is how the log of calls names who asks through the API.
func AskerOf(a tenant.Actor, p project.ID) ai.Caller {
	c := ai.Caller{Project: p, Kind: "api", Name: a.Name, Person: a.UserID}
	if a.Token != nil {
		c.Token = a.Token.ID
		c.Ref = fmt.Sprintf("token/%d", a.Token.ID)
	}
	return c
}

// eventWriter answers one question: with server-sent events as they come, or at once.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	stream  bool
	begun   bool
}

// newEventWriter gives the answer the time that a chain of slow models takes.
func newEventWriter(hc huma.Context, stream bool) *eventWriter {
	_, w := humago.Unwrap(hc)
	out := &eventWriter{w: w, control: http.NewResponseController(w), stream: stream}
	_ = out.control.SetWriteDeadline(time.Now().Add(runWithin)) // of a recorder in tests: none
	return out
}

// later gives the next piece of the answer its time.
func (e *eventWriter) later() { _ = e.control.SetWriteDeadline(time.Now().Add(answerWithin)) }

func (e *eventWriter) event(name string, data any) error {
	if !e.begun {
		e.begun = true
		e.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		e.w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	}
	e.later()
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", name, text); err != nil {
		return err
	}
	return e.control.Flush()
}

// text sends a piece of the answer.
func (e *eventWriter) text(text string) error {
	return e.event("text", map[string]string{"text": text})
}

// fail ends the answer with a problem. That it cannot be sent means that the
// caller is gone, here and in done.
func (e *eventWriter) fail(p *Problem) {
	if e.begun {
		_ = e.event("error", p)
		return
	}
	writeProblem(e.w, p)
}

// done ends the answer with all of it.
func (e *eventWriter) done(answer any) {
	if e.stream {
		_ = e.event("done", answer)
		return
	}
	e.w.Header().Set("Content-Type", "application/json")
	e.later()
	_ = json.NewEncoder(e.w).Encode(answer)
}

// answerRun asks the role and answers, with events as they come or at once.
func (s *server) answerRun(hc huma.Context, caller ai.Caller, role string, body RunRequest) {
	ctx, cancel := context.WithTimeout(hc.Context(), runWithin)
	defer cancel()
	out := newEventWriter(hc, body.Stream)
	in := ai.Input{Message: body.Input, Messages: body.Messages, Thread: body.Conversation, Variables: body.Variables, Label: body.Label, Language: body.Language}
	if body.Stream {
		in.Stream = out.text
	}
	if in.Thread != "" {
		caller.Purpose = "conversation"
	}
	result, err := s.opts.AI.Run(ctx, caller, role, in)
	if err != nil {
		out.fail(problem(ctx, s.log, err, false))
		return
	}
	out.done(answerOf(result))
}
