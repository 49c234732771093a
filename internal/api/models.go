package api

import (
	"context"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/ship"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// CapabilityRequest is what a model does not take.
type CapabilityRequest struct {
	Rejects []string `json:"rejects,omitempty" maxItems:"20" doc:"parameters that are left out, and tools, json_schema"`
	Either  []string `json:"either,omitempty" maxItems:"20" doc:"parameters of which only the first that is set is sent"`
	Notes   string   `json:"notes,omitempty" maxLength:"1000"`
}

// InCapability names the models of a rule in the path.
type InCapability struct {
	Provider string `path:"provider" maxLength:"63" doc:"kind or name of a provider, or *"`
	Model    string `path:"model" maxLength:"200" doc:"percent-encoded; * stands for any letters"`
}

// Shipping is how the records of AI calls get to the search engine.
type Shipping struct {
	Configured bool           `json:"configured"`
	Status     *ship.Progress `json:"status" doc:"null when it is not configured"`
}

func (s *server) registerModels() {
	register(s, tenant.SystemAdmin, get("get-ai-shipping", "/api/v1/ai-shipping", "How the records of AI calls get to Elasticsearch or OpenSearch"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Shipping], error) {
			if s.opts.Shipping == nil {
				return ok(Shipping{}, nil)
			}
			status, err := s.opts.Shipping.Status(ctx)
			return ok(Shipping{Configured: true, Status: status}, err)
		})
	roles := s.opts.AI.Roles()
	register(s, tenant.SystemAdmin, get("list-capabilities", "/api/v1/ai-capabilities", "What models do not take: parameters that are left out before they are asked"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[ai.Capability]], error) {
			return all(roles.Capabilities(ctx))
		})
	register(s, tenant.SystemAdmin, put("set-capability", "/api/v1/ai-capabilities/{provider}/{model}", "Say what models do not take; live within a second"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InCapability
			Body CapabilityRequest
		}) (*result[*ai.Capability], error) {
			return ok(roles.SetCapability(ctx, ai.Capability{Provider: in.Provider, Model: in.Model, Rejects: in.Body.Rejects, Either: in.Body.Either, Notes: in.Body.Notes}, a.Name))
		})
	register(s, tenant.SystemAdmin, del("delete-capability", "/api/v1/ai-capabilities/{provider}/{model}", "Remove such a rule"),
		func(ctx context.Context, _ tenant.Actor, in *InCapability) (*struct{}, error) {
			return done(roles.DeleteCapability(ctx, in.Provider, in.Model))
		})
}
