package ai

import "context"

// Plan is what a call would be, as far as one can tell before it is made.
type Plan struct {
	Provider     string
	Model        string   // that is asked first, "" when none can be
	Dropped      []string // what is asked for and that model does not take
	InputTokens  int64    // a guess
	OutputTokens int64    // the bound of the answer, or a guess
	CostUSD      *float64 // nil: the price of the model is not known
}

// Plan tells what Try with the same role and input would do first. It refuses
// what Try refuses before it asks a model, but for limits.
func (g *Gateway) Plan(ctx context.Context, caller Caller, role *Role, in Input) (*Plan, error) {
	if err := g.checkFor(ctx, caller, role); err != nil {
		return nil, err
	}
	c, err := g.converse(caller, role, in)
	if err != nil {
		return nil, err
	}
	live, err := g.live(ctx)
	if err != nil {
		return nil, err
	}
	c.rules, c.prices = live.rules, live.prices
	if c.services, err = g.servicesFor(live, caller, role); err != nil {
		return nil, err
	}
	for _, e := range c.chain {
		if !c.usable(e) {
			continue
		}
		p := &Plan{Provider: e.Provider, Model: e.Model}
		_, p.Dropped = c.parameters(e)
		p.InputTokens, p.OutputTokens = c.guessed()
		p.CostUSD, _ = c.cost(e, g.now(), Usage{InputTokens: p.InputTokens, OutputTokens: p.OutputTokens})
		return p, nil
	}
	return nil, ErrNoModel
}
