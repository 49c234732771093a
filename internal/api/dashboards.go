package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/dashboard"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InDashboard names a dashboard in the path.
type InDashboard struct {
	InProject
	Dashboard int64 `path:"dashboard" minimum:"1" doc:"dashboard id"`
}

// Imported is a dashboard that was made from a document, and what of that has no
// place here.
type Imported struct {
	Dashboard dashboard.Dashboard `json:"dashboard"`
	Left      []dashboard.Left    `json:"left"`
}

func (s *server) registerDashboards() {
	const base = "/api/v1/projects/{project}/dashboards"
	register(s, tenant.ProjectRead, get("list-dashboards", base, "A project's dashboards"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Page[dashboard.Dashboard]], error) {
			return all(s.opts.Dashboards.List(ctx, in.Project))
		})
	register(s, tenant.ProjectWrite, post("create-dashboard", base, "Make a dashboard", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body dashboard.Document
		}) (*edited[dashboard.Dashboard], error) {
			d, err := s.opts.Dashboards.Create(ctx, in.Project, a.Name, in.Body)
			return versioned(d, d.Version, err)
		})
	register(s, tenant.ProjectWrite, post("import-dashboard", base+"/import", "Make a dashboard from an exported one, or from Grafana's JSON", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Name string `query:"name" maxLength:"100" doc:"instead of the document's"`
			Body json.RawMessage
		}) (*edited[Imported], error) {
			doc, left, err := dashboard.Import(in.Body)
			if err != nil {
				return nil, err
			}
			if in.Name != "" {
				doc.Name = in.Name
			}
			d, err := s.opts.Dashboards.Create(ctx, in.Project, a.Name, doc)
			return versioned(Imported{d, left}, d.Version, err)
		})
	register(s, tenant.ProjectRead, get("get-dashboard", base+"/{dashboard}", "One dashboard; its document is what import takes"),
		func(ctx context.Context, _ tenant.Actor, in *InDashboard) (*edited[dashboard.Dashboard], error) {
			d, err := s.opts.Dashboards.Get(ctx, in.Project, in.Dashboard)
			return versioned(d, d.Version, err)
		})
	register(s, tenant.ProjectWrite, put("update-dashboard", base+"/{dashboard}", "Change a dashboard"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InDashboard
			InVersion
			Body dashboard.Document
		}) (*edited[dashboard.Dashboard], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			d, err := s.opts.Dashboards.Update(ctx, in.Project, a.Name, in.Dashboard, version, in.Body)
			return versioned(d, d.Version, err)
		})
	register(s, tenant.ProjectWrite, del("delete-dashboard", base+"/{dashboard}", "Delete a dashboard; its history stays"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InDashboard
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(s.opts.Dashboards.Delete(ctx, in.Project, a.Name, in.Dashboard, version))
		})
	register(s, tenant.ProjectRead, get("get-dashboard-history", base+"/{dashboard}/history", "Who changed a dashboard and how, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InDashboard) (*result[Page[dashboard.Edition]], error) {
			return all(s.opts.Dashboards.History(ctx, in.Project, in.Dashboard))
		})
}
