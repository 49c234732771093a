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
	Code      string   `json:"code" doc:"the service's own, or why it was not reached: host_unknown, refused, tls, timeout"`
	Status    int      `json:"status" doc:"of HTTP; 0 for none"`
	Message   string   `json:"message"`
	Model     string   `json:"model" doc:"that was asked; empty: the models were listed"`
	Models    []string `json:"models" doc:"that the service lists"`
	LatencyMs int64    `json:"latency_ms"`
}

// answered are failures that only a service which took the key gives.
var answered = map[Class]bool{EmptyAnswer: true, HugeAnswer: true, CutOff: true, Refused: true, TooLong: true}

// CheckKey asks a service whether it takes a key, also one that is switched off:
// with a model it asks that one for a word, which may cost a few tokens; with ""
// it has the models listed, which does not tell whether the account is spent. It
// goes around chain, circuits and limits, says nothing of anybody's data, and is
// in the log of the process and not among the calls. fault.NotFound.
func (g *Gateway) CheckKey(ctx context.Context, name, alias, model, author string) (*KeyCheck, error) {
	provider, kind, key, err := g.services.key(ctx, name, alias)
	if err != nil {
		return nil, err
	}
	live, err := g.live(ctx)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	check := &KeyCheck{Model: model, Models: []string{}}
	started := time.Now()
	if model != "" {
		few := int64(64)
		parameters, _ := live.rules.fit(name, kind, model, Parameters{MaxTokens: &few})
		_, err = provider.Complete(limited, Request{Key: key, Model: model, Messages: []Message{{Role: RoleUser, Text: "Say OK."}}, Parameters: parameters}, nil)
	} else {
		lister, ok := provider.(Lister)
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
	g.log.InfoContext(ctx, "a key was checked", "provider", name, "key", alias, "author", author, "ok", check.OK, "class", string(check.Class), "code", check.Code)
	return check, nil
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

// key returns a key of a service, also of one that is switched off.
func (s *Services) key(ctx context.Context, name, alias string) (provider Provider, kind, plain string, err error) {
	if c, configured := s.configured[name]; configured {
		for _, k := range c.Keys {
			if k.Alias == alias {
				return c.Provider, c.Kind, k.Secret, nil
			}
		}
		return nil, "", "", missingKey(name, alias)
	}
	p, err := s.Get(ctx, name)
	if err != nil {
		return nil, "", "", err
	}
	s.mu.Lock()
	provider, err = s.client(p.Kind, p.BaseURL)
	s.mu.Unlock()
	if err != nil {
		return nil, "", "", err
	}
	if alias == keyless && len(p.Keys) == 0 {
		return provider, p.Kind, "", nil
	}
	keys, err := s.keys(ctx, s.db)
	if err != nil {
		return nil, "", "", err
	}
	for _, k := range keys {
		if k.provider != name || k.Alias != alias {
			continue
		}
		opened, err := s.sealer.Open(ctx, k.sealed, keyPlace(name, alias))
		if err != nil {
			return nil, "", "", fault.Wrap(err, fault.Invalid, "the stored key cannot be read any more: it was sealed with another secrets key; replace it")
		}
		return provider, p.Kind, string(opened), nil
	}
	return nil, "", "", missingKey(name, alias)
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

// KeyHealth returns how calls went with each key that was used lately, by
// provider and key, out of the attempts that are stored. A repair or an answer
// that does not fit the role's schema is not the key's failure.
func (g *Gateway) KeyHealth(ctx context.Context) ([]KeyHealth, error) {
	classes := make([]string, len(blames))
	for i, class := range blames {
		classes[i] = string(class)
	}
	now := g.now().UTC()
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
			FROM ai_attempts WHERE at >= {from:DateTime64(3)} AND status != '`+AttemptSkipped+`' LIMIT 1 BY call_id, number)
		GROUP BY provider, key ORDER BY provider, key`,
		clickhouse.P("hour", now.Add(-time.Hour)), clickhouse.P("from", now.AddDate(0, 0, -healthDays)), clickhouse.P("classes", classes))
	if err != nil {
		return nil, fmt.Errorf("add up attempts by key: %w", err)
	}
	health := make([]KeyHealth, len(rows))
	for i, r := range rows {
		health[i] = KeyHealth{Provider: r.Provider, Key: r.Key, Calls: r.Calls, Failures: r.Failures,
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
