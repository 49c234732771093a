package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InIssue names an issue in the path.
type InIssue struct {
	InProject
	Issue int64 `path:"issue" minimum:"1" doc:"issue id"`
}

// InIssues selects issues.
type InIssues struct {
	InProject
	InRange
	State    string `query:"state" enum:"open,new,ongoing,regressed,resolved,ignored" doc:"default all; open are new, ongoing and regressed"`
	Query    string `query:"q" doc:"words, field:value; see the user's guide"`
	Service  string `query:"service" maxLength:"256"`
	Version  string `query:"version" maxLength:"256"`
	Assignee int64  `query:"assignee" minimum:"-1" doc:"account; -1 = nobody"`
}

func (in InIssues) query(now time.Time) issue.Query {
	from, to := in.between(now)
	return issue.Query{State: in.State, Text: in.Query, Service: in.Service, Version: in.Version, Assignee: in.Assignee, From: from, To: to}
}

// IssueRequest is what one edits of an issue.
type IssueRequest struct {
	State           issue.State `json:"state" enum:"new,ongoing,regressed,resolved,ignored"`
	ResolvedVersion string      `json:"resolved_version,omitempty" maxLength:"256" doc:"with resolved: the version that mends it; only one not older regresses the issue"`
	IgnoredUntil    *time.Time  `json:"ignored_until,omitempty" doc:"with ignored: until then"`
	IgnoredCount    int64       `json:"ignored_count,omitempty" minimum:"0" doc:"with ignored: for so many occurrences more"`
	AssigneeID      int64       `json:"assignee_id,omitempty" minimum:"0" doc:"account of a member, 0 = nobody"`
}

// CommentRequest is what somebody says about an issue.
type CommentRequest struct {
	Text string `json:"text" minLength:"1" maxLength:"10000"`
}

// MergeRequest names issues.
type MergeRequest struct {
	Issues []int64 `json:"issues" minItems:"1" maxItems:"50"`
}

// SplitRequest names fingerprints of an issue.
type SplitRequest struct {
	Fingerprints []string `json:"fingerprints" minItems:"1" maxItems:"500"`
}

// InAppRequest is what one edits of the rules for what is in-app.
type InAppRequest struct {
	Include []string `json:"include,omitempty" maxItems:"200" doc:"beginnings of module.function or of a path, * for anything"`
	Exclude []string `json:"exclude,omitempty" maxItems:"200"`
}

