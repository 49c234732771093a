package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// BudgetRequest is what one edits of a budget.
type BudgetRequest struct {
	Scope       string  `json:"scope" enum:"all,org,group,project,person,token,role,purpose" doc:"who is counted; stays, as measure and period do"`
	Of          string  `json:"of,omitempty" maxLength:"63" doc:"id of the one it is about, code of the role, or purpose as calls are recorded with it (api, check, conversation, incident_investigation, incident_report, judge, playground, try, replay); absent counts each of them for itself"`
	Measure     string  `json:"measure" enum:"requests,tokens,usd"`
	Period      string  `json:"period" enum:"minute,hour,day,month" doc:"of UTC"`
	Limit       float64 `json:"limit" exclusiveMinimum:"0" doc:"at which calls are refused with 429"`
	SoftPercent int     `json:"soft_percent,omitempty" minimum:"0" maximum:"99" doc:"of the limit, at which people are told; 0 tells nobody"`
}

func (r BudgetRequest) budget(owner ai.Owner, id string, version int64) ai.Budget {
	return ai.Budget{ID: id, Version: version, Owner: owner, Scope: r.Scope, Of: r.Of, Measure: r.Measure, Period: r.Period, Limit: r.Limit, SoftPercent: r.SoftPercent}
}

// InBudgets is whose budgets a path is about: an organisation's where it names
// one, else the installation's.
type InBudgets struct {
	owner ai.Owner
}

// Resolve implements huma.Resolver; who may ask was checked by then.
func (in *InBudgets) Resolve(hc huma.Context) []error {
	if org := hc.Param("org"); org != "" {
		id, err := strconv.ParseInt(org, 10, 64)
		if err != nil {
			return []error{err}
		}
		in.owner = ai.Owner(id)
	}
	return nil
}

// InBudget names a budget in the path.
type InBudget struct {
	InBudgets
	Budget string `path:"budget" maxLength:"32"`
}

// InBudgetUse names a budget and one of its periods.
type InBudgetUse struct {
	InBudget
	At time.Time `query:"at" doc:"a moment of the period; default now"`
}

// InBudgetSubjects searches those whom a budget can be about.
type InBudgetSubjects struct {
	InBudgets
	Scope string `query:"scope" enum:"org,group,project,person,token,role,purpose" required:"true"`
	Q     string `query:"q" maxLength:"200" doc:"a part of the name"`
}

// purposes are those that MATRIX names calls with; programs may name others.
var purposes = []string{"api", "conversation", "incident_investigation", "incident_report", "judge", "playground", "replay", "try"}

// tokensSeen is how long ago a token may have called for an organisation that
// chooses it for a budget.
const tokensSeen = 30 * 24 * time.Hour

func (s *server) registerBudgets() {
	s.registerBudgetsOf(tenant.SystemAdmin, "/api/v1", "")
	s.registerBudgetsOf(tenant.OrgAdmin, "/api/v1/orgs/{org}", "org-")
}

