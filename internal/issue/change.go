package issue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Change is what people edit of an issue: all of it, as it shall be.
type Change struct {
	State           State
	ResolvedVersion string     // with Resolved: the version that mends it, "" at once
	IgnoredUntil    *time.Time // with Ignored
	IgnoredCount    int64      // with Ignored: occurrences from now that end it
	AssigneeID      int64      // account, 0 nobody
	Assignee        string     // its name
}

const maxVersionName = 256 // bytes

func (c *Change) check(now time.Time) error {
	switch {
	case !slices.Contains(States, c.State):
		return fault.New(fault.Invalid, "there is no state %q", c.State).WithField("state")
	case c.ResolvedVersion != "" && c.State != Resolved:
		return fault.New(fault.Invalid, "only a resolved issue is resolved in a version").WithField("resolved_version")
	case len(c.ResolvedVersion) > maxVersionName:
		return fault.New(fault.Invalid, "a version has at most %d bytes", maxVersionName).WithField("resolved_version")
	case (c.IgnoredUntil != nil || c.IgnoredCount != 0) && c.State != Ignored:
		return fault.New(fault.Invalid, "only an ignored issue has an end of that").WithField("ignored_until")
	case c.IgnoredUntil != nil && !c.IgnoredUntil.After(now):
		return fault.New(fault.Invalid, "the time until which to ignore the issue is over").WithField("ignored_until")
	case c.IgnoredCount < 0 || c.IgnoredCount > 1_000_000_000:
		return fault.New(fault.Invalid, "an issue is ignored for 1 to 1,000,000,000 occurrences more").WithField("ignored_count")
	case c.IgnoredUntil != nil && c.IgnoredCount != 0:
		return fault.New(fault.Invalid, "ignore the issue until a time or for so many occurrences, not both").WithField("ignored_count")
	}
	return nil
}

// Update changes an issue. version is that of the issue that was read; Conflict
// when it has been edited since.
func (s *Store) Update(ctx context.Context, p project.ID, author string, id, version int64, c Change) (Issue, error) {
	var after Issue
	now := s.now()
	if err := c.check(now); err != nil {
		return after, err
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		i, err := load(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if i.Version != version {
			return fault.New(fault.Conflict, "issue %d was changed meanwhile: read it again", id)
		}
		before := i
		sameEnd := i.IgnoredUntil == nil && c.IgnoredUntil == nil || i.IgnoredUntil != nil && c.IgnoredUntil != nil && i.IgnoredUntil.Equal(*c.IgnoredUntil)
		if i.State != c.State || i.ResolvedVersion != c.ResolvedVersion || i.IgnoredCount != c.IgnoredCount || !sameEnd {
			i.turn(c.State, now)
			i.ResolvedVersion, i.IgnoredUntil, i.IgnoredCount = c.ResolvedVersion, c.IgnoredUntil, c.IgnoredCount
			data := map[string]any{"from": before.State, "to": i.State}
			if i.ResolvedVersion != "" {
				data["resolved_version"] = i.ResolvedVersion
			}
			if i.IgnoredUntil != nil {
				data["until"] = i.IgnoredUntil.UTC()
			}
			if i.IgnoredCount != 0 {
				data["occurrences"] = i.IgnoredCount
			}
			if err := note(ctx, tx, i.ID, now, author, "state", data); err != nil {
				return err
			}
		}
		if i.AssigneeID != c.AssigneeID {
			i.AssigneeID, i.Assignee = c.AssigneeID, c.Assignee
			if err := note(ctx, tx, i.ID, now, author, "assigned", map[string]any{"from": before.Assignee, "to": i.Assignee}); err != nil {
				return err
			}
		}
		i.Version = before.Version + 1
		if err := write(ctx, tx, &i); err != nil {
			return err
		}
		after = i
		return nil
	})
	if err != nil {
		return after, err
	}
	return after, s.withTags(ctx, &after)
}

func (s *Store) withTags(ctx context.Context, i *Issue) error {
	one := []Issue{*i}
	err := tags(ctx, s.db, one)
	*i = one[0]
	return err
}

const maxComment = 10_000 // bytes

