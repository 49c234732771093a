package incident

import (
	"context"
	"fmt"
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// maxMerge is how many incidents are merged at once.
const maxMerge = 100

// Merge makes other incidents parts of one that goes on: their matches count
// there, their timelines and comments are read there, and they end with it. Later
// matches of theirs go to it, too. It returns fault.Conflict for one that is a part
// of another already.
func (s *Service) Merge(ctx context.Context, p project.ID, into int64, others []int64, by Person) error {
	others = slices.Compact(slices.Sorted(slices.Values(others)))
	if len(others) == 0 || len(others) > maxMerge || slices.Contains(others, into) {
		return fault.New(fault.Invalid, "name 1 to %d other incidents", maxMerge).WithField("incidents")
	}
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		target, err := s.load(ctx, tx, p, into)
		switch {
		case err != nil:
			return err
		case target.Ended():
			return fault.New(fault.Conflict, "incident #%d is over: reopen it first", into)
		case target.ParentKind == Merged:
			return fault.New(fault.Conflict, "incident #%d was merged into #%d: merge into that one", into, target.Parent)
		}
		for _, id := range others {
			c, err := s.load(ctx, tx, p, id)
			if err != nil {
				return err
			}
			if c.ParentKind == Merged {
				return fault.New(fault.Conflict, "incident #%d was merged into #%d already", id, c.Parent)
			}
			if target.Parent == id { // a cause that becomes a part of its symptom
				target.Parent, target.ParentKind = 0, ""
				if _, err := tx.Exec(ctx, `UPDATE incident SET parent_id = 0, parent_kind = '' WHERE id = $1`, into); err != nil {
					return fmt.Errorf("merge incident: %w", err)
				}
			}
			if err := s.merge(ctx, tx, into, &c, by); err != nil {
				return err
			}
		}
		return s.announce(ctx, tx, into)
	})
}

// merge makes c, its parts and its symptoms those of into.
func (s *Service) merge(ctx context.Context, tx *metadb.Tx, into int64, c *record, by Person) error {
	// What c is made of counts in it: that comes along.
	if err := s.count(ctx, tx, into, c.Matches, c.Instances, +1); err != nil {
		return err
	}
	parts, err := s.children(ctx, tx, c.ID, Merged)
	if err != nil {
		return err
	}
	for _, part := range parts { // an incident's own count holds no parts of its parts
		if err := s.count(ctx, tx, c.ID, part.Matches, part.Instances, -1); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE incident SET parent_id = $2 WHERE parent_id = $1`, c.ID, into); err != nil {
		return fmt.Errorf("merge incident: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE incident SET parent_id = $2, parent_kind = 'merged' WHERE id = $1`, c.ID, into); err != nil {
		return fmt.Errorf("merge incident: %w", err)
	}
	if err := s.note(ctx, tx, c.ID, "merged_into", map[string]any{"by": by.Name, "incident": into}); err != nil {
		return err
	}
	return s.note(ctx, tx, into, "merged", map[string]any{"by": by.Name, "incident": c.ID, "title": c.Title, "matches": c.Matches})
}

// Split takes an incident out of what it was merged into, or off what it is a
// symptom of: it stands for itself again, with its own matches.
func (s *Service) Split(ctx context.Context, p project.ID, id int64, by Person) error {
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		c, err := s.load(ctx, tx, p, id)
		switch {
		case err != nil:
			return err
		case c.Parent == 0:
			return fault.New(fault.Conflict, "the incident is no part and no symptom of another")
		}
		if c.ParentKind == Merged {
			if err := s.count(ctx, tx, c.Parent, c.Matches, c.Instances, -1); err != nil {
				return err
			}
			if !c.Ended() {
				err := s.opts.Jobs.Insert(ctx, tx, quietJob{Incident: id}, job.At(s.opts.Now().Add(quietPeriod(c.quietMinutes))))
				if err != nil {
					return err
				}
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE incident SET parent_id = 0, parent_kind = '' WHERE id = $1`, id); err != nil {
			return fmt.Errorf("split incident: %w", err)
		}
		if err := s.note(ctx, tx, id, "split_off", map[string]any{"by": by.Name, "incident": c.Parent}); err != nil {
			return err
		}
		if err := s.note(ctx, tx, c.Parent, "split", map[string]any{"by": by.Name, "incident": id, "title": c.Title}); err != nil {
			return err
		}
		if c.Ended() {
			return nil
		}
		return s.announce(ctx, tx, id)
	})
}

// count adds matches to an incident, or takes them away.
func (s *Service) count(ctx context.Context, tx *metadb.Tx, id int64, matches int, instances []rule.InstanceCount, sign int) error {
	c, err := s.own(ctx, tx, id)
	if err != nil {
		return err
	}
	signed := slices.Clone(instances)
	for i := range signed {
		signed[i].Count *= sign
	}
	sum := slices.DeleteFunc(mergeInstances(c.Instances, signed), func(i rule.InstanceCount) bool { return i.Count <= 0 })
	_, err = tx.Exec(ctx, `UPDATE incident SET matches = $2, instances = $3 WHERE id = $1`, id, max(0, c.Matches+sign*matches), encode(sum))
	if err != nil {
		return fmt.Errorf("count matches of incident: %w", err)
	}
	return nil
}

// children returns the incidents of a parent, the oldest first; of any kind when
// kind is empty.
func (s *Service) children(ctx context.Context, q metadb.Querier, parent int64, kind string) ([]Incident, error) {
	rows, err := q.Query(ctx, `SELECT `+listColumns+` FROM incident WHERE parent_id = $1 AND ($2 = '' OR parent_kind = $2) ORDER BY opened_at, id`, parent, kind)
	found, err := metadb.Collect(rows, err, scanIncident)
	if err != nil {
		return nil, fmt.Errorf("list what belongs to incident: %w", err)
	}
	return found, nil
}