// Person is somebody an issue can be assigned to.
type Person struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (s *server) registerIssues() {
	register(s, tenant.ProjectRead, get("list-issues", "/api/v1/projects/{project}/issues", "Issues seen in a time range"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InIssues
			Sort   string `query:"sort" enum:"last_seen,first_seen,count,users" default:"last_seen"`
			Cursor string `query:"cursor" maxLength:"1024"`
			Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
		}) (*result[*issue.Page], error) {
			q := in.query(s.now())
			q.Order, q.Cursor, q.Limit = issue.Order(in.Sort), in.Cursor, in.Limit
			return ok(s.opts.Issues.List(ctx, in.Project, q))
		})
	register(s, tenant.ProjectRead, get("list-issue-facets", "/api/v1/projects/{project}/issue-facets", "By what issues can be narrowed down, with counts"),
		func(ctx context.Context, _ tenant.Actor, in *InIssues) (*result[*issue.Facets], error) {
			return ok(s.opts.Issues.Facets(ctx, in.Project, in.query(s.now())))
		})
	register(s, tenant.ProjectRead, get("list-issue-people", "/api/v1/projects/{project}/issue-people", "Whom an issue can be assigned to"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Page[Person]], error) {
			return all(s.people(ctx, in.Project))
		})
	register(s, tenant.ProjectRead, get("get-issue", "/api/v1/projects/{project}/issues/{issue}", "An issue with its fingerprints and activity"),
		func(ctx context.Context, _ tenant.Actor, in *InIssue) (*edited[*issue.Detail], error) {
			d, err := s.opts.Issues.Get(ctx, in.Project, in.Issue)
			if err != nil {
				return nil, err
			}
			return versioned(d, d.Version, nil)
		})
	register(s, tenant.ProjectWrite, put("update-issue", "/api/v1/projects/{project}/issues/{issue}", "Resolve, ignore, reopen or assign an issue"), s.updateIssue)
	register(s, tenant.ProjectWrite, post("comment-issue", "/api/v1/projects/{project}/issues/{issue}/comments", "Say something about an issue", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InIssue
			Body CommentRequest
		}) (*struct{}, error) {
			return done(s.opts.Issues.Comment(ctx, in.Project, a.Name, in.Issue, in.Body.Text))
		})
	register(s, tenant.ProjectWrite, post("merge-issues", "/api/v1/projects/{project}/issues/{issue}/merge", "Make other issues a part of this one", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InIssue
			Body MergeRequest
		}) (*edited[issue.Issue], error) {
			i, err := s.opts.Issues.Merge(ctx, in.Project, a.Name, in.Issue, in.Body.Issues)
			return versioned(i, i.Version, err)
		})
	register(s, tenant.ProjectWrite, post("split-issue", "/api/v1/projects/{project}/issues/{issue}/split", "Make an issue of some of this one's fingerprints", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InIssue
			Body SplitRequest
		}) (*edited[issue.Issue], error) {
			i, err := s.opts.Issues.Split(ctx, in.Project, a.Name, in.Issue, in.Body.Fingerprints)
			return versioned(i, i.Version, err)
		})
	register(s, tenant.ProjectRead, get("get-issue-stats", "/api/v1/projects/{project}/issues/{issue}/stats", "An issue's occurrences over time, and what they have in common"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InIssue
			InRange
		}) (*result[*issue.Stats], error) {
			from, to := in.between(s.now())
			return ok(s.opts.Issues.Stats(ctx, in.Project, in.Issue, issue.Window{From: from, To: to}))
		})
	register(s, tenant.ProjectRead, get("list-issue-occurrences", "/api/v1/projects/{project}/issues/{issue}/occurrences", "Occurrences of an issue, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InIssue
			InRange
			Cursor string `query:"cursor" maxLength:"1024"`
			Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
		}) (*result[issue.SeenPage], error) {
			from, to := in.between(s.now())
			return ok(s.opts.Issues.Occurrences(ctx, in.Project, in.Issue, issue.Window{From: from, To: to}, in.Cursor, in.Limit))
		})
	register(s, tenant.ProjectRead, get("get-issue-occurrence", "/api/v1/projects/{project}/issues/{issue}/occurrences/{occurrence}", "One occurrence with its stack; its neighbours in a time range"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InIssue
			InRange
			Occurrence string `path:"occurrence" maxLength:"64" doc:"occurrence id, or newest"`
		}) (*result[*issue.Whole], error) {
			from, to := in.between(s.now())
			return ok(s.opts.Issues.Occurrence(ctx, in.Project, in.Issue, in.Occurrence, issue.Window{From: from, To: to}))
		})
	register(s, tenant.ProjectRead, get("get-in-app-rules", "/api/v1/projects/{project}/in-app-rules", "What of a stack trace is the application's own"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*edited[issue.Rules], error) {
			r, err := s.opts.Issues.Rules(ctx, in.Project)
			return versioned(r, r.Version, err)
		})
	register(s, tenant.ProjectWrite, put("update-in-app-rules", "/api/v1/projects/{project}/in-app-rules", "Change what is in-app, for what arrives from now on"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			InVersion
			Body InAppRequest
		}) (*edited[issue.Rules], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			r, err := s.opts.Issues.SetRules(ctx, in.Project, a.Name, issue.Rules{Include: in.Body.Include, Exclude: in.Body.Exclude, Version: version})
			return versioned(r, r.Version, err)
		})
}

func (s *server) updateIssue(ctx context.Context, a tenant.Actor, in *struct {
	InIssue
	InVersion
	Body IssueRequest
}) (*edited[issue.Issue], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	change := issue.Change{State: in.Body.State, ResolvedVersion: in.Body.ResolvedVersion, IgnoredUntil: in.Body.IgnoredUntil,
		IgnoredCount: in.Body.IgnoredCount, AssigneeID: in.Body.AssigneeID}
	if change.AssigneeID != 0 {
		people, err := s.people(ctx, in.Project)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			if p.ID == change.AssigneeID {
				change.Assignee = p.Name
			}
		}
		if change.Assignee == "" {
			return nil, fault.New(fault.Invalid, "the account %d is no member who can read this project", change.AssigneeID).WithField("assignee_id")
		}
	}
	i, err := s.opts.Issues.Update(ctx, in.Project, a.Name, in.Issue, version, change)
	return versioned(i, i.Version, err)
}

// people are the members of the project's organisation and of its group.
func (s *server) people(ctx context.Context, p project.ID) ([]Person, error) {
	of, err := s.tenants.Project(ctx, p)
	if err != nil {
		return nil, err
	}
	out, seen := []Person{}, map[int64]bool{}
	for _, group := range []int64{0, of.GroupID} {
		members, err := s.tenants.Members(ctx, of.OrgID, group)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if !seen[m.UserID] {
				seen[m.UserID] = true
				out = append(out, Person{m.UserID, cmp.Or(m.Name, m.Email)})
			}
		}
	}
	return out, nil
}
