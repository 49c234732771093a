package api

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/flame"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InProfiles selects call stacks of one service.
type InProfiles struct {
	InProject
	InRange
	Service     string `query:"service" required:"true" minLength:"1" maxLength:"256"`
	Environment string `query:"environment" maxLength:"256"`
	Instance    string `query:"instance" maxLength:"256"`
	Version     string `query:"version" maxLength:"256"`
}

func (in InProfiles) query(now time.Time) flame.Query {
	from, to := in.between(now)
	return flame.Query{Service: in.Service, Environment: in.Environment, Instance: in.Instance, Version: in.Version, From: from, To: to}
}

func (s *server) registerProfiles() {
	register(s, tenant.ProjectRead, get("list-profile-kinds", "/api/v1/projects/{project}/profiles", "What call stacks a service has"),
		func(ctx context.Context, _ tenant.Actor, in *InProfiles) (*result[Page[flame.Available]], error) {
			return all(s.opts.Flames.Kinds(ctx, in.Project, in.query(s.now())))
		})
	register(s, tenant.ProjectRead, get("get-flame-graph", "/api/v1/projects/{project}/profiles/flame", "Call stacks of a service or an endpoint, added up"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProfiles
			Endpoint string `query:"endpoint" maxLength:"1024"`
			Kind     string `query:"kind" required:"true" maxLength:"512" doc:"slow_spans, or a kind that list-profile-kinds names"`
		}) (*result[*flame.Graph], error) {
			q := in.query(s.now())
			q.Endpoint, q.Kind = in.Endpoint, in.Kind
			return ok(s.opts.Flames.Graph(ctx, in.Project, q))
		})
}
