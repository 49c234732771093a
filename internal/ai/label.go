package ai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Production is the label of a role that a call uses which names none.
const Production = "production"

// Label is a name under which calls find a version of a role. To release a
// version, or to go back to an earlier one, is to move its label.
type Label struct {
	Name    string `json:"name"` // production, candidate, …
	Version int    `json:"version"`
	// CanaryVersion answers CanaryShare percent of the calls instead; 0 is none.
	CanaryVersion int       `json:"canary_version"`
	CanaryShare   int       `json:"canary_share"`
	Protected     bool      `json:"protected"` // only moved by who says so
	UpdatedAt     time.Time `json:"updated_at"`
	UpdatedBy     string    `json:"updated_by"`
}

// Move is one change of a label.
type Move struct {
	Number int       `json:"number"` // 1, 2, … of the role
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	From   *Label    `json:"from"` // null: it is new
	To     *Label    `json:"to"`   // null: it was removed
}

const (
	maxLabels = 20
	maxReason = 1000 // characters, as the API counts
)

// checkWords refuses what people write beside an edit when it has too many
// characters; field is the one that holds it.
func checkWords(text string, most int, field string) error {
	if utf8.RuneCountInString(text) > most {
		return fault.New(fault.Invalid, "it is over %d characters", most).WithField(field)
	}
	return nil
}

var labelName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

func (l *Label) check() error {
	switch {
	case !labelName.MatchString(l.Name):
		return fault.New(fault.Invalid, "a label is 1 to 32 lower-case letters, digits and hyphens").WithField("label")
	case l.CanaryShare < 0 || l.CanaryShare > 100:
		return fault.New(fault.Invalid, "the canary's share is from 0 to 100 percent").WithField("canary_share")
	case (l.CanaryVersion == 0) != (l.CanaryShare == 0):
		return fault.New(fault.Invalid, "a canary has a version and a share").WithField("canary_version")
	case l.CanaryVersion != 0 && l.CanaryVersion == l.Version:
		return fault.New(fault.Invalid, "the canary is another version than the label's own").WithField("canary_version")
	}
	return nil
}

// Labels returns the labels of a role by name.
func (s *Roles) Labels(ctx context.Context, owner Owner, code string) ([]Label, error) {
	return labels(ctx, s.db, owner.RoleKey(code))
}

func labels(ctx context.Context, q metadb.Querier, key string) ([]Label, error) {
	rows, err := q.Query(ctx, `SELECT label, version, canary_version, canary_share, protected, updated_at, updated_by FROM ai_role_label WHERE code = $1 ORDER BY label`, key)
	return metadb.Collect(rows, err, scanLabel)
}

func scanLabel(rows *metadb.Rows) (Label, error) {
	var l Label
	var at int64
	err := rows.Scan(&l.Name, &l.Version, &l.CanaryVersion, &l.CanaryShare, &l.Protected, &at, &l.UpdatedBy)
	l.UpdatedAt = metadb.FromMicros(at)
	return l, err
}

// Moves returns what was done to the labels of a role, the newest first.
func (s *Roles) Moves(ctx context.Context, owner Owner, code string) ([]Move, error) {
	rows, err := s.db.Query(ctx, `SELECT body FROM ai_role_move WHERE code = $1 ORDER BY number DESC LIMIT 500`, owner.RoleKey(code))
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Move, error) {
		var body string
		var m Move
		if err := rows.Scan(&body); err != nil {
			return m, err
		}
		return m, json.Unmarshal([]byte(body), &m)
	})
}

// SetLabel makes a label of a role or moves it. A protected one is moved only by
// who means it; else fault.Conflict says so, or fault.Denied to who may not.
// NotFound when the role has no such version. Calls that are under way keep the
// version they began with.
func (s *Roles) SetLabel(ctx context.Context, owner Owner, code string, l Label, override Override, author, reason string) (*Label, error) {
	key := owner.RoleKey(code)
	if err := l.check(); err != nil {
		return nil, err
	}
	if err := checkWords(reason, maxReason, "reason"); err != nil {
		return nil, err
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, err := role(ctx, tx, key); err != nil {
			return err
		}
		for field, version := range map[string]int{"version": l.Version, "canary_version": l.CanaryVersion} {
			if version == 0 && field == "canary_version" {
				continue
			}
			if _, err := roleAt(ctx, tx, key, version); err != nil {
				if e := fault.As(err); e != nil {
					return e.WithField(field)
				}
				return err
			}
		}
		before, err := labels(ctx, tx, key)
		if err != nil {
			return err
		}
		old := labelNamed(before, l.Name)
		if old == nil && len(before) >= maxLabels {
			return fault.New(fault.Invalid, "a role has at most %d labels", maxLabels).WithField("label")
		}
		if err := override.refuse(old); err != nil {
			return err
		}
		return s.move(ctx, tx, key, old, &l, author, reason)
	})
	if err != nil {
		return nil, err
	}
	s.forget()
	return &l, nil
}

