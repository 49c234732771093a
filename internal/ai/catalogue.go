package ai

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/project"
)

// catalogue is what services can be asked for whom, as of one moment.
//
// A chain names a service by the name people chose. For a call of an
// organisation's project that name is the organisation's own service if it has
// one that is switched on, and else the one that all share; no other call is ever
// asked of it. What is its own and cannot be asked, because its keys are off or
// do not open, stays in the way of the shared one: who has a contract of their
// own does not find questions sent under another's.
type catalogue struct {
	shared map[string]Service
	own    map[Owner]map[string]Service
	// byName and byRole are, of owners with services of their own, what their
	// calls ask: own and shared ones together. A role that all share names models
	// of a kind, so that there a service of another kind is not meant.
	byName, byRole map[Owner]map[string]Service
	names          map[Owner][]string // of what there is, also switched off, sorted
	divided        bool               // some organisation has services of its own
}

func newCatalogue(configured map[string]Service) *catalogue {
	c := &catalogue{shared: map[string]Service{}, own: map[Owner]map[string]Service{}, byName: map[Owner]map[string]Service{}, byRole: map[Owner]map[string]Service{}, names: map[Owner][]string{}}
	for name, service := range configured {
		c.name(Shared, name)
		c.add(Shared, name, service)
	}
	return c
}

// name notes that there is a service, which may be switched off.
func (c *catalogue) name(owner Owner, name string) { c.names[owner] = append(c.names[owner], name) }

// add puts in a service that is switched on.
func (c *catalogue) add(owner Owner, name string, s Service) {
	s.at, s.priced = owner.key(name), pricedAs(owner, name, s.Kind)
	if owner == Shared {
		c.shared[name] = s
		return
	}
	if c.own[owner] == nil {
		c.own[owner] = map[string]Service{}
	}
	c.own[owner][name] = s
}

// complete puts together what each owner's calls ask, once all is in.
func (c *catalogue) complete() {
	for owner, names := range c.names {
		if owner != Shared {
			c.divided = true
			names = append(names, c.names[Shared]...)
		}
		slices.Sort(names)
		c.names[owner] = slices.Compact(names)
	}
	for owner, own := range c.own {
		byName := maps.Clone(c.shared)
		maps.Copy(byName, own)
		byRole, mixed := byName, false
		for name, s := range own {
			if shared, both := c.shared[name]; both && shared.Kind != s.Kind {
				if !mixed {
					byRole, mixed = maps.Clone(byName), true
				}
				byRole[name] = shared
			}
		}
		c.byName[owner], c.byRole[owner] = byName, byRole
	}
}

// of returns the services that a call of an owner's project may ask, by the names
// a chain has for them; sharedRole says whether the chain is of a role that all
// share.
func (c *catalogue) of(owner Owner, sharedRole bool) map[string]Service {
	found, any := c.byName[owner]
	if sharedRole {
		found, any = c.byRole[owner]
	}
	if !any {
		return c.shared
	}
	return found
}

// at returns the service of an owner itself.
func (c *catalogue) at(owner Owner, name string) (Service, bool) {
	if owner == Shared {
		s, known := c.shared[name]
		return s, known
	}
	s, known := c.own[owner][name]
	return s, known
}

// namesOf returns the names an owner's calls may ask by.
func (c *catalogue) namesOf(owner Owner) []string {
	if names, own := c.names[owner]; own {
		return names
	}
	return c.names[Shared]
}

// ownerOf is the organisation that a project's calls are of, as it was within the
// last minute. Where no organisation has services of its own nobody is asked.
// An error means that it cannot be told: such a call must not be made, for it
// might go to somebody else's service.
func (g *Gateway) ownerOf(known live, p project.ID) (Owner, error) {
	if !known.services.divided || g.place == nil || p == 0 {
		return Shared, nil
	}
	return g.OwnerOf(p)
}

