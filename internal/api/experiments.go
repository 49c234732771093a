package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/quality"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InExperiment names an experiment in the path.
type InExperiment struct {
	InProject
	Experiment int64 `path:"experiment" minimum:"1" doc:"experiment id"`
}

// PromoteRequest names the variant that won.
type PromoteRequest struct {
	Variant int    `json:"variant" minimum:"0" doc:"index in variants"`
	Notes   string `json:"notes,omitempty" maxLength:"500" doc:"why"`
}

// editsRoles refuses callers who may ask in the project and edit neither the roles
// of its organisation nor those of the installation: what a role says is for its
// editors, and an experiment spends the project's budget.
func (s *server) editsRoles(ctx context.Context, a tenant.Actor, p project.ID) error {
	if s.editsShared(ctx, a) {
		return nil
	}
	at, err := s.tenants.Project(ctx, p)
	if err != nil {
		return err
	}
	return s.tenants.Can(ctx, a, tenant.OrgAI, tenant.Target{Org: at.OrgID})
}

// editsShared tells whether a caller may edit the roles of the installation.
func (s *server) editsShared(ctx context.Context, a tenant.Actor) bool {
	return s.tenants.Can(ctx, a, tenant.SystemAdmin, tenant.Target{}) == nil
}

func (s *server) registerExperiments() {
	q := s.opts.Quality
	register(s, tenant.ProjectAsk, get("list-ai-experiments", "/api/v1/projects/{project}/ai-experiments", "Experiments of the playground, the newest first"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Cursor string `query:"cursor" maxLength:"32"`
			Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
		}) (*result[*quality.ExperimentPage], error) {
			if err := s.editsRoles(ctx, a, in.Project); err != nil {
				return nil, err
			}
			return ok(q.Experiments(ctx, in.Project, in.Cursor, in.Limit))
		})
	register(s, tenant.ProjectAsk, post("estimate-ai-experiment", "/api/v1/projects/{project}/ai-experiments/estimate", "How many calls an experiment would be, and what they would cost", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body quality.Spec
		}) (*result[*quality.Estimate], error) {
			if err := s.editsRoles(ctx, a, in.Project); err != nil {
				return nil, err
			}
			return ok(q.Estimate(ctx, in.Project, in.Body))
		})
	register(s, tenant.ProjectAsk, post("start-ai-experiment", "/api/v1/projects/{project}/ai-experiments", "Ask every input of every variant", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body quality.Spec
		}) (*result[*quality.Experiment], error) {
			if err := s.editsRoles(ctx, a, in.Project); err != nil {
				return nil, err
			}
			return ok(q.Start(ctx, in.Project, a.UserID, a.Name, in.Body))
		})
	register(s, tenant.ProjectAsk, get("get-ai-experiment", "/api/v1/projects/{project}/ai-experiments/{experiment}", "An experiment with its answers so far"),
		func(ctx context.Context, a tenant.Actor, in *InExperiment) (*result[*quality.Results], error) {
			if err := s.editsRoles(ctx, a, in.Project); err != nil {
				return nil, err
			}
			return ok(q.Results(ctx, in.Project, in.Experiment))
		})
	act := func(id, path, summary string, do func(context.Context, *InExperiment) error) {
		register(s, tenant.ProjectAsk, post(id, "/api/v1/projects/{project}/ai-experiments/{experiment}/"+path, summary, http.StatusNoContent),
			func(ctx context.Context, a tenant.Actor, in *InExperiment) (*struct{}, error) {
				if err := s.editsRoles(ctx, a, in.Project); err != nil {
					return nil, err
				}
				return done(do(ctx, in))
			})
	}
	act("cancel-ai-experiment", "cancel", "End an experiment; its calls under way are given up", func(ctx context.Context, in *InExperiment) error {
		return q.Cancel(ctx, in.Project, in.Experiment)
	})
	act("resume-ai-experiment", "resume", "Go on with the cells that wait or have failed", func(ctx context.Context, in *InExperiment) error {
		return q.Resume(ctx, in.Project, in.Experiment)
	})
	register(s, tenant.ProjectAsk, del("delete-ai-experiment", "/api/v1/projects/{project}/ai-experiments/{experiment}", "Delete an experiment with its answers"),
		func(ctx context.Context, a tenant.Actor, in *InExperiment) (*struct{}, error) {
			if err := s.editsRoles(ctx, a, in.Project); err != nil {
				return nil, err
			}
			return done(q.Delete(ctx, in.Project, in.Experiment))
		})
	register(s, tenant.ProjectAsk, post("promote-ai-variant", "/api/v1/projects/{project}/ai-experiments/{experiment}/promote", "Make a draft of the role out of a variant; of the organisation's own role for who may not edit the installation's", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InExperiment
			Body PromoteRequest
		}) (*edited[ai.Role], error) {
			if err := s.editsRoles(ctx, a, in.Project); err != nil {
				return nil, err
			}
			return rolled(q.Promote(ctx, in.Project, in.Experiment, in.Body.Variant, in.Body.Notes, a.Name, s.editsShared(ctx, a)))
		})
}
