package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"

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
var providerKinds = map[string]func(baseURL string) (ai.Provider, error){
	"openai": func(base string) (ai.Provider, error) { return openai.New(openai.Options{BaseURL: base}) },
	"openai-responses": func(base string) (ai.Provider, error) {
		return openai.NewResponses(openai.Options{BaseURL: base})
	},
	"anthropic": func(base string) (ai.Provider, error) { return anthropic.New(anthropic.Options{BaseURL: base}) },
	"gemini":    func(base string) (ai.Provider, error) { return gemini.New(gemini.Options{BaseURL: base}) },
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
	return ai.New(ai.Options{
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
			return meta.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
				return outbox.Enqueue(ctx, tx, nil, softLimitMessage(p, s, a.URL()))
			})
		},
	})
}

// softLimitMessage tells the people of a project that a budget is nearly spent.
func softLimitMessage(p tenant.Project, s ai.SoftLimit, base string) notify.Message {
	b := s.Budget
	whose := b.Scope
	if s.Subject != "" {
		whose += " " + s.Subject
	}
	m := notify.Message{
		Project: p.ID, Key: fmt.Sprintf("ai-budget/%s/%s/%d", b.ID, s.Subject, s.From.Unix()), Kind: "ai.budget", Ref: "ai-budget/" + b.ID,
		Link: fmt.Sprintf("%s/projects/%d/ai-calls", base, p.ID), Data: s,
		Subject: fmt.Sprintf("[MATRIX] AI 예산 %d%% 도달", b.SoftPercent),
		Text: fmt.Sprintf("AI 예산(%s, %s 단위 %s)의 %d%%를 넘었습니다. 지금까지 %.4g, 한도 %g. 한도에 이르면 호출이 거부됩니다.",
			whose, b.Period, b.Measure, b.SoftPercent, s.Used, b.Limit),
		LinkText: "AI 호출 보기",
	}
	if p.Language == "en" {
		m.Subject = fmt.Sprintf("[MATRIX] AI budget at %d%%", b.SoftPercent)
		m.Text = fmt.Sprintf("The AI budget (%s, %s a %s) is over %d%%: %.4g of %g so far. At the limit calls are refused.", whose, b.Measure, b.Period, b.SoftPercent, s.Used, b.Limit)
		m.LinkText = "AI calls"
	}
	return m
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
