package api

import (
	"context"
	"net/http"
	"time"

	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InIncident names an incident in the path.
type InIncident struct {
	InProject
	Incident int64 `path:"incident" minimum:"1" doc:"incident id"`
}

// InIncidents selects incidents.
type InIncidents struct {
	InProject
	State   string    `query:"state" enum:"open,resolved" doc:"default both"`
	Service string    `query:"service" maxLength:"256"`
	Phase   string    `query:"phase" maxLength:"256"`
	Rule    int64     `query:"rule" minimum:"0"`
	Text    string    `query:"q" maxLength:"256" doc:"in title, service or phase"`
	From    time.Time `query:"from" doc:"opened at or after"`
	To      time.Time `query:"to" doc:"opened before"`
	Cursor  string    `query:"cursor" maxLength:"1024"`
	Limit   int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *server) registerIncidents() {
	register(s, tenant.ProjectRead, get("list-incidents", "/api/v1/projects/{project}/incidents", "Incidents, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InIncidents) (*result[incident.Page], error) {
			return ok(s.opts.Incidents.List(ctx, in.Project, incident.Query{
				State: in.State, Service: in.Service, Phase: in.Phase, Rule: in.Rule, Text: in.Text,
				From: in.From, To: in.To, Cursor: in.Cursor, Limit: in.Limit,
			}))
		})
	register(s, tenant.ProjectRead, get("get-incident", "/api/v1/projects/{project}/incidents/{incident}", "One incident with its report, evidence and timeline"),
		func(ctx context.Context, _ tenant.Actor, in *InIncident) (*result[*incident.Detail], error) {
			return ok(s.opts.Incidents.Get(ctx, in.Project, in.Incident))
		})
	register(s, tenant.ProjectWrite, post("acknowledge-incident", "/api/v1/projects/{project}/incidents/{incident}/acknowledge", "Say that I am on it", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *InIncident) (*struct{}, error) {
			return done(s.opts.Incidents.Acknowledge(ctx, in.Project, in.Incident, a.Name))
		})
	register(s, tenant.ProjectWrite, post("resolve-incident", "/api/v1/projects/{project}/incidents/{incident}/resolve", "End an incident", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *InIncident) (*struct{}, error) {
			return done(s.opts.Incidents.Resolve(ctx, in.Project, in.Incident, a.Name))
		})
	register(s, tenant.ProjectWrite, post("analyze-incident", "/api/v1/projects/{project}/incidents/{incident}/analyze", "Have an incident analysed again", http.StatusAccepted),
		func(ctx context.Context, a tenant.Actor, in *InIncident) (*struct{}, error) {
			return done(s.opts.Incidents.Analyze(ctx, in.Project, in.Incident, a.Name))
		})
}