// RemoveLabel removes a label; production stays as long as the role does. A
// protected one is as SetLabel says.
func (s *Roles) RemoveLabel(ctx context.Context, owner Owner, code, name string, override Override, author, reason string) error {
	key := owner.RoleKey(code)
	if name == Production {
		return fault.New(fault.Invalid, "a role is always in production as some version: move the label, or delete the role").WithField("label")
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		before, err := labels(ctx, tx, key)
		if err != nil {
			return err
		}
		old := labelNamed(before, name)
		if old == nil {
			return fault.New(fault.NotFound, "role %q has no label %q", code, name)
		}
		if err := override.refuse(old); err != nil {
			return err
		}
		return s.move(ctx, tx, key, old, nil, author, reason)
	})
	if err == nil {
		s.forget()
	}
	return err
}

func labelNamed(all []Label, name string) *Label {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

// move stores what a label is from now on, nil for no more, and remembers it.
func (s *Roles) move(ctx context.Context, tx *metadb.Tx, key string, from, to *Label, author, reason string) error {
	now := s.now().UTC().Truncate(time.Microsecond)
	var err error
	if to == nil {
		_, err = tx.Exec(ctx, `DELETE FROM ai_role_label WHERE code = $1 AND label = $2`, key, from.Name)
	} else {
		to.UpdatedAt, to.UpdatedBy = now, author
		_, err = tx.Exec(ctx, `INSERT INTO ai_role_label (code, label, version, canary_version, canary_share, protected, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (code, label) DO UPDATE SET version = excluded.version, canary_version = excluded.canary_version, canary_share = excluded.canary_share,
				protected = excluded.protected, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
			key, to.Name, to.Version, to.CanaryVersion, to.CanaryShare, to.Protected, metadb.Micros(now), author)
	}
	if err != nil {
		return fmt.Errorf("store label: %w", err)
	}
	m := Move{At: now, By: author, Reason: reason, From: from, To: to}
	if err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM ai_role_move WHERE code = $1`, key).Scan(&m.Number); err != nil {
		return fmt.Errorf("number the move of a label: %w", err)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ai_role_move (code, number, body) VALUES ($1, $2, $3)`, key, m.Number, string(body))
	return err
}

// released is what a label of a role stands for; without a role an organisation
// has none of that code.
type released struct {
	role, canary *Role // canary is nil for none
	share        int
}

// pick returns the version for a call; dice is from 0 to 99 and the same for the
// calls that shall have the same version.
func (r *released) pick(dice int) *Role {
	if r.canary != nil && dice < r.share {
		return r.canary
	}
	return r.role
}

func (s *Roles) load(ctx context.Context, at labelKey) (*released, error) {
	key := at.owner.RoleKey(at.code)
	var version, canary, share int
	err := s.db.QueryRow(ctx, `SELECT version, canary_version, canary_share FROM ai_role_label WHERE code = $1 AND label = $2`, key, at.label).Scan(&version, &canary, &share)
	if errors.Is(err, metadb.ErrNoRows) {
		switch _, err := s.Get(ctx, at.owner, at.code); {
		case at.owner != Shared && fault.Is(err, fault.NotFound):
			return &released{}, nil
		case err != nil:
			return nil, err
		}
		return nil, fault.New(fault.NotFound, "role %q has no label %q", at.code, at.label)
	}
	if err != nil {
		return nil, fmt.Errorf("load label: %w", err)
	}
	out := &released{share: share}
	if out.role, err = roleAt(ctx, s.db, key, version); err != nil {
		return nil, err
	}
	if canary != 0 {
		out.canary, err = roleAt(ctx, s.db, key, canary)
	}
	return out, err
}