// servicesFor returns the services that a call may ask.
func (g *Gateway) servicesFor(known live, caller Caller, role *Role) (map[string]Service, error) {
	owner, err := g.ownerOf(known, caller.Project)
	if err != nil {
		return nil, err
	}
	return known.services.of(owner, role.Code != "" && role.Owner == Shared), nil
}

// checkFor refuses a role that a caller's project does not reach, and one whose
// chain names what it cannot ask.
func (g *Gateway) checkFor(ctx context.Context, caller Caller, role *Role) error {
	if err := g.reach(caller.Project, role); err != nil {
		return err
	}
	known, err := g.live(ctx)
	if err != nil {
		return err
	}
	owner, err := g.ownerOf(known, caller.Project)
	if err != nil {
		return err
	}
	return g.roles.checkFor(ctx, role, owner)
}

// Providers returns the names of the services that a project's calls may ask,
// sorted, those that are switched off included. It is asked with every call by
// name, and costs a query only when what is remembered is read anew. It must not
// be changed.
func (g *Gateway) Providers(ctx context.Context, p project.ID) ([]string, error) {
	known, err := g.live(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := g.ownerOf(known, p)
	if err != nil {
		return nil, err
	}
	return known.services.namesOf(owner), nil
}

// KnownModel is a model that may be asked by name. Services have more than are
// known here: these are the ones with a price.
type KnownModel struct {
	Provider string
	Own      bool // of the organisation, and not one that all share
	Model    string
}

// KnownModels returns the models that a project's calls may ask, by provider and
// name.
func (g *Gateway) KnownModels(ctx context.Context, p project.ID) ([]KnownModel, error) {
	known, err := g.live(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := g.ownerOf(known, p)
	if err != nil {
		return nil, err
	}
	var models []KnownModel
	services := known.services.of(owner, false)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		s := services[name]
		if s.Provider == nil {
			continue
		}
		_, own := known.services.own[owner][name]
		for _, model := range known.prices.models(s.priced, g.now()) {
			models = append(models, KnownModel{Provider: name, Own: own, Model: model})
		}
	}
	return models, nil
}

// SharedService is what an organisation may know of a service that all share.
type SharedService struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Models []string `json:"models" doc:"those whose price is known; others may be asked too"`
	// Replaced says that the organisation has a service of this name itself.
	Replaced bool `json:"replaced" doc:"the organisation has one of this name that is switched on: its calls go there"`
}

// SharedServices returns the services that all share and that can be asked now,
// by name, as an organisation may know of them: neither keys, nor addresses, nor
// how calls of others go.
func (g *Gateway) SharedServices(ctx context.Context, owner Owner) ([]SharedService, error) {
	known, err := g.live(ctx)
	if err != nil {
		return nil, err
	}
	shared := []SharedService{}
	for _, name := range slices.Sorted(maps.Keys(known.services.shared)) {
		s := known.services.shared[name]
		if s.Provider == nil {
			continue
		}
		_, replaced := known.services.own[owner][name]
		shared = append(shared, SharedService{Name: name, Kind: s.Kind, Models: known.prices.models(s.priced, g.now()), Replaced: replaced})
	}
	return shared, nil
}

// at is the name that circuits and rules of an entry's service are kept by.
func (c *conversation) at(e Entry) string { return c.services[e.Provider].at }

// model names an entry's model, for what is remembered of it.
func (c *conversation) model(e Entry) modelKey { return modelKey{c.at(e), e.Model} }

// owner is whose the service of an entry is.
func (c *conversation) owner(e Entry) Owner {
	owner, _ := Owned(c.at(e))
	return owner
}

// cost is what tokens of an entry's model cost that were used at a moment, and the
// version of the price; nil and 0 when it was unknown then.
func (c *conversation) cost(e Entry, at time.Time, u Usage) (usd *float64, version int64) {
	return c.prices.cost(c.services[e.Provider].priced, e.Model, at, u)
}
