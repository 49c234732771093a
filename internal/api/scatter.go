package api

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// InPicture says what picture transactions are drawn into.
type InPicture struct {
	InFilter
	Top int64 `query:"top_ns" minimum:"0" doc:"elapsed time at the upper edge, 0 = the longest"`
	Log bool  `query:"log" doc:"logarithmic, from 1 ms on"`
}

func (in *InPicture) scatter(now time.Time, width, height int) trace.ScatterQuery {
	return trace.ScatterQuery{TransactionQuery: in.query(now), Width: width, Height: height, Top: time.Duration(in.Top), Log: in.Log}
}

// InSelection is a rectangle of the picture.
type InSelection struct {
	InFilter
	SelFrom   time.Time `query:"sel_from" doc:"ended at or after"`
	SelTo     time.Time `query:"sel_to" doc:"ended before"`
	SelMin    int64     `query:"sel_min_ns" minimum:"0" doc:"took at least"`
	SelMax    int64     `query:"sel_max_ns" minimum:"0" doc:"took at most, 0 = no limit"`
	SelFailed string    `query:"sel_failed" enum:"true,false" doc:"only those that failed, or only those that did not"`
}

func (in *InSelection) selection() trace.Selection {
	sel := trace.Selection{From: in.SelFrom, To: in.SelTo, MinElapsed: time.Duration(in.SelMin), MaxElapsed: time.Duration(in.SelMax)}
	if in.SelFailed != "" {
		failed := in.SelFailed == "true"
		sel.Failed = &failed
	}
	return sel
}

// ResourceAttributes are attributes of senders.
type ResourceAttributes struct {
	Items []otel.ResourceAttribute `json:"items" doc:"those of most senders first, at most 200"`
}

func (s *server) registerScatter() {
	register(s, tenant.ProjectRead, get("get-scatter", "/api/v1/projects/{project}/scatter", "Transactions as dots: end and elapsed time"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InPicture
			Width  int    `query:"width" minimum:"1" maximum:"8192" default:"1200" doc:"of the picture in pixels"`
			Height int    `query:"height" minimum:"1" maximum:"8192" default:"400"`
			Live   bool   `query:"live" doc:"to is only the right edge: what ends later by its sender's clock comes too"`
			Since  string `query:"since" maxLength:"20" doc:"cursor of the answer before: only what arrived after it"`
			Dots   int    `query:"dots" minimum:"2" maximum:"100000" default:"100000" doc:"of more transactions a part is shown"`
		}) (*result[trace.Scatter], error) {
			q := in.scatter(s.now(), in.Width, in.Height)
			q.Live, q.Since, q.Dots = in.Live, in.Since, in.Dots
			return ok(s.opts.Traces.Scatter(ctx, in.Project, q))
		})
	register(s, tenant.ProjectRead, get("get-heatmap", "/api/v1/projects/{project}/scatter/heatmap", "Transactions counted in a grid of end and elapsed time"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InPicture
			Width  int `query:"width" minimum:"1" maximum:"400" default:"200" doc:"columns"`
			Height int `query:"height" minimum:"1" maximum:"100" default:"60" doc:"rows"`
		}) (*result[trace.Heat], error) {
			return ok(s.opts.Traces.Heat(ctx, in.Project, in.scatter(s.now(), in.Width, in.Height)))
		})
	register(s, tenant.ProjectRead, get("get-differences", "/api/v1/projects/{project}/scatter/differences", "How a selection of transactions differs from the rest"),
		func(ctx context.Context, _ tenant.Actor, in *InSelection) (*result[trace.Differences], error) {
			return ok(s.opts.Traces.Differences(ctx, in.Project, in.query(s.now()), in.selection()))
		})
	register(s, tenant.ProjectRead, get("get-sampling", "/api/v1/projects/{project}/scatter/sampling", "Whether the spans of a time range say that not all requests were recorded"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			InRange
		}) (*result[trace.Sampling], error) {
			from, to := in.between(s.now())
			return ok(s.opts.Traces.Sampling(ctx, in.Project, from, to))
		})
	register(s, tenant.ProjectRead, get("list-resource-attributes", "/api/v1/projects/{project}/resource-attributes", "What senders say of themselves, to complete resource.<key> in a search"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			InRange
		}) (*result[ResourceAttributes], error) {
			from, _ := in.between(s.now())
			items, err := s.opts.Traces.ResourceAttributes(ctx, in.Project, from)
			return ok(ResourceAttributes{items}, err)
		})
}
