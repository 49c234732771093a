package ai

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
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

	at     string   // Owner.key of its name: circuits and rules are kept by it
	priced []string // the names its prices are looked for under, the first that has one counts
}

// Key is a key of a service.
type Key struct {
	Alias  string // names it in logs and on screens
	Secret string
}

// keyless is the alias of the key of a service that wants none.
const keyless = "default"

// Services are the model services of one owner: of the installation those of the
// configuration, which only a restart changes, and those that people store; of an
// organisation what its people store. It is safe for concurrent use.
type Services struct {
	*registry
	owner Owner
}

// registry is what the services of all owners have in common.
type registry struct {
	db         *metadb.DB
	sealer     *secret.Sealer // nil: nothing can be stored
	kinds      map[string]func(baseURL string) (Provider, error)
	orgKinds   map[string]func(baseURL string) (Provider, error) // of services of organisations
	public     func(netip.Addr) bool                             // whether one of an organisation may be at an address
	configured map[string]Service
	roles      *Roles
	breaker    *breaker
	log        *slog.Logger
	now        func() time.Time

	mu sync.Mutex
	// clients hold connections, so there is one for a kind and an address, and
	// none is made anew because a key or a switch was changed.
	clients  map[clientKey]Provider
	opened   map[string]opened // by the sealed text, of the last load
	versions map[string]int64  // of the stored services at the last load
}

// clientKey names a client: those of organisations connect under other rules.
type clientKey struct {
	kind, baseURL string
	org           bool
}

// opened is what became of a sealed key.
type opened struct {
	secret string
	failed bool // it does not open; said once in the log
}

// Services returns the store of the installation's services; see Services.Of for
// those of an organisation.
func (g *Gateway) Services() *Services { return g.services }

// Of returns the store of an owner's services.
func (s *Services) Of(owner Owner) *Services { return &Services{s.registry, owner} }

// names returns the names that a chain of the owner's may hold, sorted: of its own
// services and of those that all share.
func (s *Services) names(ctx context.Context) ([]string, error) {
	rows, err := s.db.Query(ctx, `SELECT name FROM ai_provider`)
	stored, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (name string, err error) { return name, rows.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("list providers: %w", err)
	}
	names := slices.Collect(maps.Keys(s.configured))
	for _, key := range stored {
		if owner, name := Owned(key); owner == Shared || owner == s.owner {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Kinds returns the kinds of services that the owner can store, sorted.
func (s *Services) Kinds() []string { return slices.Sorted(maps.Keys(s.makers())) }

// makers make the clients of the owner's services.
func (s *Services) makers() map[string]func(baseURL string) (Provider, error) {
	if s.owner == Shared {
		return s.kinds
	}
	return s.orgKinds
}

// filed returns the owner's services of the configuration.
func (s *Services) filed() map[string]Service {
	if s.owner == Shared {
		return s.configured
	}
	return nil
}

// load returns the services that can be asked now, of all owners. What it returns
// is not changed any more: a call goes on with what it began with. A service whose
// kind or keys this node cannot use is there without a Provider and is not asked,
// so that the others still answer.
func (s *Services) load(ctx context.Context) (*catalogue, error) {
	stored, err := s.stored(ctx, s.db)
	if err != nil {
		return nil, err
	}
	keys, err := s.keys(ctx, s.db)
	if err != nil {
		return nil, err
	}
	of := make(map[string][]storedKey, len(stored))
	for _, k := range keys {
		of[k.provider] = append(of[k.provider], k)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := newCatalogue(s.configured)
	still, versions, clients := make(map[string]opened, len(keys)), make(map[string]int64, len(stored)), make(map[clientKey]Provider, len(stored))
	for _, p := range stored {
		at := p.Owner.key(p.Name)
		versions[at] = p.Version
		if was, known := s.versions[at]; known && was != p.Version {
			s.breaker.forget(at) // what failed may be what was just repaired
		}
		all.name(p.Owner, p.Name)
		if _, configured := s.Of(p.Owner).filed()[p.Name]; !p.Enabled || configured {
			continue
		}
		client, err := s.Of(p.Owner).client(p.Kind, p.BaseURL)
		if err != nil {
			s.log.WarnContext(ctx, "a stored provider cannot be used", "provider", at, "kind", p.Kind)
			all.add(p.Owner, p.Name, Service{Kind: p.Kind})
			continue
		}
		clients[clientKey{p.Kind, p.BaseURL, p.Owner != Shared}] = client
		service := Service{Kind: p.Kind, BaseURL: p.BaseURL, InHouse: p.InHouse, Provider: client}
		for _, k := range of[at] {
			if !k.Enabled {
				continue
			}
			plain := s.open(ctx, k)
			if still[k.sealed] = plain; !plain.failed {
				service.Keys = append(service.Keys, Key{Alias: k.Alias, Secret: plain.secret})
			}
		}
		switch {
		case len(of[at]) > 0 && len(service.Keys) == 0:
			service.Provider = nil
		case len(of[at]) == 0 && p.BaseURL == "":
			continue // it is not set up yet
		case len(of[at]) == 0:
			// Who names an address of their own may have a service that wants no key.
			service.Keys = []Key{{Alias: keyless}}
		}
		all.add(p.Owner, p.Name, service)
	}
	all.complete()
	s.opened, s.versions, s.clients = still, versions, clients
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
	at := clientKey{kind, baseURL, s.owner != Shared}
	if known, ok := s.clients[at]; ok {
		return known, nil
	}
	connect, ok := s.makers()[kind]
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
