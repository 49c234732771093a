package ai

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// pricedAs are the names that prices of a provider are looked for under. An
// organisation's own counts with the price it was given itself, else with that of
// the installation's provider of its name, else with that of its kind: what a
// service asks is mostly the same whoever has the contract, and a cost that is
// known nearly beats none.
func pricedAs(owner Owner, name, kind string) []string {
	if owner == Shared {
		return []string{name}
	}
	names := []string{owner.key(name), name}
	if kind != "" && kind != name {
		names = append(names, kind)
	}
	return names
}

// models returns the models that have a price at a moment under one of the names,
// sorted.
func (p PriceList) models(providers []string, at time.Time) []string {
	models := []string{}
	for key := range p.by {
		if slices.Contains(providers, key.provider) && p.at(providers, key.model, at) != nil {
			models = append(models, key.model)
		}
	}
	slices.Sort(models)
	return slices.Compact(models)
}

// timeline returns the prices of a model under several names as if it had them
// under one: the latest first, each holding until the one before it.
func (p PriceList) timeline(providers []string, model string) []Price {
	if len(providers) == 1 {
		return p.under(providers[0], model)
	}
	var since []time.Time // the zero time stands for always
	for _, provider := range providers {
		for _, price := range p.under(provider, model) {
			if price.From == nil {
				since = append(since, time.Time{})
			} else {
				since = append(since, *price.From)
			}
		}
	}
	slices.SortFunc(since, func(a, b time.Time) int { return b.Compare(a) })
	since = slices.CompactFunc(since, time.Time.Equal)
	line := make([]Price, 0, len(since))
	for _, from := range since {
		step := Price{Ended: true}
		if price := p.at(providers, model, from); price != nil {
			step = *price
		}
		step.From = nil
		if !from.IsZero() {
			step.From = &from
		}
		line = append(line, step)
	}
	return line
}

// kindsOfOwn returns the kinds of the services of organisations, by the name they
// are stored under.
func kindsOfOwn(ctx context.Context, q metadb.Querier) (map[string]string, error) {
	kinds := map[string]string{}
	rows, err := q.Query(ctx, `SELECT name, kind FROM ai_provider WHERE name LIKE $1`, "%/%")
	_, err = metadb.Collect(rows, err, func(rows *metadb.Rows) (struct{}, error) {
		var name, kind string
		err := rows.Scan(&name, &kind)
		kinds[name] = kind
		return struct{}{}, err
	})
	return kinds, err
}

// OwnPrices are the prices that an owner gave models of its own providers.
type OwnPrices struct {
	services *Services
}

// Prices returns the prices of the owner's own providers.
func (s *Services) Prices() OwnPrices { return OwnPrices{s} }

// List returns the price of every model that has one, as Roles.Prices does.
func (o OwnPrices) List(ctx context.Context) ([]Price, error) {
	all, err := o.services.roles.Prices(ctx)
	return o.named(slices.DeleteFunc(all, func(p Price) bool { owner, _ := Owned(p.Provider); return owner != o.services.owner })), err
}

// Set stores what a model of a provider of the owner costs, as Roles.SetPrice
// does; fault.NotFound when an organisation has no such provider. The installation
// may name any: its prices count for organisations' providers of the name or the
// kind, too.
func (o OwnPrices) Set(ctx context.Context, p Price, author string) (*Price, error) {
	if o.services.owner != Shared {
		if _, err := o.services.Get(ctx, p.Provider); err != nil {
			return nil, err
		}
	}
	p.Provider = o.services.owner.key(p.Provider)
	set, err := o.services.roles.SetPrice(ctx, p, author)
	if err != nil {
		return nil, err
	}
	_, set.Provider = Owned(set.Provider)
	return set, nil
}

// History returns all that was ever said of a model's price, as
// Roles.PriceHistory does.
func (o OwnPrices) History(ctx context.Context, provider, model string) ([]Price, error) {
	all, err := o.services.roles.PriceHistory(ctx, o.services.owner.key(provider), model)
	return o.named(all), err
}

// Delete makes the price of a model unknown from now on, as Roles.DeletePrice does:
// that of an organisation is the installation's again, if there is one;
// fault.NotFound.
func (o OwnPrices) Delete(ctx context.Context, provider, model, author string) error {
	return o.services.roles.DeletePrice(ctx, o.services.owner.key(provider), model, author)
}

// Withdraw takes back a price of the owner's that was set by mistake;
// fault.NotFound, also for a price of somebody else.
func (o OwnPrices) Withdraw(ctx context.Context, version int64, author string) error {
	found, err := o.services.roles.priceRows(ctx, `WHERE version = $1`, version)
	if err != nil {
		return fmt.Errorf("withdraw price: %w", err)
	}
	for _, p := range found {
		if owner, _ := Owned(p.Provider); owner == o.services.owner {
			return o.services.roles.WithdrawPrice(ctx, version, author)
		}
	}
	return fault.New(fault.NotFound, "there is no price of version %d", version)
}

// named gives prices the names people chose.
func (o OwnPrices) named(all []Price) []Price {
	for i := range all {
		_, all[i].Provider = Owned(all[i].Provider)
	}
	return all
}
