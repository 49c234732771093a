package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// BudgetRequest is what one edits of a budget.
type BudgetRequest struct {
	Scope       string  `json:"scope" enum:"all,org,group,project,person,token,role" doc:"who is counted"`
	Of          string  `json:"of,omitempty" maxLength:"63" doc:"id of the one it is about, or code of the role; absent counts each of them for itself"`
	Measure     string  `json:"measure" enum:"requests,tokens,usd"`
	Period      string  `json:"period" enum:"minute,hour,day,month" doc:"of UTC"`
	Limit       float64 `json:"limit" exclusiveMinimum:"0" doc:"at which calls are refused with 429"`
	SoftPercent int     `json:"soft_percent,omitempty" minimum:"0" maximum:"99" doc:"of the limit, at which people are told; 0 tells nobody"`
}

func (r BudgetRequest) budget(id string, version int64) ai.Budget {
	return ai.Budget{ID: id, Version: version, Scope: r.Scope, Of: r.Of, Measure: r.Measure, Period: r.Period, Limit: r.Limit, SoftPercent: r.SoftPercent}
}

// InBudget names a budget in the path.
type InBudget struct {
	Budget string `path:"budget" maxLength:"32"`
}

func (s *server) registerBudgets() {
	roles := s.opts.AI.Roles()
	set := func(ctx context.Context, b ai.Budget, author string) (*edited[ai.Budget], error) {
		stored, err := roles.SetBudget(ctx, b, author)
		if err != nil {
			return nil, err
		}
		return versioned(*stored, stored.Version, nil)
	}
	register(s, tenant.SystemAdmin, get("list-budgets", "/api/v1/ai-budgets", "What may be used of models"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[ai.Budget]], error) {
			return all(roles.Budgets(ctx))
		})
	register(s, tenant.SystemAdmin, post("create-budget", "/api/v1/ai-budgets", "Make a budget; live within a second", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body BudgetRequest }) (*edited[ai.Budget], error) {
			return set(ctx, in.Body.budget("", 0), a.Name)
		})
	register(s, tenant.SystemAdmin, put("update-budget", "/api/v1/ai-budgets/{budget}", "Change a budget; what was used stays counted"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InBudget
			InVersion
			Body BudgetRequest
		}) (*edited[ai.Budget], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return set(ctx, in.Body.budget(in.Budget, version), a.Name)
		})
	register(s, tenant.SystemAdmin, del("delete-budget", "/api/v1/ai-budgets/{budget}", "Remove a budget"),
		func(ctx context.Context, _ tenant.Actor, in *InBudget) (*struct{}, error) {
			return done(roles.DeleteBudget(ctx, in.Budget))
		})
	register(s, tenant.SystemAdmin, get("get-budget-use", "/api/v1/ai-budgets/{budget}/use", "What was used of a budget in its present period, the most first"),
		func(ctx context.Context, _ tenant.Actor, in *InBudget) (*result[Page[ai.BudgetUse]], error) {
			return all(roles.BudgetUses(ctx, in.Budget))
		})
}
