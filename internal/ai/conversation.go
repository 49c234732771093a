package ai

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/schema"
)

// conversation is one call under way.
type conversation struct {
	g           *Gateway
	id          string
	caller      Caller
	role        *Role
	label       string // by which the version was found
	operation   string // "" is OperationChat
	in          Input
	chain       []Entry
	rules       capabilities
	prices      PriceList
	format      *format // nil: free text
	retries     int     // that are left
	keep        string  // what the log keeps of the texts
	policy      *mask.Compiled
	masking     *mask.Session // see session
	started     time.Time
	elsewhere   time.Duration // of the time since, what models and pauses took
	plainSystem string
	thread      *Thread       // it belongs to, nil for none
	open        said          // to services of the house
	masked      said          // to all others
	answer      string        // as the model gave it, the last one received
	unknown     []string      // what looks like a token in it and is none
	told        string        // why the answer was refused, "" when it cannot be told
	plainFrom   modelKey      // that just refused a request with a schema
	retryAfter  time.Duration // that the last failure asked for
	grounded    *bool         // of the first answer that Input.Grounded was asked about
	committed   time.Time     // when the client got the first piece; zero before
	attempts    []Attempt
	services    map[string]Service // as they were when the call began
}

// run answers with the originals put back.
func (c *conversation) run(ctx context.Context) (answer *Response, err error) {
	left := 0
	for _, e := range c.chain {
		if c.usable(e) {
			left++
		}
	}
	for _, entry := range c.chain {
		if !c.usable(entry) {
			c.skip(entry, "", "the provider is not configured")
			continue
		}
		if err := c.prepare(c.services[entry.Provider].InHouse); err != nil {
			c.g.log.ErrorContext(ctx, "a message could not be masked", "role", c.role.Code, "kind", fault.KindOf(err).String())
			return nil, ErrMasking
		}
		answer, failed := c.ask(ctx, entry, left)
		switch {
		case answer != nil:
			return answer, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case failed == Unmasked:
			return nil, ErrMasking
		case !c.committed.IsZero():
			return nil, ErrPartial
		case !entry.fallsThrough(failed):
			return nil, c.exhausted()
		}
		left--
	}
	return nil, c.exhausted()
}

// tellsCaller are the failures that say something of the request itself, or of
// when to ask again.
var tellsCaller = []Class{RateLimited, TooLong, Refused, BadRequest}

// exhausted is ErrExhausted. When every model failed for the same reason, and the
// caller can do something about it, it is of that kind.
func (c *conversation) exhausted() error {
	var common Class
	for _, a := range c.attempts {
		switch {
		case a.Status == AttemptSkipped:
		case common != "" && common != a.Class:
			return ErrExhausted
		default:
			common = a.Class
		}
	}
	if !slices.Contains(tellsCaller, common) {
		return ErrExhausted
	}
	err := fault.As(fault.Wrap(ErrExhausted, kinds[common], "no model of the chain gave a valid answer: %s", c.attempts[len(c.attempts)-1].Error))
	if common == RateLimited {
		err = err.WithRetryAfter(max(c.retryAfter, time.Second))
	}
	return err
}

// said is what a model is told.
type said struct {
	messages []Message // a system message first, or none
	tools    []Tool
}

// plain is what the caller and the role say, as they say it.
func (c *conversation) plain() said {
	turns := c.in.Messages
	if c.in.Message != "" {
		turns = append(turns[:len(turns):len(turns)], Message{Role: RoleUser, Text: c.in.Message})
	}
	system := c.plainSystem
	messages := make([]Message, 1, len(turns)+1)
	for _, m := range turns {
		if m.Role == RoleSystem {
			system += "\n\n" + m.Text
			continue
		}
		messages = append(messages, m)
	}
	messages[0] = Message{Role: RoleSystem, Text: strings.TrimSpace(system)}
	if messages[0].Text == "" {
		messages = messages[1:]
	}
	return said{messages, c.in.Tools}
}

// session is the masking of the call. It begins when something is to be masked:
// most calls of services of the house never do.
func (c *conversation) session() *mask.Session {
	if c.masking == nil {
		c.masking = mask.NewSession(mask.WithRandom(c.g.random), mask.WithCompiled(c.policy))
		c.masking.Adopt(c.in.Recorded...)
	}
	return c.masking
}

// prepare makes what a model is told: as it is for a service of the house, and
// masked for any other.
func (c *conversation) prepare(inHouse bool) error {
	if inHouse {
		if c.open.messages == nil {
			c.open = c.restored(c.plain())
		}
		return nil
	}
	if c.masked.messages != nil {
		return nil
	}
	c.session().Learn(c.in.Sensitive...)
	masked, err := c.mask(c.plain())
	if err == nil {
		c.masked = masked
	}
	return err
}

// restored puts what recorded tokens stand for into turns out of the log, as far as
// it is known: a service of the house was told originals the first time.
func (c *conversation) restored(recorded said) said {
	if len(c.in.Recorded) == 0 {
		return recorded
	}
	out := said{slices.Clone(recorded.messages), recorded.tools}
	for i := range out.messages {
		m := &out.messages[i]
		m.Text, m.Calls = c.session().Unmask(m.Text), slices.Clone(m.Calls)
		for k := range m.Calls {
			m.Calls[k].Arguments = c.session().UnmaskJSON(m.Calls[k].Arguments)
		}
	}
	return out
}

