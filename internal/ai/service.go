package ai

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/secret"
)

// Service is a model service that calls may be made of.
type Service struct {
	Kind     string // openai, anthropic, …: which capabilities are its models'
	BaseURL  string // as it is configured, for people to see; "" is the kind's own
	InHouse  bool   // it may know everything: nothing is masked for it
	Provider Provider
	Keys     []Key // at least one; of a service without keys one without a secret
}

// Key is a key of a service.
type Key struct {
	Alias  string // names it in logs and on screens
	Secret string
}

// keyless is the alias of the key of a service that wants none.
const keyless = "default"

// Services are the model services of the installation: those of the
// configuration, which only a restart changes, and those that people store. It
// is safe for concurrent use.
type Services struct {
	db         *metadb.DB
	sealer     *secret.Sealer // nil: nothing can be stored
	kinds      map[string]func(baseURL string) (Provider, error)
	configured map[string]Service
	roles      *Roles
	breaker    *breaker
	log        *slog.Logger
	now        func() time.Time

	mu sync.Mutex
	// clients hold connections, so there is one for a kind and an address, and
	// none is made anew because a key or a switch was changed.
	clients  map[[2]string]Provider
	opened   map[string]opened // by the sealed text, of the last load
	versions map[string]int64  // of the stored services at the last load
}

// opened is what became of a sealed key.
type opened struct {
	secret string
	failed bool // it does not open; said once in the log
}

// Services returns the store of services the gateway asks.
func (g *Gateway) Services() *Services { return g.services }

// Providers returns the names of the services that there are now, sorted, those
// that are switched off included. It is asked with every call by name, and costs
// a query only when what is remembered is read anew. It must not be changed.
func (g *Gateway) Providers(ctx context.Context) ([]string, error) {
	known, err := g.live(ctx)
	return known.providers, err
}

// names returns the names of all services, sorted.
func (s *Services) names(ctx context.Context) ([]string, error) {
	rows, err := s.db.Query(ctx, `SELECT name FROM ai_provider`)
	names, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (name string, err error) { return name, rows.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("list providers: %w", err)
	}
	names = append(names, slices.Collect(maps.Keys(s.configured))...)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Kinds returns the kinds of services that can be stored, sorted.
func (s *Services) Kinds() []string { return slices.Sorted(maps.Keys(s.kinds)) }

// load returns the services that can be asked now. What it returns is not
// changed any more: a call goes on with what it began with. A service whose kind
// or keys this node cannot use is left out, so that the others still answer.
func (s *Services) load(ctx context.Context) (map[string]Service, error) {
	stored, err := s.stored(ctx, s.db)
	if err != nil {
		return nil, err
	}
	keys, err := s.keys(ctx, s.db)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]Service, len(s.configured)+len(stored))
	still, versions := make(map[string]opened, len(keys)), make(map[string]int64, len(stored))
	for _, p := range stored {
		versions[p.Name] = p.Version
		if was, known := s.versions[p.Name]; known && was != p.Version {
			s.breaker.forget(p.Name) // what failed may be what was just repaired
		}
		if _, configured := s.configured[p.Name]; !p.Enabled || configured {
			continue
		}
		client, err := s.client(p.Kind, p.BaseURL)
		if err != nil {
			s.log.WarnContext(ctx, "a stored provider cannot be used", "provider", p.Name, "kind", p.Kind)
			continue
		}
		service, known := Service{Kind: p.Kind, BaseURL: p.BaseURL, InHouse: p.InHouse, Provider: client}, 0
		for _, k := range keys {
			if k.provider != p.Name {
				continue
			}
			known++
			if !k.Enabled {
				continue
			}
			plain := s.open(ctx, k)
			if still[k.sealed] = plain; !plain.failed {
				service.Keys = append(service.Keys, Key{Alias: k.Alias, Secret: plain.secret})
			}
		}
		// Who names an address of their own may have a service that wants no key.
		if known == 0 && p.BaseURL != "" {
			service.Keys = []Key{{Alias: keyless}}
		}
		if len(service.Keys) > 0 {
			all[p.Name] = service
		}
	}
	maps.Copy(all, s.configured)
	s.opened, s.versions = still, versions
	return all, nil
}

// open returns the secret of a key, from the last load if it was in it.
func (s *Services) open(ctx context.Context, k storedKey) opened {
	if known, ok := s.opened[k.sealed]; ok {
		return known
	}
	plain, err := s.sealer.Open(ctx, k.sealed, keyPlace(k.provider, k.Alias))
	if err != nil {
		s.log.ErrorContext(ctx, "a stored key does not open", "provider", k.provider, "key", k.Alias, "error", err.Error())
		return opened{failed: true}
	}
	return opened{secret: string(plain)}
}

// client returns the one client of a kind and an address.
func (s *Services) client(kind, baseURL string) (Provider, error) {
	at := [2]string{kind, baseURL}
	if known, ok := s.clients[at]; ok {
		return known, nil
	}
	connect, ok := s.kinds[kind]
	if !ok {
		return nil, s.unknownKind(kind)
	}
	made, err := connect(baseURL)
	if err != nil {
		return nil, err
	}
	s.clients[at] = made
	return made, nil
}

// keyPlace ties a sealed key to its row.
func keyPlace(provider, alias string) string { return "ai_provider_key/" + provider + "/" + alias }
