package api

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/quality"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InCall names an AI call in the path.
type InCall struct {
	InProject
	Call string `path:"call" maxLength:"64" doc:"call id"`
}

// FeedbackRequest is what one thinks of an answer.
type FeedbackRequest struct {
	Up      bool   `json:"up" doc:"of use; false: of no use"`
	Comment string `json:"comment,omitempty" maxLength:"2000"`
}

// Opinions are what people and the judge think of an answer.
type Opinions struct {
	Items     []quality.Feedback `json:"items"`
	Mine      *quality.Feedback  `json:"mine" doc:"the caller's own, or null"`
	Judgement *quality.Judgement `json:"judgement" doc:"null: the judge was not asked"`
}

// JudgingRequest says how many answers of a role's version are judged.
type JudgingRequest struct {
	Share int `json:"share" minimum:"0" maximum:"100" doc:"percent of the answers"`
	Daily int `json:"daily" minimum:"0" maximum:"10000" doc:"at most so many a day, over all projects"`
}

func (s *server) registerQuality() {
	q := s.opts.Quality
	register(s, tenant.ProjectRead, get("get-ai-feedback", "/api/v1/projects/{project}/ai-calls/{call}/feedback", "What people and the judge think of an answer"),
		func(ctx context.Context, a tenant.Actor, in *InCall) (*result[Opinions], error) {
			said, err := q.Said(ctx, in.Project, in.Call)
			if err != nil {
				return nil, err
			}
			judged, err := q.JudgementOf(ctx, in.Project, in.Call)
			out := Opinions{Items: said, Judgement: judged}
			for i := range said {
				if said[i].Person == a.UserID {
					out.Mine = &said[i]
				}
			}
			return ok(out, err)
		})
	register(s, tenant.ProjectAsk, put("set-ai-feedback", "/api/v1/projects/{project}/ai-calls/{call}/feedback", "Say what you think of an answer, over what you said before"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InCall
			Body FeedbackRequest
		}) (*result[*quality.Feedback], error) {
			return ok(q.Say(ctx, in.Project, quality.Feedback{CallID: in.Call, Person: a.UserID, Name: a.Name, Up: in.Body.Up, Comment: in.Body.Comment}))
		})
	register(s, tenant.ProjectAsk, del("delete-ai-feedback", "/api/v1/projects/{project}/ai-calls/{call}/feedback", "Take back what you said about an answer"),
		func(ctx context.Context, a tenant.Actor, in *InCall) (*struct{}, error) {
			return done(q.TakeBack(ctx, in.Project, in.Call, a.UserID))
		})
	register(s, tenant.ProjectRead, get("get-ai-quality", "/api/v1/projects/{project}/ai-quality", "How the versions of roles answered in a time range, over calls that found them by a label"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			InRange
			Role string `query:"role" maxLength:"63"`
		}) (*result[Page[quality.Version]], error) {
			from, to := in.between(s.now())
			return all(q.Versions(ctx, in.Project, in.Role, from, to))
		})
	register(s, tenant.SystemAdmin, get("list-ai-judging", "/api/v1/ai-judging", "Which share of the answers of which versions the judge is asked about"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[quality.Judging]], error) {
			return all(q.Judgings(ctx))
		})
	register(s, tenant.SystemAdmin, put("set-ai-judging", "/api/v1/ai-judging/{role}/{version}", "Have a share of a version's answers judged; version 0 stands for those without a setting of their own"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InRole
			Version int `path:"version" minimum:"0"`
			Body    JudgingRequest
		}) (*result[*quality.Judging], error) {
			return ok(q.SetJudging(ctx, quality.Judging{Role: in.Role, Version: in.Version, Share: in.Body.Share, Daily: in.Body.Daily, UpdatedBy: a.Name}))
		})
}
