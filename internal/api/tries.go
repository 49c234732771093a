package api

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/quality"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// TryRequest is a role as it is being written, and what to ask it.
type TryRequest struct {
	Role      RoleRequest       `json:"role" doc:"need not be stored"`
	Input     string            `json:"input" maxLength:"65536" doc:"the turn of the user"`
	Variables map[string]string `json:"variables,omitempty" doc:"of the role's system message"`
	Language  string            `json:"language,omitempty" enum:"ko,en" doc:"of the answer; absent is ko"`
	Stream    bool              `json:"stream,omitempty" doc:"answer as server-sent events: text, then done or error"`
}

// ReplayRequest says how a recorded call is asked again.
type ReplayRequest struct {
	Version    int               `json:"version,omitempty" minimum:"0" doc:"of the call's role; absent: the one it was asked with"`
	Provider   string            `json:"provider,omitempty" maxLength:"63"`
	Model      string            `json:"model,omitempty" maxLength:"200" doc:"absent: the chain of the version"`
	Parameters *ai.Parameters    `json:"parameters,omitempty" doc:"over those of the version"`
	Variables  map[string]string `json:"variables,omitempty" doc:"of the system message: the log does not keep them"`
	Originals  bool              `json:"originals,omitempty" doc:"put into the answer what the tokens stand for, where the log keeps it; takes the permission data.prompts"`
	Stream     bool              `json:"stream,omitempty" doc:"answer as server-sent events: text, then done or error"`
}

// TryAnswer is what a role answered when it was tried, or how it failed.
type TryAnswer struct {
	RunAnswer
	Error       string       `json:"error" doc:"why there is no valid answer; empty when there is one"`
	SchemaValid *bool        `json:"schema_valid" doc:"null: the role has no schema, or nothing was answered"`
	Grounded    *bool        `json:"grounded" doc:"whether the first answer states only what its input does; null: not looked at"`
	Attempts    []ai.Attempt `json:"attempts"`
	Masked      []mask.Count `json:"masked"`
}

// InTry asks a role as it is being written.
type InTry struct {
	InRole
	Project string `query:"project" doc:"for which it is asked; absent when you can see one only"`
	Body    TryRequest
}

// tryRole asks a role of an owner, which must be one of the project's.
func (s *server) tryRole(ctx context.Context, a tenant.Actor, owner ai.Owner, in *InTry) (*huma.StreamResponse, error) {
	p, err := s.tenants.ProjectFor(ctx, a, in.Project)
	if err == nil {
		err = s.tenants.Can(ctx, a, tenant.ProjectAsk, tenant.Target{Project: p})
	}
	if err != nil {
		return nil, err
	}
	role := in.Body.Role.role(in.Role, 0)
	role.Owner = owner
	input := ai.Input{Message: in.Body.Input, Variables: in.Body.Variables, Language: in.Body.Language}
	caller := AskerOf(a, p)
	caller.Kind = quality.KindTry
	return &huma.StreamResponse{Body: func(hc huma.Context) { s.answerTry(hc, caller, &role, input, in.Body.Stream) }}, nil
}

func (s *server) registerTries() {
	register(s, tenant.ProjectAsk, streamed[TryAnswer](s, "try-role", "/api/v1/ai/roles/{role}/try", "Ask a role as it is being written; masked, limited and logged as any call"),
		func(ctx context.Context, a tenant.Actor, in *InTry) (*huma.StreamResponse, error) {
			if err := s.tenants.Can(ctx, a, tenant.SystemAdmin, tenant.Target{}); err != nil {
				return nil, err
			}
			return s.tryRole(ctx, a, ai.Shared, in)
		})
	register(s, tenant.OrgAI, streamed[TryAnswer](s, "try-org-role", "/api/v1/orgs/{org}/ai-roles/{role}/try", "Ask a role of an organisation as it is being written, for one of its projects; masked, limited and logged as any call"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			InTry
		}) (*huma.StreamResponse, error) {
			return s.tryRole(ctx, a, ai.Owner(in.Org), &in.InTry)
		})
	register(s, tenant.ProjectAsk, streamed[TryAnswer](s, "replay-ai-call", "/api/v1/projects/{project}/ai-calls/{call}/replay", "Ask a recorded call again, with its masked message"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InCall
			Body ReplayRequest
		}) (*huma.StreamResponse, error) {
			if err := s.editsRoles(ctx, a, in.Project); err != nil {
				return nil, err
			}
			b := in.Body
			if b.Originals {
				if err := needsPrompts(ctx); err != nil {
					return nil, err
				}
				if err := s.noteShown(ctx, "originals"); err != nil {
					return nil, err
				}
			}
			role, input, err := s.opts.Quality.ReplayOf(ctx, in.Project, in.Call, quality.Replay{Version: b.Version, Provider: b.Provider, Model: b.Model, Parameters: b.Parameters, Variables: b.Variables, Originals: b.Originals})
			if err != nil {
				return nil, err
			}
			caller := AskerOf(a, in.Project)
			caller.Kind, caller.Ref = quality.KindReplay, "call/"+in.Call
			return &huma.StreamResponse{Body: func(hc huma.Context) { s.answerTry(hc, caller, role, input, b.Stream) }}, nil
		})
}

// answerTry asks a version of a role. That its models failed is an answer, too.
func (s *server) answerTry(hc huma.Context, caller ai.Caller, role *ai.Role, in ai.Input, stream bool) {
	ctx, cancel := context.WithTimeout(hc.Context(), runWithin)
	defer cancel()
	out := newEventWriter(hc, stream)
	if stream {
		in.Stream = out.text
	}
	var grounded *bool
	if judge := in.Grounded; judge != nil {
		in.Grounded = func(answer string) bool {
			ok := judge(answer)
			grounded = &ok
			return ok
		}
	}
	result, err := s.opts.AI.Try(ctx, caller, role, in)
	if result == nil {
		out.fail(problem(ctx, s.log, err, false))
		return
	}
	answer := TryAnswer{RunAnswer: answerOf(result), Attempts: slices.Clone(result.Attempts), Masked: result.Masked, SchemaValid: result.SchemaValid, Grounded: grounded}
	if answer.Attempts == nil {
		answer.Attempts = []ai.Attempt{}
	}
	for i := range answer.Attempts {
		if answer.Attempts[i].Dropped == nil {
			answer.Attempts[i].Dropped = []string{}
		}
	}
	if answer.Masked == nil {
		answer.Masked = []mask.Count{}
	}
	if err != nil {
		answer.Error = problem(ctx, s.log, err, false).Detail
	}
	out.done(answer)
}
