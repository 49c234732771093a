package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// RuleRequest is what one edits of a rule.
type RuleRequest struct {
	Name          string      `json:"name" minLength:"1" maxLength:"100"`
	Kind          string      `json:"kind" doc:"name of one of the alarm kinds"`
	Enabled       bool        `json:"enabled"`
	Service       string      `json:"service,omitempty" maxLength:"256" doc:"empty = any"`
	Environment   string      `json:"environment,omitempty" maxLength:"256" doc:"empty = any"`
	Params        rule.Params `json:"params" doc:"what the kind asks for, by the names it gives"`
	Count         int         `json:"count" minimum:"1" maximum:"10000" doc:"so many matches fire: calls, or minutes for a kind that measures"`
	WindowMinutes int         `json:"window_minutes" minimum:"1" maximum:"1440" doc:"within so many minutes"`
	QuietMinutes  int         `json:"quiet_minutes" minimum:"1" maximum:"1440" doc:"the incident ends after so many minutes without a match"`
	Channels      []int64     `json:"channels,omitempty" maxItems:"50" doc:"empty = every channel of the project"`
	Severity      string      `json:"severity,omitempty" enum:"info,warning,critical" doc:"warning when it is not given"`
	Owner         string      `json:"owner,omitempty" maxLength:"100" doc:"who looks after it, a person or a team"`
	Runbook       string      `json:"runbook,omitempty" maxLength:"2000" doc:"http or https address of what to do"`
	Labels        rule.Labels `json:"labels,omitempty"`
	Mutes         []rule.Mute `json:"mutes,omitempty" maxItems:"20" doc:"times of the week in which it opens no incident"`
}

func (r RuleRequest) rule(p project.ID, id, version int64) rule.Rule {
	return rule.Rule{
		ID: id, Project: p, Version: version, Name: r.Name, Kind: r.Kind, Enabled: r.Enabled, Service: r.Service,
		Environment: r.Environment, Params: r.Params, Count: r.Count, WindowMinutes: r.WindowMinutes,
		QuietMinutes: r.QuietMinutes, Channels: r.Channels, Severity: r.Severity, Owner: r.Owner, Runbook: r.Runbook,
		Labels: r.Labels, Mutes: r.Mutes,
	}
}

// InRule names a rule in the path.
type InRule struct {
	InProject
	Rule int64 `path:"rule" minimum:"1" doc:"rule id"`
}

func (s *server) registerRules() {
	register(s, tenant.ProjectRead, get("list-alarm-kinds", "/api/v1/projects/{project}/alarm-kinds", "The kinds of alarm rules and what each asks for"),
		func(_ context.Context, _ tenant.Actor, _ *InProject) (*result[Page[*rule.Kind]], error) {
			return all(rule.Kinds(), nil)
		})
	register(s, tenant.ProjectRead, get("list-rules", "/api/v1/projects/{project}/rules", "A project's alarm rules"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Page[rule.Rule]], error) {
			return all(s.opts.Rules.List(ctx, in.Project))
		})
	register(s, tenant.ProjectWrite, post("create-rule", "/api/v1/projects/{project}/rules", "Make an alarm rule", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body RuleRequest
		}) (*edited[rule.Rule], error) {
			if err := s.ownChannels(ctx, in.Project, in.Body.Channels); err != nil {
				return nil, err
			}
			r, err := s.opts.Rules.Create(ctx, in.Project, a.Name, in.Body.rule(in.Project, 0, 0))
			return versioned(r, r.Version, err)
		})
	register(s, tenant.ProjectRead, post("try-rule", "/api/v1/projects/{project}/rules/test", "What an alarm rule would have done in the last seven days", http.StatusOK),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Body RuleRequest
		}) (*result[*rule.Trial], error) {
			return ok(s.opts.RuleEngine.Try(ctx, in.Project, in.Body.rule(in.Project, 0, 0)))
		})
	register(s, tenant.ProjectRead, get("get-rule-evaluation", "/api/v1/projects/{project}/rules/evaluation", "How far the evaluation of a project's rules is"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[rule.Evaluation], error) {
			return ok(s.opts.RuleEngine.Evaluation(ctx, in.Project))
		})
	register(s, tenant.ProjectRead, get("get-rule", "/api/v1/projects/{project}/rules/{rule}", "One alarm rule"),
		func(ctx context.Context, _ tenant.Actor, in *InRule) (*edited[rule.Rule], error) {
			r, err := s.opts.Rules.Get(ctx, in.Project, in.Rule)
			return versioned(r, r.Version, err)
		})
	register(s, tenant.ProjectWrite, put("update-rule", "/api/v1/projects/{project}/rules/{rule}", "Change an alarm rule"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InRule
			InVersion
			Body RuleRequest
		}) (*edited[rule.Rule], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			if err := s.ownChannels(ctx, in.Project, in.Body.Channels); err != nil {
				return nil, err
			}
			r, err := s.opts.Rules.Update(ctx, in.Project, a.Name, in.Body.rule(in.Project, in.Rule, version))
			return versioned(r, r.Version, err)
		})
	register(s, tenant.ProjectWrite, del("delete-rule", "/api/v1/projects/{project}/rules/{rule}", "Delete an alarm rule; its history stays"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InRule
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(s.opts.Rules.Delete(ctx, in.Project, a.Name, in.Rule, version))
		})
	register(s, tenant.ProjectRead, get("get-rule-history", "/api/v1/projects/{project}/rules/{rule}/history", "Who changed an alarm rule and how, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InRule) (*result[Page[rule.Change]], error) {
			return all(s.opts.Rules.History(ctx, in.Project, in.Rule))
		})
}

// ownChannels refuses channels that are not the project's: a rule must not
// send one project's alarms to another's people.
func (s *server) ownChannels(ctx context.Context, p project.ID, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	targets, err := s.opts.Outbox.Targets().List(ctx, p)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(targets, func(t notify.Target) bool { return t.ID == id }) {
			return fault.New(fault.Invalid, "the project has no channel %d", id).WithField("channels")
		}
	}
	return nil
}
