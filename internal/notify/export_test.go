package notify

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Deliver runs the job of a delivery once.
func (o *Outbox) Deliver(ctx context.Context, delivery, target int64) error {
	return o.deliver(ctx, deliverJob{Delivery: delivery, Target: target})
}

// Prune runs the job that removes old messages.
func (o *Outbox) Prune(ctx context.Context) error { return o.prune(ctx, pruneJob{}) }

// TellHeld runs the job that tells what was held for a target.
func (o *Outbox) TellHeld(ctx context.Context, target int64) error {
	return o.tellHeld(ctx, heldJob{Project: 1, Target: target, Due: metadb.Micros(o.opts.Now())})
}

// Sweep runs the job that looks for what was forgotten.
func (o *Outbox) Sweep(ctx context.Context) error { return o.sweep(ctx, sweepJob{}) }

// Due is when r tells m.
func (r Routing) Due(m Message, now time.Time) time.Time { return r.due(m, now) }

// TellPeople runs the job that finds who wants to be told of a message.
func (o *Outbox) TellPeople(ctx context.Context, message int64) error {
	return o.tellPeople(ctx, personalJob{Message: message})
}
