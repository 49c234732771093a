package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// heldJob tells what was held for a target till a time.
type heldJob struct {
	Project project.ID `json:"project_id"`
	Target  int64      `json:"target_id"`
	Due     int64      `json:"due"` // microseconds
}

// Kind implements river.JobArgs.
func (heldJob) Kind() string { return "notify_held" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (heldJob) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: Queue} }

// sweepJob looks for what was held and not told.
type sweepJob struct{}

// Kind implements river.JobArgs.
func (sweepJob) Kind() string { return "notify_sweep" }

const (
	sweepEvery = 10 * time.Minute
	// sweepAfter is how long past its time a held delivery is a forgotten one.
	sweepAfter = 5 * time.Minute
)

// sweep sees to what was held in the very moment in which its time was told: its
// job counted as there already, and had looked before.
func (o *Outbox) sweep(ctx context.Context, _ sweepJob) error {
	err := o.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT DISTINCT m.project_id, d.target_id FROM notify_delivery d JOIN notify_message m ON d.message_id = m.id
			WHERE d.state = $1 AND d.due_at < $2`, Held, metadb.Micros(o.opts.Now().Add(-sweepAfter)))
		forgotten, err := metadb.Collect(rows, err, func(r *metadb.Rows) (j heldJob, err error) { return j, r.Scan(&j.Project, &j.Target) })
		if err != nil {
			return err
		}
		for _, j := range forgotten {
			j.Due = metadb.Micros(o.opts.Now())
			if err := o.opts.Jobs.Insert(ctx, tx, j); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sweep held deliveries: %w", err)
	}
	return nil
}

// hold writes down a delivery that is told at due, and sees to it that it is.
func (o *Outbox) hold(ctx context.Context, tx *metadb.Tx, delivery, message int64, t Target, p project.ID, now, due int64) error {
	if err := insertDelivery(ctx, tx, delivery, message, t, Held, "", now, due); err != nil {
		return err
	}
	err := o.opts.Jobs.Insert(ctx, tx, heldJob{Project: p, Target: t.ID, Due: due}, job.At(metadb.FromMicros(due)), job.UniqueByArgs())
	if err != nil {
		return fmt.Errorf("enqueue delivery: %w", err)
	}
	return nil
}

// tellHeld tells what was held for the job's target till now: one message as it
// is, several as one. A target that is gone or off fails them as it does others.
func (o *Outbox) tellHeld(ctx context.Context, j heldJob) error {
	now := o.opts.Now()
	if due := metadb.FromMicros(j.Due); due.After(now) { // the clocks of two nodes differ
		return job.Snooze(due.Sub(now))
	}
	err := o.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		t, err := named(ctx, tx, j.Project, j.Target)
		if err != nil {
			return err
		}
		held, err := waitingFor(ctx, tx, t, Held, `d.due_at <= $4`, now)
		if err != nil {
			return err
		}
		switch {
		case len(held) > 1 && t.Kind != "" && oneGroup(held):
			return o.tellTogether(ctx, tx, t, Held, held, "group")
		case len(held) > 1 && t.Kind != "":
			return o.tellTogether(ctx, tx, t, Held, held, "digest")
		}
		for _, w := range held {
			// The message's own time counts from now on: it has not waited for the target.
			if _, err := tx.Exec(ctx, `UPDATE notify_delivery SET state = $3, updated_at = $4 WHERE id = $1 AND state = $2`,
				w.id, Held, Pending, metadb.Micros(now)); err != nil {
				return err
			}
			if err := o.opts.Jobs.Insert(ctx, tx, deliverJob{Delivery: w.id, Target: j.Target}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tell what was held: %w", err)
	}
	return nil
}
