package api

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// InStatements selects statements.
type InStatements struct {
	InProject
	InRange
	Service     string `query:"service" maxLength:"256" doc:"that runs them"`
	Environment string `query:"environment" maxLength:"256"`
	System      string `query:"system" maxLength:"64" doc:"db.system, such as mysql"`
}

func (s *server) statementQuery(in *InStatements) (trace.StatementQuery, error) {
	r, err := s.rollupRange(in.InRange)
	return trace.StatementQuery{Range: r, Service: in.Service, Environment: in.Environment, System: in.System}, err
}

func (s *server) registerStatements() {
	register(s, tenant.ProjectRead, get("list-statements", "/api/v1/projects/{project}/statements", "SQL statements by their normalised text"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InStatements
			Text  string `query:"q" maxLength:"256" doc:"part of the normalised text, in any case"`
			Sort  string `query:"sort" enum:"time,rate,average,p95,errors,rows" default:"time"`
			Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
		}) (*result[trace.Top[trace.StatementStats]], error) {
			q, err := s.statementQuery(&in.InStatements)
			if err != nil {
				return nil, err
			}
			q.Text, q.Order, q.Limit = in.Text, trace.StatementOrder(in.Sort), in.Limit
			return ok(s.opts.Traces.Statements(ctx, in.Project, q))
		})
	register(s, tenant.ProjectRead, get("get-statement", "/api/v1/projects/{project}/statements/{statement}", "One statement over time, who runs it, and some of its calls"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InStatements
			Statement string `path:"statement" pattern:"^[0-9a-f]{16}$" doc:"the statement's hash, 16 hex digits"`
		}) (*result[*trace.StatementPage], error) {
			hash, err := trace.ParseHash(in.Statement)
			if err != nil {
				return nil, err
			}
			q, err := s.statementQuery(&in.InStatements)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Traces.Statement(ctx, in.Project, hash, q))
		})
}
