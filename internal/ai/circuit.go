package ai

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// live is what people edit about models while calls run.
type live struct {
	rules   capabilities
	budgets budgets
	prices  PriceList
	// services are those that can be asked.
	services *catalogue
}

// live reads what people edit, and brings circuits opened by hand to this node's
// breaker.
func (g *Gateway) live(ctx context.Context) (live, error) {
	return g.roles.live.Get(struct{}{}, g.roles.edits.Load(), time.Now(), func() (live, error) { return g.loadLive(ctx) })
}

func (g *Gateway) loadLive(ctx context.Context) (live, error) {
	s := g.roles
	rules, err := s.Capabilities(ctx)
	if err != nil {
		return live{}, fmt.Errorf("load capabilities: %w", err)
	}
	all, err := s.Budgets(ctx)
	if err != nil {
		return live{}, fmt.Errorf("load budgets: %w", err)
	}
	prices, err := s.PriceList(ctx)
	if err != nil {
		return live{}, fmt.Errorf("load prices: %w", err)
	}
	rows, err := g.db.Query(ctx, `SELECT provider, model, alias, reason FROM ai_circuit`)
	tripped, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (Circuit, error) {
		var c Circuit
		return c, rows.Scan(&c.Provider, &c.Model, &c.Key, &c.Reason)
	})
	if err != nil {
		return live{}, fmt.Errorf("load circuits: %w", err)
	}
	g.breaker.hold(tripped)
	services, err := g.services.load(ctx)
	if err != nil {
		return live{}, err
	}
	return live{rules, budgetsByOwner(all), prices, services}, nil
}

// hold makes the given circuits those that are open by hand.
func (b *breaker) hold(tripped []Circuit) {
	held := map[circuitKey]bool{}
	for _, c := range tripped {
		key := circuitKey{c.Provider, c.Model, c.Key}
		held[key] = true
		b.trip(key, c.Reason)
	}
	for _, c := range b.all() {
		if key := (circuitKey{c.Provider, c.Model, c.Key}); c.Manual && !held[key] {
			b.reset(key)
		}
	}
}

// Circuits returns the circuits of an owner's services on this node, those that
// are not closed first. What opened by itself is of this node alone; what was
// opened by hand is so on all of them.
func (g *Gateway) Circuits(ctx context.Context, owner Owner) ([]Circuit, error) {
	if _, err := g.live(ctx); err != nil {
		return nil, err
	}
	own := []Circuit{}
	for _, c := range g.breaker.all() {
		if of, name := Owned(c.Provider); of == owner {
			c.Provider = name
			own = append(own, c)
		}
	}
	return own, nil
}

// Trip keeps all calls away from a model with a key, on all nodes, until Reset.
func (g *Gateway) Trip(ctx context.Context, owner Owner, c Circuit, author string) error {
	live, err := g.live(ctx)
	if err != nil {
		return err
	}
	service, known := live.services.at(owner, c.Provider)
	switch {
	case !known || !slices.ContainsFunc(service.Keys, func(k Key) bool { return k.Alias == c.Key }):
		return fault.New(fault.NotFound, "there is no service %q with the key %q", c.Provider, c.Key)
	case c.Model == "" || len(c.Model) > maxModel:
		return fault.New(fault.Invalid, "name the model").WithField("model")
	}
	if err := checkWords(c.Reason, maxReason, "reason"); err != nil {
		return err
	}
	reason := "opened by " + author
	if c.Reason != "" {
		reason += ": " + c.Reason
	}
	_, err = g.db.Exec(ctx, `INSERT INTO ai_circuit (provider, model, alias, reason) VALUES ($1, $2, $3, $4)
		ON CONFLICT (provider, model, alias) DO UPDATE SET reason = excluded.reason`, owner.key(c.Provider), c.Model, c.Key, reason)
	if err != nil {
		return fmt.Errorf("open circuit: %w", err)
	}
	g.roles.forget()
	return nil
}

// Reset closes a circuit: one opened by hand on all nodes, one that opened by
// itself on this node.
func (g *Gateway) Reset(ctx context.Context, owner Owner, provider, model, key string) error {
	provider = owner.key(provider)
	if _, err := g.db.Exec(ctx, `DELETE FROM ai_circuit WHERE provider = $1 AND model = $2 AND alias = $3`, provider, model, key); err != nil {
		return fmt.Errorf("close circuit: %w", err)
	}
	g.breaker.reset(circuitKey{provider, model, key})
	g.roles.forget()
	return nil
}
