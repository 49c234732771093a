package api

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// InService names a service in the path, and the range it is read for.
type InService struct {
	InProject
	InRange
	Service     string `path:"service" maxLength:"256" doc:"service name"`
	Environment string `query:"environment" maxLength:"256"`
}

func (s *server) oneService(in *InService) (trace.OneService, error) {
	r, err := s.rollupRange(in.InRange)
	return trace.OneService{Service: in.Service, Environment: in.Environment, Range: r}, err
}

// InServiceList is InService for what is listed of it.
type InServiceList struct {
	InService
	Text  string `query:"q" maxLength:"256" doc:"part of the name, in any case"`
	Sort  string `query:"sort" enum:"worst,name,rate,errors,p95,time" doc:"default: endpoints by time, instances by rate, versions by when they were first seen"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

// listed reads a list of one service.
func listed[T any](s *server, read func(context.Context, project.ID, trace.OneService) (trace.Top[T], error)) func(context.Context, tenant.Actor, *InServiceList) (*result[trace.Top[T]], error) {
	return func(ctx context.Context, _ tenant.Actor, in *InServiceList) (*result[trace.Top[T]], error) {
		q, err := s.oneService(&in.InService)
		if err != nil {
			return nil, err
		}
		q.Text, q.Order, q.Limit = in.Text, trace.ServiceOrder(in.Sort), in.Limit
		return ok(read(ctx, in.Project, q))
	}
}

// rollupRange is between for what is read from rollups.
func (s *server) rollupRange(r InRange) (trace.Range, error) {
	now := s.now()
	from, to := r.between(now)
	return trace.NewRange(from, to, now)
}

func (s *server) registerServices() {
	register(s, tenant.ProjectRead, get("list-services", "/api/v1/projects/{project}/services", "Services with rate, errors and duration, compared with a day and a week ago"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			InRange
			Environment string `query:"environment" maxLength:"256"`
			Text        string `query:"q" maxLength:"256" doc:"part of the name, in any case"`
			Sort        string `query:"sort" enum:"worst,name,rate,errors,p95,time" default:"worst"`
			Limit       int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
		}) (*result[trace.Top[trace.Service]], error) {
			r, err := s.rollupRange(in.InRange)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Traces.Services(ctx, in.Project, trace.ServiceQuery{
				Range: r, Environment: in.Environment, Text: in.Text, Order: trace.ServiceOrder(in.Sort), Limit: in.Limit,
			}))
		})
	const service = "/api/v1/projects/{project}/services/{service}"
	register(s, tenant.ProjectRead, get("get-service", service, "One service over time"),
		func(ctx context.Context, _ tenant.Actor, in *InService) (*result[*trace.ServiceSummary], error) {
			q, err := s.oneService(in)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Traces.Service(ctx, in.Project, q))
		})
	register(s, tenant.ProjectRead, get("list-endpoints", service+"/endpoints", "The endpoints of a service"), listed(s, s.opts.Traces.Endpoints))
	register(s, tenant.ProjectRead, get("list-instances", service+"/instances", "The instances of a service"), listed(s, s.opts.Traces.Instances))
	register(s, tenant.ProjectRead, get("list-versions", service+"/versions", "The versions of a service"), listed(s, s.opts.Traces.Versions))
}