// mask masks all texts: what is detected in one is masked in all.
func (c *conversation) mask(plain said) (said, error) {
	var texts []string
	for _, m := range plain.messages {
		texts = append(texts, m.Text)
		for _, call := range m.Calls {
			texts = append(texts, call.Arguments)
		}
	}
	for _, t := range plain.tools {
		texts = append(texts, t.Description)
	}
	texts, err := c.session().MaskAll(texts...)
	if err != nil {
		return said{}, err
	}
	next := func() string {
		text := texts[0]
		texts = texts[1:]
		return text
	}
	masked := said{slices.Clone(plain.messages), slices.Clone(plain.tools)}
	for i := range masked.messages {
		m := &masked.messages[i]
		m.Text, m.Calls = next(), slices.Clone(m.Calls)
		for k := range m.Calls {
			m.Calls[k].Arguments = next()
		}
	}
	for i := range masked.tools {
		masked.tools[i].Description = next()
	}
	return masked, nil
}

// plainWords are the strings of a request that are not masked, because the
// service or the answer needs them as they are: names, ids of calls, and schemas
// in whatever dialect they are sent. Of a schema that the caller sends it is the
// words only: its sentences may say anything, and are for the gate to judge.
func (c *conversation) plainWords(r *Request) []string {
	words := []string{r.Model}
	fromCaller := func(s []string) {
		for _, text := range s {
			if !strings.ContainsAny(text, " \t\n") {
				words = append(words, text)
			}
		}
	}
	switch {
	case c.format == nil:
	case c.in.Format != nil:
		words = append(words, c.format.Name)
		fromCaller(schema.Strings(c.format.Schema))
	default:
		words = append(append(words, c.format.Name), schema.Strings(c.format.Schema)...)
	}
	for _, t := range r.Tools {
		words = append(words, t.Name)
		fromCaller(schema.Strings(t.Schema))
	}
	for _, m := range r.Messages {
		for _, call := range m.Calls {
			words = append(append(words, call.ID, call.Name), strings.Split(call.ID, ".")...)
		}
		if m.CallID != "" {
			words = append(append(words, m.CallID), strings.Split(m.CallID, ".")...)
		}
	}
	return words
}

// unmask puts the originals back.
func (c *conversation) unmask(r Response, inHouse bool) Response {
	if inHouse { // it was told, and says, originals
		if c.format != nil && len(r.Calls) == 0 {
			r.Text = schema.Raise(c.format.Schema, r.Text)
		}
		return r
	}
	c.unknown = c.session().Unknown(r.Text)
	for _, call := range r.Calls {
		c.unknown = append(c.unknown, c.session().Unknown(call.Arguments)...)
	}
	if c.format != nil && len(r.Calls) == 0 {
		r.Text = c.session().UnmaskJSON(schema.Raise(c.format.Schema, r.Text))
	} else {
		r.Text = c.session().Unmask(r.Text)
	}
	calls := r.Calls
	r.Calls = nil
	for _, call := range calls {
		call.Arguments = c.session().UnmaskJSON(call.Arguments)
		r.Calls = append(r.Calls, call)
	}
	return r
}

// check judges an answer, originals put back, against the schema and then by the
// caller's check. An answer that asks for tools is not the last word.
func (c *conversation) check(r *Response) error {
	if len(r.Calls) > 0 {
		return nil
	}
	if c.format != nil {
		if err := c.format.check(r.Text); err != nil {
			return err
		}
	}
	if c.in.Grounded != nil && c.grounded == nil {
		grounded := c.in.Grounded(r.Text)
		c.grounded = &grounded
	}
	if c.in.Validate != nil {
		return c.in.Validate(r.Text)
	}
	return nil
}

// refusal words the error of a check for the model. The error may quote
// originals, and the answer may hold anything: for a service that is not of the
// house both are masked, and when that fails nothing is told or logged of it.
func (c *conversation) refusal(err error, inHouse bool) (reason, told string) {
	reason = err.Error()
	if len(reason) > maxRefusal {
		reason = strings.ToValidUTF8(reason[:maxRefusal], "") + "…"
	}
	if !inHouse {
		var maskErr, answerErr error
		reason, maskErr = c.session().Mask(reason)
		c.answer, answerErr = c.session().Mask(c.answer)
		switch {
		case maskErr != nil:
			return "invalid answer", ""
		case answerErr != nil:
			return reason, ""
		}
	}
	return reason, "Your answer was refused:\n" + reason + "\n\nAnswer again in the same format, with these faults corrected and nothing else changed."
}

const maxRefusal = 2000 // bytes of a refusal told to the model

// describe words a provider's error for the call log: kinds and messages only,
// as Provider promises that they are free of secrets.
func describe(err error) string {
	var failed *Failure
	if errors.As(err, &failed) {
		return failed.Error()
	}
	if f := fault.As(err); f != nil {
		return f.Kind.String() + ": " + f.Message
	}
	if errors.Is(err, context.Canceled) {
		return "the caller went away"
	}
	return "the provider failed"
}

func (c *conversation) result(answer *Response) *Result {
	r := &Result{
		CallID: c.id, Role: c.role.Code, RoleVersion: c.role.Version, Label: c.label,
		Attempts: c.attempts, Usage: total(c.attempts), LatencyMs: c.g.now().Sub(c.started).Milliseconds(),
	}
	r.Masked, r.Tokens = c.replacements()
	if c.thread != nil {
		r.Thread = c.thread.ID
	}
	if answer != nil {
		r.Text, r.Calls, r.Finish = answer.Text, answer.Calls, answer.Finish
		r.Structured = c.format != nil && len(answer.Calls) == 0
	}
	for _, a := range c.attempts {
		if a.Status != AttemptSkipped {
			r.Provider, r.Model, r.Dropped = a.Provider, a.Model, a.Dropped
		}
		if c.format != nil && (a.Status == AttemptOK || a.Status == AttemptInvalid) {
			valid := a.Status == AttemptOK
			r.SchemaValid = &valid
		}
	}
	return r
}
