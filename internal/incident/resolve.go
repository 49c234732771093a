package incident

import (
	"context"
	"fmt"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// quietJob ends an incident once nothing has matched for its quiet period.
type quietJob struct {
	Incident int64 `json:"incident_id"`
}

// Kind implements river.JobArgs.
func (quietJob) Kind() string { return "incident_quiet" }

// Acknowledge notes who is on an open incident. The first one stays; asking
// again changes nothing. It returns fault.Conflict for a resolved one.
func (s *Service) Acknowledge(ctx context.Context, p project.ID, id int64, by string) error {
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		c, err := s.load(ctx, tx, p, id)
		switch {
		case err != nil:
			return err
		case c.State != Open:
			return fault.New(fault.Conflict, "the incident is resolved already")
		case c.AcknowledgedAt != nil:
			return nil
		}
		_, err = tx.Exec(ctx, `UPDATE incident SET acknowledged_at = $2, acknowledged_by = $3 WHERE id = $1`,
			id, metadb.Micros(s.opts.Now()), by)
		if err != nil {
			return fmt.Errorf("acknowledge incident: %w", err)
		}
		return s.note(ctx, tx, id, "acknowledged", map[string]any{"by": by})
	})
}

// Resolve ends an incident by hand. Ending it again changes nothing.
func (s *Service) Resolve(ctx context.Context, p project.ID, id int64, by string) error {
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		c, err := s.load(ctx, tx, p, id)
		if err != nil || c.State != Open {
			return err
		}
		return s.resolve(ctx, tx, c, by)
	})
}

// quiet is the job behind quietJob.
func (s *Service) quiet(ctx context.Context, args quietJob) error {
	var again error
	err := s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		again = nil
		c, err := s.own(ctx, tx, args.Incident)
		if err != nil || c.State != Open {
			return err
		}
		// Counted from when the last match was seen: spans that arrive late do
		// not end the incident they have just been added to.
		if left := c.seenAt.Add(quietPeriod(c.quietMinutes)).Sub(s.opts.Now()); left > 0 {
			again = job.Snooze(left)
			return nil
		}
		return s.resolve(ctx, tx, c, "")
	})
	if err != nil {
		return err
	}
	return again
}

// resolve ends an open incident; by is empty when it ended by itself.
func (s *Service) resolve(ctx context.Context, tx *metadb.Tx, c record, by string) error {
	_, err := tx.Exec(ctx, `UPDATE incident SET state = 'resolved', resolved_at = $2, resolved_by = $3 WHERE id = $1`,
		c.ID, metadb.Micros(s.opts.Now()), by)
	if err != nil {
		return fmt.Errorf("resolve incident: %w", err)
	}
	data := map[string]any{"by": by}
	if by == "" {
		data = map[string]any{"quiet_minutes": c.quietMinutes}
	}
	return s.note(ctx, tx, c.ID, "resolved", data)
}
