package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/rule"
)

const (
	// returnsWithin is how many quiet periods after its end an incident that fires
	// again is the same one.
	returnsWithin = 2
	// flapLimit is how often an incident may come back within flapWindow before
	// its messages are held to one.
	flapLimit  = 3
	flapWindow = time.Hour
)

// calmJob ends the holding of a flapping incident's messages.
type calmJob struct {
	Incident int64 `json:"incident_id"`
}

// Kind implements river.JobArgs.
func (calmJob) Kind() string { return "incident_calm" }

// returning finds the incident that a firing brings back, and the one that it is a
// part of, itself when it is none: the latest one of the same rule, service, phase
// and subject, if it was resolved lately or is a part of one that goes on.
func (s *Service) returning(ctx context.Context, tx *metadb.Tx, f rule.Firing) (c, whole record, found bool, err error) {
	since := s.opts.Now().Add(-returnsWithin * quietPeriod(f.Rule.QuietMinutes))
	c, err = one(ctx, tx, `SELECT `+recordColumns+` FROM incident WHERE rule_id = $1 AND service = $2 AND phase = $3 AND subject = $4
		AND (state = 'resolved' AND resolved_at >= $5 OR parent_kind = 'merged'
			AND EXISTS (SELECT 1 FROM incident whole WHERE whole.id = incident.parent_id AND whole.resolved_at = 0))
		ORDER BY resolved_at DESC, id DESC LIMIT 1`,
		f.Rule.ID, f.Service, f.Phase, f.Subject, metadb.Micros(since))
	if errors.Is(err, errNone) {
		return c, c, false, nil
	}
	if err != nil || c.ParentKind != Merged {
		return c, c, err == nil, err
	}
	if whole, err = s.own(ctx, tx, c.Parent); err != nil || !whole.Ended() {
		return c, whole, err == nil, err
	}
	other, err := s.taken(ctx, tx, whole.ID) // it has begun anew without this part
	return c, whole, err == nil && other == 0 && whole.State == Resolved, err
}

// back reopens an incident that fires again, and the one it is a part of.
func (s *Service) back(ctx context.Context, tx *metadb.Tx, c, whole record, f rule.Firing) error {
	if c.ID != whole.ID {
		_, err := tx.Exec(ctx, `UPDATE incident SET state = 'open', resolved_at = 0, resolved_by = '' WHERE id = $1`, c.ID)
		if err != nil {
			return fmt.Errorf("reopen part of incident: %w", err)
		}
	}
	if whole.Ended() {
		if err := s.comesBack(ctx, tx, whole, f); err != nil {
			return err
		}
	}
	return s.add(ctx, tx, c.ID, f)
}

// comesBack reopens an incident because it fires again, and says so.
func (s *Service) comesBack(ctx context.Context, tx *metadb.Tx, whole record, f rule.Firing) error {
	if err := s.revive(ctx, tx, whole); err != nil {
		return err
	}
	now := metadb.Micros(s.opts.Now())
	comings := append(slices.DeleteFunc(whole.comings, func(at int64) bool { return at <= now-flapWindow.Microseconds() }), now)
	begins := len(comings) > flapLimit && !whole.Flapping
	_, err := tx.Exec(ctx, `UPDATE incident SET reopened = reopened + 1, comings = $2, flapping = $3 WHERE id = $1`,
		whole.ID, encode(comings), whole.Flapping || begins)
	if err != nil {
		return fmt.Errorf("reopen incident: %w", err)
	}
	if err := s.note(ctx, tx, whole.ID, "reopened", map[string]any{"matches": f.New}); err != nil {
		return err
	}
	if begins {
		return s.flaps(ctx, tx, whole, len(comings))
	}
	return s.update(ctx, tx, whole.ID, "reopened", "")
}

// flaps says once that an incident comes and goes.
func (s *Service) flaps(ctx context.Context, tx *metadb.Tx, c record, times int) error {
	if err := s.note(ctx, tx, c.ID, "flapping", map[string]any{"times": times, "minutes": int(flapWindow.Minutes())}); err != nil {
		return err
	}
	if c.Told {
		if err := s.send(ctx, tx, c.ID, "flapping", ""); err != nil {
			return err
		}
	}
	return s.opts.Jobs.Insert(ctx, tx, calmJob{Incident: c.ID}, job.At(s.opts.Now().Add(flapWindow)))
}

// calm is the job behind calmJob: once an incident has not come back for a while,
// it says how that stands.
func (s *Service) calm(ctx context.Context, args calmJob) error {
	var again error
	err := s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		again = nil
		c, err := s.own(ctx, tx, args.Incident)
		if err != nil || !c.Flapping {
			return err
		}
		last := c.OpenedAt
		if n := len(c.comings); n > 0 {
			last = metadb.FromMicros(c.comings[n-1])
		}
		if left := last.Add(flapWindow).Sub(s.opts.Now()); left > 0 {
			again = job.Snooze(left)
			return nil
		}
		if !s.opts.Even(flapWindow) {
			again = job.Snooze(unevenWait)
			return nil
		}
		if _, err := tx.Exec(ctx, `UPDATE incident SET flapping = $2, comings = '[]' WHERE id = $1`, c.ID, false); err != nil {
			return fmt.Errorf("calm incident: %w", err)
		}
		if err := s.note(ctx, tx, c.ID, "calm", map[string]any{"reopened": c.Reopened}); err != nil {
			return err
		}
		return s.update(ctx, tx, c.ID, "calm", "")
	})
	if err != nil {
		return err
	}
	return again
}
