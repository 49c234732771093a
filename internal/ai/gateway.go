package ai

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/secret"
)

// Options configure a Gateway. DB, Telemetry, both migrated, and Dir are required.
type Options struct {
	DB        *metadb.DB
	Telemetry *clickhouse.DB
	// Dir is where records of calls wait for the telemetry engine. It belongs to
	// one gateway at a time.
	Dir string
	// LogLimit is how many bytes of records may wait there before calls are
	// refused; default 1 GiB.
	LogLimit int64
	// Services are those of the configuration, by the name a chain uses, such as
	// openai. People may store others, if there are Kinds and a Sealer.
	Services map[string]Service
	// Kinds make the client of a service at an address, "" for the kind's own. It
	// connects to nothing and refuses what is no address.
	Kinds map[string]func(baseURL string) (Provider, error)
	// OrgKinds are the Kinds of services that organisations store, who name any
	// address: their clients must refuse to connect to what is not Public.
	// Without them organisations have no services of their own.
	OrgKinds map[string]func(baseURL string) (Provider, error)
	// Public reports whether a service of an organisation may be at an address,
	// so that one that may not is refused when it is written down; nil: anywhere.
	Public func(netip.Addr) bool
	// Sealer seals keys of services and conversations; nil: neither is kept.
	Sealer *secret.Sealer
	// KeepTexts is what the log keeps of the texts of calls whose role does not say:
	// KeepMasked, KeepNone or KeepOriginals; "" is KeepMasked.
	KeepTexts string
	// DefaultChain is asked for roles without a chain of their own. Empty with
	// no service configured: Run returns ErrNoModel.
	DefaultChain []Entry
	Log          *slog.Logger
	Now          func() time.Time
	// Random is the source of mask tokens; nil is crypto/rand. For golden tests,
	// which make one call at a time.
	Random io.Reader
	// Place tells the organisation and the group of a project, for budgets of
	// theirs; without it there are none.
	Place func(context.Context, project.ID) (org, group int64, err error)
	// OnSoftLimit is told of a budget that has reached its soft limit, once.
	OnSoftLimit func(context.Context, Caller, SoftLimit) error
	// OnCall is told of each record as the call ends, with the context of the
	// call. It must neither wait nor change the record.
	OnCall func(context.Context, *Call)
	// Wait pauses before a model is asked again; nil is a timer. For tests.
	Wait func(context.Context, time.Duration) error
}

// Gateway makes every call of a model. It is safe for concurrent use.
type Gateway struct {
	roles    *Roles
	db       *metadb.DB
	calls    *callLog
	services *Services
	chain    []Entry
	keep     string
	sealer   *secret.Sealer
	breaker  *breaker
	log      *slog.Logger
	now      func() time.Time
	random   io.Reader
	wait     func(context.Context, time.Duration) error
	place    func(context.Context, project.ID) (org, group int64, err error)
	onSoft   func(context.Context, Caller, SoftLimit) error
	places   places
	policies *policies
	plain    sync.Map // modelKey: until when a service that refused a schema is asked in words
}

