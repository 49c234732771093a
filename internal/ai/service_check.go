package ai

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// Lister is a Provider that also tells which models its service has.
type Lister interface {
	// Models returns names of models in the order of the service, one page at
	// most, and obeys what Provider.Complete promises about ctx and errors.
	Models(ctx context.Context, key string) ([]string, error)
}

// checkWithin is how long the check of a key may take.
const checkWithin = 20 * time.Second

// KeyCheck is what a check of a key found.
type KeyCheck struct {
	OK        bool     `json:"ok"`
	Class     Class    `json:"class" doc:"why not, of the failures of models; empty when ok"`
	Code      string   `json:"code" doc:"the service's own, or why it was not reached: host_unknown, refused, tls, timeout, not_public"`
	Status    int      `json:"status" doc:"of HTTP; 0 for none"`
	Message   string   `json:"message"`
	Model     string   `json:"model" doc:"that was asked; empty: the models were listed"`
	Models    []string `json:"models" doc:"that the service lists"`
	LatencyMs int64    `json:"latency_ms"`
	CallID    string   `json:"call_id" doc:"of the log; empty: the models were listed"`
}

// PurposeCheck is what the call of a check is for.
const PurposeCheck = "check"

// answered are failures that only a service which took the key gives.
var answered = map[Class]bool{EmptyAnswer: true, HugeAnswer: true, CutOff: true, Refused: true, TooLong: true}

// CheckKey asks a service whether it takes a key, also one that is switched off:
// with a model it asks that one for a word, which may cost a few tokens; with ""
// it has the models listed, which does not tell whether the account is spent. It
// goes around chain, circuits and the intervals of roles, and says nothing of
// anybody's data. What a model is asked is a call like any other: it is held to
// budgets, and in the log of the caller's project. fault.NotFound;
// fault.RateLimited (a budget).
func (g *Gateway) CheckKey(ctx context.Context, caller Caller, owner Owner, name, alias, model string) (*KeyCheck, error) {
	service, key, err := g.services.Of(owner).key(ctx, name, alias)
	if err != nil {
		return nil, err
	}
	caller.Purpose = PurposeCheck
	limited, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	check := &KeyCheck{Model: model, Models: []string{}}
	started := time.Now()
	if model != "" {
		check.CallID, err = g.askForAWord(ctx, limited, caller, Entry{Provider: name, Model: model}, service, Key{alias, key})
		if check.CallID == "" {
			return nil, err
		}
	} else {
		lister, ok := service.Provider.(Lister)
		if !ok {
			return nil, fault.New(fault.Unsupported, "this provider does not list its models: name one to ask").WithField("model")
		}
		var models []string
		if models, err = lister.Models(limited, key); len(models) > 0 {
			check.Models = models
		}
	}
	check.LatencyMs = time.Since(started).Milliseconds()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	check.judge(err, limited.Err() != nil)
	g.log.InfoContext(ctx, "a key was checked", "provider", owner.key(name), "key", alias, "author", caller.Name, "ok", check.OK, "class", string(check.Class), "code", check.Code)
	return check, nil
}

// askForAWord asks a model once, within limited, and logs the call. Without an id
// nothing was asked.
func (g *Gateway) askForAWord(ctx, limited context.Context, caller Caller, entry Entry, service Service, key Key) (callID string, err error) {
	live, err := g.live(ctx)
	if err != nil {
		return "", err
	}
	few := int64(64)
	parameters, dropped := live.rules.fit(service.at, service.Kind, entry.Model, Parameters{MaxTokens: &few})
	c := &conversation{g: g, caller: caller, role: &Role{}, chain: []Entry{entry}, started: g.now(), keep: g.keep, id: NewCallID(),
		in: Input{Messages: []Message{{Role: RoleUser, Text: "Say OK."}}, Parameters: &parameters}, prices: live.prices, services: map[string]Service{entry.Provider: service}}
	if c.policy, err = g.policy(ctx, caller.Project, c.role, true); err != nil {
		return "", fmt.Errorf("apply masking policy: %w", err)
	}
	taken, err := g.reserve(ctx, caller, "", live.budgets, c.guess())
	if err != nil {
		return "", err
	}
	defer func() { g.settle(ctx, caller, taken, used(c.attempts)) }()
	a := Attempt{At: g.now(), Owner: c.owner(entry), Provider: entry.Provider, Model: entry.Model, Key: key.Alias, InHouse: service.InHouse, Dropped: dropped, Status: AttemptOK}
	response, err := service.Provider.Complete(limited, Request{Key: key.Secret, Model: entry.Model, Messages: c.in.Messages, Parameters: parameters}, nil)
	c.answered(&a)
	a.ServedModel, a.Usage, a.UsageRaw, a.Answer, c.answer = response.Model, response.Usage, response.UsageRaw, response.Text, response.Text
	c.price(entry, &a)
	var answer *Response
	ended := err
	switch {
	case err == nil:
		answer = &response
	case ctx.Err() != nil:
		a.fail(failureOf(err))
		ended = ctx.Err()
	case limited.Err() != nil:
		a.fail(Fail(TimedOut, "no answer within %s", checkWithin))
		ended = ErrExhausted
	default:
		a.fail(failureOf(err))
		ended = ErrExhausted
	}
	c.attempts = append(c.attempts, a)
	g.calls.write(ctx, c.record(ctx, caller, c.result(answer), ended))
	return c.id, err
}

