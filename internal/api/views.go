package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/view"
)

// ViewRequest is what one edits of a view.
type ViewRequest struct {
	Name  string `json:"name" minLength:"1" maxLength:"100"`
	Query string `json:"query" minLength:"1" maxLength:"2000"`
}

// NewViewRequest is a view to be made.
type NewViewRequest struct {
	Kind string `json:"kind" enum:"transactions,logs" doc:"the screen it belongs to"`
	ViewRequest
}

// InView names a view in the path.
type InView struct {
	InProject
	View int64 `path:"view" minimum:"1" doc:"view id"`
}

func (s *server) registerViews() {
	register(s, tenant.ProjectRead, get("list-views", "/api/v1/projects/{project}/views", "A project's saved searches"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Kind string `query:"kind" enum:"transactions,logs" default:"transactions"`
		}) (*result[Page[view.View]], error) {
			return all(s.opts.Views.List(ctx, in.Project, in.Kind))
		})
	register(s, tenant.ProjectSave, post("create-view", "/api/v1/projects/{project}/views", "Save a search for all who read the project", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body NewViewRequest
		}) (*edited[view.View], error) {
			if err := checkView(in.Body.Kind, in.Body.Query); err != nil {
				return nil, err
			}
			v, err := s.opts.Views.Create(ctx, in.Project, s.author(ctx, a, in.Project), view.View{Kind: in.Body.Kind, Name: in.Body.Name, Query: in.Body.Query})
			return versioned(v, v.Version, err)
		})
	register(s, tenant.ProjectSave, put("update-view", "/api/v1/projects/{project}/views/{view}", "Change a saved search: one's own, or any as an editor"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InView
			InVersion
			Body ViewRequest
		}) (*edited[view.View], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			v, err := s.opts.Views.Update(ctx, in.Project, s.author(ctx, a, in.Project), in.View, version, in.Body.Name, in.Body.Query)
			return versioned(v, v.Version, err)
		})
	register(s, tenant.ProjectSave, del("delete-view", "/api/v1/projects/{project}/views/{view}", "Delete a saved search: one's own, or any as an editor"),
		func(ctx context.Context, a tenant.Actor, in *InView) (*struct{}, error) {
			return done(s.opts.Views.Delete(ctx, in.Project, s.author(ctx, a, in.Project), in.View))
		})
}

// checkView refuses a query that the screen could not run.
func checkView(kind, query string) error {
	if kind == "logs" {
		return logs.CheckSearch(query)
	}
	return trace.CheckSearch(query)
}

func (s *server) author(ctx context.Context, a tenant.Actor, p project.ID) view.Author {
	return view.Author{ID: a.UserID, Name: a.Name, All: s.tenants.Can(ctx, a, tenant.ProjectWrite, tenant.Target{Project: p}) == nil}
}
