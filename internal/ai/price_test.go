package ai_test

import (
	"math"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func TestAPriceIsEditedAndADeletedOneStaysAway(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := t.Context()
		now := time.Date(2025, 6, 17, 14, 3, 0, 0, time.UTC)
		roles := ai.NewRoles(db, func() time.Time { return now }, nil)
		find := func(provider, model string) *ai.Price {
			t.Helper()
			if err := roles.Seed(ctx); err != nil { // as every start does
				t.Fatal(err)
			}
			prices, err := roles.Prices(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range prices {
				if p.Provider == provider && p.Model == model {
					return &p
				}
			}
			return nil
		}
		if p := find("openai", "gpt-4o-mini"); p == nil || p.Input != 0.15 || p.UpdatedAt != nil || p.UpdatedBy != "matrix" {
			t.Errorf("seeded %+v", p)
		}
		if _, err := roles.SetPrice(ctx, ai.Price{Provider: "openai", Model: "gpt-4o-mini", Input: 0.1500004, Output: 0}, "kim"); err != nil {
			t.Fatal(err)
		}
		if p := find("openai", "gpt-4o-mini"); p == nil || p.Input != 0.15 || p.Output != 0 || !p.UpdatedAt.Equal(now) || p.UpdatedBy != "kim" {
			t.Errorf("edited %+v", p)
		}
		if err := roles.DeletePrice(ctx, "openai", "gpt-4o-mini", "lee"); err != nil {
			t.Fatal(err)
		}
		if p := find("openai", "gpt-4o-mini"); p != nil {
			t.Errorf("a deleted price came back: %+v", p)
		}
		if err := roles.DeletePrice(ctx, "openai", "gpt-4o-mini", "lee"); !fault.Is(err, fault.NotFound) {
			t.Errorf("err %v", err)
		}
		if _, err := roles.SetPrice(ctx, ai.Price{Provider: "openai", Model: "gpt-4o-mini", Input: 1, Output: 2}, "park"); err != nil {
			t.Fatal(err)
		}
		if p := find("openai", "gpt-4o-mini"); p == nil || p.Output != 2 {
			t.Errorf("set again %+v", p)
		}
		for field, p := range map[string]ai.Price{"provider": {Model: "m"}, "model": {Provider: "p"}, "input": {Provider: "p", Model: "m", Input: math.NaN()}, "output": {Provider: "p", Model: "m", Output: 1e7}} {
			if _, err := roles.SetPrice(ctx, p, "kim"); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}

func TestACallCostsWhatThePriceSaysFromTheNextCallOn(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	if _, err := h.Roles().SetPrice(t.Context(), ai.Price{Provider: "openai", Model: "gpt-4.1-mini", Input: 30, Output: 60}, "kim"); err != nil {
		t.Fatal(err)
	}
	u := h.run(t, input(seedCase(t))).Usage
	want := (float64(u.InputTokens)*30 + float64(u.OutputTokens)*60) / 1e6
	if u.CostUSD == nil || math.Abs(*u.CostUSD-want) > 1e-9 || want == 0 {
		t.Errorf("cost %v of %+v, want %v", u.CostUSD, u, want)
	}
	if err := h.Roles().DeletePrice(t.Context(), "openai", "gpt-4.1-mini", "kim"); err != nil {
		t.Fatal(err)
	}
	if u := h.run(t, input(seedCase(t))).Usage; u.CostUSD != nil {
		t.Errorf("without a price it costs %v", *u.CostUSD)
	}
}

func dollars(usd float64) *float64 { return &usd }

func costs(got *float64, want float64) bool { return got != nil && math.Abs(*got-want) < 1e-12 }

// ask makes a call through a node and waits until it is logged.
func askNode(t *testing.T, g *ai.Gateway, caller ai.Caller) *ai.Result {
	t.Helper()
	result, err := g.Run(t.Context(), caller, writer, ai.Input{Message: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return result
}

func (h *house) price(t *testing.T, p ai.Price) *ai.Price {
	t.Helper()
	p.Provider, p.Model = "openai", "gpt-4.1-mini"
	stored, err := h.Roles().SetPrice(t.Context(), p, "kim")
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func TestACallCostsWhatThePriceWasWhenItWasMadeForEachKindOfToken(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		used := ai.Usage{InputTokens: 1000, CachedTokens: 600, CacheWriteTokens: 100, OutputTokens: 500, ReasoningTokens: 200}
		g := h.node(t, used, nil)
		now := h.clock()
		tomorrow := now.Add(24 * time.Hour)
		h.price(t, ai.Price{Input: 10, Output: 20})
		dear := h.price(t, ai.Price{Input: 10, Output: 20, Cached: dollars(1), CacheWrite: dollars(12.5), Reasoning: dollars(40), From: &tomorrow})
		first := askNode(t, g, caller)
		if want := (1000*10.0 + 500*20) / 1e6; !costs(first.Usage.CostUSD, want) {
			t.Errorf("a price without parts: %v, want %v", first.Usage.CostUSD, want)
		}
		h.advance(24 * time.Hour)
		second := askNode(t, g, caller)
		if want := (300*10.0 + 600*1 + 100*12.5 + 300*20 + 200*40) / 1e6; !costs(second.Usage.CostUSD, want) {
			t.Errorf("a price by kind of token: %v, want %v", second.Usage.CostUSD, want)
		}
		call, err := g.Call(t.Context(), shop, second.CallID)
		if err != nil || call.PriceVersion != dear.Version || call.Attempts[0].PriceVersion != dear.Version {
			t.Errorf("it names the price of version %d: %+v, %v", dear.Version, call, err)
		}
		if err := h.Roles().WithdrawPrice(t.Context(), dear.Version, "lee"); err != nil {
			t.Fatal(err)
		}
		history, err := h.Roles().PriceHistory(t.Context(), "openai", "gpt-4.1-mini")
		if err != nil || len(history) != 3 || history[0].WithdrawnAt == nil || history[0].WithdrawnBy != "lee" || history[2].From != nil || history[2].UpdatedBy != "matrix" {
			t.Errorf("history %+v, %v", history, err)
		}
		if err := h.Roles().WithdrawPrice(t.Context(), dear.Version, "lee"); !fault.Is(err, fault.NotFound) {
			t.Errorf("withdrawn twice: %v", err)
		}
	})
}

func TestACallIsRecordedForTheOrganisationGroupPersonTokenAndPurposeItIsOf(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	g := h.node(t, ai.Usage{InputTokens: 5, OutputTokens: 5}, nil)
	result := askNode(t, g, ai.Caller{Project: shop, Kind: "api", Name: "kim", Person: 3, Token: 4, Purpose: "playground"})
	call, err := g.Call(t.Context(), shop, result.CallID)
	if err != nil || call.Org != 70 || call.Group != 700 || call.Person != 3 || call.Token != 4 || call.Purpose != "playground" {
		t.Errorf("call %+v, %v", call, err)
	}
	page, err := g.Calls(t.Context(), shop, ai.CallQuery{})
	if err != nil || page.Items[0].Org != 70 || page.Items[0].Purpose != "playground" || page.Items[0].Message != "" {
		t.Errorf("page %+v, %v", page, err)
	}
	result = askNode(t, g, caller)
	if call, err := g.Call(t.Context(), shop, result.CallID); err != nil || call.Purpose != "incident" {
		t.Errorf("without a purpose it is the kind of caller: %+v, %v", call, err)
	}
}

func TestAPinnedModelCostsWhatTheModelDoesThatItIsAVersionOf(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	if _, err := h.Roles().SetPrice(t.Context(), ai.Price{Provider: "openai", Model: "lantern", Input: 1, Output: 2}, "kim"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Roles().SetPrice(t.Context(), ai.Price{Provider: "openai", Model: "lantern-2026-03-01", Input: 5, Output: 6}, "kim"); err != nil {
		t.Fatal(err)
	}
	list, err := h.Roles().PriceList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for model, input := range map[string]float64{
		"lantern": 1, "lantern-2025-12-31": 1, "lantern-2026-03-01": 5,
		"lantern-2026-3-01": 0, "lantern-2026-03-0x": 0, "lantern2026-03-01": 0, "lantern-mini": 0, "-2026-03-01": 0, "": 0,
	} {
		got := 0.0
		if versions := list.Of("openai", model); len(versions) > 0 {
			got = versions[0].Input
		}
		if got != input {
			t.Errorf("%q costs %v, want %v", model, got, input)
		}
	}
}
