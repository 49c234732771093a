package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// TemplateRequest says where the rules of a template are made.
type TemplateRequest struct {
	Service     string  `json:"service,omitempty" maxLength:"256" doc:"empty = any"`
	Environment string  `json:"environment,omitempty" maxLength:"256" doc:"empty = any"`
	Language    string  `json:"language" enum:"en,ko" doc:"of the rules' names"`
	Channels    []int64 `json:"channels,omitempty" maxItems:"50" doc:"empty = every channel of the project"`
}

// RulesMade is what came of making several rules at once.
type RulesMade struct {
	Made    []rule.Rule `json:"made"`
	Skipped []string    `json:"skipped" doc:"names that the project has already"`
}

// RuleFileRequest is a file of Prometheus rules.
type RuleFileRequest struct {
	Text     string  `json:"text" minLength:"1" doc:"a rule file, or a PrometheusRule resource of Kubernetes"`
	DryRun   bool    `json:"dry_run,omitempty" doc:"only say what would be made"`
	Channels []int64 `json:"channels,omitempty" maxItems:"50" doc:"of the rules; empty = every channel of the project"`
}

// RuleFile is what a file of Prometheus rules holds.
type RuleFile struct {
	Rules  []rule.FileRule  `json:"rules"`
	Faults []rule.FileFault `json:"faults" doc:"what is wrong with the file; nothing is made of one that has any"`
	Made   int              `json:"made" doc:"rules; 0 in a dry run"`
}

// registerRuleSets serves what makes several rules at once.
func (s *server) registerRuleSets() {
	register(s, tenant.ProjectRead, get("list-rule-templates", "/api/v1/projects/{project}/rule-templates", "Sets of rules for kinds of applications"),
		func(_ context.Context, _ tenant.Actor, _ *InProject) (*result[Page[rule.Template]], error) {
			return all(rule.Templates(), nil)
		})
	register(s, tenant.ProjectWrite, post("apply-rule-template", "/api/v1/projects/{project}/rule-templates/{template}", "Make the rules of a template that the project does not have yet", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Template string `path:"template" maxLength:"50" doc:"name of a template"`
			Body     TemplateRequest
		}) (*result[RulesMade], error) {
			rules, err := rule.From(in.Template, rule.For{
				Service: in.Body.Service, Environment: in.Body.Environment, Language: in.Body.Language, Channels: in.Body.Channels,
			})
			if err != nil {
				return nil, err
			}
			made, skipped, err := s.makeRules(ctx, in.Project, a, rules, in.Body.Channels)
			return ok(RulesMade{Made: made, Skipped: skipped}, err)
		})
	register(s, tenant.ProjectWrite, post("import-prometheus-rules", "/api/v1/projects/{project}/rules/prometheus", "Make rules of a file of Prometheus rules, or say what would be made", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body RuleFileRequest
		}) (*result[RuleFile], error) {
			rules, faults, err := rule.ReadPrometheus([]byte(in.Body.Text))
			if err != nil {
				return nil, err
			}
			taken, err := s.opts.Rules.Names(ctx, in.Project)
			if err != nil {
				return nil, err
			}
			rule.MarkTaken(rules, taken)
			answer := RuleFile{Rules: append([]rule.FileRule{}, rules...), Faults: append([]rule.FileFault{}, faults...)}
			if in.Body.DryRun || len(faults) > 0 {
				return ok(answer, nil)
			}
			wanted := rule.Wanted(rules)
			for i := range wanted {
				wanted[i].Channels = append(wanted[i].Channels, in.Body.Channels...)
			}
			made, _, err := s.makeRules(ctx, in.Project, a, wanted, in.Body.Channels)
			answer.Made = len(made)
			return ok(answer, err)
		})
}

func (s *server) makeRules(ctx context.Context, p project.ID, a tenant.Actor, rules []rule.Rule, channels []int64) ([]rule.Rule, []string, error) {
	if err := s.ownChannels(ctx, p, channels); err != nil {
		return nil, nil, err
	}
	return s.opts.Rules.CreateAll(ctx, p, a.Name, rules)
}
