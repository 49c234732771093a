package api

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InLogs selects log records, by their own time.
type InLogs struct {
	InProject
	InRange
	InQuery
}

// InQuery says which log records.
type InQuery struct {
	Query  string   `query:"q" doc:"words, \"phrases\", field:value; see the user's guide"`
	Levels []string `query:"levels" maxItems:"7" doc:"any of these, separated by commas; absent: all"`
}

func (in InLogs) query(now time.Time) logs.Query {
	from, to := in.between(now)
	return logs.Query{Text: in.Query, Levels: in.Levels, From: from, To: to}
}

// InLog names a log record.
type InLog struct {
	InProject
	Log string `path:"log" maxLength:"64" doc:"record id"`
}

func (s *server) registerLogs() {
	register(s, tenant.ProjectRead, get("search-logs", "/api/v1/projects/{project}/logs", "Log records, newest or oldest first"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InLogs
			Order  string `query:"order" enum:"newest,oldest" default:"newest"`
			Cursor string `query:"cursor" maxLength:"1024"`
			Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		}) (*result[logs.LogPage], error) {
			return ok(s.opts.Logs.Search(ctx, in.Project, in.query(s.now()), in.Order == "oldest", in.Cursor, in.Limit))
		})
	register(s, tenant.ProjectRead, get("tail-logs", "/api/v1/projects/{project}/logs/tail", "Log records that arrived since a former answer"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			InQuery
			After string `query:"after" maxLength:"64" doc:"what the former answer called next; empty at first"`
			Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
		}) (*result[logs.LogTail], error) {
			now := s.now()
			// A live tail shows what happens; what a sender's clock says of it matters less.
			q := logs.Query{Text: in.Query, Levels: in.Levels, From: now.Add(-24 * time.Hour), To: now.Add(time.Hour)}
			return ok(s.opts.Logs.Tail(ctx, in.Project, q, in.After, in.Limit, now))
		})
	register(s, tenant.ProjectRead, get("count-logs", "/api/v1/projects/{project}/logs/histogram", "Log records over time, by level"),
		func(ctx context.Context, _ tenant.Actor, in *InLogs) (*result[*logs.LogHistogram], error) {
			return ok(s.opts.Logs.Histogram(ctx, in.Project, in.query(s.now())))
		})
	register(s, tenant.ProjectRead, get("group-logs", "/api/v1/projects/{project}/logs/patterns", "Log records by what they have in common"),
		func(ctx context.Context, _ tenant.Actor, in *InLogs) (*result[Page[logs.LogPattern]], error) {
			return all(s.opts.Logs.Patterns(ctx, in.Project, in.query(s.now())))
		})
	register(s, tenant.ProjectRead, get("log-fields", "/api/v1/projects/{project}/logs/fields", "The fields of log records and their values"),
		func(ctx context.Context, _ tenant.Actor, in *InLogs) (*result[*logs.LogFacets], error) {
			return ok(s.opts.Logs.Facets(ctx, in.Project, in.query(s.now())))
		})
	register(s, tenant.ProjectRead, get("get-log", "/api/v1/projects/{project}/logs/{log}", "A log record with its sender"),
		func(ctx context.Context, _ tenant.Actor, in *InLog) (*result[*logs.LogDetails], error) {
			id, err := logs.ParseID(in.Log)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Logs.Record(ctx, in.Project, id))
		})
	register(s, tenant.ProjectRead, get("log-context", "/api/v1/projects/{project}/logs/{log}/context", "What the same process logged before and after"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InLog
			Before int `query:"before" minimum:"0" maximum:"500" default:"20"`
			After  int `query:"after" minimum:"0" maximum:"500" default:"20"`
		}) (*result[Page[logs.LogRecord]], error) {
			id, err := logs.ParseID(in.Log)
			if err != nil {
				return nil, err
			}
			return all(s.opts.Logs.Context(ctx, in.Project, id, in.Before, in.After))
		})
}
