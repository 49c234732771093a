package tenant

import (
	"context"
	"errors"
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Members lists who is in an organisation (group 0) or in one of its groups.
func (s *Store) Members(ctx context.Context, org, group int64) ([]Member, error) {
	rows, err := s.db.Query(ctx, `SELECT m.org_id, m.group_id, m.user_id, a.email, a.name, m.role, m.created_at
		FROM membership m JOIN account a ON a.id = m.user_id
		WHERE m.org_id = $1 AND m.group_id = $2 ORDER BY a.email`, org, group)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (m Member, err error) {
		var created int64
		err = r.Scan(&m.OrgID, &m.GroupID, &m.UserID, &m.Email, &m.Name, &m.Role, &created)
		m.CreatedAt = metadb.FromMicros(created)
		return m, err
	})
}

// Memberships lists where a user is a member.
func (s *Store) Memberships(ctx context.Context, user int64) ([]Member, error) {
	rows, err := s.db.Query(ctx, `SELECT m.org_id, m.group_id, m.user_id, a.email, a.name, m.role, m.created_at
		FROM membership m JOIN account a ON a.id = m.user_id
		WHERE m.user_id = $1 ORDER BY m.org_id, m.group_id`, user)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (m Member, err error) {
		var created int64
		err = r.Scan(&m.OrgID, &m.GroupID, &m.UserID, &m.Email, &m.Name, &m.Role, &created)
		m.CreatedAt = metadb.FromMicros(created)
		return m, err
	})
}

// SetMember gives the account with that address a role in an organisation
// (group 0) or group, whatever it was before. Only an owner can make or unmake
// an owner, and an organisation keeps at least one.
func (s *Store) SetMember(ctx context.Context, by Actor, org, group int64, email string, role Role) error {
	if !slices.Contains(Roles, role) {
		return fault.New(fault.Invalid, "the role is owner, admin, editor or viewer").WithField("role")
	}
	email, _, err := checkPerson(email, "")
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var user int64
		err := tx.QueryRow(ctx, `SELECT id FROM account WHERE email = $1 AND NOT disabled`, email).Scan(&user)
		if errors.Is(err, metadb.ErrNoRows) {
			return fault.New(fault.Invalid, "nobody here has this address: a system admin must make the account first").WithField("email")
		}
		if err != nil {
			return err
		}
		if err := s.mayChangeMember(ctx, tx, by, org, group, user, role); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO membership (org_id, group_id, user_id, role, created_at, created_by)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (org_id, group_id, user_id) DO UPDATE SET role = excluded.role`,
			org, group, user, role, metadb.Micros(s.now()), by.UserID); err != nil {
			return err
		}
		return keepOwner(ctx, tx, org)
	})
}

// RemoveMember takes a user's role in an organisation (group 0) or group away.
// Removing somebody from an organisation removes them from its groups as well.
func (s *Store) RemoveMember(ctx context.Context, by Actor, org, group, user int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := s.mayChangeMember(ctx, tx, by, org, group, user, ""); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM membership WHERE org_id = $1 AND user_id = $3 AND (group_id = $2 OR $2 = 0)`, org, group, user)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "user %d is not a member here", user)
		}
		return keepOwner(ctx, tx, org)
	})
}

// mayChangeMember refuses changes to owners by anyone but an owner, and any
// change to a personal organisation. The role "" removes the user, from an
// organisation with what they are in its groups.
func (s *Store) mayChangeMember(ctx context.Context, tx *metadb.Tx, by Actor, org, group, user int64, role Role) error {
	at, err := s.standing(ctx, tx, by, Target{Org: org, Group: group})
	if err != nil {
		return err
	}
	var kind string
	if err := tx.QueryRow(ctx, `SELECT kind FROM organisation WHERE id = $1`, org).Scan(&kind); err != nil {
		return err
	}
	if kind == KindPersonal {
		return fault.New(fault.Conflict, "a personal organisation has one member").WithField("user_id")
	}
	var owns int
	err = tx.QueryRow(ctx, `SELECT count(*) FROM membership WHERE org_id = $1 AND user_id = $3 AND role = 'owner'
		AND (group_id = $2 OR $2 = 0 AND $4)`, org, group, user, role == "").Scan(&owns)
	if err != nil {
		return err
	}
	if (role == Owner || owns > 0) && at.effective() != Owner && !at.systemAdmin {
		return fault.New(fault.Denied, "only an owner can make or unmake an owner")
	}
	return nil
}

// keepOwner refuses the change that would leave an organisation without an
// owner who can sign in.
func keepOwner(ctx context.Context, tx *metadb.Tx, org int64) error {
	var owners int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM membership m JOIN account a ON a.id = m.user_id
		WHERE m.org_id = $1 AND m.group_id = 0 AND m.role = 'owner' AND NOT a.disabled`, org).Scan(&owners); err != nil {
		return err
	}
	if owners == 0 {
		return fault.New(fault.Conflict, "an organisation keeps at least one owner").WithField("role")
	}
	return nil
}

// keepOwners refuses to disable the last owner of a team.
func keepOwners(ctx context.Context, tx *metadb.Tx, user int64) error {
	var name string
	err := tx.QueryRow(ctx, `SELECT o.name FROM membership m JOIN organisation o ON o.id = m.org_id
		WHERE m.user_id = $1 AND m.group_id = 0 AND m.role = 'owner' AND o.kind = 'team' AND NOT EXISTS (
			SELECT 1 FROM membership n JOIN account a ON a.id = n.user_id
			WHERE n.org_id = o.id AND n.group_id = 0 AND n.role = 'owner' AND NOT a.disabled)
		ORDER BY o.id LIMIT 1`, user).Scan(&name)
	if errors.Is(err, metadb.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "this is the last owner of %s: make another one first", name).WithField("disabled")
}
