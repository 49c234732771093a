package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/anthropic"
	"github.com/matrix-aiops/matrix/internal/ai/gemini"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/api"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/modelapi"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/secret"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// providerKinds are the protocols of model services that MATRIX speaks.
var providerKinds = providersOver(nil)

// providersOver are the protocols of model services over an HTTP client, nil for
// each one's own.
func providersOver(client *http.Client) map[string]func(baseURL string) (ai.Provider, error) {
	return map[string]func(baseURL string) (ai.Provider, error){
		"openai": func(base string) (ai.Provider, error) {
			return openai.New(openai.Options{BaseURL: base, Client: client})
		},
		"openai-responses": func(base string) (ai.Provider, error) {
			return openai.NewResponses(openai.Options{BaseURL: base, Client: client})
		},
		"anthropic": func(base string) (ai.Provider, error) {
			return anthropic.New(anthropic.Options{BaseURL: base, Client: client})
		},
		"gemini": func(base string) (ai.Provider, error) {
			return gemini.New(gemini.Options{BaseURL: base, Client: client})
		},
	}
}

// orgIdle is how many connections to one model service of organisations stay open.
const orgIdle = 64

// orgClient is what the model services of organisations are asked with. Tenants
// name their addresses, so that every connection passes the guard, by the address
// that it goes to in the end; it uses no proxy, which would connect in our place.
func orgClient(guard notify.Guard) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: guard.Dialer().DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: orgIdle,
	}}
}

// newGateway connects the configured model services to MATRIX AI.
func (a *App) newGateway(meta *metadb.DB, telemetry *clickhouse.DB, tenants *tenant.Store, outbox *notify.Outbox, sealer *secret.Sealer, onCall func(context.Context, *ai.Call)) (*ai.Gateway, error) {
	services := map[string]ai.Service{}
	for name, p := range a.opts.File.AI.Providers {
		provider, err := providerKinds[p.Kind](p.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("ai.providers.%s: %w", name, err)
		}
		services[name] = ai.Service{Kind: p.Kind, BaseURL: p.BaseURL, InHouse: p.InHouse, Provider: provider, Keys: p.keys()}
	}
	chain, err := a.opts.File.AI.chain()
	if err != nil {
		return nil, err
	}
	private, err := networks("ai.allow_networks", a.opts.File.AI.AllowNetworks)
	if err != nil {
		return nil, err
	}
	guard := notify.Guard{Dev: a.opts.Dev, Private: private}
	return ai.New(ai.Options{
		OrgKinds: providersOver(orgClient(guard)), Public: guard.Allows,
		DB: meta, Telemetry: telemetry, Dir: filepath.Join(a.opts.DataDir, "ai-calls"), Services: services, DefaultChain: chain, KeepTexts: a.opts.File.AI.KeepTexts, Log: a.log,
		OnCall: onCall, Kinds: providerKinds, Sealer: sealer,
		Place: func(ctx context.Context, p project.ID) (org, group int64, err error) {
			found, err := tenants.Project(ctx, p)
			return found.OrgID, found.GroupID, err
		},
		OnSoftLimit: func(ctx context.Context, caller ai.Caller, s ai.SoftLimit) error {
			p, err := tenants.Project(ctx, caller.Project)
			if err != nil {
				return err
			}
			name, err := subjectName(ctx, tenants, s)
			if err != nil {
				return err
			}
			return meta.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
				return outbox.Enqueue(ctx, tx, nil, softLimitMessage(p, s, name, a.URL()))
			})
		},
	})
}

// keys are those of api_keys by their aliases, or the one of api_key.
func (p FileProvider) keys() (keys []ai.Key) {
	for _, alias := range slices.Sorted(maps.Keys(p.APIKeys)) {
		keys = append(keys, ai.Key{Alias: alias, Secret: p.APIKeys[alias]})
	}
	if p.APIKey != "" || len(keys) == 0 {
		keys = append(keys, ai.Key{Alias: "default", Secret: p.APIKey})
	}
	return keys
}

// newModels answers clients of model services with MATRIX AI.
func (a *App) newModels(gateway *ai.Gateway, tenants *tenant.Store) http.Handler {
	return modelapi.New(modelapi.Options{Gateway: gateway, Log: a.log, Asker: func(r *http.Request) (modelapi.Asker, error) {
		actor, err := api.Asking(r)
		if err != nil {
			return modelapi.Asker{}, err
		}
		// OpenAI's clients have a setting for the second.
		asking, err := tenants.Asking(r.Context(), actor, cmp.Or(r.Header.Get("X-Matrix-Project"), r.Header.Get("OpenAI-Project")))
		if err != nil {
			return modelapi.Asker{}, err
		}
		return modelapi.Asker{Caller: api.AskerOf(actor, asking.Project), Models: asking.Models}, nil
	}})
}
