package api

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/host"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

func (s *server) registerHosts() {
	register(s, tenant.ProjectRead, get("list-hosts", "/api/v1/projects/{project}/hosts", "Hosts with processor, memory, disk, network, and the services on them"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			InRange
			Text  string `query:"q" maxLength:"256" doc:"part of the name, or of a service's on it, in any case"`
			Sort  string `query:"sort" enum:"worst,name,cpu,memory,disk,network,load" default:"worst"`
			Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
		}) (*result[trace.Top[host.Host]], error) {
			now := s.now()
			from, to := in.between(now)
			return ok(s.opts.Hosts.Hosts(ctx, in.Project, host.Query{From: from, To: to, Text: in.Text, Order: host.Order(in.Sort), Limit: in.Limit}, now))
		})
	register(s, tenant.ProjectRead, get("get-host", "/api/v1/projects/{project}/hosts/{host}", "One host over time"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			InRange
			Host string `path:"host" maxLength:"256" doc:"its name"`
		}) (*result[*host.Overview], error) {
			now := s.now()
			from, to := in.between(now)
			return ok(s.opts.Hosts.Host(ctx, in.Project, in.Host, from, to, now))
		})
}
