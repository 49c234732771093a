package ai

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	defaultTimeout = time.Minute
	firstPause     = 200 * time.Millisecond // before a model is asked again; doubled each time, with jitter
	longestPause   = 10 * time.Second       // a service that asks for more is left for the next model
	plainFor       = time.Hour              // that a service which refused a schema is asked in words
)

// passes are the failures after which the same model may answer a moment later.
var passes = []Class{Transport, RateLimited, Overloaded, EmptyAnswer}

// ofKey are the failures that another key of the same service may not have.
var ofKey = []Class{RateLimited, QuotaExceeded, BadKey, NotAllowed}

// fallsThrough reports whether the next model is asked after a failure.
func (e *Entry) fallsThrough(failed Class) bool {
	return len(e.FallThrough) == 0 || failed == "" || slices.Contains(e.FallThrough, failed)
}

// ask asks one model: once more with the reason when its answer is refused, in
// words when it does not take the schema, with another key when one is spent, and
// again after a pause while the call has retries left. Without an answer it
// returns the class of the last failure, "" when nothing was sent. left is the
// number of models that share the time of ctx, this one included.
func (c *conversation) ask(ctx context.Context, entry Entry, left int) (answer *Response, failed Class) {
	if deadline, limited := ctx.Deadline(); limited && left > 1 {
		share, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
		ctx = share
	}
	t := c.try(entry)
	for {
		key, reason := c.key(entry, t.spent)
		if key == nil {
			if reason != "" {
				c.skip(entry, "", reason)
			}
			return nil, t.failed
		}
		t.key = *key
		answer, failure := c.attempt(ctx, entry, t)
		if answer != nil {
			return answer, ""
		}
		t.failed = failure.Class
		if ctx.Err() != nil || !c.committed.IsZero() || !c.again(ctx, &t, failure) {
			return nil, t.failed
		}
	}
}

// try is what the next attempt at one model is.
type try struct {
	request Request
	dropped []string // parameters the model does not take
	key     Key
	spent   []string // aliases of keys that are of no use for this call
	repair  bool     // the model was told why its answer was refused
	inWords bool     // the schema is written into the system message
	inHouse bool     // nothing is masked for the service
	failed  Class
	pause   time.Duration
}

func (c *conversation) try(entry Entry) try {
	service := c.services[entry.Provider]
	t := try{pause: firstPause, inHouse: service.InHouse}
	told := c.masked
	if service.InHouse {
		told = c.open
	}
	t.request = Request{Model: entry.Model, Messages: told.messages, Tools: told.tools, ToolChoice: c.in.ToolChoice}
	t.request.Parameters, t.dropped = c.parameters(entry)
	if c.format != nil {
		t.request.Format = c.format.Format
		until, refused := c.g.plain.Load(c.model(entry))
		if refused && c.g.now().Before(until.(time.Time)) || c.rules.rejects(c.at(entry), service.Kind, entry.Model, rejectsSchema) {
			t.request, t.inWords = inWords(t.request), true
		}
	}
	if len(t.request.Tools) > 0 && c.rules.rejects(c.at(entry), service.Kind, entry.Model, rejectsTools) {
		t.request.Tools, t.request.ToolChoice = nil, ToolAuto
		t.dropped = append(t.dropped, rejectsTools)
	}
	return t
}

// parameters are those that are asked of a model and that it takes, and the names
// of the others.
func (c *conversation) parameters(entry Entry) (taken Parameters, dropped []string) {
	asked := c.role.Parameters.over(entry.Parameters).over(c.in.Parameters)
	return c.rules.fit(c.at(entry), c.services[entry.Provider].Kind, entry.Model, asked)
}

// modelKey names a model of a service.
type modelKey struct{ provider, model string }

// key returns the next key whose circuit lets a call through, nil with the
// reason when there is none. Keys take turns.
func (c *conversation) key(entry Entry, spent []string) (*Key, string) {
	keys := c.services[entry.Provider].Keys
	start, reason := 0, ""
	if len(keys) > 1 {
		start = rand.IntN(len(keys))
	}
	for i := range keys {
		key := &keys[(start+i)%len(keys)]
		if slices.Contains(spent, key.Alias) {
			continue
		}
		ok, why := c.g.breaker.allow(circuitKey{c.at(entry), entry.Model, key.Alias})
		if ok {
			return key, ""
		}
		reason = "the circuit is open: " + why
	}
	return nil, reason
}

// again prepares the next attempt after a failure; false when there is none.
func (c *conversation) again(ctx context.Context, t *try, failure *Failure) bool {
	switch {
	case failure.Class == InvalidAnswer && !t.repair && c.told != "":
		t.repair = true
		t.request.Messages = append(t.request.Messages[:len(t.request.Messages):len(t.request.Messages)],
			Message{Role: RoleAssistant, Text: c.answer}, Message{Role: RoleUser, Text: c.told})
		return true
	case failure.Class == BadRequest && t.request.Format != nil && !t.inWords:
		t.request, t.inWords = inWords(t.request), true
		return true
	case slices.Contains(ofKey, failure.Class):
		t.spent = append(t.spent, t.key.Alias)
		if keys := len(c.services[c.attempts[len(c.attempts)-1].Provider].Keys); len(t.spent) < keys {
			return true
		}
		t.spent = nil
	}
	if c.retries <= 0 || !slices.Contains(passes, failure.Class) || failure.RetryAfter > longestPause {
		return false
	}
	pause := max(failure.RetryAfter, t.pause/2+rand.N(t.pause/2))
	if deadline, limited := ctx.Deadline(); limited && time.Until(deadline) <= pause {
		return false
	}
	c.retries--
	t.pause *= 2
	c.attempts[len(c.attempts)-1].WaitMs = pause.Milliseconds()
	c.elsewhere += pause
	return c.g.wait(ctx, pause) == nil
}

// skip notes a model that was not asked.
func (c *conversation) skip(entry Entry, key, why string) {
	c.attempts = append(c.attempts, Attempt{At: c.g.now(), Owner: c.owner(entry), Provider: entry.Provider, Model: entry.Model, Key: key, Status: AttemptSkipped, Error: why})
}

// failureOf makes a Failure of any error of a provider.
func failureOf(err error) *Failure {
	var failed *Failure
	if errors.As(err, &failed) {
		return failed
	}
	return &Failure{Class: Transport, Message: describe(err)}
}
