package ai

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Options configure a Gateway. DB and Telemetry are required and migrated.
type Options struct {
	DB        *metadb.DB
	Telemetry *clickhouse.DB
	Providers map[string]Provider // by the name a chain uses, such as openai
	// DefaultChain is asked for roles without a chain of their own. Empty with
	// no provider configured: Run returns ErrNoModel.
	DefaultChain []Entry
	Log          *slog.Logger
	Now          func() time.Time
	// Random is the source of mask tokens; nil is crypto/rand. For golden tests,
	// which make one call at a time.
	Random io.Reader
}

// Gateway makes every call of a model. It is safe for concurrent use.
type Gateway struct {
	roles     *Roles
	db        *metadb.DB
	calls     *callLog
	providers map[string]Provider
	chain     []Entry
	log       *slog.Logger
	now       func() time.Time
	random    io.Reader
}

const (
	defaultTimeout = time.Minute
	maxRefusal     = 2000 // bytes of a refusal told to the model
)

// New returns a gateway. It stores nothing: seed the roles with Roles().Seed.
func New(opts Options) (*Gateway, error) {
	if opts.DB == nil || opts.Telemetry == nil {
		return nil, fault.New(fault.Invalid, "ai: DB and Telemetry are required")
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
	log := opts.Log.With("component", "ai")
	return &Gateway{
		roles: NewRoles(opts.DB, opts.Now, slices.Sorted(maps.Keys(opts.Providers))), db: opts.DB, providers: opts.Providers, chain: opts.DefaultChain,
		calls: &callLog{meta: opts.DB, telemetry: opts.Telemetry, log: log}, log: log, now: opts.Now, random: opts.Random,
	}, nil
}

// Roles returns the store of roles the gateway reads.
func (g *Gateway) Roles() *Roles { return g.roles }

// Providers returns the names of the configured providers, sorted.
func (g *Gateway) Providers() []string { return g.roles.providers }

// Run asks the models of a role, one after the other, until one gives an answer
// that Validate accepts. What leaves is masked; what comes back is unmasked.
// When ctx has a deadline, each model has its share of the time that is left,
// so that one that hangs leaves time for the next.
//
// Errors: fault.NotFound (role), ErrNoModel, fault.RateLimited (the role's
// interval), ErrMasking, ErrExhausted, ctx.Err(). With ErrMasking, ErrExhausted
// and ctx.Err() the Result is not nil and tells how it went. Every call beyond
// the request limit is logged, also one that failed.
func (g *Gateway) Run(ctx context.Context, caller Caller, roleCode string, in Input) (*Result, error) {
	role, err := g.roles.Get(ctx, roleCode)
	if err != nil {
		return nil, err
	}
	chain := role.Chain
	if len(chain) == 0 {
		chain = g.chain
	}
	if !slices.ContainsFunc(chain, g.usable) {
		return nil, ErrNoModel
	}
	if err := g.admit(ctx, caller, role); err != nil {
		return nil, err
	}
	c := &conversation{g: g, role: role, in: in, started: g.now(), session: mask.NewSession(mask.WithRandom(g.random))}
	answer, err := c.run(ctx, chain)
	result := c.result(answer)
	g.calls.write(ctx, c.record(caller, result, err))
	if err != nil {
		return result, err
	}
	return result, nil
}

// usable reports whether the entry's provider is configured: a role may have
// been stored before a provider was taken out of the configuration.
func (g *Gateway) usable(e Entry) bool { return g.providers[e.Provider] != nil }

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
		role.Code, key, metadb.Micros(now), metadb.Micros(now.Add(-interval)))
	if err != nil {
		return fmt.Errorf("check request limit: %w", err)
	}
	if n > 0 {
		return nil
	}
	var last int64
	if err := g.db.QueryRow(ctx, `SELECT at FROM ai_last_call WHERE role = $1 AND caller = $2`, role.Code, key).Scan(&last); err != nil {
		return fmt.Errorf("check request limit: %w", err)
	}
	return fault.New(fault.RateLimited, "role %q answers this caller once in %s", role.Code, interval).
		WithRetryAfter(max(metadb.FromMicros(last).Add(interval).Sub(now), time.Millisecond))
}

// conversation is one call under way.
type conversation struct {
	g        *Gateway
	role     *Role
	in       Input
	session  *mask.Session
	started  time.Time
	system   string // masked
	message  string // masked
	answer   string // masked, the last one received
	attempts []Attempt
}

