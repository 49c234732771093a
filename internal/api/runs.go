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
	Label     string            `json:"label,omitempty" maxLength:"32" doc:"of the role; absent is production"`
	Language  string            `json:"language,omitempty" enum:"ko,en" doc:"of the answer; absent is ko"`
	Stream    bool              `json:"stream,omitempty" doc:"answer as server-sent events: text, then done or error"`
}

// RunAnswer is what a role answered.
type RunAnswer struct {
	CallID      string          `json:"call_id" doc:"of the log of calls"`
	Text        string          `json:"text"`
	Parsed      json.RawMessage `json:"parsed,omitempty" doc:"the answer of a role with a response format"`
	Finish      string          `json:"finish" doc:"stop or length"`
	Role        string          `json:"role"`
	RoleVersion int             `json:"role_version"`
	Provider    string          `json:"provider"`
	Model       string          `json:"model"`
	Dropped     []string        `json:"dropped,omitempty" doc:"parameters that the model does not take"`
	Usage       ai.Usage        `json:"usage"`
	LatencyMs   int64           `json:"latency_ms"`
}

func answerOf(r *ai.Result) RunAnswer {
	a := RunAnswer{CallID: r.CallID, Text: r.Text, Finish: r.Finish, Role: r.Role, RoleVersion: r.RoleVersion, Provider: r.Provider, Model: r.Model,
		Dropped: r.Dropped, Usage: r.Usage, LatencyMs: r.LatencyMs}
	if r.Structured {
		a.Parsed = json.RawMessage(r.Text)
	}
	return a
}

// runWithin bounds a question: a chain of slow models takes longer than other requests.
const runWithin = 10 * time.Minute

func (s *server) registerRuns() {
	answer := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[RunAnswer](), true, "RunAnswer")
	op := post("run-role", "/api/v1/ai/roles/{role}/runs", "Ask an AI role; every call is masked, limited and logged", http.StatusOK)
	op.Responses = map[string]*huma.Response{"default": s.failure, "200": {Description: "OK", Content: map[string]*huma.MediaType{
		"application/json":  {Schema: answer},
		"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString, Description: "events text {text}, then done with the answer, or error with a problem"}},
	}}}
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

// answerRun asks the role and answers, with events as they come or at once.
func (s *server) answerRun(hc huma.Context, caller ai.Caller, role string, body RunRequest) {
	ctx, cancel := context.WithTimeout(hc.Context(), runWithin)
	defer cancel()
	_, w := humago.Unwrap(hc)
	control := http.NewResponseController(w)
	later := func() { _ = control.SetWriteDeadline(time.Now().Add(answerWithin)) } // of a recorder in tests: none
	_ = control.SetWriteDeadline(time.Now().Add(runWithin))
	begun := false
	event := func(name string, data any) error {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
		}
		later()
		text, err := json.Marshal(data)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, text); err != nil {
			return err
		}
		return control.Flush()
	}
	in := ai.Input{Message: body.Input, Messages: body.Messages, Variables: body.Variables, Label: body.Label, Language: body.Language}
	if body.Stream {
		in.Stream = func(text string) error { return event("text", map[string]string{"text": text}) }
	}
	result, err := s.opts.AI.Run(ctx, caller, role, in)
	switch {
	case err != nil && begun:
		_ = event("error", problem(ctx, s.log, err, false)) // the caller is gone when this fails
	case err != nil:
		writeProblem(w, problem(ctx, s.log, err, false))
	case body.Stream:
		_ = event("done", answerOf(result)) // the caller is gone when this fails
	default:
		w.Header().Set("Content-Type", "application/json")
		later()
		_ = json.NewEncoder(w).Encode(answerOf(result)) // the caller is gone when this fails
	}
}