// registerBudgetsOf registers the budgets of the installation, or of the
// organisation that the path names. What an organisation sees of those of the
// installation is for ai.BudgetView to say.
func (s *server) registerBudgetsOf(act tenant.Action, path, prefix string) {
	roles := s.opts.AI.Roles()
	at := func(op huma.Operation) huma.Operation {
		if strings.Contains(path, "{org}") {
			one := 1.0
			op.Parameters = []*huma.Param{{Name: "org", In: "path", Required: true, Description: "organisation id",
				Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &one}}}
		}
		return op
	}
	set := func(ctx context.Context, b ai.Budget, author string) (*edited[ai.Budget], error) {
		if err := s.checkSubject(ctx, b); err != nil {
			return nil, err
		}
		stored, err := roles.SetBudget(ctx, b, author)
		if err != nil {
			return nil, err
		}
		return versioned(*stored, stored.Version, nil)
	}
	budgets := path + "/ai-budgets"
	register(s, act, at(get("list-"+prefix+"budgets", budgets, "What may be used of models, and how far it is used")),
		func(ctx context.Context, _ tenant.Actor, in *InBudgets) (*result[Page[ai.BudgetStanding]], error) {
			view, err := s.budgetsOf(ctx, in.owner)
			if err != nil {
				return nil, err
			}
			list, err := view.List(ctx)
			if err != nil {
				return nil, err
			}
			return all(list, s.nameBudgets(ctx, list))
		})
	register(s, act, at(post("create-"+prefix+"budget", budgets, "Make a budget; live within a second", http.StatusCreated)),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InBudgets
			Body BudgetRequest
		}) (*edited[ai.Budget], error) {
			return set(ctx, in.Body.budget(in.owner, "", 0), a.Name)
		})
	register(s, act, at(get("list-"+prefix+"near-limits", budgets+"/near", "Who is near the limit of a budget: at its soft limit or at 80 percent; the nearest first, at most 200")),
		func(ctx context.Context, _ tenant.Actor, in *InBudgets) (*result[Page[ai.NearLimit]], error) {
			view, err := s.budgetsOf(ctx, in.owner)
			if err != nil {
				return nil, err
			}
			near, total, err := view.Near(ctx)
			if err != nil {
				return nil, err
			}
			return ok(Page[ai.NearLimit]{Items: near, Total: total}, s.nameNear(ctx, near))
		})
	register(s, act, at(get("get-"+prefix+"budget", budgets+"/{budget}", "One budget, and how far it is used")),
		func(ctx context.Context, _ tenant.Actor, in *InBudget) (*edited[ai.BudgetStanding], error) {
			view, err := s.budgetsOf(ctx, in.owner)
			if err != nil {
				return nil, err
			}
			found, err := view.Get(ctx, in.Budget)
			if err != nil {
				return nil, err
			}
			one := []ai.BudgetStanding{*found}
			err = s.nameBudgets(ctx, one)
			return versioned(one[0], found.Version, err)
		})
	register(s, act, at(put("update-"+prefix+"budget", budgets+"/{budget}", "Change whom a budget is about and its limits; what was used stays counted")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InBudget
			InVersion
			Body BudgetRequest
		}) (*edited[ai.Budget], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return set(ctx, in.Body.budget(in.owner, in.Budget, version), a.Name)
		})
	register(s, act, at(del("delete-"+prefix+"budget", budgets+"/{budget}", "Remove a budget with what it counted")),
		func(ctx context.Context, _ tenant.Actor, in *InBudget) (*struct{}, error) {
			return done(roles.DeleteBudget(ctx, in.owner, in.Budget))
		})
	register(s, act, at(get("get-"+prefix+"budget-use", budgets+"/{budget}/use", "What was used of a budget in one of its periods, the most first; at most 1000")),
		func(ctx context.Context, _ tenant.Actor, in *InBudgetUse) (*result[Page[ai.BudgetUse]], error) {
			view, err := s.budgetsOf(ctx, in.owner)
			if err != nil {
				return nil, err
			}
			b, err := view.Get(ctx, in.Budget)
			if err != nil {
				return nil, err
			}
			uses, total, err := view.Uses(ctx, in.Budget, in.At)
			if err != nil {
				return nil, err
			}
			names := make([]naming, len(uses))
			for i := range uses {
				names[i] = naming{b.Scope, uses[i].Subject, &uses[i].Name}
			}
			return ok(Page[ai.BudgetUse]{Items: uses, Total: total}, s.nameSubjects(ctx, names))
		})
	register(s, act, at(get("get-"+prefix+"budget-periods", budgets+"/{budget}/periods", "What was used of a budget in its periods, the newest first; what is 62 days ago is forgotten")),
		func(ctx context.Context, _ tenant.Actor, in *InBudget) (*result[Page[ai.BudgetPeriod]], error) {
			view, err := s.budgetsOf(ctx, in.owner)
			if err != nil {
				return nil, err
			}
			return all(view.Periods(ctx, in.Budget))
		})
	register(s, act, at(get("list-"+prefix+"budget-subjects", path+"/ai-budget-subjects", "Whom a budget can be about; at most 50")),
		func(ctx context.Context, _ tenant.Actor, in *InBudgetSubjects) (*result[Page[tenant.Subject]], error) {
			return all(s.budgetSubjects(ctx, in.owner, in.Scope, in.Q))
		})
}