func (c *conversation) run(ctx context.Context, chain []Entry) (string, error) {
	format, err := c.role.format()
	if err != nil {
		return "", err
	}
	if err := c.mask(); err != nil {
		c.g.log.ErrorContext(ctx, "a message could not be masked", "role", c.role.Code, "kind", fault.KindOf(err).String())
		return "", ErrMasking
	}
	left := len(slices.DeleteFunc(slices.Clone(chain), func(e Entry) bool { return !c.g.usable(e) }))
	for _, entry := range chain {
		if !c.g.usable(entry) {
			c.attempts = append(c.attempts, Attempt{At: c.g.now(), Provider: entry.Provider, Model: entry.Model,
				Status: AttemptSkipped, Error: "the provider is not configured"})
			continue
		}
		answer, ok := c.ask(ctx, entry, format, left)
		if ok {
			return answer, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		left--
	}
	return "", ErrExhausted
}

// ask asks one model, and once more with the reason when its answer is refused.
// left is the number of models that share the time of ctx, this one included.
func (c *conversation) ask(ctx context.Context, entry Entry, format *Format, left int) (answer string, ok bool) {
	if deadline, limited := ctx.Deadline(); limited && left > 1 {
		share, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
		ctx = share
	}
	request := Request{
		Model: entry.Model, Parameters: c.role.Parameters, Format: format,
		Messages: []Message{{"system", c.system}, {"user", c.message}},
	}
	answer, refusal, ok := c.attempt(ctx, entry, request, false)
	if ok || refusal == "" || ctx.Err() != nil {
		return answer, ok
	}
	request.Messages = append(request.Messages, Message{"assistant", c.answer}, Message{"user", refusal})
	answer, _, ok = c.attempt(ctx, entry, request, true)
	return answer, ok
}

// mask masks the message before the system message, so that what is detected in
// the one is masked in the other.
func (c *conversation) mask() (err error) {
	c.session.Learn(c.in.Sensitive...)
	if c.message, err = c.session.Mask(c.in.Message); err != nil {
		return err
	}
	if c.system, err = c.session.Mask(c.role.system(c.in.Language)); err != nil {
		c.message = ""
		return err
	}
	return nil
}

// attempt asks one model once. ok with the answer; or a refusal to tell it; or
// neither, when the next model is to be asked.
func (c *conversation) attempt(ctx context.Context, entry Entry, request Request, repair bool) (answer, refusal string, ok bool) {
	timeout := time.Duration(entry.TimeoutMs) * time.Millisecond
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if deadline, limited := ctx.Deadline(); limited {
		timeout = min(timeout, time.Until(deadline))
	}
	a := Attempt{At: c.g.now(), Provider: entry.Provider, Model: entry.Model, Repair: repair, Requests: 1}
	defer func() {
		if v := recover(); v != nil { // a fault of one provider or check is not the end of the chain
			a.Status, a.Error = AttemptError, "the provider or the check of its answer panicked"
			a.LatencyMs = c.g.now().Sub(a.At).Milliseconds()
			answer, refusal, ok = "", "", false
			// What was thrown may hold the message: its type and the stack do not.
			c.g.log.ErrorContext(ctx, "an attempt panicked", "role", c.role.Code, "provider", a.Provider, "model", a.Model,
				"type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		}
		c.attempts = append(c.attempts, a)
	}()

	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	response, err := c.g.providers[entry.Provider].Complete(limited, request)
	a.LatencyMs = c.g.now().Sub(a.At).Milliseconds()
	a.Requests = max(a.Requests, int64(response.Requests))
	a.ServedModel, a.Usage = response.Model, response.Usage
	c.price(ctx, entry, &a)
	if err != nil {
		a.Status, a.Error = AttemptError, describe(err)
		if errors.Is(err, context.DeadlineExceeded) {
			a.Status, a.Error = AttemptTimeout, fmt.Sprintf("no answer within %s", timeout.Round(time.Millisecond))
		}
		c.g.log.WarnContext(ctx, "a model did not answer", "role", c.role.Code, "provider", a.Provider, "model", a.Model, "status", a.Status, "kind", fault.KindOf(err).String())
		return "", "", false
	}
	c.answer = response.Text
	a.Answer = c.answer
	answer = c.unmask(response.Text)
	if c.in.Validate != nil {
		if err := c.in.Validate(answer); err != nil {
			a.Status = AttemptInvalid
			a.Error, refusal = c.refusal(err)
			a.Answer = c.answer
			return "", refusal, false
		}
	}
	a.Status = AttemptOK
	return answer, "", true
}

// price sets what the attempt cost, also when its time is up by now.
func (c *conversation) price(ctx context.Context, entry Entry, a *Attempt) {
	if a.Usage.InputTokens+a.Usage.OutputTokens == 0 {
		return
	}
	var err error
	if a.Usage.CostUSD, err = c.g.roles.cost(context.WithoutCancel(ctx), entry, a.Usage); err != nil {
		c.g.log.WarnContext(ctx, "the price of a call is unknown", "provider", a.Provider, "model", a.Model, "error", err)
	}
}

func (c *conversation) unmask(text string) string {
	if format, _ := c.role.format(); format != nil {
		return c.session.UnmaskJSON(text)
	}
	return c.session.Unmask(text)
}

// refusal words the error of Validate for the model. The error may quote
// originals, and the answer may hold anything: both are masked, and when that
// fails nothing is told or logged of it.
func (c *conversation) refusal(err error) (reason, told string) {
	text := err.Error()
	if len(text) > maxRefusal {
		text = strings.ToValidUTF8(text[:maxRefusal], "") + "…"
	}
	reason, maskErr := c.session.Mask(text)
	var answerErr error
	c.answer, answerErr = c.session.Mask(c.answer)
	switch {
	case maskErr != nil:
		return "invalid answer", ""
	case answerErr != nil:
		return reason, ""
	}
	return reason, "Your answer was refused:\n" + reason + "\n\nAnswer again in the same format, with these faults corrected and nothing else changed."
}

// describe words a provider's error for the call log: kinds and messages only,
// as Provider promises that they are free of secrets.
func describe(err error) string {
	if f := fault.As(err); f != nil {
		return f.Kind.String() + ": " + f.Message
	}
	if errors.Is(err, context.Canceled) {
		return "the caller went away"
	}
	return "the provider failed"
}

func (c *conversation) result(answer string) *Result {
	r := &Result{
		Text: answer, CallID: newCallID(), Role: c.role.Code, RoleVersion: c.role.Version,
		Masked: c.session.Summary(), Tokens: c.session.Tokens(), Attempts: c.attempts,
		Usage: total(c.attempts), LatencyMs: c.g.now().Sub(c.started).Milliseconds(),
	}
	for _, a := range c.attempts {
		if a.Status != AttemptSkipped {
			r.Provider, r.Model = a.Provider, a.Model
		}
	}
	return r
}

func newCallID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	return hex.EncodeToString(id[:])
}