// judge says what the outcome of a check means.
func (c *KeyCheck) judge(err error, late bool) {
	if err == nil {
		c.OK, c.Message = true, "the service takes the key"
		return
	}
	failed := failureOf(err)
	if late {
		failed = Fail(TimedOut, "no answer within %s", checkWithin)
	}
	if answered[failed.Class] {
		c.OK, c.Message = true, "the service takes the key"
		return
	}
	c.Class, c.Code, c.Status, c.Message = failed.Class, failed.Code, failed.Status, failed.Message
	if failed.Class == UnknownModel && c.Model == "" {
		c.Message = "the service does not list its models at this address: is the base URL right? Else name a model to ask"
	}
}

// key returns a service and a key of it, also when either is switched off.
func (s *Services) key(ctx context.Context, name, alias string) (service Service, plain string, err error) {
	if c, configured := s.filed()[name]; configured {
		c.at, c.priced = s.owner.key(name), pricedAs(s.owner, name, c.Kind)
		for _, k := range c.Keys {
			if k.Alias == alias {
				return c, k.Secret, nil
			}
		}
		return Service{}, "", missingKey(name, alias)
	}
	p, err := s.Get(ctx, name)
	if err != nil {
		return Service{}, "", err
	}
	service = Service{Kind: p.Kind, BaseURL: p.BaseURL, InHouse: p.InHouse, at: s.owner.key(name), priced: pricedAs(s.owner, name, p.Kind)}
	s.mu.Lock()
	service.Provider, err = s.client(p.Kind, p.BaseURL)
	s.mu.Unlock()
	if err != nil {
		return Service{}, "", err
	}
	if alias == keyless && len(p.Keys) == 0 {
		return service, "", nil
	}
	keys, err := s.keys(ctx, s.db)
	if err != nil {
		return Service{}, "", err
	}
	for _, k := range keys {
		if k.provider != s.owner.key(name) || k.Alias != alias {
			continue
		}
		opened, err := s.sealer.Open(ctx, k.sealed, keyPlace(k.provider, alias))
		if err != nil {
			return Service{}, "", fault.Wrap(err, fault.Invalid, "the stored key cannot be read any more: it was sealed with another secrets key; replace it")
		}
		return service, string(opened), nil
	}
	return Service{}, "", missingKey(name, alias)
}

// KeyHealth is how calls with a key went, on all nodes.
type KeyHealth struct {
	Provider    string     `json:"provider"`
	Key         string     `json:"key" doc:"alias"`
	Calls       uint64     `json:"calls" doc:"of the last hour"`
	Failures    uint64     `json:"failures" doc:"of them, what is the service's or the key's fault"`
	LastUsed    *time.Time `json:"last_used" doc:"within a week"`
	LastOK      *time.Time `json:"last_ok"`
	LastFailure *time.Time `json:"last_failure"`
	LastClass   string     `json:"last_class" doc:"of the last failure"`
	LastCode    string     `json:"last_code"`
}

// healthDays is how far back the last use of a key is looked for.
const healthDays = 7

// KeyHealth returns how calls went with each key of an owner's that was used
// lately, by provider and key, out of the attempts that are stored. A repair or an
// answer that does not fit the role's schema is not the key's failure.
func (g *Gateway) KeyHealth(ctx context.Context, owner Owner) ([]KeyHealth, error) {
	classes := make([]string, len(blames))
	for i, class := range blames {
		classes[i] = string(class)
	}
	now, whose := g.now().UTC(), ""
	if owner != Shared {
		whose = owner.key("")
	}
	var rows []struct {
		Provider string    `ch:"provider"`
		Key      string    `ch:"key"`
		Calls    uint64    `ch:"calls"`
		Failures uint64    `ch:"failures"`
		Used     time.Time `ch:"used"`
		Good     time.Time `ch:"last_good"`
		Bad      time.Time `ch:"last_bad"`
		Class    string    `ch:"last_class"`
		Code     string    `ch:"last_code"`
	}
	err := g.calls.telemetry.SystemSelect(ctx, &rows, `SELECT provider::String AS provider, key::String AS key,
			countIf(at >= {hour:DateTime64(3)}) AS calls, countIf(at >= {hour:DateTime64(3)} AND bad) AS failures,
			max(at) AS used, maxIf(at, class = '') AS last_good, maxIf(at, bad) AS last_bad,
			argMaxIf(class, at, bad)::String AS last_class, argMaxIf(code, at, bad)::String AS last_code
		FROM (SELECT provider, key, at, class, code, has({classes:Array(String)}, class::String) AS bad
			FROM ai_attempts WHERE at >= {from:DateTime64(3)} AND if({whose:String} = '', position(provider, '/') = 0, startsWith(provider, {whose:String})) AND status != '`+AttemptSkipped+`' LIMIT 1 BY call_id, number)
		GROUP BY provider, key ORDER BY provider, key`,
		clickhouse.P("hour", now.Add(-time.Hour)), clickhouse.P("from", now.AddDate(0, 0, -healthDays)), clickhouse.P("classes", classes), clickhouse.P("whose", whose))
	if err != nil {
		return nil, fmt.Errorf("add up attempts by key: %w", err)
	}
	health := make([]KeyHealth, len(rows))
	for i, r := range rows {
		_, provider := Owned(r.Provider)
		health[i] = KeyHealth{Provider: provider, Key: r.Key, Calls: r.Calls, Failures: r.Failures,
			LastUsed: known(r.Used), LastOK: known(r.Good), LastFailure: known(r.Bad), LastClass: r.Class, LastCode: r.Code}
	}
	return health, nil
}

// known is a time of the engine, for which 1970 is never.
func known(at time.Time) *time.Time {
	if at.Unix() <= 0 {
		return nil
	}
	at = at.UTC()
	return &at
}
