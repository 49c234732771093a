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