// New returns a gateway, to be closed. Seed its roles with Roles().Seed.
func New(opts Options) (*Gateway, error) {
	if opts.DB == nil || opts.Telemetry == nil || opts.Dir == "" {
		return nil, fault.New(fault.Invalid, "ai: DB, Telemetry and Dir are required")
	}
	for name, service := range opts.Services {
		if service.Provider == nil || len(service.Keys) == 0 {
			return nil, fault.New(fault.Invalid, "ai: service %q has no provider or no key", name)
		}
	}
	if err := checkKeep(opts.KeepTexts, "KeepTexts"); err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	if opts.Wait == nil {
		opts.Wait = wait
	}
	log := opts.Log.With("component", "ai")
	calls, err := newCallLog(opts.Dir, cmp.Or(opts.LogLimit, defaultLogLimit), opts.Telemetry, log)
	if err != nil {
		return nil, err
	}
	calls.noted = opts.OnCall
	roles, breaker := NewRoles(opts.DB, opts.Now, nil), newBreaker(opts.Now)
	services := &Services{&registry{
		db: opts.DB, sealer: opts.Sealer, kinds: opts.Kinds, orgKinds: opts.OrgKinds, public: opts.Public, configured: opts.Services, roles: roles, breaker: breaker, log: log, now: opts.Now,
		clients: map[clientKey]Provider{},
	}, Shared}
	roles.providers = func(ctx context.Context, owner Owner) ([]string, error) { return services.Of(owner).names(ctx) }
	return &Gateway{
		roles: roles, db: opts.DB, services: services, chain: opts.DefaultChain, keep: cmp.Or(opts.KeepTexts, KeepMasked), sealer: opts.Sealer,
		calls: calls, breaker: breaker, policies: newPolicies(),
		log: log, now: opts.Now, random: opts.Random, wait: opts.Wait, place: opts.Place, onSoft: opts.OnSoftLimit,
	}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Roles returns the store of roles the gateway reads.
func (g *Gateway) Roles() *Roles { return g.roles }

// Run asks the models of a role of the caller's organisation, or else of the
// installation, one after the other, until one gives an answer
// that is valid. What leaves is masked; what comes back is unmasked. When ctx has
// a deadline, each model has its share of the time that is left, so that one
// that hangs leaves time for the next.
//
// Errors: fault.NotFound (role or label), fault.Invalid (the input), ErrNoModel,
// fault.RateLimited (the role's interval, a budget), ErrMasking, ErrExhausted, ErrPartial,
// ctx.Err(). With the last four the Result is not nil and tells how it went.
// Every call beyond the request limit is logged, also one that failed.
func (g *Gateway) Run(ctx context.Context, caller Caller, roleCode string, in Input) (*Result, error) {
	asks, err := g.OwnerOf(caller.Project)
	if err != nil {
		return nil, err
	}
	role, err := g.roles.Released(ctx, asks, roleCode, in.Label, mathrand.IntN(100))
	if err != nil {
		return nil, err
	}
	return g.run(ctx, caller, role, cmp.Or(in.Label, Production), in)
}

// Try is Run with a version of a role that need not be released, nor stored. A
// role of another organisation than the project's is fault.NotFound.
func (g *Gateway) Try(ctx context.Context, caller Caller, role *Role, in Input) (*Result, error) {
	if err := g.checkFor(ctx, caller, role); err != nil {
		return nil, err
	}
	return g.run(ctx, caller, role, "", in)
}

func (g *Gateway) run(ctx context.Context, caller Caller, role *Role, label string, in Input) (*Result, error) {
	c, err := g.converse(caller, role, in)
	if err != nil {
		return nil, err
	}
	c.label = label
	if c.policy, err = g.policy(ctx, caller.Project, role, label != ""); err != nil {
		return nil, fmt.Errorf("apply masking policy: %w", err)
	}
	if err := c.resume(ctx); err != nil {
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
	if !slices.ContainsFunc(c.chain, c.usable) {
		return nil, ErrNoModel
	}
	if !role.LogOptional && g.calls.full() {
		return nil, errLogFull
	}
	if err := g.admit(ctx, caller, role); err != nil {
		return nil, err
	}
	taken, err := g.reserve(ctx, caller, role.key(), live.budgets, c.guess())
	if err != nil {
		return nil, err
	}
	answer, err := c.run(ctx)
	if err == nil {
		err = c.keepThread(context.WithoutCancel(ctx), answer)
	}
	g.settle(ctx, caller, taken, used(c.attempts))
	result := c.result(answer)
	g.calls.write(ctx, c.record(ctx, caller, result, err))
	if err != nil {
		return result, err
	}
	return result, nil
}

// Ask is Run without a role: one model, with what the input says and nothing
// else. It is logged, masked and limited like any other call.
func (g *Gateway) Ask(ctx context.Context, caller Caller, entry Entry, in Input) (*Result, error) {
	return g.run(ctx, caller, &Role{Chain: []Entry{entry}}, "", in)
}

// converse prepares a call.
func (g *Gateway) converse(caller Caller, role *Role, in Input) (*conversation, error) {
	c := &conversation{g: g, id: cmp.Or(in.CallID, NewCallID()), caller: caller, role: role, in: in, started: g.now(), chain: role.Chain}
	if len(c.chain) == 0 {
		c.chain = g.chain
	}
	c.keep = cmp.Or(role.KeepTexts, g.keep)
	c.retries = defaultRetries
	if role.Retries != nil {
		c.retries = *role.Retries
	}
	var err error
	if c.format, err = readFormat(role.ResponseFormat); err != nil {
		return nil, err
	}
	if in.Format != nil {
		if c.format != nil {
			return nil, fault.New(fault.Invalid, "role %q has a format of its own: ask without one", role.Code).WithField("response_format")
		}
		if c.format, err = in.Format.read(); err != nil {
			return nil, err
		}
	}
	if in.Parameters != nil {
		if err := in.Parameters.check("parameters"); err != nil {
			return nil, err
		}
	}
	if c.plainSystem, err = role.system(in.Language, in.Variables); err != nil {
		return nil, err
	}
	return c, nil
}

// usable reports whether the entry's service can be asked: a role may have been
// stored before a service was removed or switched off.
func (c *conversation) usable(e Entry) bool { return c.services[e.Provider].Provider != nil }

// admit enforces the role's interval between two calls of one caller with one
// atomic update, so that it holds across nodes as far as their clocks agree.
func (g *Gateway) admit(ctx context.Context, caller Caller, role *Role) error {
	if role.RateLimitIntervalMs == 0 {
		return nil
	}
	interval := time.Duration(role.RateLimitIntervalMs) * time.Millisecond
	now := g.now()
	key := caller.Project.String() + "/" + caller.Kind + "/" + caller.Name
	n, err := g.db.Exec(ctx, `INSERT INTO ai_last_call (role, caller, at) VALUES ($1, $2, $3)
		ON CONFLICT (role, caller) DO UPDATE SET at = excluded.at WHERE ai_last_call.at <= $4`,
		role.key(), key, metadb.Micros(now), metadb.Micros(now.Add(-interval)))
	if err != nil {
		return fmt.Errorf("check request limit: %w", err)
	}
	if n > 0 {
		return nil
	}
	var last int64
	if err := g.db.QueryRow(ctx, `SELECT at FROM ai_last_call WHERE role = $1 AND caller = $2`, role.key(), key).Scan(&last); err != nil {
		return fmt.Errorf("check request limit: %w", err)
	}
	return fault.New(fault.RateLimited, "role %q answers this caller once in %s", role.Code, interval).
		WithRetryAfter(max(metadb.FromMicros(last).Add(interval).Sub(now), time.Millisecond))
}

// NewCallID makes the id of a call: 32 hexadecimal digits.
func NewCallID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	return hex.EncodeToString(id[:])
}
