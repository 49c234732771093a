package api

import (
	"context"
	"net/http"
	"time"

	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// SilenceRequest is a silence that one makes.
type SilenceRequest struct {
	Matchers incident.Matchers `json:"matchers"`
	Reason   string            `json:"reason" minLength:"1" maxLength:"500"`
	StartsAt *time.Time        `json:"starts_at,omitempty" doc:"default now"`
	EndsAt   time.Time         `json:"ends_at" doc:"at most 90 days after it starts"`
}

// MaintenanceRequest is a maintenance window that one plans.
type MaintenanceRequest struct {
	Name     string            `json:"name" minLength:"1" maxLength:"500"`
	Matchers incident.Matchers `json:"matchers" doc:"empty matches everything"`
	Timing   incident.Timing   `json:"timing"`
}

// InSilence names a silence in the path.
type InSilence struct {
	InProject
	Silence int64 `path:"silence" minimum:"1" doc:"silence id"`
}

// InMaintenance names a maintenance window in the path.
type InMaintenance struct {
	InProject
	Window int64 `path:"window" minimum:"1" doc:"maintenance window id"`
}

func (s *server) registerSilences() {
	const silences, windows = "/api/v1/projects/{project}/silences", "/api/v1/projects/{project}/maintenance-windows"
	register(s, tenant.ProjectRead, get("list-silences", silences, "Silences, those that end last first"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Page[incident.Silence]], error) {
			return all(s.opts.Incidents.Silences(ctx, in.Project))
		})
	register(s, tenant.ProjectWrite, post("create-silence", silences, "Keep people from being told of incidents", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body SilenceRequest
		}) (*result[incident.Silence], error) {
			z := incident.Silence{Project: in.Project, Matchers: in.Body.Matchers, Reason: in.Body.Reason, EndsAt: in.Body.EndsAt}
			if in.Body.StartsAt != nil {
				z.StartsAt = *in.Body.StartsAt
			}
			return ok(s.opts.Incidents.CreateSilence(ctx, z, a.Name))
		})
	register(s, tenant.ProjectWrite, post("end-silence", silences+"/{silence}/end", "End a silence early", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *InSilence) (*struct{}, error) {
			return done(s.opts.Incidents.EndSilence(ctx, in.Project, in.Silence, a.Name))
		})
	register(s, tenant.ProjectRead, get("list-maintenance-windows", windows, "Maintenance windows, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Page[incident.Maintenance]], error) {
			return all(s.opts.Incidents.Maintenances(ctx, in.Project))
		})
	register(s, tenant.ProjectWrite, post("create-maintenance-window", windows, "Plan a time in which no incident opens", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body MaintenanceRequest
		}) (*result[incident.Maintenance], error) {
			return ok(s.opts.Incidents.CreateMaintenance(ctx, incident.Maintenance{Project: in.Project, Name: in.Body.Name,
				Matchers: in.Body.Matchers, Timing: in.Body.Timing}, a.Name))
		})
	register(s, tenant.ProjectWrite, del("delete-maintenance-window", windows+"/{window}", "Remove a maintenance window"),
		func(ctx context.Context, _ tenant.Actor, in *InMaintenance) (*struct{}, error) {
			return done(s.opts.Incidents.DeleteMaintenance(ctx, in.Project, in.Window))
		})
}
