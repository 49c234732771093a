package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// ProviderRequest is what one edits of a model provider.
type ProviderRequest struct {
	Kind    string `json:"kind" minLength:"1" maxLength:"50" doc:"one of the provider kinds"`
	BaseURL string `json:"base_url,omitempty" maxLength:"500" doc:"an http:// or https:// address; empty: the kind's own service"`
	InHouse bool   `json:"in_house,omitempty" doc:"what goes to it stays in the house and needs no masking"`
	Enabled bool   `json:"enabled"`
}

func (r ProviderRequest) service(name string, version int64) ai.ModelService {
	return ai.ModelService{Name: name, Version: version, Kind: r.Kind, BaseURL: r.BaseURL, InHouse: r.InHouse, Enabled: r.Enabled}
}

// NewProviderRequest is a ProviderRequest with the name that chains will use.
type NewProviderRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"63"`
	ProviderRequest
}

// NewProviderKeyRequest is a new key. Nothing ever tells its secret again.
type NewProviderKeyRequest struct {
	Alias  string `json:"alias" minLength:"1" maxLength:"63" doc:"names it in logs and on screens"`
	Secret string `json:"secret" minLength:"1" maxLength:"4096"`
}

// ProviderKeyRequest is what one edits of a key.
type ProviderKeyRequest struct {
	Secret  string `json:"secret,omitempty" maxLength:"4096" doc:"replaces the one there is; empty: it stays"`
	Enabled bool   `json:"enabled"`
}

// ProviderCheckRequest says how a key is checked.
type ProviderCheckRequest struct {
	Model string `json:"model,omitempty" maxLength:"200" doc:"is asked for a word; empty: the models are listed, which costs nothing"`
}

// ProviderKinds is what providers can be made of here.
type ProviderKinds struct {
	Kinds []string `json:"kinds"`
}

// InProvider names a model provider in the path.
type InProvider struct {
	Provider string `path:"provider" maxLength:"200"`
}

// InProviderKey names a key of a model provider in the path.
type InProviderKey struct {
	InProvider
	Key string `path:"key" maxLength:"200" doc:"alias"`
}

// served is one provider with its version.
func served(p *ai.ModelService, err error) (*edited[ai.ModelService], error) {
	if err != nil {
		return nil, err
	}
	return versioned(*p, p.Version, nil)
}

func (s *server) registerProviders() {
	services := s.opts.AI.Services()
	register(s, tenant.SystemAdmin, get("list-providers", "/api/v1/ai-providers", "The model providers, of the configuration file and stored, with their keys but without any secret"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[ai.ModelService]], error) {
			return all(services.List(ctx))
		})
	register(s, tenant.SystemAdmin, get("list-provider-kinds", "/api/v1/ai-provider-kinds", "The kinds of providers that can be made"),
		func(context.Context, tenant.Actor, *nothing) (*result[ProviderKinds], error) {
			return ok(ProviderKinds{append([]string{}, services.Kinds()...)}, nil)
		})
	register(s, tenant.SystemAdmin, get("list-provider-health", "/api/v1/ai-provider-health", "How calls with each key went, on all nodes"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[ai.KeyHealth]], error) {
			return all(s.opts.AI.KeyHealth(ctx))
		})
	register(s, tenant.SystemAdmin, post("create-provider", "/api/v1/ai-providers", "Make a model provider; live on all nodes within a second", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body NewProviderRequest }) (*edited[ai.ModelService], error) {
			return served(services.Create(ctx, in.Body.service(in.Body.Name, 0), a.Name))
		})
	register(s, tenant.SystemAdmin, get("get-provider", "/api/v1/ai-providers/{provider}", "A stored model provider"),
		func(ctx context.Context, _ tenant.Actor, in *InProvider) (*edited[ai.ModelService], error) {
			return served(services.Get(ctx, in.Provider))
		})
	register(s, tenant.SystemAdmin, put("update-provider", "/api/v1/ai-providers/{provider}", "Change a stored model provider; calls under way go on with what it was"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProvider
			InVersion
			Body ProviderRequest
		}) (*edited[ai.ModelService], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return served(services.Update(ctx, in.Body.service(in.Provider, version), a.Name))
		})
	register(s, tenant.SystemAdmin, del("delete-provider", "/api/v1/ai-providers/{provider}", "Delete a stored model provider with its keys"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProvider
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(services.Delete(ctx, in.Provider, version))
		})
	register(s, tenant.SystemAdmin, post("create-provider-key", "/api/v1/ai-providers/{provider}/keys", "Add a key to a stored model provider", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProvider
			Body NewProviderKeyRequest
		}) (*edited[ai.ModelService], error) {
			return served(services.AddKey(ctx, in.Provider, in.Body.Alias, in.Body.Secret, a.Name))
		})
	register(s, tenant.SystemAdmin, put("update-provider-key", "/api/v1/ai-providers/{provider}/keys/{key}", "Switch a key on or off, or replace its secret"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProviderKey
			Body ProviderKeyRequest
		}) (*edited[ai.ModelService], error) {
			return served(services.SetKey(ctx, in.Provider, in.Key, in.Body.Secret, in.Body.Enabled, a.Name))
		})
	register(s, tenant.SystemAdmin, del("delete-provider-key", "/api/v1/ai-providers/{provider}/keys/{key}", "Delete a key"),
		func(ctx context.Context, a tenant.Actor, in *InProviderKey) (*struct{}, error) {
			return done(services.DeleteKey(ctx, in.Provider, in.Key, a.Name))
		})
	register(s, tenant.SystemAdmin, post("check-provider-key", "/api/v1/ai-providers/{provider}/keys/{key}/check", "Ask the service whether it takes a key", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProviderKey
			Body ProviderCheckRequest
		}) (*result[*ai.KeyCheck], error) {
			return ok(s.opts.AI.CheckKey(ctx, in.Provider, in.Key, in.Body.Model, a.Name))
		})
}
