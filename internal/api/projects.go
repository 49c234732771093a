package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/storage"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Setup is what an empty page shows: where to send telemetry and how.
type Setup struct {
	OTLPHTTP string       `json:"otlp_http" doc:"OTEL_EXPORTER_OTLP_ENDPOINT for http/protobuf"`
	OTLPGRPC string       `json:"otlp_grpc" doc:"OTEL_EXPORTER_OTLP_ENDPOINT for grpc"`
	Header   string       `json:"header" doc:"OTEL_EXPORTER_OTLP_HEADERS; put an ingest key where it says <key>"`
	KeyFree  bool         `json:"key_free" doc:"senders on this machine need no key"`
	Keys     []tenant.Key `json:"keys" doc:"keys in use; only their first characters"`
}

func (s *server) registerProjects() {
	register(s, tenant.ProjectList, get("list-projects", "/api/v1/projects", "The projects I can read"),
		func(ctx context.Context, a tenant.Actor, _ *nothing) (*result[Page[tenant.Project]], error) {
			return all(s.tenants.Projects(ctx, a))
		})
	register(s, tenant.ProjectRead, get("get-project", "/api/v1/projects/{project}", "One project"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*edited[tenant.Project], error) {
			p, err := s.tenants.Project(ctx, in.Project)
			return versioned(p, p.Version, err)
		})
	register(s, tenant.ProjectAdmin, put("update-project", "/api/v1/projects/{project}", "Change a project's settings"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			InVersion
			Body tenant.ProjectSettings
		}) (*edited[tenant.Project], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			p, err := s.tenants.UpdateProject(ctx, a, in.Project, version, in.Body)
			return versioned(p, p.Version, err)
		})
	register(s, tenant.ProjectAdmin, del("delete-project", "/api/v1/projects/{project}", "Delete a project: keys stop working, and all it holds is erased"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(s.tenants.ArchiveProject(ctx, a, in.Project, version))
		})
	register(s, tenant.ProjectAdmin, get("list-keys", "/api/v1/projects/{project}/keys", "A project's ingest keys"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Page[tenant.Key]], error) {
			return all(s.tenants.Keys(ctx, in.Project))
		})
	register(s, tenant.ProjectAdmin, post("create-key", "/api/v1/projects/{project}/keys", "Make an ingest key; it is shown this one time", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body Named
		}) (*result[tenant.NewKey], error) {
			return ok(s.tenants.CreateKey(ctx, a, in.Project, in.Body.Name))
		})
	register(s, tenant.ProjectAdmin, del("revoke-key", "/api/v1/projects/{project}/keys/{key}", "Revoke an ingest key"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Key int64 `path:"key" minimum:"1"`
		}) (*struct{}, error) {
			return done(s.tenants.RevokeKey(ctx, in.Project, in.Key))
		})
	register(s, tenant.ProjectRead, get("get-storage", "/api/v1/projects/{project}/storage", "What a project's telemetry takes"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[*storage.Footprint], error) {
			return ok(s.opts.Storage.Footprint(ctx, in.Project))
		})
	register(s, tenant.ProjectRead, get("get-setup", "/api/v1/projects/{project}/setup", "Where to send telemetry and how"), s.setup)
}

func (s *server) setup(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Setup], error) {
	keys, err := s.tenants.Keys(ctx, in.Project)
	if err != nil {
		return nil, err
	}
	out := Setup{OTLPHTTP: s.opts.OTLPHTTP, OTLPGRPC: s.opts.OTLPGRPC, Header: "x-matrix-key=<key>",
		KeyFree: s.opts.Dev, Keys: []tenant.Key{}}
	for _, key := range keys {
		if key.RevokedAt == nil {
			out.Keys = append(out.Keys, key)
		}
	}
	return ok(out, nil)
}
