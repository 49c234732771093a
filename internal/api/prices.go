package api

import (
	"context"
	"net/http"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// PriceRequest is what a model costs.
type PriceRequest struct {
	Input  float64 `json:"input" minimum:"0" doc:"USD per million tokens of the question"`
	Output float64 `json:"output" minimum:"0" doc:"USD per million tokens of the answer"`
	// The kinds of tokens that have a price of their own.
	Cached     *float64   `json:"cached,omitempty" minimum:"0" doc:"of the question, those read from a cache; absent: as input"`
	CacheWrite *float64   `json:"cache_write,omitempty" minimum:"0" doc:"of the question, those written to a cache; absent: as input"`
	Reasoning  *float64   `json:"reasoning,omitempty" minimum:"0" doc:"of the answer, those of reasoning; absent: as output"`
	From       *time.Time `json:"from,omitempty" doc:"it holds from then on; absent: from now on"`
}

func (r PriceRequest) price(of InPrice) ai.Price {
	return ai.Price{Provider: of.Provider, Model: of.Model, Input: r.Input, Output: r.Output, Cached: r.Cached, CacheWrite: r.CacheWrite, Reasoning: r.Reasoning, From: r.From}
}

// RecountRequest says which calls are counted again.
type RecountRequest struct {
	From time.Time `json:"from" doc:"calls from the day of UTC of this moment on"`
}

// InPrice names the model of a provider of an owner in the path. No name that
// people give a provider holds a slash: one that does is stored, and somebody's.
type InPrice struct {
	InOwner
	Provider string `path:"provider" maxLength:"63" pattern:"^[^/]+$" doc:"the provider's name"`
	Model    string `path:"model" maxLength:"200" doc:"percent-encoded: a name may hold a slash"`
}

// registerPrices registers what models cost and whose price nobody has said, of the
// installation and of organisations, and how logged costs are counted again.
func (s *server) registerPrices() {
	s.registerPricesOf(tenant.SystemAdmin, "/api/v1", "", "")
	s.registerPricesOf(tenant.OrgAdmin, "/api/v1/orgs/{org}", "org-", " of one of the organisation's own providers")
	register(s, tenant.SystemAdmin, get("list-unpriced-models", "/api/v1/ai-unpriced-models", "The models that used tokens without a known price, also those of organisations' own providers, those of the most tokens first"),
		func(ctx context.Context, _ tenant.Actor, in *InRange) (*result[Page[usage.UnpricedModel]], error) {
			from, to := in.between(s.now())
			return all(s.opts.Usage.Unpriced(ctx, from, to))
		})
	register(s, tenant.OrgAdmin, get("list-org-unpriced-models", "/api/v1/orgs/{org}/ai-unpriced-models", "The models of the organisation's own providers that used tokens without a known price, those of the most tokens first"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOrg
			InRange
		}) (*result[Page[usage.UnpricedModel]], error) {
			projects, err := s.tenants.OrgProjects(ctx, in.Org)
			if err != nil {
				return nil, err
			}
			from, to := in.between(s.now())
			return all(s.opts.Usage.UnpricedOf(ctx, ai.Owner(in.Org), idsOf(projects), from, to))
		})
	register(s, tenant.SystemAdmin, get("list-recounts", "/api/v1/ai-recounts", "The latest recounts of costs, the newest first"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[usage.Recount]], error) {
			return all(s.opts.Usage.Recounts(ctx))
		})
	register(s, tenant.SystemAdmin, post("start-recount", "/api/v1/ai-recounts", "Count the costs of logged calls again with the prices of today; budgets stay as they are", http.StatusAccepted),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body RecountRequest }) (*result[*usage.Recount], error) {
			return ok(s.opts.Usage.StartRecount(ctx, in.Body.From, a.Name))
		})
	register(s, tenant.SystemAdmin, del("cancel-recount", "/api/v1/ai-recounts/{recount}", "End a recount that runs; the days it has done stay done"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			Recount int64 `path:"recount" minimum:"1"`
		}) (*struct{}, error) {
			return done(s.opts.Usage.CancelRecount(ctx, in.Recount))
		})
}

// registerPricesOf registers what one does with the prices of an owner's providers;
// which says of which models they are.
func (s *server) registerPricesOf(act tenant.Action, path, prefix, which string) {
	of := func(in InOwner) ai.OwnPrices { return s.opts.AI.Services().Of(in.Owner).Prices() }
	register(s, act, ownedBy(get("list-"+prefix+"prices", path+"/ai-prices", "What models"+which+" cost")),
		func(ctx context.Context, _ tenant.Actor, in *InOwner) (*result[Page[ai.Price]], error) {
			return all(of(*in).List(ctx))
		})
	register(s, act, ownedBy(put("set-"+prefix+"price", path+"/ai-prices/{provider}/{model}", "Set what a model"+which+" costs from a moment on, from now on without one")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InPrice
			Body PriceRequest
		}) (*result[*ai.Price], error) {
			return ok(of(in.InOwner).Set(ctx, in.Body.price(in.InPrice), a.Name))
		})
	register(s, act, ownedBy(get("list-"+prefix+"price-history", path+"/ai-prices/{provider}/{model}", "What a model"+which+" has cost and will cost, the latest to hold first; also what was taken back")),
		func(ctx context.Context, _ tenant.Actor, in *InPrice) (*result[Page[ai.Price]], error) {
			return all(of(in.InOwner).History(ctx, in.Provider, in.Model))
		})
	register(s, act, ownedBy(del("withdraw-"+prefix+"price", path+"/ai-price-versions/{version}", "Take back a price that was set by mistake: what it replaced holds again")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOwner
			Version int64 `path:"version" minimum:"1"`
		}) (*struct{}, error) {
			return done(of(in.InOwner).Withdraw(ctx, in.Version, a.Name))
		})
	register(s, act, ownedBy(del("delete-"+prefix+"price", path+"/ai-prices/{provider}/{model}", "Forget what a model"+which+" costs: its calls have no cost then, unless another price holds for them")),
		func(ctx context.Context, a tenant.Actor, in *InPrice) (*struct{}, error) {
			return done(of(in.InOwner).Delete(ctx, in.Provider, in.Model, a.Name))
		})
}
