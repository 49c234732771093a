package ai

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Embed turns texts, masked, into vectors, with a model of a service. It asks
// once with each key of the service until one is accepted. The call is logged
// without a role. Errors as of Ask; fault.Unsupported when the service has none.
func (g *Gateway) Embed(ctx context.Context, caller Caller, entry Entry, input []string, dimensions int) (*EmbedResponse, error) {
	live, err := g.live(ctx)
	if err != nil {
		return nil, err
	}
	services, err := g.servicesFor(live, caller, &Role{})
	if err != nil {
		return nil, err
	}
	service := services[entry.Provider]
	embedder, ok := service.Provider.(Embedder)
	if !ok {
		return nil, fault.New(fault.Unsupported, "the service %q makes no vectors", entry.Provider).WithField("model")
	}
	c := &conversation{g: g, caller: caller, operation: OperationEmbeddings, role: &Role{}, chain: []Entry{entry}, started: g.now(), keep: g.keep, id: NewCallID()}
	if c.policy, err = g.policy(ctx, caller.Project, c.role, true); err != nil {
		return nil, fmt.Errorf("apply masking policy: %w", err)
	}
	for _, text := range input {
		c.in.Messages = append(c.in.Messages, Message{Role: RoleUser, Text: text})
	}
	c.prices, c.services = live.prices, services
	if err := c.prepare(service.InHouse); err != nil {
		g.calls.write(ctx, c.record(ctx, caller, c.result(nil), ErrMasking))
		return nil, ErrMasking
	}
	leaving := slices.Clone(input)
	for i, m := range c.masked.messages {
		leaving[i] = m.Text
	}
	taken, err := g.reserve(ctx, caller, "", live.budgets, c.guess())
	if err != nil {
		return nil, err
	}
	defer func() { g.settle(ctx, caller, taken, used(c.attempts)) }()
	limited, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	if !service.InHouse {
		limited = WithGate(limited, func(body []byte) error { return c.session().Gate(body, entry.Model) })
	}
	var spent []string
	for {
		key, reason := c.key(entry, spent)
		if key == nil {
			if reason != "" {
				c.skip(entry, "", reason)
			}
			break
		}
		spent = append(spent, key.Alias)
		a := Attempt{At: g.now(), Owner: c.owner(entry), Provider: entry.Provider, Model: entry.Model, Key: key.Alias, InHouse: service.InHouse, Status: AttemptOK}
		response, err := embedder.Embed(limited, EmbedRequest{Key: key.Secret, Model: entry.Model, Input: leaving, Dimensions: dimensions})
		c.answered(&a)
		a.ServedModel, a.Usage, a.UsageRaw = response.Model, response.Usage, response.UsageRaw
		c.price(entry, &a)
		var failed *Failure
		if err != nil {
			failed = failureOf(err)
			if limited.Err() != nil && ctx.Err() == nil {
				failed = Fail(TimedOut, "no answer within %s", defaultTimeout.Round(time.Second))
			}
			a.fail(failed)
		}
		g.breaker.done(circuitKey{c.at(entry), entry.Model, key.Alias}, a.Class, ctx.Err() != nil)
		c.attempts = append(c.attempts, a)
		if err == nil {
			g.calls.write(ctx, c.record(ctx, caller, c.result(nil), nil))
			return &response, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	err = ErrExhausted
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	g.calls.write(ctx, c.record(ctx, caller, c.result(nil), err))
	return nil, err
}