// Comment adds what somebody says about an issue.
func (s *Store) Comment(ctx context.Context, p project.ID, author string, id int64, text string) error {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return fault.New(fault.Invalid, "the comment says nothing").WithField("text")
	case len(text) > maxComment || !utf8.ValidString(text):
		return fault.New(fault.Invalid, "a comment is text of at most %d bytes", maxComment).WithField("text")
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		i, err := load(ctx, tx, p, id)
		if err != nil {
			return err
		}
		return note(ctx, tx, i.ID, s.now(), author, "comment", map[string]any{"text": text})
	})
}

const maxMerged = 50 // issues at once

// Merge moves all that the other issues are made of into one, with their activity.
// Who asks for one of them is then given this one.
func (s *Store) Merge(ctx context.Context, p project.ID, author string, id int64, others []int64) (Issue, error) {
	var after Issue
	if len(others) == 0 || len(others) > maxMerged {
		return after, fault.New(fault.Invalid, "name 1 to %d other issues", maxMerged).WithField("issues")
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		i, err := load(ctx, tx, p, id)
		if err != nil {
			return err
		}
		for _, other := range others {
			o, err := load(ctx, tx, p, other)
			if errors.Is(err, errNoIssue) {
				return fault.New(fault.Invalid, "the project has no issue %d", other).WithField("issues")
			}
			if err != nil {
				return err
			}
			if o.ID == i.ID {
				return fault.New(fault.Invalid, "issue %d cannot be merged into itself", other).WithField("issues")
			}
			if err := s.swallow(ctx, tx, &i, &o, author); err != nil {
				return err
			}
		}
		i.Version++
		if err := write(ctx, tx, &i); err != nil {
			return err
		}
		after = i
		return nil
	})
	if err != nil {
		return after, err
	}
	return after, s.withTags(ctx, &after)
}

// swallow makes o a part of i.
func (s *Store) swallow(ctx context.Context, tx *metadb.Tx, i, o *Issue, author string) error {
	for _, statement := range []string{
		`UPDATE issue_fingerprint SET issue_id = $1 WHERE issue_id = $2`,
		`INSERT INTO issue_tag (issue_id, kind, value, first_seen) SELECT $1, kind, value, first_seen FROM issue_tag WHERE issue_id = $2
			ON CONFLICT (issue_id, kind, value) DO UPDATE SET first_seen = CASE WHEN excluded.first_seen < issue_tag.first_seen THEN excluded.first_seen ELSE issue_tag.first_seen END`,
		`UPDATE issue_event SET issue_id = $1 WHERE issue_id = $2`,
		`UPDATE issue SET merged_into = $1 WHERE id = $2 OR merged_into = $2`,
	} {
		if _, err := tx.Exec(ctx, statement, i.ID, o.ID); err != nil {
			return fmt.Errorf("merge issue %d: %w", o.ID, err)
		}
	}
	if o.FirstSeen.Before(i.FirstSeen) {
		i.FirstSeen, i.FirstVersion = o.FirstSeen, o.FirstVersion
	}
	if o.LastSeen.After(i.LastSeen) {
		i.LastSeen, i.LastVersion = o.LastSeen, o.LastVersion
	}
	return note(ctx, tx, i.ID, s.now(), author, "merged", map[string]any{"issue": o.ID, "title": title(o)})
}

func title(i *Issue) string {
	if i.Message == "" {
		return i.Type
	}
	first, _, _ := strings.Cut(i.Message, "\n")
	return i.Type + ": " + first
}

