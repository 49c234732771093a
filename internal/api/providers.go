package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
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

// CircuitRequest names a model with a key.
type CircuitRequest struct {
	Provider string `json:"provider" minLength:"1" maxLength:"63"`
	Model    string `json:"model" minLength:"1" maxLength:"200"`
	Key      string `json:"key" maxLength:"63" doc:"alias of the key"`
	Reason   string `json:"reason,omitempty" maxLength:"1000"`
}

// InProvider names a model provider of an owner in the path.
type InProvider struct {
	InOwner
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

// registerProviders registers the model providers of the installation and of
// organisations.
func (s *server) registerProviders() {
	s.registerProvidersOf(tenant.SystemAdmin, "/api/v1", "")
	s.registerProvidersOf(tenant.OrgAdmin, "/api/v1/orgs/{org}", "org-")
	s.registerCircuitsOf(tenant.SystemAdmin, "/api/v1", "")
	s.registerCircuitsOf(tenant.OrgAdmin, "/api/v1/orgs/{org}", "org-")
	register(s, tenant.OrgAdmin, get("list-shared-providers", "/api/v1/orgs/{org}/ai-shared-providers", "The model providers that all organisations share, without their addresses and keys"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[Page[ai.SharedService]], error) {
			return all(s.opts.AI.SharedServices(ctx, ai.Owner(in.Org)))
		})
}

// registerProvidersOf registers what one does with the model providers of an owner.
func (s *server) registerProvidersOf(act tenant.Action, path, prefix string) {
	of := func(in InOwner) *ai.Services { return s.opts.AI.Services().Of(in.Owner) }
	register(s, act, ownedBy(get("list-"+prefix+"providers", path+"/ai-providers", "The model providers, of the configuration file and stored, with their keys but without any secret")),
		func(ctx context.Context, _ tenant.Actor, in *InOwner) (*result[Page[ai.ModelService]], error) {
			return all(of(*in).List(ctx))
		})
	register(s, act, ownedBy(get("list-"+prefix+"provider-kinds", path+"/ai-provider-kinds", "The kinds of providers that can be made")),
		func(_ context.Context, _ tenant.Actor, in *InOwner) (*result[ProviderKinds], error) {
			return ok(ProviderKinds{append([]string{}, of(*in).Kinds()...)}, nil)
		})
	register(s, act, ownedBy(get("list-"+prefix+"provider-health", path+"/ai-provider-health", "How calls with each key went, on all nodes")),
		func(ctx context.Context, _ tenant.Actor, in *InOwner) (*result[Page[ai.KeyHealth]], error) {
			return all(s.opts.AI.KeyHealth(ctx, in.Owner))
		})
	register(s, act, ownedBy(post("create-"+prefix+"provider", path+"/ai-providers", "Make a model provider; live on all nodes within a second", http.StatusCreated)),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOwner
			Body NewProviderRequest
		}) (*edited[ai.ModelService], error) {
			return served(of(in.InOwner).Create(ctx, in.Body.service(in.Body.Name, 0), a.Name))
		})
	register(s, act, ownedBy(get("get-"+prefix+"provider", path+"/ai-providers/{provider}", "A stored model provider")),
		func(ctx context.Context, _ tenant.Actor, in *InProvider) (*edited[ai.ModelService], error) {
			return served(of(in.InOwner).Get(ctx, in.Provider))
		})
	register(s, act, ownedBy(put("update-"+prefix+"provider", path+"/ai-providers/{provider}", "Change a stored model provider; calls under way go on with what it was")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProvider
			InVersion
			Body ProviderRequest
		}) (*edited[ai.ModelService], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return served(of(in.InOwner).Update(ctx, in.Body.service(in.Provider, version), a.Name))
		})
	register(s, act, ownedBy(del("delete-"+prefix+"provider", path+"/ai-providers/{provider}", "Delete a stored model provider with its keys")),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProvider
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(of(in.InOwner).Delete(ctx, in.Provider, version))
		})
	register(s, act, ownedBy(post("create-"+prefix+"provider-key", path+"/ai-providers/{provider}/keys", "Add a key to a stored model provider", http.StatusCreated)),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProvider
			Body NewProviderKeyRequest
		}) (*edited[ai.ModelService], error) {
			return served(of(in.InOwner).AddKey(ctx, in.Provider, in.Body.Alias, in.Body.Secret, a.Name))
		})
	register(s, act, ownedBy(put("update-"+prefix+"provider-key", path+"/ai-providers/{provider}/keys/{key}", "Switch a key on or off, or replace its secret")),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProviderKey
			Body ProviderKeyRequest
		}) (*edited[ai.ModelService], error) {
			return served(of(in.InOwner).SetKey(ctx, in.Provider, in.Key, in.Body.Secret, in.Body.Enabled, a.Name))
		})
	register(s, act, ownedBy(del("delete-"+prefix+"provider-key", path+"/ai-providers/{provider}/keys/{key}", "Delete a key")),
		func(ctx context.Context, a tenant.Actor, in *InProviderKey) (*struct{}, error) {
			return done(of(in.InOwner).DeleteKey(ctx, in.Provider, in.Key, a.Name))
		})
	register(s, act, ownedBy(post("check-"+prefix+"provider-key", path+"/ai-providers/{provider}/keys/{key}/check", "Ask the service whether it takes a key", http.StatusOK)),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProviderKey
			Project string `query:"project" doc:"in whose log the call of a model is kept; absent: the first that you can see, and when there is none it is in no project's log"`
			Body    ProviderCheckRequest
		}) (*result[*ai.KeyCheck], error) {
			p, err := s.checkedFor(ctx, a, in.Owner, in.Project)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.AI.CheckKey(ctx, AskerOf(a, p), in.Owner, in.Provider, in.Key, in.Body.Model))
		})
}

