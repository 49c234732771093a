package ai_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

// node is a gateway on the stores of the house that answers with the given usage.
func (h *house) node(t *testing.T, usage ai.Usage, onSoft func(ai.SoftLimit)) *ai.Gateway {
	t.Helper()
	says := provider(func(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		response, err := answers("good")(ctx, r, on)
		response.Usage = usage
		return response, err
	})
	g, err := ai.New(ai.Options{DB: h.db, Telemetry: h.telemetry, Dir: t.TempDir(), Services: map[string]ai.Service{"openai": serviceOf(says)},
		DefaultChain: []ai.Entry{{Provider: "openai", Model: "gpt-4.1-mini"}}, Now: h.clock,
		Place: func(_ context.Context, p project.ID) (org, group int64, err error) {
			return int64(p) * 10, int64(p) * 100, nil
		},
		OnSoftLimit: func(_ context.Context, _ ai.Caller, s ai.SoftLimit) error {
			onSoft(s)
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, g)
	return g
}

func (h *house) budget(t *testing.T, b ai.Budget) *ai.Budget {
	t.Helper()
	stored, err := h.Roles().SetBudget(t.Context(), b, "kim")
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func TestABudgetHoldsOverTwoNodesWhenManyAskAtOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		const limit = 25
		budget := h.budget(t, ai.Budget{Scope: "project", Measure: "requests", Period: "hour", Limit: limit, SoftPercent: 80})
		var told atomic.Int64
		soft := func(s ai.SoftLimit) {
			if now := h.clock(); s.From.After(now) || !s.To.After(now) {
				t.Errorf("people are told of %s to %s at %s", s.From, s.To, now)
			}
			told.Add(1)
		}
		nodes := []*ai.Gateway{h.node(t, ai.Usage{}, soft), h.node(t, ai.Usage{}, soft)}
		var wait sync.WaitGroup
		var passed, refused atomic.Int64
		for i := range 60 {
			wait.Go(func() {
				_, err := nodes[i%2].Run(t.Context(), caller, writer, ai.Input{Message: "hello"})
				switch {
				case err == nil:
					passed.Add(1)
				case fault.Is(err, fault.RateLimited) && fault.As(err).RetryAfter > 0 && fault.As(err).RetryAfter <= time.Hour:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if passed.Load() != limit || refused.Load() != 60-limit || told.Load() != 1 {
			t.Errorf("%d passed, %d were refused, people were told %d times", passed.Load(), refused.Load(), told.Load())
		}
		uses, err := h.uses(t, budget.ID)
		if err != nil || len(uses) != 1 || uses[0].Subject != "7" || uses[0].Used != limit {
			t.Errorf("uses %+v, %v", uses, err)
		}
		other := caller
		other.Project++
		if _, err := nodes[0].Run(t.Context(), other, writer, ai.Input{Message: "hello"}); err != nil {
			t.Errorf("another project: %v", err)
		}
		h.advance(time.Hour)
		if _, err := nodes[0].Run(t.Context(), caller, writer, ai.Input{Message: "hello"}); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestWhatWasReservedIsSettledByWhatWasUsed(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	tokens := h.budget(t, ai.Budget{Scope: "org", Of: "70", Measure: "tokens", Period: "day", Limit: 3000})
	dollars := h.budget(t, ai.Budget{Scope: "role", Of: writer, Measure: "usd", Period: "month", Limit: 1})
	g := h.node(t, ai.Usage{InputTokens: 100, OutputTokens: 50}, nil) // of gpt-4.1-mini: 0.4 USD per million in, 1.6 out
	for range 4 {                                                     // each reserves a thousand tokens and more
		if _, err := g.Run(t.Context(), caller, writer, ai.Input{Message: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	for budget, want := range map[*ai.Budget]float64{tokens: 600, dollars: 4 * (100*0.4 + 50*1.6) / 1e6} {
		uses, err := h.uses(t, budget.ID)
		if err != nil || len(uses) != 1 || math.Abs(uses[0].Used-want) > want*1e-3 {
			t.Errorf("of %s: %+v, %v, want %v", budget.Measure, uses, err, want)
		}
	}
	large := int64(5000)
	if _, err := g.Run(t.Context(), caller, writer, ai.Input{Message: "hello", Parameters: &ai.Parameters{MaxTokens: &large}}); !fault.Is(err, fault.RateLimited) {
		t.Errorf("an answer that may be larger than what is left: %v", err)
	}
	if _, err := g.Run(t.Context(), caller, writer, ai.Input{Message: "hello"}); err != nil {
		t.Errorf("what was refused took something: %v", err)
	}
}

func TestABudgetOfAPersonIsNotAboutCallsOfNobody(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.budget(t, ai.Budget{Scope: "person", Measure: "requests", Period: "month", Limit: 1})
	g := h.node(t, ai.Usage{}, nil)
	kim := caller
	kim.Person = 3
	for range 2 {
		if _, err := g.Run(t.Context(), caller, writer, ai.Input{Message: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Run(t.Context(), kim, writer, ai.Input{Message: "hello"}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Run(t.Context(), kim, writer, ai.Input{Message: "hello"}); !fault.Is(err, fault.RateLimited) {
		t.Errorf("the second of one a month: %v", err)
	}
}

func TestABudgetOfAPurposeCountsItsCallsOfAllProjectsTogetherAndNoOthers(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	judge := h.budget(t, ai.Budget{Scope: "purpose", Of: "judge", Measure: "requests", Period: "day", Limit: 2})
	each := h.budget(t, ai.Budget{Scope: "purpose", Measure: "requests", Period: "day", Limit: 4})
	g := h.node(t, ai.Usage{}, nil)
	ask := func(c ai.Caller) error {
		_, err := g.Run(t.Context(), c, writer, ai.Input{Message: "hello"})
		return err
	}
	for _, p := range []project.ID{shop, shop + 1} {
		if err := ask(ai.Caller{Project: p, Kind: "judge", Name: "judge"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(ai.Caller{Project: shop, Kind: "judge"}); !fault.Is(err, fault.RateLimited) || !strings.Contains(err.Error(), "for this purpose") {
		t.Errorf("the third of the judge: %v", err)
	}
	for range 4 { // a purpose of its own goes over the kind
		if err := ask(ai.Caller{Project: shop, Kind: "judge", Purpose: "incident_report"}); err != nil {
			t.Errorf("for another purpose: %v", err)
		}
	}
	if err := ask(ai.Caller{Project: shop, Kind: "incident", Purpose: "incident_report"}); !fault.Is(err, fault.RateLimited) {
		t.Errorf("the fifth for incidents: %v", err)
	}
	for budget, want := range map[*ai.Budget]string{judge: "judge 2", each: "incident_report 4, judge 2"} {
		uses, err := h.uses(t, budget.ID)
		var got []string
		for _, u := range uses {
			got = append(got, fmt.Sprintf("%s %g", u.Subject, u.Used))
		}
		if err != nil || strings.Join(got, ", ") != want {
			t.Errorf("used %q, %v, want %q", got, err, want)
		}
	}
}

func TestABudgetThatCannotBeIsRefusedWithTheFieldAtFault(t *testing.T) {
	roles := ai.NewRoles(metadbtest.SQLite(t), nil, nil)
	good := ai.Budget{Scope: "person", Measure: "usd", Period: "day", Limit: 5}
	f := func(field string, change func(*ai.Budget)) {
		t.Helper()
		b := good
		change(&b)
		if _, err := roles.SetBudget(t.Context(), b, "kim"); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%+v: %v", b, err)
		}
	}
	f("scope", func(b *ai.Budget) { b.Scope = "planet" })
	f("of", func(b *ai.Budget) { b.Of = "kim" })
	f("of", func(b *ai.Budget) { b.Scope, b.Of = "all", "7" })
	f("of", func(b *ai.Budget) { b.Scope, b.Of = "purpose", "The Judge" })
	f("measure", func(b *ai.Budget) { b.Measure = "euro" })
	f("period", func(b *ai.Budget) { b.Period = "decade" })
	f("limit", func(b *ai.Budget) { b.Limit = 0 })
	f("soft_percent", func(b *ai.Budget) { b.SoftPercent = 100 })
	stored, err := roles.SetBudget(t.Context(), good, "kim")
	if err != nil || stored.Version != 1 {
		t.Fatalf("%+v, %v", stored, err)
	}
	stored.Limit = 6
	if _, err := roles.SetBudget(t.Context(), *stored, "lee"); err != nil {
		t.Fatal(err)
	}
	if _, err := roles.SetBudget(t.Context(), *stored, "park"); !fault.Is(err, fault.Conflict) {
		t.Errorf("an edit of an old version: %v", err)
	}
}

// uses is what was used of a budget of the installation.
func (h *house) uses(t *testing.T, id string) ([]ai.BudgetUse, error) {
	t.Helper()
	uses, _, err := h.Roles().BudgetsOf(ai.Shared, nil, nil).Uses(t.Context(), id, time.Time{})
	return uses, err
}
