package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// States lists the states in the order in which they are gone through.
var States = []string{Open, Acknowledged, Mitigated, Resolved, Closed}

// turns are the states that a person may bring an incident to.
var turns = map[string][]string{
	Open:         {Acknowledged, Mitigated, Resolved},
	Acknowledged: {Mitigated, Resolved},
	Mitigated:    {Acknowledged, Resolved},
	Resolved:     {Open, Closed},
	Closed:       {},
}

// Ended reports whether the incident is over.
func (i *Incident) Ended() bool { return i.State == Resolved || i.State == Closed }

// Turn brings an incident into another state. Bringing it into the one it has
// changes nothing, so that of two people who acknowledge the first one stays. It
// returns fault.Conflict for a state that cannot follow, for a part of another
// incident, and for a resolved one whose place another has taken.
func (s *Service) Turn(ctx context.Context, p project.ID, id int64, to string, by Person) error {
	if !slices.Contains(States, to) {
		return fault.New(fault.Invalid, "state must be one of %s", strings.Join(States, ", ")).WithField("state")
	}
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		c, err := s.load(ctx, tx, p, id)
		switch {
		case err != nil:
			return err
		case c.ParentKind == Merged:
			return fault.New(fault.Conflict, "the incident was merged into #%d: change that one, or take this one out of it", c.Parent)
		case c.State == to:
			return nil
		case !slices.Contains(turns[c.State], to):
			return fault.New(fault.Conflict, "the incident is %s: it cannot become %s", c.State, to)
		}
		switch to {
		case Acknowledged:
			return s.acknowledge(ctx, tx, c, by)
		case Resolved:
			return s.resolve(ctx, tx, c, by.Name)
		case Open:
			return s.reopen(ctx, tx, c, by)
		}
		if err := s.set(ctx, tx, c, to); err != nil {
			return err
		}
		return s.note(ctx, tx, id, to, map[string]any{"by": by.Name})
	})
}

// Acknowledge notes who is on an incident that goes on.
func (s *Service) Acknowledge(ctx context.Context, p project.ID, id int64, by Person) error {
	return s.Turn(ctx, p, id, Acknowledged, by)
}

// Resolve ends an incident by hand. Ending one that is over changes nothing.
func (s *Service) Resolve(ctx context.Context, p project.ID, id int64, by Person) error {
	c, err := s.load(ctx, s.opts.DB, p, id)
	if err != nil || c.State == Closed {
		return err
	}
	return s.Turn(ctx, p, id, Resolved, by)
}

// set writes the state of an incident and of what was merged into it.
func (s *Service) set(ctx context.Context, tx *metadb.Tx, c record, state string) error {
	_, err := tx.Exec(ctx, `UPDATE incident SET state = $2 WHERE id = $1 OR parent_id = $1 AND parent_kind = 'merged'`, c.ID, state)
	if err != nil {
		return fmt.Errorf("set state of incident: %w", err)
	}
	return nil
}

// acknowledge makes by the one who is on it: whoever takes an incident of nobody
// has it from then on.
func (s *Service) acknowledge(ctx context.Context, tx *metadb.Tx, c record, by Person) error {
	if err := s.set(ctx, tx, c, Acknowledged); err != nil {
		return err
	}
	if c.AssigneeID == 0 {
		c.AssigneeID, c.Assignee = by.ID, by.Name
		if by.ID == 0 {
			c.Assignee = ""
		}
	}
	_, err := tx.Exec(ctx, `UPDATE incident SET acknowledged_at = $2, acknowledged_by = $3, assignee_id = $4, assignee = $5 WHERE id = $1`,
		c.ID, metadb.Micros(s.opts.Now()), by.Name, c.AssigneeID, c.Assignee)
	if err != nil {
		return fmt.Errorf("acknowledge incident: %w", err)
	}
	if err := s.note(ctx, tx, c.ID, "acknowledged", map[string]any{"by": by.Name}); err != nil {
		return err
	}
	return s.update(ctx, tx, c.ID, "acknowledged", by.Name)
}

