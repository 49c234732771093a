package api

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// PriceRequest is what a model costs.
type PriceRequest struct {
	Input  float64 `json:"input" minimum:"0" doc:"USD per million tokens of the question"`
	Output float64 `json:"output" minimum:"0" doc:"USD per million tokens of the answer"`
}

// InPrice names the model of a provider in the path.
type InPrice struct {
	Provider string `path:"provider" maxLength:"63" doc:"the provider's name in the configuration"`
	Model    string `path:"model" maxLength:"200" doc:"percent-encoded: a name may hold a slash"`
}

func (s *server) registerPrices() {
	roles := s.opts.AI.Roles()
	register(s, tenant.SystemAdmin, get("list-providers", "/api/v1/ai-providers", "The names of the configured model providers"),
		func(context.Context, tenant.Actor, *nothing) (*result[Page[string]], error) {
			return all(append([]string{}, s.opts.AI.Providers()...), nil)
		})
	register(s, tenant.SystemAdmin, get("list-prices", "/api/v1/ai-prices", "What models cost"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[ai.Price]], error) {
			return all(roles.Prices(ctx))
		})
	register(s, tenant.SystemAdmin, put("set-price", "/api/v1/ai-prices/{provider}/{model}", "Set what a model costs; counted from the next call on"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InPrice
			Body PriceRequest
		}) (*result[*ai.Price], error) {
			return ok(roles.SetPrice(ctx, ai.Price{Provider: in.Provider, Model: in.Model, Input: in.Body.Input, Output: in.Body.Output}, a.Name))
		})
	register(s, tenant.SystemAdmin, del("delete-price", "/api/v1/ai-prices/{provider}/{model}", "Forget what a model costs: its calls have no cost then"),
		func(ctx context.Context, a tenant.Actor, in *InPrice) (*struct{}, error) {
			return done(roles.DeletePrice(ctx, in.Provider, in.Model, a.Name))
		})
}
