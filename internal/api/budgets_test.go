package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestAnOrganisationsBudgetIsOfItsOwnPeopleAndNamesNobodyElse(t *testing.T) {
	n := newNeighbours(t, metadbtest.SQLite(t))
	budgets := fmt.Sprintf("/api/v1/orgs/%d/ai-budgets", n.a.org)
	of := func(scope string, id any) BudgetRequest {
		return BudgetRequest{Scope: scope, Of: fmt.Sprint(id), Measure: "requests", Period: "month", Limit: 5}
	}
	stranger := n.b.user(n.b.newUser())
	for _, b := range []BudgetRequest{of("org", n.b.org), of("group", n.b.group), of("project", n.b.project), of("person", stranger), of("person", n.b.owner.UserID), of("token", n.foreign), of("project", 999999)} {
		answer := n.a.login.do(http.MethodPost, budgets, b, nil)
		if p := n.problem(answer, http.StatusUnprocessableEntity); !strings.Contains(answer.Body.String(), "of") {
			t.Errorf("%s %s: %+v", b.Scope, b.Of, p)
		}
	}
	for _, b := range []BudgetRequest{of("group", n.a.group), of("project", n.a.project), of("person", n.a.owner.UserID)} {
		n.decode(n.a.login.do(http.MethodPost, budgets, b, nil), http.StatusCreated, &ai.Budget{})
	}
	var list Page[ai.BudgetStanding]
	n.decode(n.a.login.do(http.MethodGet, budgets, nil, nil), http.StatusOK, &list)
	if len(list.Items) != 3 {
		t.Errorf("%+v", list)
	}
	for _, b := range list.Items {
		if b.Name == "" {
			t.Errorf("the %s has no name", b.Scope)
		}
	}
	for _, scope := range []string{"org", "group", "project", "person", "token"} {
		var found, all Page[tenant.Subject]
		path := "/ai-budget-subjects?scope=" + scope + "&q="
		answer := n.a.login.do(http.MethodGet, fmt.Sprintf("/api/v1/orgs/%d%s", n.a.org, path), nil, nil)
		n.decode(answer, http.StatusOK, &found)
		n.decode(n.admin().do(http.MethodGet, "/api/v1"+path, nil, nil), http.StatusOK, &all)
		if strings.Contains(answer.Body.String(), n.b.canary) || (len(found.Items) == 0) != (scope == "token") || len(all.Items) <= len(found.Items) {
			t.Errorf("of %s the organisation finds %+v, the installation %d", scope, found.Items, len(all.Items))
		}
	}
	var none Page[tenant.Subject]
	n.decode(n.admin().do(http.MethodGet, "/api/v1/ai-budget-subjects?scope=person&q=%25", nil, nil), http.StatusOK, &none)
	if len(none.Items) != 0 {
		t.Errorf("a percent sign finds %+v", none.Items)
	}
}

func TestWhoIsNearALimitIsNamedToWhoMayKnow(t *testing.T) {
	n := newNeighbours(t, metadbtest.SQLite(t))
	role := n.newRole()
	shared := budgetBody()
	shared.Scope, shared.Limit = "project", 2
	n.decode(n.admin().do(http.MethodPost, "/api/v1/ai-budgets", shared, nil), http.StatusCreated, &ai.Budget{})
	own := BudgetRequest{Scope: "person", Measure: "requests", Period: "month", Limit: 1}
	at := func(p *place, path string) string { return fmt.Sprintf("/api/v1/orgs/%d%s", p.org, path) }
	n.decode(n.a.login.do(http.MethodPost, at(n.a, "/ai-budgets"), own, nil), http.StatusCreated, &ai.Budget{})
	ask := func(p *place, status int) {
		t.Helper()
		answer := p.login.do(http.MethodPost, fmt.Sprintf("/api/v1/ai/roles/%s/runs?project=%d", role, p.project), RunRequest{Input: "hello"}, nil)
		if answer.Code != status {
			t.Errorf("%d: %s", answer.Code, answer.Body)
		}
	}
	ask(n.a, http.StatusOK)
	ask(n.a, http.StatusTooManyRequests) // by its own budget
	ask(n.b, http.StatusOK)
	ask(n.b, http.StatusOK)
	ask(n.b, http.StatusTooManyRequests) // by the installation's
	near := func(c *client, path string) (names string) {
		t.Helper()
		var page Page[ai.NearLimit]
		n.decode(c.do(http.MethodGet, path, nil, nil), http.StatusOK, &page)
		for _, one := range page.Items {
			names += fmt.Sprintf("%s %q %g;", one.Budget.Scope, one.Use.Name, one.Share)
		}
		if page.Total != len(page.Items) {
			t.Errorf("%d of %d", len(page.Items), page.Total)
		}
		return names
	}
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("near are %s, want %s", got, want)
		}
	}
	person, err := n.tenants.Names(t.Context(), "person", []int64{n.a.owner.UserID})
	n.must(err)
	theirs, err := n.tenants.Names(t.Context(), "project", []int64{int64(n.b.project)})
	n.must(err)
	f(near(n.admin(), "/api/v1/ai-budgets/near"), fmt.Sprintf("project %q 1;", theirs[int64(n.b.project)]))
	f(near(n.a.login, at(n.a, "/ai-budgets/near")), fmt.Sprintf("person %q 1;", person[n.a.owner.UserID]))
	f(near(n.b.login, at(n.b, "/ai-budgets/near")), fmt.Sprintf("project %q 1;", theirs[int64(n.b.project)]))
}