// resolve ends an incident; by is empty when it ended by itself.
func (s *Service) resolve(ctx context.Context, tx *metadb.Tx, c record, by string) error {
	_, err := tx.Exec(ctx, `UPDATE incident SET state = 'resolved', resolved_at = $2, resolved_by = $3
		WHERE resolved_at = 0 AND (id = $1 OR parent_id = $1 AND parent_kind = 'merged')`,
		c.ID, metadb.Micros(s.opts.Now()), by)
	if err != nil {
		return fmt.Errorf("resolve incident: %w", err)
	}
	data := map[string]any{"by": by}
	if by == "" {
		data = map[string]any{"quiet_minutes": c.quietMinutes}
	}
	if err := s.note(ctx, tx, c.ID, "resolved", data); err != nil {
		return err
	}
	return s.update(ctx, tx, c.ID, "resolved", by)
}

// reopen has a person take back the end of an incident.
func (s *Service) reopen(ctx context.Context, tx *metadb.Tx, c record, by Person) error {
	other, err := s.taken(ctx, tx, c.ID)
	switch {
	case err != nil:
		return err
	case other != 0:
		return fault.New(fault.Conflict, "incident #%d is open for the same by now", other)
	}
	if err := s.revive(ctx, tx, c); err != nil {
		return err
	}
	// The quiet period begins anew: nothing may have matched for long.
	if _, err := tx.Exec(ctx, `UPDATE incident SET seen_at = $2, reopened = reopened + 1 WHERE id = $1`, c.ID, metadb.Micros(s.opts.Now())); err != nil {
		return fmt.Errorf("reopen incident: %w", err)
	}
	if err := s.note(ctx, tx, c.ID, "reopened", map[string]any{"by": by.Name}); err != nil {
		return err
	}
	return s.update(ctx, tx, c.ID, "reopened", by.Name)
}

// taken returns the incident that goes on for the same rule, service, phase and
// subject as another, 0 for none.
func (s *Service) taken(ctx context.Context, tx *metadb.Tx, id int64) (other int64, err error) {
	err = tx.QueryRow(ctx, `SELECT o.id FROM incident o JOIN incident mine ON mine.id = $1 AND mine.rule_id = o.rule_id
		AND mine.service = o.service AND mine.phase = o.phase AND mine.subject = o.subject
		WHERE o.resolved_at = 0 AND o.id <> mine.id`, id).Scan(&other)
	if errors.Is(err, metadb.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look who took the place of incident: %w", err)
	}
	return other, nil
}

// revive makes an incident that was resolved one that goes on and nobody is on. Its
// parts follow when they fire again.
func (s *Service) revive(ctx context.Context, tx *metadb.Tx, c record) error {
	_, err := tx.Exec(ctx, `UPDATE incident SET state = 'open', resolved_at = 0, resolved_by = '', acknowledged_at = 0, acknowledged_by = ''
		WHERE id = $1`, c.ID)
	if err != nil {
		return fmt.Errorf("reopen incident: %w", err)
	}
	return s.opts.Jobs.Insert(ctx, tx, quietJob{Incident: c.ID}, job.At(s.opts.Now().Add(quietPeriod(c.quietMinutes))))
}

// SetSeverity changes how bad an incident is. A symptom that is worse than its
// cause is told of from then on.
func (s *Service) SetSeverity(ctx context.Context, p project.ID, id int64, severity string, by Person) error {
	if !slices.Contains(rule.Severities, severity) {
		return fault.New(fault.Invalid, "severity must be one of %s", strings.Join(rule.Severities, ", ")).WithField("severity")
	}
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		c, err := s.load(ctx, tx, p, id)
		if err != nil || c.Severity == severity {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE incident SET severity = $2 WHERE id = $1`, id, severity); err != nil {
			return fmt.Errorf("set severity: %w", err)
		}
		if err := s.note(ctx, tx, id, "severity", map[string]any{"by": by.Name, "from": c.Severity, "to": severity}); err != nil {
			return err
		}
		if c.Told || c.Ended() || c.ParentKind != Symptom {
			return nil
		}
		return s.announce(ctx, tx, id)
	})
}

// Assign gives an incident to somebody, to nobody when to has no ID. Whether the
// account may see the project is for the caller to check.
func (s *Service) Assign(ctx context.Context, p project.ID, id int64, to, by Person) error {
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		c, err := s.load(ctx, tx, p, id)
		if err != nil || c.AssigneeID == to.ID {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE incident SET assignee_id = $2, assignee = $3 WHERE id = $1`, id, to.ID, to.Name); err != nil {
			return fmt.Errorf("assign incident: %w", err)
		}
		if err := s.note(ctx, tx, id, "assigned", map[string]any{"by": by.Name, "from": c.Assignee, "to": to.Name}); err != nil {
			return err
		}
		return s.tellAssignee(ctx, tx, id, by)
	})
}