// registerCircuitsOf registers the circuits of an owner's model providers.
func (s *server) registerCircuitsOf(act tenant.Action, path, prefix string) {
	type inCircuit struct {
		InOwner
		Body CircuitRequest
	}
	register(s, act, ownedBy(get("list-"+prefix+"circuits", path+"/ai-circuits", "The circuits of this node: which models calls are kept away from, and why")),
		func(ctx context.Context, _ tenant.Actor, in *InOwner) (*result[Page[ai.Circuit]], error) {
			return all(s.opts.AI.Circuits(ctx, in.Owner))
		})
	register(s, act, ownedBy(post("open-"+prefix+"circuit", path+"/ai-circuits/open", "Keep all calls away from a model with a key, on all nodes", http.StatusNoContent)),
		func(ctx context.Context, a tenant.Actor, in *inCircuit) (*struct{}, error) {
			b := in.Body
			return done(s.opts.AI.Trip(ctx, in.Owner, ai.Circuit{Provider: b.Provider, Model: b.Model, Key: b.Key, Reason: b.Reason}, a.Name))
		})
	register(s, act, ownedBy(post("close-"+prefix+"circuit", path+"/ai-circuits/close", "Let calls through again", http.StatusNoContent)),
		func(ctx context.Context, _ tenant.Actor, in *inCircuit) (*struct{}, error) {
			return done(s.opts.AI.Reset(ctx, in.Owner, in.Body.Provider, in.Body.Model, in.Body.Key))
		})
}

// checkedFor is the project for which a key is checked, 0 for none.
func (s *server) checkedFor(ctx context.Context, a tenant.Actor, owner ai.Owner, named string) (project.ID, error) {
	if named != "" {
		p, err := s.tenants.ProjectFor(ctx, a, named)
		if err != nil {
			return 0, err
		}
		if err := s.tenants.Can(ctx, a, tenant.ProjectAsk, tenant.Target{Project: p}); err != nil {
			return 0, err
		}
		of, err := s.opts.AI.OwnerOf(p)
		if err == nil && owner != ai.Shared && of != owner {
			err = fault.New(fault.Invalid, "the project is of another organisation than the provider").WithField("project")
		}
		return p, err
	}
	seen, err := s.tenants.Projects(ctx, a)
	if err != nil {
		return 0, err
	}
	for _, p := range seen {
		if owner == ai.Shared || p.OrgID == int64(owner) {
			return p.ID, nil
		}
	}
	return 0, nil
}
