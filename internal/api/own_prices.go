package api

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// registerOwnPrices registers what an organisation says models of its own
// providers cost, over what the installation says.
func (s *server) registerOwnPrices() {
	const path = "/api/v1/orgs/{org}"
	type inPrice struct {
		InOrg
		InPrice
	}
	of := func(in InOrg) ai.OwnPrices { return s.opts.AI.Services().Of(ai.Owner(in.Org)).Prices() }
	register(s, tenant.OrgAdmin, get("list-org-prices", path+"/ai-prices", "What models of the organisation's own providers cost, where it says so itself"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[Page[ai.Price]], error) {
			return all(of(*in).List(ctx))
		})
	register(s, tenant.OrgAdmin, put("set-org-price", path+"/ai-prices/{provider}/{model}", "Set what a model of one of the organisation's own providers costs from a moment on, from now on without one"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			InPrice
			Body PriceRequest
		}) (*result[*ai.Price], error) {
			return ok(of(in.InOrg).Set(ctx, in.Body.price(in.InPrice), a.Name))
		})
	register(s, tenant.OrgAdmin, get("list-org-price-history", path+"/ai-prices/{provider}/{model}", "What such a model has cost and will cost, the latest to hold first; also what was taken back"),
		func(ctx context.Context, _ tenant.Actor, in *inPrice) (*result[Page[ai.Price]], error) {
			return all(of(in.InOrg).History(ctx, in.Provider, in.Model))
		})
	register(s, tenant.OrgAdmin, del("withdraw-org-price", path+"/ai-price-versions/{version}", "Take back a price that was set by mistake: what it replaced holds again"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			Version int64 `path:"version" minimum:"1"`
		}) (*struct{}, error) {
			return done(of(in.InOrg).Withdraw(ctx, in.Version, a.Name))
		})
	register(s, tenant.OrgAdmin, del("delete-org-price", path+"/ai-prices/{provider}/{model}", "Forget what such a model costs: the installation's price holds for it then, if there is one"),
		func(ctx context.Context, a tenant.Actor, in *inPrice) (*struct{}, error) {
			return done(of(in.InOrg).Delete(ctx, in.Provider, in.Model, a.Name))
		})
}
