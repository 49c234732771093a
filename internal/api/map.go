package api

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// InMap selects a part of the service map.
type InMap struct {
	InProject
	InRange
	Environment string `query:"environment" maxLength:"256" doc:"of the span that measured a call; default all"`
	Focus       string `query:"focus" maxLength:"1200" doc:"id of the node to look from, such as service:order-api; default the whole map"`
	Depth       int    `query:"depth" minimum:"1" maximum:"10" default:"1" doc:"steps from focus"`
	Limit       int    `query:"limit" minimum:"1" maximum:"500" default:"500" doc:"nodes; the busiest stay"`
}

// Edges is the service map as a list of calls.
type Edges struct {
	Items     []trace.Edge `json:"items" doc:"the busiest first"`
	Truncated bool         `json:"truncated" doc:"there are more: narrow by environment or focus"`
}

func (s *server) registerMap() {
	register(s, tenant.ProjectRead, get("get-map", "/api/v1/projects/{project}/map", "Who calls whom: services, databases, caches, queues, external hosts"), s.graph)
	register(s, tenant.ProjectRead, get("list-edges", "/api/v1/projects/{project}/map/edges", "The calls of the service map as a list"),
		func(ctx context.Context, a tenant.Actor, in *InMap) (*result[Edges], error) {
			g, err := s.graph(ctx, a, in)
			if err != nil {
				return nil, err
			}
			return ok(Edges{Items: g.Body.Edges, Truncated: g.Body.Truncated}, nil)
		})
}

func (s *server) graph(ctx context.Context, _ tenant.Actor, in *InMap) (*result[*trace.Graph], error) {
	from, to := in.between(s.now())
	return ok(s.opts.Traces.Graph(ctx, in.Project, trace.GraphQuery{
		From: from, To: to, Environment: in.Environment, Focus: in.Focus, Depth: in.Depth, Limit: in.Limit,
	}))
}