// Split makes an issue of some of the fingerprints of one, and returns it. It is
// in the state of the one it came from, and assigned to the same person.
func (s *Store) Split(ctx context.Context, p project.ID, author string, id int64, fingerprints []string) (Issue, error) {
	var made Issue
	moved := make([]uint64, len(fingerprints))
	for i, text := range fingerprints {
		var err error
		if moved[i], err = parseFingerprint(text); err != nil {
			return made, err
		}
	}
	seen, err := s.history(ctx, p, moved)
	if err != nil {
		return made, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		i, err := load(ctx, tx, p, id)
		if err != nil {
			return err
		}
		have, err := fingerprintsOf(ctx, tx, i.ID)
		if err != nil {
			return err
		}
		slices.Sort(moved)
		moved = slices.Compact(moved)
		for _, f := range moved {
			if !slices.Contains(have, f) {
				return fault.New(fault.Invalid, "the issue has no fingerprint %s", formatFingerprint(f)).WithField("fingerprints")
			}
		}
		if len(moved) == 0 || len(moved) == len(have) {
			return fault.New(fault.Invalid, "choose some of the issue's %d fingerprints, and leave it at least one", len(have)).WithField("fingerprints")
		}
		now := s.now()
		next := Issue{Project: p, Services: []string{}, State: i.State, StateSince: i.StateSince, FirstSeen: i.FirstSeen, LastSeen: i.LastSeen,
			FirstVersion: i.FirstVersion, LastVersion: i.LastVersion, AssigneeID: i.AssigneeID, Assignee: i.Assignee}
		if seen != nil {
			next.FirstSeen, next.LastSeen, next.FirstVersion, next.LastVersion = seen.First, seen.Last, seen.FirstVersion, seen.LastVersion
		}
		err = tx.QueryRow(ctx, `SELECT type, message, culprit, language FROM issue_fingerprint WHERE project_id = $1 AND fingerprint = $2`,
			int64(p), formatFingerprint(moved[0])).Scan(&next.Type, &next.Message, &next.Culprit, &next.Language)
		if err != nil {
			return fmt.Errorf("read fingerprint: %w", err)
		}
		if err := create(ctx, tx, &next); err != nil {
			return err
		}
		next.ResolvedVersion, next.IgnoredUntil, next.IgnoredCount = i.ResolvedVersion, i.IgnoredUntil, i.IgnoredCount
		if err := write(ctx, tx, &next); err != nil {
			return err
		}
		list := placeholders{}
		to, from, texts := list.add(next.ID), list.add(i.ID), make([]string, len(moved))
		for n, f := range moved {
			texts[n] = formatFingerprint(f)
		}
		if _, err := tx.Exec(ctx, `UPDATE issue_fingerprint SET issue_id = `+to+` WHERE issue_id = `+from+` AND fingerprint IN (`+addAll(&list, texts)+`)`, list.args...); err != nil {
			return fmt.Errorf("move fingerprints: %w", err)
		}
		if seen != nil {
			for kind, values := range map[string]map[string]int64{"service": seen.Services, "environment": seen.Environments, "version": seen.VersionFirst} {
				if err := tag(ctx, tx, next.ID, kind, values); err != nil {
					return err
				}
			}
		}
		i.Version++
		made = next
		return errors.Join(write(ctx, tx, &i),
			note(ctx, tx, i.ID, now, author, "split", map[string]any{"issue": next.ID, "title": title(&next)}),
			note(ctx, tx, next.ID, now, author, "split_off", map[string]any{"issue": i.ID, "title": title(&i)}))
	})
	if err != nil {
		return made, err
	}
	return made, s.withTags(ctx, &made)
}

// history is what is stored of the fingerprints, nil when all of it has expired.
func (s *Store) history(ctx context.Context, p project.ID, fingerprints []uint64) (*sighting, error) {
	var rows []sighting
	err := s.events.Select(ctx, p, &rows, `SELECT project_id, `+sightingColumns+` FROM error_events
		WHERE project_id = {project:UInt32} AND fingerprint IN {fingerprints:Array(UInt64)} GROUP BY project_id`, clickhouse.P("fingerprints", fingerprints))
	if err != nil {
		return nil, fmt.Errorf("read occurrences: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

func fingerprintsOf(ctx context.Context, q metadb.Querier, issue int64) ([]uint64, error) {
	rows, err := q.Query(ctx, `SELECT fingerprint FROM issue_fingerprint WHERE issue_id = $1 ORDER BY fingerprint LIMIT $2`, issue, maxKnown)
	found, err := metadb.Collect(rows, err, func(r *metadb.Rows) (f uint64, err error) {
		var text string
		if err := r.Scan(&text); err != nil {
			return 0, err
		}
		return parseFingerprint(text)
	})
	if err != nil {
		return nil, fmt.Errorf("read fingerprints: %w", err)
	}
	return found, nil
}