// budgetsOf returns what an owner sees of budgets.
func (s *server) budgetsOf(ctx context.Context, owner ai.Owner) (*ai.BudgetView, error) {
	roles := s.opts.AI.Roles()
	if owner == ai.Shared {
		return roles.BudgetsOf(ai.Shared, nil, nil), nil
	}
	groups, err := s.tenants.OrgGroups(ctx, int64(owner))
	if err != nil {
		return nil, err
	}
	projects, err := s.tenants.OrgProjects(ctx, int64(owner))
	if err != nil {
		return nil, err
	}
	ids := make([]project.ID, len(projects))
	for i := range projects {
		ids[i] = projects[i].ID
	}
	return roles.BudgetsOf(owner, groups, ids), nil
}

// checkSubject refuses a budget of somebody who is not there, or not of its owner:
// an organisation must not learn names by trying numbers.
func (s *server) checkSubject(ctx context.Context, b ai.Budget) error {
	if b.Of == "" || !tenant.Named(b.Scope) {
		return nil
	}
	id, err := strconv.ParseInt(b.Of, 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "it is named by its number").WithField("of")
	}
	var found bool
	if b.Owner != ai.Shared && b.Scope == "token" {
		var tokens []tenant.Subject
		tokens, err = s.tokensOf(ctx, b.Owner)
		found = slices.ContainsFunc(tokens, func(t tenant.Subject) bool { return t.ID == b.Of })
	} else {
		found, err = s.tenants.HasSubject(ctx, b.Scope, int64(b.Owner), id)
	}
	if err == nil && !found {
		err = fault.New(fault.Invalid, "there is no such %s", b.Scope).WithField("of")
	}
	return err
}

// budgetSubjects finds those whom a budget of an owner can be about.
func (s *server) budgetSubjects(ctx context.Context, owner ai.Owner, scope, words string) ([]tenant.Subject, error) {
	found := []tenant.Subject{}
	switch {
	case scope == "role":
		roles, err := s.opts.AI.Roles().Reachable(ctx, owner)
		if err != nil {
			return nil, err
		}
		for i := range roles {
			found = append(found, tenant.Subject{ID: roles[i].Code, Name: roles[i].Name})
		}
	case scope == "purpose":
		for _, purpose := range purposes {
			found = append(found, tenant.Subject{ID: purpose})
		}
	case scope == "token" && owner != ai.Shared:
		tokens, err := s.tokensOf(ctx, owner)
		if err != nil {
			return nil, err
		}
		found = tokens
	default:
		return s.tenants.Subjects(ctx, scope, int64(owner), words)
	}
	words = strings.ToLower(words)
	found = slices.DeleteFunc(found, func(one tenant.Subject) bool {
		return !strings.Contains(strings.ToLower(one.ID+" "+one.Name), words)
	})
	return found[:min(len(found), 50)], nil
}

// tokensOf returns the API tokens that have called for an organisation of late.
// Its people may have others, which are none of its business.
func (s *server) tokensOf(ctx context.Context, org ai.Owner) ([]tenant.Subject, error) {
	projects, err := s.tenants.OrgProjects(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	scope := usage.Scope{}
	for i := range projects {
		scope.Projects = append(scope.Projects, projects[i].ID)
	}
	now := s.now()
	report, err := s.opts.Usage.Report(ctx, scope, usage.Query{From: now.Add(-tokensSeen), To: now, By: "token"})
	if err != nil {
		return nil, err
	}
	if err := s.nameUsage(ctx, report); err != nil {
		return nil, err
	}
	found := []tenant.Subject{}
	for i := range report.Rows {
		if row := &report.Rows[i]; row.Name != "" {
			found = append(found, tenant.Subject{ID: row.Key, Name: row.Name})
		}
	}
	return found, nil
}

func (s *server) nameBudgets(ctx context.Context, list []ai.BudgetStanding) error {
	var names []naming
	for i := range list {
		b := &list[i]
		names = append(names, naming{b.Scope, b.Of, &b.Name})
		if b.Top != nil {
			names = append(names, naming{b.Scope, b.Top.Subject, &b.Top.Name})
		}
	}
	return s.nameSubjects(ctx, names)
}

func (s *server) nameNear(ctx context.Context, list []ai.NearLimit) error {
	var names []naming
	for i := range list {
		near := &list[i]
		near.Budget.Top = nil // the one it is told of is enough
		names = append(names, naming{near.Budget.Scope, near.Budget.Of, &near.Budget.Name}, naming{near.Budget.Scope, near.Use.Subject, &near.Use.Name})
	}
	return s.nameSubjects(ctx, names)
}
