package api

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InCalls selects AI calls, by when they began.
type InCalls struct {
	InProject
	InRange
	Role       string `query:"role" maxLength:"63"`
	RoleOf     string `query:"role_of" enum:"org,installation" doc:"whose the role is"`
	Version    int    `query:"version" minimum:"0" doc:"of the role"`
	Ref        string `query:"ref" maxLength:"256" doc:"what the call was about, such as incident/12"`
	Provider   string `query:"provider" maxLength:"63"`
	Model      string `query:"model" maxLength:"200"`
	Status     string `query:"status" maxLength:"32"`
	Schema     string `query:"schema" enum:"valid,invalid,none" doc:"what was found when the answer was checked"`
	Caller     string `query:"caller" maxLength:"200" doc:"a part of the kind or name of who asked, or of the purpose"`
	Person     string `query:"person" maxLength:"20" doc:"number of an account, 0 for none"`
	Token      string `query:"token" maxLength:"20" doc:"number of an API token, 0 for none"`
	Purpose    string `query:"purpose" maxLength:"63"`
	MinLatency int    `query:"min_latency_ms" minimum:"0"`
	Text       string `query:"text" maxLength:"200" doc:"a part of what was said, masked as it was sent"`
	Cursor     string `query:"cursor" maxLength:"256"`
	Limit      int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (in *InCalls) filter(now time.Time) ai.CallFilter {
	from, to := in.between(now)
	return ai.CallFilter{From: from, To: to, Role: in.Role, RoleOf: in.RoleOf, Version: in.Version, Ref: in.Ref, Provider: in.Provider, Model: in.Model, Status: in.Status,
		Schema: in.Schema, Caller: in.Caller, Person: in.Person, Token: in.Token, Purpose: in.Purpose, MinLatencyMs: in.MinLatency, Text: in.Text}
}

// InProjectRange is the time range of a read of a project.
type InProjectRange struct {
	InProject
	InRange
}

func (s *server) registerCalls() {
	register(s, tenant.ProjectRead, get("list-ai-calls", "/api/v1/projects/{project}/ai-calls", "Calls of models, newest first, without their texts and attempts"),
		func(ctx context.Context, _ tenant.Actor, in *InCalls) (*result[*ai.CallPage], error) {
			return ok(s.opts.AI.Calls(ctx, in.Project, ai.CallQuery{Cursor: in.Cursor, Limit: in.Limit, CallFilter: in.filter(s.now())}))
		})
	register(s, tenant.ProjectRead, get("list-ai-call-facets", "/api/v1/projects/{project}/ai-call-facets", "What calls of models can be narrowed to"),
		func(ctx context.Context, _ tenant.Actor, in *InProjectRange) (*result[Page[ai.CallFacet]], error) {
			from, to := in.between(s.now())
			return all(s.opts.AI.CallFacets(ctx, in.Project, from, to))
		})
	register(s, tenant.ProjectRead, get("list-ai-call-askers", "/api/v1/projects/{project}/ai-call-askers", "Persons, API tokens and purposes that models were asked for, those of the most calls first"),
		func(ctx context.Context, _ tenant.Actor, in *InProjectRange) (*result[Page[ai.CallAsker]], error) {
			from, to := in.between(s.now())
			askers, err := s.opts.AI.CallAskers(ctx, in.Project, from, to)
			if err != nil {
				return nil, err
			}
			return all(askers, s.nameAskers(ctx, askers))
		})
	register(s, tenant.ProjectRead, get("get-ai-spending", "/api/v1/projects/{project}/ai-spending", "What models did and cost in a time range"),
		func(ctx context.Context, _ tenant.Actor, in *InProjectRange) (*result[*ai.Spending], error) {
			from, to := in.between(s.now())
			return ok(s.opts.AI.Spent(ctx, in.Project, from, to))
		})
	register(s, tenant.ProjectRead, get("get-ai-call", "/api/v1/projects/{project}/ai-calls/{call}", "One call as it was sent, masked, with its attempts"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Call string `path:"call" maxLength:"64" doc:"call id"`
		}) (*result[*ai.Call], error) {
			return ok(s.opts.AI.Call(ctx, in.Project, in.Call))
		})
	register(s, tenant.ProjectRead, get("get-ai-call-originals", "/api/v1/projects/{project}/ai-calls/{call}/originals", "What the tokens of one call stand for, where its role keeps that"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Call string `path:"call" maxLength:"64" doc:"call id"`
		}) (*result[[]mask.Token], error) {
			if err := needsPrompts(ctx); err != nil {
				return nil, err
			}
			originals, err := s.opts.AI.Originals(ctx, in.Project, in.Call)
			if err == nil {
				err = s.noteShown(ctx, "originals")
			}
			return ok(originals, err)
		})
}

// nameAskers puts the names to what has a number, as the usage of the project
// does: of whom no call of it was made, nobody is told.
func (s *server) nameAskers(ctx context.Context, askers []ai.CallAsker) error {
	names := make([]naming, len(askers))
	for i := range askers {
		names[i] = naming{askers[i].By, askers[i].Key, &askers[i].Name}
	}
	return s.nameSubjects(ctx, names)
}
