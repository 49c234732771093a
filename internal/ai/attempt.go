package ai

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/matrix-aiops/matrix/internal/mask"
)

// attempt asks one model once and notes how it went. It returns a valid answer,
// originals put back, or why there is none.
func (c *conversation) attempt(ctx context.Context, entry Entry, t try) (answer *Response, failed *Failure) {
	a := Attempt{At: c.g.now(), Owner: c.owner(entry), Provider: entry.Provider, Model: entry.Model, Key: t.key.Alias, Repair: t.repair, InWords: t.inWords, InHouse: t.inHouse, Dropped: t.dropped}
	circuit := circuitKey{c.at(entry), entry.Model, t.key.Alias}
	defer func() {
		if v := recover(); v != nil { // a fault of one provider or check is not the end of the chain
			answer, failed = nil, Fail(Transport, "the provider or the check of its answer panicked")
			a.Status, a.Class, a.Error = AttemptError, failed.Class, failed.Message
			if a.LatencyMs == 0 { // or it was the check, and the model had answered
				c.answered(&a)
			}
			// What was thrown may hold the message: its type and the stack do not.
			c.g.log.ErrorContext(ctx, "an attempt panicked", "role", c.role.Code, "provider", a.Provider, "model", a.Model,
				"type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		}
		c.g.breaker.done(circuit, a.Class, ctx.Err() != nil)
		c.attempts = append(c.attempts, a)
	}()

	t.request.Key = t.key.Secret
	w := c.watch(ctx, entry, t.inHouse)
	defer w.stop()
	leaving := w.ctx
	if !t.inHouse {
		leaving = WithGate(leaving, func(body []byte) error { return c.session().Gate(body, c.plainWords(&t.request)...) })
	}
	response, err := c.services[entry.Provider].Provider.Complete(leaving, t.request, w.on)
	c.answered(&a)
	a.ServedModel, a.Usage, a.UsageRaw = response.Model, response.Usage, response.UsageRaw
	if !w.first.IsZero() {
		a.FirstTokenMs = w.first.Sub(w.started).Milliseconds()
	}
	c.price(entry, &a)
	c.answer, a.Answer, c.unknown = response.Text, response.Text, nil
	if err != nil {
		failed = w.failure(err)
		c.retryAfter = failed.RetryAfter
		a.fail(failed)
		if errors.Is(err, context.Canceled) && failed.Class != TimedOut {
			a.Error = "the caller went away"
		}
		c.g.log.WarnContext(ctx, "a model did not answer", "role", c.role.Code, "provider", a.Provider, "model", a.Model, "class", string(failed.Class), "code", failed.Code, "status", failed.Status)
		if failed.Class == BadRequest && !t.inWords && t.request.Format != nil {
			c.plainFrom = c.model(entry)
		}
		return nil, failed
	}
	if t.inWords && c.plainFrom == c.model(entry) { // the schema was what it refused
		c.g.plain.Store(c.plainFrom, c.g.now().Add(plainFor))
	}
	if response.Finish == FinishLength && (c.format != nil || c.in.Validate != nil) {
		failed = Fail(CutOff, "the answer was cut off at the token limit")
		a.fail(failed)
		return nil, failed
	}
	restored := c.unmask(response, t.inHouse)
	if err := c.check(&restored); err != nil {
		var reason string
		reason, c.told = c.refusal(err, t.inHouse)
		a.Status, a.Class, a.Error, a.Answer = AttemptInvalid, InvalidAnswer, reason, c.answer
		return nil, Fail(InvalidAnswer, "the answer was refused")
	}
	if err := w.flush(); err != nil {
		failed = Fail(Transport, "the caller did not take the answer")
		a.fail(failed)
		return nil, failed
	}
	a.Status = AttemptOK
	return &restored, nil
}

// answered notes how long the model took that an attempt asked.
func (c *conversation) answered(a *Attempt) {
	took := c.g.now().Sub(a.At)
	a.LatencyMs = took.Milliseconds()
	c.elsewhere += took
}

// fail notes why the attempt gave no answer.
func (a *Attempt) fail(f *Failure) {
	a.Status, a.Class, a.Code, a.Error = AttemptError, f.Class, f.Code, f.Error()
	if f.Class == TimedOut {
		a.Status = AttemptTimeout
	}
}

// price sets what the attempt cost.
func (c *conversation) price(entry Entry, a *Attempt) {
	if a.Usage.InputTokens+a.Usage.OutputTokens > 0 {
		a.Usage.CostUSD, a.PriceVersion = c.cost(entry, a.At, a.Usage)
	}
}

// watch bounds the time of an attempt, to its first piece and between pieces, and
// brings the pieces to the client with the originals put back.
type watch struct {
	c        *conversation
	ctx      context.Context
	on       func(Piece) error // nil: not streamed
	started  time.Time
	first    time.Time // piece; zero before
	timeout  time.Duration
	between  time.Duration
	timer    *time.Timer    // of the next piece, nil when it has no bound of its own
	unmasker *mask.Unmasker // nil: the pieces are originals
	cancel   context.CancelCauseFunc
	release  context.CancelFunc
}

// stalled is the cause of a context that ended because no piece came.
type stalled struct{ what string }

func (s stalled) Error() string { return s.what }

func (c *conversation) watch(ctx context.Context, entry Entry, inHouse bool) *watch {
	w := &watch{c: c, started: time.Now(), timeout: time.Duration(entry.TimeoutMs) * time.Millisecond, between: time.Duration(entry.BetweenMs) * time.Millisecond}
	if w.timeout == 0 {
		w.timeout = defaultTimeout
	}
	if deadline, limited := ctx.Deadline(); limited {
		w.timeout = min(w.timeout, time.Until(deadline))
	}
	ctx, w.release = context.WithTimeout(ctx, w.timeout)
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	first := time.Duration(entry.FirstTokenMs) * time.Millisecond
	if c.in.Stream == nil && first == 0 && w.between == 0 {
		return w
	}
	if first > 0 {
		w.timer = time.AfterFunc(first, func() { w.cancel(stalled{fmt.Sprintf("the answer did not begin within %s", first)}) })
	}
	if !inHouse {
		w.unmasker = c.session().Unmasker()
	}
	w.on = w.piece
	return w
}

func (w *watch) piece(p Piece) error {
	if w.first.IsZero() {
		w.first = time.Now()
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.between > 0 {
		w.timer = time.AfterFunc(w.between, func() { w.cancel(stalled{fmt.Sprintf("the answer stopped for %s", w.between)}) })
	}
	if w.c.in.Stream == nil {
		return nil
	}
	if w.unmasker == nil {
		return w.deliver(p.Text)
	}
	return w.deliver(w.unmasker.Write(p.Text))
}

// deliver brings text to the client. From its first byte on the answer is this
// one: no other model is asked.
func (w *watch) deliver(text string) error {
	if text == "" {
		return nil
	}
	if w.c.committed.IsZero() {
		w.c.committed = time.Now()
	}
	return w.c.in.Stream(text)
}

// flush brings the rest of a streamed answer to the client.
func (w *watch) flush() error {
	if w.c.in.Stream == nil || w.unmasker == nil {
		return nil
	}
	return w.deliver(w.unmasker.Flush())
}

func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.cancel(nil)
	w.release()
}

// failure says why an attempt failed: its own time was up, the caller's, or as
// the provider says.
func (w *watch) failure(err error) *Failure {
	var none stalled
	switch {
	case errors.As(context.Cause(w.ctx), &none):
		return Fail(TimedOut, "%s", none.what)
	case errors.Is(err, context.DeadlineExceeded):
		return Fail(TimedOut, "no answer within %s", w.timeout.Round(time.Millisecond))
	}
	return failureOf(err)
}
