package ai_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

// In these tests a project is of the organisation of ten times its number, and of
// the group of a hundred times (house.node).

func asking(p project.ID, person int64) ai.Caller {
	c := caller
	c.Project, c.Person = p, person
	return c
}

func ask(t *testing.T, g *ai.Gateway, c ai.Caller) error {
	t.Helper()
	_, err := g.Run(t.Context(), c, writer, ai.Input{Message: "hello"})
	if err != nil && !fault.Is(err, fault.RateLimited) {
		t.Fatal(err)
	}
	return err
}

func TestABudgetOfAnOrganisationDoesNotTouchCallsOfAnother(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		for _, scope := range []string{"org", "group", "project", "person", "token", "role"} {
			t.Run(scope, func(t *testing.T) {
				stored := h.budget(t, ai.Budget{Owner: 70, Scope: scope, Measure: "requests", Period: "day", Limit: 1})
				g := h.node(t, ai.Usage{}, nil)
				mine, other := asking(7, 3), asking(8, 3)
				mine.Token, other.Token = 5, 5 // the same person, with the same token and role, elsewhere
				for range 3 {
					if err := ask(t, g, other); err != nil {
						t.Errorf("another organisation: %v", err)
					}
				}
				if err := ask(t, g, mine); err != nil {
					t.Errorf("the first of one a day: %v", err)
				}
				if err := ask(t, g, mine); !fault.Is(err, fault.RateLimited) {
					t.Errorf("the second of one a day: %v", err)
				}
				uses, total, err := h.Roles().BudgetsOf(70, []int64{700}, []project.ID{7}).Uses(t.Context(), stored.ID, time.Time{})
				if err != nil || total != 1 || len(uses) != 1 || uses[0].Used != 1 {
					t.Errorf("of %s: %+v of %d, %v", scope, uses, total, err)
				}
				if err := h.Roles().DeleteBudget(t.Context(), 70, stored.ID); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

func TestAnOrganisationCanTightenWhatTheInstallationGivesButNotWidenIt(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.budget(t, ai.Budget{Scope: "org", Measure: "requests", Period: "day", Limit: 3})
	h.budget(t, ai.Budget{Owner: 70, Scope: "org", Measure: "requests", Period: "day", Limit: 1})
	h.budget(t, ai.Budget{Owner: 80, Scope: "org", Measure: "requests", Period: "day", Limit: 1000})
	g := h.node(t, ai.Usage{}, nil)
	f := func(p project.ID, want int) {
		t.Helper()
		passed := 0
		for range 5 {
			if ask(t, g, asking(p, 0)) == nil {
				passed++
			}
		}
		if passed != want {
			t.Errorf("%d calls of project %d passed, want %d", passed, p, want)
		}
	}
	f(7, 1)
	f(8, 3)
	f(9, 3)
}

func TestABudgetIsChangedAndDeletedByItsOwnerAlone(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	roles := h.Roles()
	of := map[ai.Owner]*ai.Budget{}
	for _, owner := range []ai.Owner{ai.Shared, 70} {
		of[owner] = h.budget(t, ai.Budget{Owner: owner, Scope: "person", Measure: "usd", Period: "day", Limit: 5})
	}
	for owner, b := range of {
		for _, other := range []ai.Owner{ai.Shared, 70, 80} {
			if other == owner {
				continue
			}
			taken := *b
			taken.Owner = other
			if _, err := roles.SetBudget(t.Context(), taken, "lee"); !fault.Is(err, fault.NotFound) {
				t.Errorf("%d changes the budget of %d: %v", other, owner, err)
			}
			if err := roles.DeleteBudget(t.Context(), other, b.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%d deletes the budget of %d: %v", other, owner, err)
			}
		}
	}
	refused := func(field string, b ai.Budget) {
		t.Helper()
		if _, err := roles.SetBudget(t.Context(), b, "lee"); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%+v: %v", b, err)
		}
	}
	refused("scope", ai.Budget{Owner: 70, Scope: "all", Measure: "usd", Period: "day", Limit: 5})
	refused("of", ai.Budget{Owner: 70, Scope: "org", Of: "80", Measure: "usd", Period: "day", Limit: 5})
	refused("limit", ai.Budget{Scope: "all", Measure: "usd", Period: "day", Limit: 2e7})
	for field, change := range map[string]func(*ai.Budget){
		"scope":   func(b *ai.Budget) { b.Scope = "token" },
		"measure": func(b *ai.Budget) { b.Measure = "tokens" },
		"period":  func(b *ai.Budget) { b.Period = "month" },
	} {
		b := *of[70]
		change(&b)
		refused(field, b)
	}
	if whole := h.budget(t, ai.Budget{Owner: 70, Scope: "org", Measure: "usd", Period: "day", Limit: 5}); whole.Of != "70" {
		t.Errorf("the whole organisation is %q", whole.Of)
	}
	for i := range 60 {
		_, err := roles.SetBudget(t.Context(), ai.Budget{Owner: 90, Scope: "person", Of: fmt.Sprint(i + 1), Measure: "usd", Period: "day", Limit: 5}, "lee")
		if full := fault.Is(err, fault.Invalid); full != (i >= 50) {
			t.Fatalf("budget %d of an organisation: %v", i+1, err)
		}
	}
}

func TestWhoIsNearALimitIsToldTheNearestFirst(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		each := h.budget(t, ai.Budget{Scope: "person", Measure: "requests", Period: "day", Limit: 10, SoftPercent: 90})
		early := h.budget(t, ai.Budget{Scope: "project", Measure: "requests", Period: "day", Limit: 50, SoftPercent: 10})
		h.budget(t, ai.Budget{Scope: "all", Measure: "requests", Period: "month", Limit: 1000, SoftPercent: 50})
		g := h.node(t, ai.Usage{}, func(ai.SoftLimit) {})
		for person, calls := range map[int64]int{1: 10, 2: 8, 3: 7} {
			for range calls {
				if err := ask(t, g, asking(7, person)); err != nil {
					t.Fatal(err)
				}
			}
		}
		view := h.Roles().BudgetsOf(ai.Shared, nil, nil)
		near, total, err := view.Near(t.Context())
		if err != nil || total != 3 || len(near) != 3 {
			t.Fatalf("%+v of %d, %v", near, total, err)
		}
		for i, want := range []struct {
			budget, subject string
			share           float64
		}{{each.ID, "1", 1}, {each.ID, "2", 0.8}, {early.ID, "7", 0.5}} {
			if got := near[i]; got.Budget.ID != want.budget || got.Use.Subject != want.subject || got.Share != want.share {
				t.Errorf("at place %d: %+v, want %+v", i, got, want)
			}
		}
		list, err := view.List(t.Context())
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, b := range list {
			if b.ID == each.ID && (b.Subjects != 3 || b.Near != 2 || b.Top == nil || b.Top.Subject != "1" || b.Top.Used != 10) {
				t.Errorf("the budget of each person: %+v, top %+v", b, b.Top)
			}
		}
		h.advance(24 * time.Hour)
		if near, total, err := view.Near(t.Context()); err != nil || total != 0 || len(near) != 0 {
			t.Errorf("a day later %+v of %d, %v", near, total, err)
		}
		if err := ask(t, g, asking(7, 1)); err != nil {
			t.Fatal(err)
		}
		periods, err := view.Periods(t.Context(), each.ID)
		if err != nil || len(periods) != 2 || periods[0].Used != 1 || periods[1].Subjects != 3 || periods[1].Near != 2 || periods[1].Most != 10 || periods[1].Used != 25 {
			t.Errorf("periods %+v, %v", periods, err)
		}
		uses, total, err := view.Uses(t.Context(), each.ID, periods[1].From.Add(time.Hour))
		if err != nil || total != 3 || len(uses) != 3 || uses[0].Subject != "1" || uses[2].Used != 7 || !uses[0].From.Equal(periods[1].From) {
			t.Errorf("yesterday's uses %+v of %d, %v", uses, total, err)
		}
	})
}

func TestAnOrganisationSeesOfTheInstallationsBudgetsWhatItUsesItself(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		told := map[string]*ai.Budget{}
		for _, scope := range []string{"org", "group", "project", "all", "person", "token", "role"} {
			told[scope] = h.budget(t, ai.Budget{Scope: scope, Measure: "requests", Period: "day", Limit: 5})
		}
		for _, b := range []ai.Budget{{Scope: "org", Of: "80"}, {Scope: "group", Of: "800"}, {Scope: "project", Of: "8"}, {Scope: "person", Of: "3"}, {Scope: "token", Of: "5"}, {Owner: 80, Scope: "org"}} {
			b.Measure, b.Period, b.Limit = "requests", "day", 5
			h.budget(t, b)
		}
		own := h.budget(t, ai.Budget{Owner: 70, Scope: "person", Measure: "requests", Period: "day", Limit: 5})
		g := h.node(t, ai.Usage{}, nil)
		for range 5 {
			c := asking(8, 3)
			c.Token = 5
			_ = ask(t, g, c)
		}
		h.budget(t, ai.Budget{Scope: "org", Of: "70", Measure: "requests", Period: "day", Limit: 100})
		view := h.Roles().BudgetsOf(70, []int64{700}, []project.ID{7})
		near, total, err := view.Near(t.Context())
		if err != nil || total != 0 || len(near) != 0 {
			t.Errorf("another organisation is near its limits, and this one is told %+v of %d, %v", near, total, err)
		}
		list, err := view.List(t.Context())
		if err != nil || len(list) != 9 || list[0].ID != own.ID {
			t.Fatalf("%d budgets: %+v, %v", len(list), list, err)
		}
		for _, b := range list {
			if b.Top != nil || b.Subjects != 0 {
				t.Errorf("the use of another organisation shows: %+v, %+v", b, b.Top)
			}
			if sums := b.Scope == "org" || b.Scope == "group" || b.Scope == "project"; b.Owner == ai.Shared && b.Hidden == sums {
				t.Errorf("of a budget of %s hidden is %v", b.Scope, b.Hidden)
			}
			uses, total, err := view.Uses(t.Context(), b.ID, time.Time{})
			if err != nil || len(uses) != 0 || total != 0 {
				t.Errorf("of %s: %+v of %d, %v", b.Scope, uses, total, err)
			}
			if periods, err := view.Periods(t.Context(), b.ID); err != nil || len(periods) != 0 {
				t.Errorf("of %s: %+v, %v", b.Scope, periods, err)
			}
		}
		for _, b := range told {
			if uses, _, err := h.Roles().BudgetsOf(ai.Shared, nil, nil).Uses(t.Context(), b.ID, time.Time{}); err != nil || len(uses) != 1 || uses[0].Used != 5 {
				t.Errorf("the installation sees of %s %+v, %v", b.Scope, uses, err)
			}
		}
		if _, _, err := view.Uses(t.Context(), "none", time.Time{}); !fault.Is(err, fault.NotFound) {
			t.Errorf("a budget that is not there: %v", err)
		}
	})
}
