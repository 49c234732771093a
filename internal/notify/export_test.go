package notify

import "context"

// Deliver runs the job of a delivery once.
func (o *Outbox) Deliver(ctx context.Context, delivery, target int64) error {
	return o.deliver(ctx, deliverJob{Delivery: delivery, Target: target})
}

// Prune runs the job that removes old messages.
func (o *Outbox) Prune(ctx context.Context) error { return o.prune(ctx, pruneJob{}) }
